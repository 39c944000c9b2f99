"""Which kernel each convolution of a network is computed by, measured once per computer and kept in the cache."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from tqdm import tqdm

from llmseg.data.once import find_once
from llmseg.training.kernels import Layer, convolve, convolve_back, convolve_back_by_torch, has_kernels, read_call
from llmseg.training.numerics import Numerics

_GAIN = 1.1
"""So many times as fast another kernel has to be. What is nearly equal would be decided by chance."""

_REPEATS = 2
"""How often each kernel is timed; the shorter time counts. The first one is also spent on making it ready."""


@dataclass(frozen=True)
class Speeds:
    """Seconds that the kernels of a layer take.

    Attributes:
        plain: torch's own.
        channels_last: torch's own, where the channels of a pixel lie together.
        winograd: By Winograd's algorithm.
        plain_back: The gradient to the input, by torch.
        winograd_back: The gradient to the input, by Winograd's algorithm.
    """

    plain: float
    channels_last: float
    winograd: float
    plain_back: float
    winograd_back: float

    @property
    def gains(self) -> bool:
        """Whether the layer is faster by Winograd's algorithm."""
        return self.plain > _GAIN * self.winograd

    @property
    def gains_back(self) -> bool:
        """Whether the gradient to its input is."""
        return self.plain_back > _GAIN * self.winograd_back


def has_choice(numerics: Numerics, device: torch.device) -> bool:
    """Return whether kernels may be chosen, and there are several: in float32 on a CPU, unless it is to be exact."""
    free = numerics.precision == "fp32" and not (numerics.is_exact or numerics.compile or numerics.tf32)
    return free and device.type == "cpu" and has_kernels()


def choose_kernels(
    numerics: Numerics, net: nn.Module, device: torch.device, shape: tuple[int, ...], *, progress: bool = False
) -> Numerics:
    """Return the numerics with the kernels that are fastest for a training.

    Where there is no choice, see :func:`has_choice`, they come back as they are.

    Args:
        numerics: How the device computes otherwise.
        net: The network.
        device: Where it is to compute.
        shape: Channels, height and width of the images.
        progress: Whether to show a bar if measuring takes longer than a second.

    Example:
        >>> from llmseg import zoo
        >>> from llmseg.training import choose_numerics
        >>> cpu, recipe = torch.device("cpu"), zoo.get("grok-3").recipe
        >>> numerics = choose_numerics(cpu, "fp32")
        >>> choose_kernels(numerics, recipe.net.build(1), cpu, (1, 256, 256)).winograd  # doctest: +SKIP
        ('64-64 at 256', ...)
    """
    if not has_choice(numerics, device):
        return numerics
    names: set[str] = set()
    for layer, speeds in _measure_net(net, [shape], progress).items():
        if speeds.gains:
            names.add(layer.forward)
            if speeds.gains_back:
                names.add(layer.backward)
    return replace(numerics, winograd=tuple(sorted(names)))


def choose_inference_kernels(
    numerics: Numerics,
    net: nn.Module,
    device: torch.device,
    shapes: Iterable[tuple[int, ...]],
    *,
    progress: bool = False,
) -> Numerics:
    """Return the numerics that are fastest for prediction: in another layout, or by Winograd's algorithm.

    Args:
        numerics: How the device computes otherwise.
        net: The network.
        device: Where it is to compute.
        shapes: Channels, height and width of all kinds of images.
        progress: Whether to show a bar if measuring takes longer than a second.

    Example:
        >>> from llmseg.training import EXACT_NUMERICS
        >>> net = nn.Conv2d(1, 1, 3, padding=1)
        >>> choose_inference_kernels(EXACT_NUMERICS, net, torch.device("cpu"), [(1, 64, 64)]) == EXACT_NUMERICS
        True
    """
    suited = numerics.for_inference
    if not has_choice(numerics, device):
        return suited
    measured = _measure_net(net, shapes, progress)
    names = sorted(layer.forward for layer, speeds in measured.items() if speeds.gains)
    # NNPACK has no channels last, and changing the layout between two layers takes longer than it saves.
    by_choice = sum(speeds.winograd if speeds.gains else speeds.plain for speeds in measured.values())
    if not names or by_choice >= sum(speeds.channels_last for speeds in measured.values()):
        return suited
    return replace(numerics, winograd=tuple(names))


