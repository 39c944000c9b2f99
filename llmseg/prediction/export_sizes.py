"""Which heights and widths an exported network takes: those it was traced with, or all that it can take."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.export import ExportedProgram

_MULTIPLES = (1, 2, 4, 8, 16, 32, 64, 128)
"""Networks halve maps, so what their sides have to be multiples of is a power of two."""


@dataclass(frozen=True)
class ExportSizes:
    """Which heights and widths of images an exported file takes.

    Attributes:
        size: Height and width that the network was traced with.
        multiple: Heights and widths have to be multiples of this number; ``None`` if only ``size`` is taken.
        least: The smallest height and width; ``None`` if only ``size`` is taken.

    Example:
        >>> print(ExportSizes((256, 256)))
        256 x 256
        >>> print(ExportSizes((256, 256), multiple=16, least=32))
        any height and width that are multiples of 16, from 32
    """

    size: tuple[int, int]
    multiple: int | None = None
    least: int | None = None

    def __str__(self) -> str:
        if self.multiple is None:
            return f"{self.size[0]} x {self.size[1]}"
        return f"any height and width{_of_multiples(self.multiple)}, from {self.least}"

    def to_json(self) -> str:
        """Return the sizes as the text that is stored in the file."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ExportSizes:
        """Read what :meth:`to_json` wrote."""
        values = json.loads(text)
        return cls(tuple(values["size"]), values["multiple"], values["least"])

    def further(self) -> tuple[tuple[int, int], ...]:
        """Return two sizes that are taken beside ``size``: one of the smallest sides, and a larger one."""
        if self.multiple is None or self.least is None:
            return ()
        height, width = self.size
        return (self.least, self.least + self.multiple), (height + 2 * self.multiple, width + self.multiple)


@dataclass(frozen=True)
class Traced:
    """A network as torch.export traced it.

    Attributes:
        program: The steps from images to probabilities.
        sizes: Which heights and widths it takes.
        why_fixed: If all sizes were asked for and only one is taken: why.
    """

    program: ExportedProgram
    sizes: ExportSizes
    why_fixed: str = ""


def trace_network(net: nn.Module, example: Tensor, *, free_size: bool) -> Traced:
    """Trace a network for any number of images, of the size of the example or of all sizes that it takes.

    The sizes are found by trying. A size counts if the network takes it, if torch.export can trace it together with the
    others, and if the traced network gives the same there.

    Args:
        net: The network, in evaluation mode.
        example: Prepared images, float32 ``[B, C, H, W]`` with B above 1: torch.export takes a 1 for a constant.
        free_size: Whether to look for further sizes.
    """
    height, width = example.shape[-2:]
    only = ExportSizes((height, width))
    if not free_size:
        return Traced(_trace(net, example, only), only)
    why = "the network takes no other size"
    shapes = _Shapes(net, example)
    for sizes in _propose(shapes, only.size):
        why = "torch.export cannot trace the network for other sizes"
        always = shapes.find_output((height, width))
        if always == shapes.find_output((2 * height, 2 * width)):
            why = f"the network gives {ExportSizes(always)} pixels for images of any size"
            break
        program = _try(net, example, sizes)
        if program is not None:
            return Traced(program, sizes)
    return Traced(_trace(net, example, only), only, why)


class _Shapes:
    """What a network gives for images of some size, found without computing a pixel."""

    def __init__(self, net: nn.Module, example: Tensor) -> None:
        self.net = copy.deepcopy(net).to("meta")
        self.channels = example.shape[1]

    def find_output(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return height and width of the output; raise whatever the network raises if it does not take the size."""
        import torch

        with torch.no_grad():
            height, width = self.net(torch.empty(1, self.channels, *size, device="meta")).shape[-2:]
        return height, width

    def takes(self, sizes: ExportSizes) -> bool:
        """Return whether the network takes the smallest and larger ones of these sizes."""
        try:
            for size in sizes.further():
                self.find_output(size)
        except Exception:  # a network may be anybody's, and refuse a size by any error
            return False
        return True


def _propose(shapes: _Shapes, size: tuple[int, int]) -> Iterator[ExportSizes]:
    """Give sizes that the network itself takes, the fewest conditions first."""
    for multiple in _MULTIPLES:
        if size[0] % multiple or size[1] % multiple:
            return
        leasts = [multiple * 2**power for power in range(10) if multiple * 2**power <= min(size)]
        taken = [sizes for least in leasts if shapes.takes(sizes := ExportSizes(size, multiple, least))]
        # torch.export takes a map of a single pixel for a constant. At twice the size there are more pixels.
        yield from taken[:2]


def _try(net: nn.Module, example: Tensor, sizes: ExportSizes) -> ExportedProgram | None:
    """Trace a network for these sizes; ``None`` if that fails, or if what was traced does not take one of them."""
    import torch

    try:
        program = _trace(net, example, sizes)
        traced = program.module()
        for size in sizes.further():
            image = _resize(example, size)
            with torch.no_grad():
                torch.testing.assert_close(traced(image), net(image))
    except Exception:  # torch.export has many errors, some of them assertions
        return None
    return program


def _trace(net: nn.Module, example: Tensor, sizes: ExportSizes) -> ExportedProgram:
    import torch

    shapes = {0: torch.export.Dim("batch")}
    if sizes.multiple is not None and sizes.least is not None:
        for axis, name in ((2, "height"), (3, "width")):
            side = torch.export.Dim(name, min=sizes.least // sizes.multiple)
            shapes[axis] = sizes.multiple * side if sizes.multiple > 1 else side
    return torch.export.export(net, (example,), dynamic_shapes=(shapes,))


def _resize(example: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the first image of the example in another size."""
    from torch.nn import functional

    return functional.interpolate(example[:1], size)


def _of_multiples(multiple: int) -> str:
    return f" that are multiples of {multiple}" if multiple > 1 else ""
