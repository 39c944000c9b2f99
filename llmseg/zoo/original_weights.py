"""State dictionaries saved by the original scripts."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmseg.errors import UserError

if TYPE_CHECKING:
    from torch import nn

    from llmseg.zoo.pipeline import Pipeline


def renamed(name: str, prefixes: Sequence[tuple[str, str]]) -> str:
    """Replace the prefix of a dotted name by its partner.

    Raises:
        KeyError: No prefix fits.

    Example:
        >>> renamed("encoder.0.3.weight", [("encoder.0", "inc.conv")])
        'inc.conv.3.weight'
    """
    for ours, theirs in prefixes:
        if name.startswith(f"{ours}."):
            return theirs + name.removeprefix(ours)
    raise KeyError(name)


def load_original(pipeline: Pipeline, path: Path) -> nn.Module:
    """Build the pipeline's network with the weights of an original state dictionary; see ``Pipeline``."""
    if not pipeline.original_names:
        raise UserError(
            f"the script of {pipeline.id} is written for {pipeline.card.framework} and saves no state dictionary; "
            "train it, and give the run"
        )
    found = _read(path)
    head = pipeline.to_original(pipeline.build(in_channels=1).state_dict())
    first = next(iter(head))
    weight = found.get(first)
    channels = max(1, weight.shape[1]) if weight is not None and weight.ndim == 4 else 1
    net = pipeline.build(in_channels=channels)
    ours = net.state_dict()
    names = dict(zip(pipeline.to_original(ours), ours, strict=True))
    _check_fit(pipeline, path, found, {theirs: tuple(ours[name].shape) for theirs, name in names.items()})
    net.load_state_dict({names[theirs]: tensor for theirs, tensor in found.items()})
    return net


def _read(path: Path) -> dict[str, Any]:
    import torch

    if not path.is_file():
        raise UserError(f"no file {path}; give a state dictionary (.pth) saved by the original script")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(
            f"{path} is no file of tensors alone; it may be a whole model, which would execute code when read: "
            "save its state_dict() instead"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise UserError(f"{path} is damaged or no PyTorch file; give a state dictionary (.pth)") from error
    if not isinstance(found, dict) or not all(isinstance(t, torch.Tensor) for t in found.values()) or not found:
        raise UserError(f"{path} is no state dictionary (a dictionary of tensors); save the network's state_dict()")
    # Scripts that wrap the network for several devices save every name behind this word.
    return {str(name).removeprefix("module."): tensor for name, tensor in found.items()}


def _check_fit(pipeline: Pipeline, path: Path, found: dict[str, Any], wanted: dict[str, tuple[int, ...]]) -> None:
    problem = next((f"has no '{name}'" for name in wanted if name not in found), None)
    problem = problem or next((f"has an unknown '{name}'" for name in found if name not in wanted), None)
    problem = problem or next(
        (
            f"has '{name}' of shape {tuple(found[name].shape)}, not {shape}"
            for name, shape in wanted.items()
            if tuple(found[name].shape) != shape
        ),
        None,
    )
    if problem:
        raise UserError(
            f"{path} does not fit {pipeline.id}: it {problem} ({len(found)} tensors, {len(wanted)} expected); "
            "was it saved by another pipeline's script?"
        )