class _Survey(TorchFunctionMode):
    """While it is active, the 3x3 convolutions that are computed are noted."""

    def __init__(self) -> None:
        super().__init__()
        self.layers: dict[Layer, None] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func is functional.conv2d and (call := read_call(*args, **kwargs)) is not None:
            self.layers[call.layer] = None
        return func(*args, **kwargs)


def survey_layers(net: nn.Module, shapes: Iterable[tuple[int, ...]]) -> tuple[Layer, ...]:
    """Return the 3x3 convolutions that a network computes for images of some shapes ``[C, H, W]``.

    Nothing is computed and no random numbers are drawn. A network whose path depends on values is surveyed as far as
    that.
    """
    trial = copy.deepcopy(net).to("meta").eval()
    with _Survey() as survey, torch.no_grad():
        for shape in set(shapes):
            with suppress(NotImplementedError, RuntimeError):
                trial(torch.empty((1, *shape), device="meta"))
    return tuple(survey.layers)


def _measure_net(net: nn.Module, shapes: Iterable[tuple[int, ...]], progress: bool) -> dict[Layer, Speeds]:
    layers = survey_layers(net, shapes)
    bar = tqdm(layers, desc="time kernels", unit="layer", delay=1, leave=False, disable=not progress)
    return {layer: measure_kept(layer) for layer in bar}


def measure_kept(layer: Layer) -> Speeds:
    """Return the speeds of a layer's kernels, from the cache if they were measured on this computer before."""
    # Launchers that begin at the same moment measure the same layers, and have to choose the same kernels.
    return find_once("kernels", (layer, _describe_computer()), Speeds, lambda: measure(layer))


def _describe_computer() -> tuple[object, ...]:
    """Return what decides how fast kernels are."""
    limits = {name: os.environ.get(name) for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")}
    capability = torch.backends.cpu.get_cpu_capability()
    return torch.__version__, capability, limits, os.cpu_count(), torch.get_num_threads()


@torch.no_grad()
def measure(layer: Layer) -> Speeds:
    """Time the kernels of a layer on one case, by turns."""
    # Ones, not random numbers: these would be taken from the stream that decides the case order.
    maps = torch.ones(1, layer.inputs, layer.side, layer.side)
    gradient = torch.ones(1, layer.outputs, layer.side, layer.side)
    weight, bias = torch.ones(layer.outputs, layer.inputs, 3, 3), torch.ones(layer.outputs)
    turned, weight_turned = (tensor.to(memory_format=torch.channels_last) for tensor in (maps, weight))
    kernels: dict[str, Callable[[], Tensor | tuple[Tensor | None, ...]]] = {
        "plain": lambda: functional.conv2d(maps, weight, bias, padding=1),
        "channels_last": lambda: functional.conv2d(turned, weight_turned, bias, padding=1),
        "winograd": lambda: convolve(maps, weight, bias),
        "plain_back": lambda: convolve_back_by_torch(gradient, maps, weight, [True, False, False]),
        "winograd_back": lambda: convolve_back(gradient, weight),
    }
    # What else runs on the computer does not count, where a single thread computes.
    clock = time.thread_time if torch.get_num_threads() == 1 else time.perf_counter
    shortest = dict.fromkeys(kernels, float("inf"))
    for _ in range(_REPEATS):
        for name, compute in kernels.items():
            began = clock()
            compute()
            shortest[name] = min(shortest[name], clock() - began)
    return Speeds(**shortest)
