"""Adam as Keras applies it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

EPSILON = 1e-7


class KerasAdam(torch.optim.Adam):
    """Adam with Keras's epsilon, which is added to the root of the second moment before its bias is corrected.

    That is the other order of D. P. Kingma and J. Ba, Adam (2015), at the end of section 2. In step t it equals torch's
    Adam with an epsilon of ``1e-7 / sqrt(1 - beta2 ** t)``, so the first steps are damped more than torch's.

    Example:
        >>> weight = torch.nn.Parameter(torch.zeros(1))
        >>> weight.grad = torch.tensor([1e-6])
        >>> KerasAdam([weight], lr=1.0).step()
        >>> round(weight.item(), 4)  # torch's own Adam goes to -0.99 for its own epsilon, -0.909 for this one
        -0.2403
    """

    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Take a step with the gradients of the parameters; returns what ``closure`` does."""
        for group in self.param_groups:
            # Kept in the group, so that a stored state holds it.
            group["steps"] = group.get("steps", 0) + 1
            group["eps"] = EPSILON / (1 - group["betas"][1] ** group["steps"]) ** 0.5
        return super().step(closure)
