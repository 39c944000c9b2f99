"""From the record of a script to an observation."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmseg.admission.observing.keras import find_keras_reached, read_keras_weights, trains_with_keras
from llmseg.admission.observing.matching import Dye, Match
from llmseg.admission.observing.observation import (
    Again,
    Batch,
    Item,
    Observation,
    Opened,
    Parts,
    Pass,
    TargetFigures,
    Weights,
    find_masks,
)
from llmseg.admission.observing.parts import tell_parts
from llmseg.admission.observing.phantoms import Phantoms
from llmseg.admission.observing.record import Event, Record, read_record


def read_observation(folder: Path, phantoms: Phantoms) -> Observation:
    """Read what was seen of a script, also of one that was ended half way.

    Args:
        folder: The folder of the record.
        phantoms: The cases that the script was given.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as empty:
        ...     read_observation(Path(empty), Phantoms(12)).epochs
        0
    """
    record, dye = read_record(folder), Dye(phantoms)
    passes = tell_parts(record, _read_passes(record, dye))
    return Observation(
        phantoms=phantoms,
        passes=passes,
        parts=_list_parts(passes),
        weights=_read_weights(record, passes),
        opened=tuple(_read_opened(record, phantoms)),
        batches=tuple(_read_batches(record, dye)),
        again=_read_again(record),
        reached=_find_reached(record, passes) | find_keras_reached(record),
        record=record,
    )


def _read_passes(record: Record, dye: Dye) -> list[Pass]:
    by_number: dict[int, dict[str, list[Event]]] = defaultdict(lambda: defaultdict(list))
    for event in record.list("pass", "output", "gradient", "function", "backward"):
        by_number[event["number"]][event.name].append(event)
    return [_read_pass(record, dye, events) for _, events in sorted(by_number.items()) if events["pass"]]


def _read_pass(record: Record, dye: Dye, events: dict[str, list[Event]]) -> Pass:
    begin = events["pass"][0]
    about: dict[str, Any] = {"images": begin["images"]}
    made_by = ("", None)
    for event in events["output"]:
        about["output"], made_by = event["output"], tuple(event["made_by"])
    for event in events["gradient"]:
        about["gradient"] = event["gradient"]
    functions, backward = tuple(events["function"]), next(iter(events["backward"]), None)
    output = record.array(about.get("output"))
    images = record.array(about["images"])
    targets = find_masks(record, functions, output, images)
    return Pass(
        at=begin.at,
        number=begin["number"],
        part="training" if backward is not None else "other",
        epoch=0,
        block=0,
        items=_read_items(dye, images, output, targets),
        network=begin["network"],
        is_training=begin["training"],
        norms=tuple(begin["norms"]),
        drops=tuple(begin["drops"]),
        learns=backward is not None,
        loss=None if backward is None else backward["value"],
        backward=backward,
        functions=functions,
        made_by=made_by,
        steps=begin["steps"],
        place=begin.place,
        record=record,
        about=about,
    )


def _read_items(
    dye: Dye, images: NDArray[Any] | None, output: NDArray[Any] | None, targets: NDArray[Any] | None
) -> tuple[Item, ...]:
    if images is None or images.ndim != 4 or images.shape[1] > 4 or images.dtype.kind != "f":
        return ()
    return tuple(
        _read_item(dye.match_image(image), dye, image, _take(output, number), _take(targets, number))
        for number, image in enumerate(images)
    )


def _take(array: NDArray[Any] | None, number: int) -> NDArray[Any] | None:
    return array[number] if array is not None and array.ndim == 4 and number < len(array) else None


def _read_item(
    match: Match, dye: Dye, image: NDArray[Any], output: NDArray[Any] | None, target: NDArray[Any] | None
) -> Item:
    item = Item(match, input_sha=_digest(image), output_sha="" if output is None else _digest(output))
    if target is None:
        return item
    mask = target[-1].astype(np.float32)  # of two channels, the second is the foreground
    id, way, warp = dye.match_mask_of(match, mask)
    figures = TargetFigures(
        float(mask.min()), float(mask.max()), float(mask.mean()), float((mask > 0.5).mean()), len(np.unique(mask))
    )
    item = replace(item, mask_id=id, mask_turn=way, mask_warp=warp, target=figures, target_sha=_digest(target))
    if output is None or output.dtype.kind != "f" or output.shape[-2:] != mask.shape:
        return item
    foreground = mask > (mask.min() + mask.max()) / 2
    return replace(item, **_score(output[-1].astype(np.float64), foreground))


def _score(output: NDArray[np.float64], foreground: NDArray[np.bool_]) -> dict[str, Any]:
    is_probability = output.min() >= 0 and output.max() <= 1
    probability = output if is_probability else 1 / (1 + np.exp(-np.clip(output, -500, 500)))
    predicted = probability > 0.5
    likely = np.clip(np.where(foreground, probability, 1 - probability), 1e-12, 1)
    both = float(probability[foreground].sum())
    return {
        "counts": (int((predicted & foreground).sum()), int(predicted.sum()), int(foreground.sum())),
        "bce": float(-np.log(likely).mean()),
        "dice": float((2 * both + 1e-6) / (probability.sum() + foreground.sum() + 1e-6)),
    }


def _digest(array: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def _list_parts(passes: Sequence[Pass]) -> Parts:
    blocks: dict[str, set[int]] = defaultdict(set)
    for each in passes:
        blocks[each.part].add(each.block)
    # Of the test, the first loop counts: later ones draw pictures of a few cases, of whichever part.
    first = {part: min(numbers) for part, numbers in blocks.items()}
    return Parts(
        _ids(each for each in passes if each.part == "training"),
        _ids(each for each in passes if each.part == "validation"),
        _ids(each for each in passes if each.part == "test" and each.block == first["test"]),
    )


def _ids(passes: Iterable[Pass]) -> tuple[str, ...]:
    return tuple(sorted({id for each in passes for id in each.ids if id}))


def _read_weights(record: Record, passes: Sequence[Pass]) -> Weights:
    if trains_with_keras(record):
        return Weights(*read_keras_weights(record))
    digests: dict[int, str] = {}
    last = ""
    begun = {event["number"]: event for event in record.list("pass")}
    for each in passes:
        last = begun[each.number]["weights"] or last
        digests[each.number] = last
    epochs: dict[int, str] = {}
    for each in passes:
        if each.part == "validation":
            epochs.setdefault(each.epoch, digests[each.number])
    tested = next((digests[each.number] for each in passes if each.part == "test"), "")
    saved = {event["path"]: event["weights"] for event in record.list("save") if event["weights"]}
    return Weights(tuple(epochs[number] for number in sorted(epochs)), tested, saved)


def _read_opened(record: Record, phantoms: Phantoms) -> Iterator[Opened]:
    """Yield what was opened, by the names of files: the number is the case, and a word says that it is a mask."""
    for event in record.list("open"):
        # Scripts have Windows paths written into themselves, which are names of folders here.
        path = PurePosixPath(*re.split(r"[/\\]", event["path"])[-4:])
        numbers = re.findall(r"\d+", path.stem)
        id = f"{int(numbers[-1]):03d}" if numbers else ""
        if event["writes"] or id not in phantoms.ids:
            continue
        is_lossy = path.suffix.lower() in (".jpg", ".jpeg")
        yield Opened(event.at, id, _is_mask(path), is_lossy, bool(event["copies"]), event.place)


_MASK_WORDS = re.compile(r"mask|label|seg(?!mentation)|(?<![a-z])gt|annot|truth|_m$")
_IMAGE_WORDS = re.compile(r"image|(?<![a-z])imgs?(?![a-z])")


def _is_mask(path: PurePosixPath) -> bool:
    """Return whether a file is a mask: by a word in its name, otherwise in the nearest folder that has one."""
    if _MASK_WORDS.search(path.stem.lower()):
        return True
    folders = (folder.name.lower() for folder in path.parents)
    telling = (name for name in folders if _MASK_WORDS.search(name) or _IMAGE_WORDS.search(name))
    return bool(_MASK_WORDS.search(next(telling, "")))


def _read_batches(record: Record, dye: Dye) -> Iterator[Batch]:
    for event in record.list("batch"):
        images = record.array(event["images"])
        if images is not None and images.ndim == 4 and images.shape[1] <= 4 and images.dtype.kind == "f":
            ids = tuple(dye.match_image(image).id for image in images)
            yield Batch(event.at, event["loader"], ids)


def _read_again(record: Record) -> Again | None:
    for event in record.list("again"):
        return Again(event["cases"], event["training"], event["twice"], event["ones"], event["twos"])
    return None


def _find_reached(record: Record, passes: Sequence[Pass]) -> dict[str, str]:
    found: dict[str, str] = {}
    seen = next((each for each in passes if any(each.ids)), None)
    for stage, event in (
        ("data", next(iter(record.list("batch")), None) or seen),
        ("network", next(iter(record.list("network")), None)),
        ("first step", next(iter(record.list("step")), None)),
    ):
        if event is not None:
            found[stage] = event.place or (seen.place if seen is not None else "")
    learnt = [each for each in passes if each.learns]
    later = next((each for each in passes if learnt and each.at > learnt[0].at and not each.learns), None)
    again = next((each for each in learnt if each.epoch > 1), None)
    ended = min((each for each in (later, again) if each is not None), key=lambda each: each.at, default=None)
    if ended is not None:
        found["epoch"] = ended.place
    for part in ("validation", "test"):
        first = next((each for each in passes if each.part == part), None)
        if first is not None:
            found[part] = first.place
    return found
