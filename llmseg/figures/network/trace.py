"""What a network computes, step by step, found by running it on an image without numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from llmseg.errors import UserError
from llmseg.recipe.nets.net import Net

_MAKING_MAPS = ("conv", "pool", "interpolate", "upsample", "pixel_", "batch_norm", "instance_norm")
_RESHAPING = (
    *("view", "reshape", "flatten", "unflatten", "permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis"),
    *("einsum", "matmul", "bmm", "baddbmm", "scaled_dot_product_attention"),
)


@dataclass(frozen=True)
class Step:
    """One step of a network: a call of a function of torch that gives a tensor.

    Attributes:
        name: Name of the function without underscores, such as ``conv2d``; ``image`` for the image itself.
        inputs: Numbers of the steps whose tensors it takes.
        shape: Shape of the tensor it gives.
        weight: Shape of its weight; empty if it has none.
        arguments: What else it takes, by name where the function gives one and otherwise by position.
        is_map: Whether its tensor is maps, ``[B, C, H, W]``, and not four numbers of another meaning.
    """

    name: str
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    weight: tuple[int, ...]
    arguments: Mapping[str | int, Any]
    is_map: bool

    @property
    def channels(self) -> int:
        """Channels of the tensor it gives: the second number of ``[B, C, H, W]``, the last one of other shapes."""
        return self.shape[1] if self.is_map else self.shape[-1] if self.shape else 1

    def argument(self, position: int, name: str, default: Any) -> Any:
        """Return an argument that may have been given by position or by name."""
        value = self.arguments.get(position, self.arguments.get(name))
        return default if value is None else value


@dataclass(frozen=True)
class Trace:
    """What a network does with an image.

    Attributes:
        steps: The steps in the order in which they are computed; the first is the image.
        output: Number of the step that gives the output.
        parameters: How many parameters the network has.
    """

    steps: tuple[Step, ...]
    output: int
    parameters: int


def trace(net: Net, channels: int, size: tuple[int, int]) -> Trace:
    """Run a network on an image without numbers, as in a test, and note what it computes.

    Neither weights nor maps take memory, so a network of any size is traced at once. Networks that look at numbers
    while they compute cannot be run so; they are run on an image of zeros.

    Args:
        net: The network.
        channels: Channels of the image.
        size: Height and width of the image.

    Raises:
        UserError: The network does not take such an image.

    Example:
        >>> from llmseg import zoo
        >>> found = trace(zoo.get("gpt-4").recipe.net, 1, (64, 64))
        >>> [step.name for step in found.steps[:4]], found.steps[found.output].shape
        (['image', 'conv2d', 'relu', 'conv2d'], (1, 1, 64, 64))
    """
    try:
        return _run(net, channels, size, "meta")
    except UserError:
        raise
    except Exception:
        pass  # whatever a network does with numbers that are not there; with numbers it may do well
    try:
        return _run(net, channels, size, "cpu")
    except RuntimeError as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"the network does not take an image of {size[0]}x{size[1]}: {reason}; choose another images.size, for "
            "example 256,256"
        ) from error


def _run(net: Net, channels: int, size: tuple[int, int], device: str) -> Trace:
    with _same_numbers_later(), torch.device(device), torch.no_grad():
        module = net.build(channels).eval()
        image = torch.zeros(1, channels, *size)
        with _Notes(image) as notes:
            output = module(image)
    if not isinstance(output, Tensor) or notes.find(output) is None:
        raise UserError(
            f"what {type(net).__name__} returns ({type(output).__name__}) is no tensor computed from the image; a "
            "network returns one tensor, see llmseg.recipe.Net.build"
        )
    return Trace(tuple(notes.steps), notes.find(output) or 0, sum(weight.numel() for weight in module.parameters()))


@contextmanager
def _same_numbers_later() -> Iterator[None]:
    """Leave torch's random numbers as they are: who draws a network does not change what is trained after it."""
    with torch.random.fork_rng(devices=[]):
        yield


class _Notes(TorchFunctionMode):
    """Notes every function of torch that is called with a tensor that comes from the image."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self.steps = [Step("image", (), tuple(image.shape), (), {}, True)]
        self._numbers = {id(image): 0}
        # A tensor that nobody holds any more would give its id to the next one.
        self._held: list[Tensor] = [image]

    def find(self, tensor: Tensor) -> int | None:
        """Return the number of the step that gave a tensor last; ``None`` if none of these steps did."""
        return self._numbers.get(id(tensor))

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[Any, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        # Asked before the call: a step in place gives the tensor that it takes.
        given: dict[str | int, Any] = {**dict(enumerate(args)), **kwargs}
        inputs = tuple(number for tensor in _tensors(list(given.values())) if (number := self.find(tensor)) is not None)
        result = func(*args, **kwargs)
        outputs = list(_tensors(result))
        if inputs and outputs:
            self._note(str(getattr(func, "__name__", "function")), inputs, outputs, given)
        return result

    def _note(
        self, name: str, inputs: tuple[int, ...], outputs: Sequence[Tensor], given: Mapping[str | int, Any]
    ) -> None:
        weight = given.get(1, given.get("weight"))
        held = tuple(weight.shape) if isinstance(weight, Tensor) and self.find(weight) is None else ()
        arguments = {key: value for key, value in given.items() if next(_tensors(value), None) is None}
        for output in outputs:
            self._numbers[id(output)] = len(self.steps)
            self._held.append(output)
            is_map = output.dim() == 4 and self._makes_map(name.strip("_"), inputs)
            self.steps.append(Step(name.strip("_"), inputs, tuple(output.shape), held, arguments, is_map))

    def _makes_map(self, name: str, inputs: tuple[int, ...]) -> bool:
        """Whether four numbers of a shape are those of maps: not those of attention, whose maps are words or heads."""
        if any(word in name for word in _MAKING_MAPS):
            return True
        return name not in _RESHAPING and all(self.steps[number].is_map for number in inputs)


def _tensors(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in a value, also those in lists and tuples."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)
