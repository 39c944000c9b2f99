"""The network of a script as one of the library: the same shapes, and the same output with the same weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any, get_args, get_type_hints

import numpy as np
import torch
from numpy.typing import NDArray

from llmseg import zoo
from llmseg.admission.observing.functions import SIGMOIDS
from llmseg.admission.observing.observation import Observation, Pass
from llmseg.admission.observing.record import Event
from llmseg.admission.observing.watching.trying import compute, draw_images, list_used, set_weights, take_weights
from llmseg.errors import UserError
from llmseg.recipe.nets.net import Net
from llmseg.recipe.nets.unet import UNet
from llmseg.recipe.recipe import TEXTBOOK

_LEVELS = range(2, 6)
_CLOSE = 1e-4

_Trial = tuple[list[int], bool, NDArray[Any] | None]
"""Size of the images, whether the network was in training mode, and its output if it did not refuse them."""


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
    trials = [each for each in observation.record.list("trial") if each["network"] == learnt[0].network]
    if trials:
        found = _find_by_trials(observation, same, channels, trials, networks[0]["dropout"] or [])
    else:  # the script was killed
        found = next((net for net in same if _gives_output(net, channels, weights, learnt[0])), None)
    if found is None:
        return "networks of the library with these shapes give another output"
    return _find_drawn(observation, found, channels, networks[0], weights)


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


def _find_by_trials(
    observation: Observation, nets: list[Net], channels: int, trials: list[Event], dropout: list[float]
) -> Net | None:
    """Return the network that gives what the script's gave with weights and images of ours.

    What happens to images of odd sizes decides between networks that are equal for all others. Where it is like none
    of the library, it does not count, for the script has images of one size.
    """
    seen = [(each["size"], each["training"], observation.record.array(each["output"])) for each in trials]
    own = [trial for trial in seen if trial[1]]
    if not own or own[0][2] is None:
        return None
    varied = [
        net for net in _vary(nets, dropout[0] if len(dropout) == 1 else 0.0) if _has_output_shape(net, channels, own[0])
    ]
    return next((net for tried in (seen, own) for net in varied if _gives_trials(net, channels, tried)), None)


def _vary(nets: list[Net], dropout: float) -> Iterator[Net]:
    """Yield networks, and of U-Nets all that have the same weights, each once."""
    words = get_type_hints(UNet)
    fields: dict[str, Any] = {name: get_args(words[name]) for name in ("mismatch", "concat", "skip_from")}
    fields |= {"pool_last": (True, False), "pool_bottleneck": (False, True)}
    found: dict[Net, None] = {}
    for net in nets:
        if isinstance(net, UNet):
            plain = replace(net, drawn="stages", dropout=dropout)
            found |= {replace(plain, **dict(zip(fields, way, strict=True))): None for way in product(*fields.values())}
        else:
            found[net] = None
    yield from found


def _has_output_shape(net: Net, channels: int, trial: _Trial) -> bool:
    size, _, output = trial
    try:
        with torch.device("meta"):
            given = net.build(channels).eval()(torch.empty(2, channels, *size))
    except (UserError, RuntimeError, ValueError, ImportError):
        return False
    return output is not None and given.shape == output.shape


def _gives_trials(net: Net, channels: int, trials: list[_Trial]) -> bool:
    """Return whether a network gives what was seen in some trials, one after the other."""
    network = net.build(channels)
    try:
        set_weights(network, torch.zeros(1, channels, 128, 128))
    except (UserError, RuntimeError):
        return False
    for size, training, output in trials:
        given = compute(network, draw_images(channels, size), training)
        if given is None or output is None:
            if given is not output:
                return False
        elif given.shape != output.shape or not _is_close(given, output):
            return False
    return True


def _is_close(given: NDArray[Any], seen: NDArray[Any]) -> bool:
    return bool(np.abs(given - seen).max() <= _CLOSE * max(1.0, float(np.abs(seen).max())))


def _read_weights(observation: Observation) -> list[NDArray[Any]] | None:
    for event in observation.record.list("weights"):
        arrays = [observation.record.array(about) for about in event["tensors"]]
        kept = [array for array in arrays if array is not None]
        return kept if len(kept) == len(arrays) else None
    return None


def _gives_output(net: Net, channels: int, weights: list[NDArray[Any]], seen: Pass) -> bool:
    """Return whether a network with the script's weights, in their order, gives the script's output."""
    images, output = seen.images, seen.output
    if images is None or output is None:
        return False
    network = net.build(channels).train(seen.is_training)
    if not take_weights(network, torch.from_numpy(images), weights):
        return False
    with torch.no_grad():
        given = network(torch.from_numpy(images)).numpy()
    return given.shape == output.shape and _is_close(given, output)


def _find_drawn(observation: Observation, net: Net, channels: int, made: Event, weights: list[NDArray[Any]]) -> Net:
    """Return the network with the order in which its weights were drawn, if those of the script show it."""
    state = observation.record.array(made["generator"])
    if not isinstance(net, UNet) or state is None:
        return net
    for drawn in get_args(get_type_hints(UNet)["drawn"]):
        ordered = replace(net, drawn=drawn)
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(torch.from_numpy(state))
            own = list_used(ordered.build(channels).eval(), torch.zeros(1, channels, 128, 128))
        if all(np.array_equal(one.detach().numpy(), other) for one, other in zip(own, weights, strict=True)):
            return ordered
    return net
