"""Images and masks that do not belong together: mistakes 1, 2, 5 and 6."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from llmseg.admission.findings import Finding
from llmseg.admission.observing.mistakes.common import has_noise, is_clean, list_items, place_of_reading
from llmseg.admission.observing.observation import Item, Observation, Pass
from llmseg.admission.observing.warping import Warp, tell_degrees

_FEW = 3


def _list_matched(observation: Observation) -> list[tuple[Pass, Item]]:
    return [(each, item) for each, item in list_items(observation.passes) if item.id and item.mask_id]


def find_wrong_pairs(observation: Observation) -> Iterator[Finding]:
    """1: the mask of another case."""
    matched = _list_matched(observation)
    wrong = [(each, item) for each, item in matched if item.id != item.mask_id]
    if len(wrong) >= _FEW and len(wrong) > 0.2 * len(matched):
        item = wrong[0][1]
        yield Finding(
            1,
            f"in {len(wrong)} of {len(matched)} pairs that reached a loss or score, image and mask are of different "
            "cases; folders listed their files in another order than by name",
            place_of_reading(observation, masks=True) or wrong[0][0].place,
            f"the mask of case {item.id}",
            f"the mask of case {item.mask_id}",
        )


def find_separate_draws(observation: Observation) -> Iterator[Finding]:
    """2: the mask of the case, turned, scaled or moved otherwise than the image, in the training.

    In a test, images are turned to average over what the network says of them, and its output is turned back.
    """
    matched = _list_matched(observation)
    same = [(each, item) for each, item in matched if each.learns and item.id == item.mask_id]
    apart = [
        (each, item) for each, item in same if (item.image.turn, item.image.warp) != (item.mask_turn, item.mask_warp)
    ]
    if len(apart) >= _FEW:
        each, item = apart[0]
        yield Finding(
            2,
            f"in {len(apart)} of {len(same)} pairs, image and mask are turned differently",
            place_of_reading(observation, masks=True) or each.place,
            f"the mask of case {item.id} turned as its image ({_tell(item.image.turn, item.image.warp)})",
            f"turned {_tell(item.mask_turn, item.mask_warp)}",
        )


def _tell(way: str, warp: Warp | None) -> str:
    return f"'{way}'" if warp is None else f"'{way}' and by {tell_degrees(warp):.0f} degrees"


def find_shifts(observation: Observation) -> Iterator[Finding]:
    """5: the nearest pixel is taken from the corner of a pixel's area, and not from its middle."""
    shifted, place = 0, ""
    for each, item in _list_matched(observation):
        if item.id == item.mask_id and item.is_plain and is_clean(observation, item.id):
            verdict = _is_shifted(observation, each, item)
            if verdict is False:
                return
            shifted += verdict is True
            place = place or each.place
    if shifted >= _FEW:
        yield Finding(
            5,
            f"{shifted} masks are, pixel by pixel, what one gets by taking the pixel at the corner of each area; their "
            "images are resized about the middle",
            place_of_reading(observation, masks=True) or place,
            "nearest pixels about the middle, as Pillow, 'nearest-exact' and INTER_NEAREST_EXACT take them",
            "a shift of half a pixel",
        )


def _is_shifted(observation: Observation, each: Pass, item: Item) -> bool | None:
    """Return whether a mask is shifted against its image; ``None`` if its pixels do not tell."""
    targets, images = each.masks, each.images
    if targets is None or images is None:
        return None
    mask, number = observation.phantoms.mask(item.id) > 0, each.items.index(item)
    seen = targets[number, -1]
    size = seen.shape
    if size == mask.shape or all(old % new == 0 for old, new in zip(mask.shape, size, strict=True)):
        return None
    inside = seen > (seen.min() + seen.max()) / 2
    corner, middle = _take_nearest(mask, size, 0.0), _take_nearest(mask, size, 0.5)
    if (corner == middle).all():
        return None
    if (inside != corner).any():
        return False
    picture = observation.phantoms.image(item.id).astype(np.float64)
    picture = picture if picture.ndim == 2 else picture.mean(axis=-1)
    return not _is_scaled(_take_nearest(picture, size, 0.0), images[number].mean(axis=0))


def _take_nearest(picture: NDArray[np.generic], size: tuple[int, ...], at: float) -> NDArray[np.generic]:
    rows, columns = (
        np.minimum(((np.arange(new) + at) * old / new).astype(int), old - 1)
        for old, new in zip(picture.shape, size, strict=True)
    )
    return picture[np.ix_(rows, columns)]


def _is_scaled(picture: NDArray[np.generic], image: NDArray[np.float32]) -> bool:
    """Return whether an image is a picture with nothing but its intensities scaled."""
    if picture.shape != image.shape:
        return False
    return bool(np.corrcoef(picture.ravel().astype(float), image.ravel())[0, 1] > 0.9999)


def find_misread_masks(observation: Observation) -> Iterator[Finding]:
    """6: noise of a grey level or two counts as foreground."""
    noisy = [
        (each, item)
        for each, item in list_items(observation.passes)
        if item.id and item.target is not None and has_noise(observation, item.id) and item.image.is_whole
    ]
    misread = []
    for each, item in noisy:
        assert item.target is not None
        targets = each.masks
        share = float((observation.phantoms.mask(item.id) > 0).mean())
        if targets is None or not item.target.high > item.target.low:
            continue
        seen = targets[each.items.index(item), -1]
        found = float((seen > (item.target.low + item.target.high) / 2).mean())
        if found > share + 0.25:
            misread.append((each, item, share, found))
    sound = [item for _, item in list_items(observation.passes) if item.id == item.mask_id != ""]
    if len(misread) >= _FEW and len(misread) > 0.8 * len(noisy) and sound:
        each, item, share, found = misread[0]
        yield Finding(
            6,
            f"case {item.id} has noise of up to two grey levels in its mask, and all of it is read as foreground",
            place_of_reading(observation, masks=True) or each.place,
            f"{share:.0%} foreground",
            f"{found:.0%}",
            quirk="mask-above-zero",
        )
