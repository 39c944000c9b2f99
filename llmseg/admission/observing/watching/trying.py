"""Trying a copy of the network after the script has ended: on images and with weights that a reader can make again.

What a network computes with the script's own weights is known from its passes. They say nothing of images whose sides
cannot be halved, and little of a network that drops some of its values at random.
"""

from __future__ import annotations

import atexit
import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from llmseg.admission.observing.watching.journal import Journal
from llmseg.admission.observing.watching.passes import Passes
from llmseg.admission.observing.watching.tensors import list_tensors, to_array

ODD_SIZE = (90, 70)
"""Sides that leave a rest at the second halving and at the third."""

_CASES = 2


def watch(journal: Journal, passes: Passes) -> None:
    """Try the network that was trained at the end."""

    def try_it() -> None:
        trained = passes.trained
        if not journal.forked and trained is not None:
            journal.guarded(_try_network)(journal, *trained, passes)

    atexit.register(try_it)


def _try_network(journal: Journal, network: torch.nn.Module, shape: Any, passes: Passes) -> None:
    tried = copy.deepcopy(network).cpu().float()
    channels, *size = shape
    set_weights(tried, draw_images(channels, size))
    for each, training in ((ODD_SIZE, False), (size, True)):
        output = compute(tried, draw_images(channels, each), training)
        journal.write(
            "trial",
            network=passes.number_of(network),
            size=list(each),
            training=training,
            output=None if output is None else journal.keep(output, always=True),
        )


def draw_images(channels: int, size: Any) -> torch.Tensor:
    """Return two images of noise between 0 and 1, ``[2, C, H, W]``, each time the same ones."""
    shape = (_CASES, channels, *size)
    return torch.from_numpy(np.random.default_rng(shape).random(shape, np.float32))


def list_used(network: torch.nn.Module, images: torch.Tensor) -> list[torch.nn.Parameter]:
    """Return the parameters of a network in the order in which it uses them."""
    used: dict[torch.nn.Module, None] = {}
    hooks = [
        module.register_forward_pre_hook(lambda module, _: used.setdefault(module)) for module in network.modules()
    ]
    try:
        with torch.no_grad():
            network(images)
    finally:
        for hook in hooks:
            hook.remove()
    return [value for module in used for value in module.parameters(recurse=False)]


def take_weights(network: torch.nn.Module, images: torch.Tensor, weights: Sequence[np.ndarray[Any, Any]]) -> bool:
    """Give a network weights in the order in which it uses them; return whether their shapes are those of its own."""
    used = list_used(network, images)
    if [tuple(parameter.shape) for parameter in used] != [array.shape for array in weights]:
        return False
    with torch.no_grad():
        for parameter, array in zip(used, weights, strict=True):
            parameter.copy_(torch.from_numpy(array))
    return True


def set_weights(network: torch.nn.Module, images: torch.Tensor) -> None:
    """Give a network weights that depend on their shape and on when they are used, and running statistics anew."""
    used = dict.fromkeys(list_used(network.eval(), images))
    with torch.no_grad():
        for number, parameter in enumerate(used):
            parameter.copy_(torch.from_numpy(_draw_weights(number, tuple(parameter.shape))))
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._NormBase):
            module.reset_running_stats()


def _draw_weights(number: int, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng([number, *shape])
    if len(shape) < 2:
        return rng.uniform(0.7, 1.1, shape).astype(np.float32)
    # The deviation that keeps numbers of one size through convolutions and ReLUs.
    drawn: np.ndarray[Any, Any] = rng.standard_normal(shape, np.float32) * (2 / np.prod(shape[1:])) ** 0.5
    return drawn.astype(np.float32)


def compute(network: torch.nn.Module, images: torch.Tensor, training: bool) -> np.ndarray[Any, Any] | None:
    """Return what a network makes of images, ``None`` if it refuses them.

    What it drops at random in training it drops at the same places each time.
    """
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(0)
            return to_array(next(list_tensors(network.train(training)(images))))
    except Exception:  # each network has its own way to refuse a size
        return None
