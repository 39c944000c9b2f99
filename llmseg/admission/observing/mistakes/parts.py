"""Cases that are where they should not be: mistakes 9, 10, 21 and 23."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from llmseg.admission.findings import Finding
from llmseg.admission.observing.mistakes.common import list_items, list_scored, place_of_reading
from llmseg.admission.observing.observation import Item, Observation, Pass

_FEW = 2


def find_divided_cases(observation: Observation) -> Iterator[Finding]:
    """9: cases, or parts of them, are trained on and scored."""
    # In a cross-validation each network has cases of its own.
    known = {(each.network, item.id) for each, item in list_items(observation.of("training")) if item.id}
    for part in ("test", "validation"):
        items = [(each, item) for each, item in list_items(list_scored(observation)) if each.part == part and item.id]
        scored = {item.id for _, item in items}
        both = {item.id for each, item in items if (each.network, item.id) in known}
        learnt = {id for network, id in known if network in {each.network for each, _ in items}}
        if len(both) < _FEW or scored == learnt:
            continue
        is_divided = any(item.image.window is not None for _, item in items)
        yield Finding(
            9,
            f"{len(both)} of {len(scored)} cases of the {part} are trained on, too"
            + (", other parts of them" if is_divided else "")
            + f": {', '.join(sorted(both)[:5])}",
            items[0][0].place,
            "no case on both sides",
            f"{len(both)} cases on both sides",
        )
        return


def find_statistics_of_all(observation: Observation) -> Iterator[Finding]:
    """10: mean and deviation by which images are normalised are those of all cases."""
    parts = observation.parts
    # Where the training changes intensities at random, the images that are scored show what is always done.
    for passes in (observation.of("training"), list_scored(observation)):
        scaled = _tell_scale(passes)
        if scaled is not None:
            break
    if scaled is None or not parts.test:
        return
    items, slope, offset = scaled
    seen = np.concatenate([-offset / slope, 1 / slope])
    if np.allclose(seen[: len(slope)], 0, atol=0.02):
        return  # scaled, and not normalised
    images = items[0][0].images
    size = images.shape[-2:] if images is not None else None
    sources = items[0][1].image.sources
    everyone, training = observation.phantoms.ids, parts.training
    of_all = [_distance(seen, each) for each in _list_statistics(observation, everyone, sources, size)]
    of_training = [_distance(seen, each) for each in _list_statistics(observation, training, sources, size)]
    if min(of_all) < 0.008 and min(of_training) > 3 * min(of_all):
        yield Finding(
            10,
            f"images are normalised by mean {seen[0]:.4f} and deviation {seen[len(slope)]:.4f} of their intensities "
            f"from 0 to 1, which are those of all {len(everyone)} cases",
            place_of_reading(observation, masks=False),
            f"statistics of the {len(training)} training cases",
            "statistics of all, those of the test among them",
        )


def _tell_scale(
    passes: Iterable[Pass],
) -> tuple[list[tuple[Pass, Item]], NDArray[np.float64], NDArray[np.float64]] | None:
    """Return images with the one factor and offset that all of them have, ``None`` if they differ."""
    items = [(each, item) for each, item in list_items(passes) if item.image.slopes]
    if len(items) < 4 or len({item.image.sources for _, item in items}) > 1:
        return None
    slopes, offsets = (np.array([getattr(item.image, name) for _, item in items]) for name in ("slopes", "offsets"))
    slope, offset = np.median(slopes, axis=0), np.median(offsets, axis=0)
    if (slope <= 0).any() or np.abs(slopes / slope - 1).max() > 0.03:
        return None
    return items, slope, offset


def _distance(seen: NDArray[np.float64], statistics: NDArray[np.float64]) -> float:
    return float(np.abs(seen / statistics - 1).max())


def _list_statistics(
    observation: Observation, ids: Iterable[str], sources: tuple[int, ...], size: tuple[int, ...] | None
) -> Iterator[NDArray[np.float64]]:
    """Yield mean and deviation of the intensities of some cases, as scripts compute them."""
    for is_resized in (False, True):
        pictures = []
        for id in ids:
            image: NDArray[Any] = observation.phantoms.image(id)
            if is_resized and size is not None:
                image = cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR)
            channels = image[..., None] if image.ndim == 2 else image
            grey = channels @ np.array([0.299, 0.587, 0.114]) if channels.shape[-1] == 3 else channels[..., 0]
            pictures.append(np.stack([grey if s == 3 else channels[..., s] for s in sources]).reshape(len(sources), -1))
        whole = np.stack(pictures).astype(np.float64) / 255
        mean = whole.mean(axis=(0, 2))
        yield np.concatenate([mean, whole.std(axis=(0, 2))])
        yield np.concatenate([mean, whole.std(axis=2).mean(axis=0)])


def find_left_out_cases(observation: Observation) -> Iterator[Finding]:
    """21: cases that no part has."""
    seen = {item.id for _, item in list_items(observation.passes)}
    seen |= {id for batch in observation.batches for id in batch.ids}
    seen |= {each.id for each in observation.opened if not each.is_mask}
    left_out = sorted(set(observation.phantoms.ids) - seen)
    loaders = [event["items"] or 0 for event in observation.record.list("loader")]
    is_ended = bool(observation.of("test"))
    if is_ended and len(left_out) > 0.15 * observation.phantoms.count and len(loaders) >= 2:
        yield Finding(
            21,
            f"{len(left_out)} of {observation.phantoms.count} cases are never opened: {', '.join(left_out[:5])}",
            next(event.place for event in observation.record.list("loader")),
            "all cases in one of the parts",
            f"{observation.phantoms.count - len(left_out)} cases",
            "likely",
        )


def find_early_masks(observation: Observation) -> Iterator[Finding]:
    """23: test masks are read during the training and, at another place, again for the test."""
    learnt = [each.at for each in observation.passes if each.learns]
    parts = observation.parts
    test = set(parts.test) - set(parts.validation)
    if not learnt or not test:
        return
    opened = [each for each in observation.opened if each.is_mask and each.id in test and not each.copies]
    late = {each.place for each in opened if each.at > learnt[-1]}
    # Cases that are trained on, too, are read during the training; then only what is read before it counts.
    end = learnt[0] if test & set(parts.training) else learnt[-1]
    early = [each for each in opened if each.at < end and each.place not in late]
    if late and {each.id for each in early} == test:
        yield Finding(
            23,
            f"the masks of all {len(test)} test cases are read before the training has ended, and again for the test",
            early[0].place,
            "test masks read after the training",
            "test masks read before it",
        )
