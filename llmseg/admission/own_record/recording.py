"""Writing the record of an observed run, with the cases and the first weights that it was made with."""

from __future__ import annotations

import itertools
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import save

from llmseg.admission.observing import Observation
from llmseg.admission.observing.fitting.splits import list_orders
from llmseg.admission.observing.functions import find_loss, find_value
from llmseg.admission.observing.observation import Part, Pass
from llmseg.fidelity.recorded_inputs import compute_statistics
from llmseg.files import make_folder, write_bytes, write_text
from llmseg.recipe.recipe import Recipe

RECORD = "record.json"
WEIGHTS = "weights.safetensors"
OBJECTIVE = "objective.safetensors"
VARIANT = "admitted"
"""What the record says of itself, by which it is told from those of the study."""

_SAMPLES = 3
_OBJECTIVES = 2
_PIXELS = 16
_DIGITS = 9

Files = Mapping[str, tuple[NDArray[Any], NDArray[Any]]]
"""Image and mask of each case, as the scripts were given them."""


def write_own_record(folder: Path, name: str, observation: Observation, files: Files, recipe: Recipe) -> Path:
    """Write what was seen of scripts as a record in the format of ``tests/golden/GOLDEN.md``, as far as it was seen.

    Five entries are other than there: ``split`` is sorted by name, as the order was not seen; ``listings`` has the
    orders in which folders listed the cases, for scripts that do not sort them; weights begin with
    those that the scripts drew, which are in ``weights.safetensors`` in the order of their use; ``objective`` is a list
    of losses at outputs that the network gave, which are in ``objective.safetensors`` with the masks they met; and
    ``seed`` is the one that was set from outside. What was not measured is not there.

    Args:
        folder: Where the record and its cases are written.
        name: What the pipeline is called.
        observation: What was seen.
        files: The cases.
        recipe: The recipe that was fitted, which says how many epochs were meant.

    Returns:
        The file of the record.
    """
    _write_cases(folder, files)
    tensors = observation.record.list("weights")[0]["tensors"]
    weights = {f"{number:04d}": observation.record.array(about) for number, about in enumerate(tensors)}
    write_bytes(folder / WEIGHTS, save({key: value for key, value in weights.items() if value is not None}))
    objective, met = _list_objectives(observation)
    write_bytes(folder / OBJECTIVE, save(met))
    record = {
        "slug": name,
        "variant": VARIANT,
        "seed": 0,
        "epochs": observation.epochs,
        "published_epochs": recipe.fit.epochs,
        "base": {"images_from": "images and masks beside this file", "layout": "png_same"},
        "output": "logit" if recipe.net.output == "logits" else "prob",
        "adaptations": ["run in a sandbox on cases of ours, for a few epochs"],
        "failure": None,
        "environment": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "threads": 1,
        },
        "architecture": _describe_network(observation),
        "optimizer": _describe_optimizer(observation),
        "data": {"samples": _list_samples(observation)},
        "split": _list_split(observation),
        "listings": [[f"{id}.png" for id in order] for order in list_orders(observation)],
        "objective": objective,
        "train": {"steps": _list_steps(observation)},
    }
    write_text(folder / RECORD, json.dumps(record, indent=1) + "\n")
    return folder / RECORD


def _write_cases(folder: Path, files: Files) -> None:
    for id, pair in files.items():
        for kind, pixels in zip(("images", "masks"), pair, strict=True):
            make_folder(folder / kind)
            Image.fromarray(pixels).save(folder / kind / f"{id}.png")


def _describe_network(observation: Observation) -> dict[str, Any]:
    made = next(e for e in observation.record.list("network") if e["network"] == observation.learnt[0].network)
    sizes = [(int(np.prod(shape)), learns) for _, shape, learns in made["parameters"]]
    return {
        "class": made["name"],
        "params_total": sum(size for size, _ in sizes),
        "params_trainable": sum(size for size, learns in sizes if learns),
        "parameters": [[name, shape] for name, shape, _ in made["parameters"]],
        "drops": observation.learnt[0].drops[0],
    }


def _describe_optimizer(observation: Observation) -> dict[str, Any]:
    made = observation.record.list("optimizer")[0]
    group = made["groups"][0]
    names = ("lr", "betas", "eps", "weight_decay", "amsgrad")
    return {"class": made["name"], **{name: group[name] for name in names if name in group}}


