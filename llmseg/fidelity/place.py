"""Where a check computes: on the CPU, as when the records were made, or on a GPU."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from llmseg.training.device import choose_device
from llmseg.training.numerics import EXACT_NUMERICS, Numerics, choose_numerics


@dataclass(frozen=True)
class Place:
    """A device, and how it computes.

    Attributes:
        device: The device.
        numerics: How it computes: exactly, or with TF32 in convolutions, as torch does by default.
    """

    device: torch.device
    numerics: Numerics

    @classmethod
    def of(cls, device: str, *, tf32: bool = False) -> Place:
        """Return the place of a device's name.

        Raises:
            UserError: There is no such device.
        """
        chosen = choose_device(device)
        return cls(chosen, choose_numerics(chosen, exact=True, tf32=tf32))

    def move(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Return tensors on the device."""
        return tuple(tensor.to(self.device) for tensor in tensors)

    def move_net(self, net: nn.Module) -> nn.Module:
        """Move a network to the device; away from the CPU, its dropout goes on drawing what the CPU would."""
        if self.device.type != "cpu":
            draw_dropout_on_cpu(net)
        return self.numerics.place(net, self.device)


CPU = Place(torch.device("cpu"), EXACT_NUMERICS)
"""Where the records were made."""


def draw_dropout_on_cpu(net: nn.Module) -> None:
    """Let dropout draw its maps with the CPU's generator, which drew them when the records were made.

    A GPU draws other numbers from the same seed, and a training with other maps cannot be compared with a record.
    """
    for module in net.modules():
        if isinstance(module, nn.Dropout2d):
            # The class is replaced in place, so that names of weights and references to the layer stay.
            module.__class__ = CpuDropout


class CpuDropout(nn.Dropout2d):
    """Dropout of whole channels that draws them as torch does on a CPU, wherever the maps are."""

    def forward(self, x: Tensor) -> Tensor:
        """Drop channels of maps ``[B, C, H, W]`` in training, and scale the others."""
        if not self.training or self.p == 0:
            return x
        kept = torch.empty(*x.shape[:2], 1, 1).bernoulli_(1 - self.p).div_(1 - self.p)
        return x * kept.to(x.device)
