"""What a network predicts after its last step. All else of a full training would be far too much to write down."""

from __future__ import annotations

import atexit
import functools
from types import ModuleType
from typing import Any

import numpy as np
from torch import Tensor, is_grad_enabled, nn, no_grad
from torch.optim.optimizer import register_optimizer_step_post_hook

from llmseg.admission.observing.watching import helping
from llmseg.admission.observing.watching.journal import Journal
from llmseg.admission.observing.watching.tensors import list_tensors, to_array

SIDE = 32
"""Height and width at which images are written down, by which they are told apart."""


def watch(journal: Journal, torch: ModuleType, learns: bool) -> None:
    """Write down which images are scored and, when the script has ended, the outputs after the last step.

    Args:
        journal: Where to.
        torch: The module.
        learns: Whether to write down the images of training, too.
    """
    helping.help_torch(journal, torch)
    predictions = _Predictions(journal, learns)
    register_optimizer_step_post_hook(lambda *_: predictions.forget())
    module: Any = nn.Module
    call = module.__call__

    @functools.wraps(call)
    def calling(network: nn.Module, *arguments: Any, **named: Any) -> Any:
        if predictions.inside or journal.forked or next(network.parameters(), None) is None:
            return call(network, *arguments, **named)
        predictions.inside = True
        try:
            result = call(network, *arguments, **named)
        finally:
            predictions.inside = False
        predictions.note(network, [*arguments, *named.values()], result)
        return result

    module.__call__ = calling
    atexit.register(predictions.write)


class _Predictions:
    """The images that were scored, and the outputs since the last step.

    Attributes:
        inside: Whether a network is computing.
    """

    def __init__(self, journal: Journal, learns: bool) -> None:
        self.inside = False
        self._journal, self._learns = journal, learns
        self._steps = 0
        self._kept: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
        self.note = journal.guarded(self._note)
        self.write = journal.guarded(self._write)

    def forget(self) -> None:
        """The weights were changed: what was predicted before does not count."""
        self._steps += 1
        self._kept.clear()

    def _note(self, network: nn.Module, arguments: list[Any], result: Any) -> None:
        images, output = (next((e for e in list_tensors(v) if e.dim() == 4), None) for v in (arguments, result))
        is_learning = network.training and is_grad_enabled()
        if images is None or output is None or len(images) != len(output) or (is_learning and not self._learns):
            return
        small = _shrink(images)
        self._journal.write("shown", steps=self._steps, learns=is_learning, images=self._journal.keep(small))
        if not is_learning:
            self._kept.append((small, to_array(output)))

    def _write(self) -> None:
        for images, output in self._kept:
            self._journal.write("predicted", images=self._journal.keep(images), output=self._journal.keep(output))


def _shrink(images: Tensor) -> np.ndarray[Any, Any]:
    with no_grad():
        grey = images.detach().float().mean(dim=1, keepdim=True)
        return to_array(nn.functional.interpolate(grey, (SIDE, SIDE), mode="area")[:, 0])