def _list_samples(observation: Observation) -> list[dict[str, Any]]:
    """Return figures of the first cases that arrived whole and the right way up, each case once."""
    found: dict[str, dict[str, Any]] = {}
    for each in observation.passes:
        images, targets = each.images, each.masks
        for number, item in enumerate(each.items):
            is_plain = item.is_plain and item.mask_id == item.id
            if is_plain and item.id not in found and images is not None and targets is not None:
                found[item.id] = {
                    "image_file": f"{item.id}.png",
                    "mask_file": f"{item.id}.png",
                    "image": describe_tensor(images[number]),
                    "mask": describe_tensor(targets[number, -1:]),
                }
        if len(found) >= _SAMPLES:
            break
    return list(found.values())[:_SAMPLES]


def describe_tensor(array: NDArray[Any]) -> dict[str, Any]:
    """Return shape, figures and some pixels of an image or mask ``[C, H, W]``, at the positions of the records.

    Example:
        >>> describe_tensor(np.ones((1, 4, 6), np.float32))["mean"]
        1.0
    """
    tensor = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
    channels, height, width = tensor.shape
    positions = [[k % channels, (37 * k + 11) % height, (101 * k + 29) % width] for k in range(_PIXELS)]
    figures = {key: _round(value) for key, value in compute_statistics(tensor).items()}
    pixels = [_round(float(tensor[tuple(position)])) for position in positions]
    return {"shape": [*tensor.shape], **figures, "positions": positions, "pixels": pixels}


def _list_objectives(observation: Observation) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
    """Return the losses of the first passes of training and validation, and the outputs and masks they were taken of.

    A training pass has the gradient of its loss at the output, too.
    """
    entries: list[dict[str, Any]] = []
    met: dict[str, NDArray[Any]] = {}
    formula = find_loss(observation.learnt[0]) if observation.learnt else ()
    parts: tuple[Part, ...] = ("training", "validation")
    for part in parts:
        arrays = ((each, each.output, each.masks) for each in observation.of(part))
        kept = ((each, output, masks) for each, output, masks in arrays if output is not None and masks is not None)
        for each, output, masks in itertools.islice(kept, _OBJECTIVES):
            loss = each.loss if part == "training" else find_value(each, formula)
            if loss is not None:
                names = (f"{len(entries):02d}.{what}" for what in ("output", "masks"))
                met |= dict(zip(names, (output, masks), strict=True))
                entries.append({"part": part, "loss": {"sum": _round(loss)}, "more": _describe_gradient(each)})
    return entries, {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in met.items()}


def _describe_gradient(seen: Pass) -> dict[str, Any]:
    gradient = seen.gradient
    if gradient is None:
        return {}
    exact = gradient.astype(np.float64)
    figures = {"l2": float(np.linalg.norm(exact)), "sum": float(exact.sum())}
    first = [_round(float(value)) for value in gradient.flatten()[:8]]
    return {"loss_gradient_wrt_output": {**{key: _round(value) for key, value in figures.items()}, "first8": first}}


def _list_split(observation: Observation) -> dict[str, list[str]]:
    parts = observation.parts
    named = {"train": parts.training, "val": parts.validation, "test": parts.test}
    return {name: [f"{id}.png" for id in ids] for name, ids in named.items()}


def _list_steps(observation: Observation) -> list[dict[str, Any]]:
    """Return the steps of the training: cases in their order, loss, gradient and rate; none if some were not seen."""
    learnt, steps = observation.of("training"), observation.record.list("step")
    if len(learnt) != len(steps) or not all(all(each.ids) and each.loss is not None for each in learnt):
        return []
    return [_describe_step(number, *pair) for number, pair in enumerate(zip(learnt, steps, strict=True))]


def _describe_step(number: int, seen: Pass, step: Any) -> dict[str, Any]:
    return {
        "epoch": seen.epoch - 1,
        "step": number,
        "files": [f"{id}.png" for id in seen.ids],
        "loss": _round(seen.loss or 0.0),
        "grad_l2": None if step["gradient"] is None else _round(step["gradient"]),
        "lr": step["rates"][0],
    }


def _round(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
