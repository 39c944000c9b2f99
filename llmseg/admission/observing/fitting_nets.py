"""The network of a script as one of the library: the same shapes, and the same output with the same weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from llmseg import zoo
from llmseg.admission.observing.functions import SIGMOIDS
from llmseg.admission.observing.observation import Observation, Pass
from llmseg.errors import UserError
from llmseg.recipe.nets.net import Net
from llmseg.recipe.recipe import TEXTBOOK

_LEVELS = range(2, 6)
_CLOSE = 1e-4


def fit_net(observation: Observation) -> Net | str:
    """Return the network of the library that is the one that was trained, or why there is none."""
    learnt = observation.learnt
    networks = [each for each in observation.record.list("network") if learnt and each["network"] == learnt[0].network]
    if not networks or learnt[0].images is None:
        return "no network was seen"
    shapes = [tuple(shape) for _, shape, _ in networks[0]["parameters"]]
    output = "probability" if learnt[0].made_by[0] in SIGMOIDS else "logits"
    channels = learnt[0].images.shape[1]
    same = [net for net in _list_nets(shapes, output) if Counter(_list_shapes(net, channels)) == Counter(shapes)]
    if not same:
        return "no network of the library has these shapes"
    weights = _read_weights(observation)
    if weights is None:
        return "its weights were not kept, so that only shapes are known"
    for net in same:
        if _gives_output(net, channels, weights, learnt[0]):
            return net
    return "networks of the library with these shapes give another output"


def _list_nets(shapes: list[tuple[int, ...]], output: str) -> Iterator[Net]:
    """Yield U-Nets as wide as the first layer says, and the networks of the zoo."""
    first: int = shapes[0][0]
    base: Any = TEXTBOOK.net
    for levels in _LEVELS:
        encoder = tuple(first * 2**level for level in range(levels))
        for bottleneck in (2 * encoder[-1], encoder[-1]):
            for decoder in (encoder[::-1], (*encoder[-2::-1], first)):
                yield from _list_variants(
                    replace(base, encoder=encoder, bottleneck=bottleneck, decoder=decoder, output=output), shapes
                )
    yield from dict.fromkeys(zoo.get(name).recipe.net for name in zoo.names())


def _list_variants(base: Any, shapes: list[tuple[int, ...]]) -> Iterator[Net]:
    has_bias = (base.encoder[0],) in shapes
    norms = ("batch", "none") if has_bias else ("none",)
    for norm in norms:
        for bias in (True, False):
            for up in ("transposed", "bilinear"):
                for hidden in ("block", "half"):
                    for concat in ("skip-first", "up-first"):
                        try:
                            yield replace(base, norm=norm, bias=bias, up=up, hidden=hidden, concat=concat)
                        except UserError:
                            continue  # not every combination is a network


def _list_shapes(net: Net, channels: int) -> list[tuple[int, ...]]:
    try:
        with torch.device("meta"):
            return [tuple(value.shape) for value in net.build(channels).parameters()]
    except (UserError, RuntimeError, ValueError, ImportError):
        return []


def _read_weights(observation: Observation) -> list[np.ndarray[Any, Any]] | None:
    for event in observation.record.list("weights"):
        arrays = [observation.record.array(about) for about in event["tensors"]]
        kept = [array for array in arrays if array is not None]
        return kept if len(kept) == len(arrays) else None
    return None


def _list_used(network: torch.nn.Module, images: torch.Tensor) -> list[torch.nn.Parameter]:
    """Return the parameters of a network in the order in which it uses them."""
    used: dict[torch.nn.Module, None] = {}
    hooks = [
        module.register_forward_pre_hook(lambda module, _: used.setdefault(module)) for module in network.modules()
    ]
    network(images)
    for hook in hooks:
        hook.remove()
    return [value for module in used for value in module.parameters(recurse=False)]


def _gives_output(net: Net, channels: int, weights: list[np.ndarray[Any, Any]], seen: Pass) -> bool:
    """Return whether a network with the script's weights, in their order, gives the script's output."""
    images, output = seen.images, seen.output
    if images is None or output is None:
        return False
    network = net.build(channels).train(seen.is_training)
    with torch.no_grad():
        own = _list_used(network, torch.from_numpy(images))
        if [tuple(parameter.shape) for parameter in own] != [array.shape for array in weights]:
            return False
        for parameter, array in zip(own, weights, strict=True):
            parameter.copy_(torch.from_numpy(array))
        given = network(torch.from_numpy(images)).numpy()
    return given.shape == output.shape and bool(np.abs(given - output).max() <= _CLOSE * max(1.0, np.abs(output).max()))
