"""What the values of a mask file mean: the numbers that are stored, the picture that one sees, and labels.

A *label* is the number of a class or of an object. Masks of labels look like dark or colourful pictures, and a
threshold would take some labels for foreground and others for background.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from llmseg.data.reading import Foreground, Reading, list_labels
from llmseg.errors import UserError, shorten_list

WHITE = 223
"""Grey value from which on a pixel counts as white: JPEG leaves so much of 255."""

BLACK = 32
"""Grey value up to which a pixel may be black that JPEG has changed."""

_LISTED = 8

_FEW = 4
"""So many values between black and white may be classes that are drawn with a thin pen."""

_FLAT = {2: 0.1, 3: 0.25}
"""A value makes areas if there are so many squares of it, per pixel; by the side of the squares in pixels."""


class LabelValues(UserError):
    """A mask holds numbers of classes, or of objects, where black and white are expected."""


@dataclass(frozen=True)
class MaskValues:
    """A mask file before it is decided what is foreground.

    Attributes:
        numbers: ``[H, W]``, what the file stores: indices of a palette file, otherwise grey values.
        seen: uint8 ``[H, W]``, what a viewer shows as grey; ``None`` if numbers this large or small show nothing.
        source: ``"colours"`` or ``"alpha"``, where the mask was found.
        undecided: Whether the other of the two would have given another mask.
        palette: Whether the numbers are indices.
    """

    numbers: np.ndarray
    seen: np.ndarray | None
    source: str
    undecided: bool
    palette: bool


def find_values(image: Image.Image, name: str, alpha: str | None = None) -> MaskValues:
    """Return the values of a decoded mask file.

    Args:
        image: The decoded file.
        name: What messages call the file.
        alpha: As in :class:`llmseg.data.reading.Reading`.

    Raises:
        UserError: It has no alpha channel where ``alpha`` is ``"mask"``; or colours and alpha both show something and
            differ; or values are not finite.
    """
    if image.mode.startswith(("I", "F")):
        if alpha == "mask":
            raise UserError(f"mask {name} has no alpha channel; leave --alpha mask out")
        return _find_deep(np.asarray(image), name)
    grey = np.array(_drop_alpha(image).convert("L"))
    transparency = _find_alpha(image)
    palette = image.mode == "P"
    numbers = np.asarray(image) if palette else grey
    if transparency is None:
        if alpha == "mask":
            raise UserError(f"mask {name} has no alpha channel; leave --alpha mask out")
        return MaskValues(numbers, grey, "colours", False, palette)
    differ = not np.array_equal(grey > 127, transparency > 127)
    source = alpha or _choose_source(image, grey, transparency, differ, name)
    if source in ("mask", "alpha"):
        return MaskValues(transparency, transparency, "alpha", differ and alpha is None, False)
    return MaskValues(numbers, grey, "colours", differ and alpha is None, palette)


def choose_foreground(values: MaskValues, foreground: Foreground) -> np.ndarray:
    """Return which pixels are foreground, bool ``[H, W]``, by a rule that is not ``None``."""
    if foreground == "above-127":
        shown = values.seen if values.seen is not None else values.numbers
        bright: np.ndarray = shown > 127
        return bright
    if foreground == "all-but-0":
        chosen: np.ndarray = values.numbers != 0
        return chosen
    return np.isin(values.numbers, list_labels(foreground))


def make_mask(values: MaskValues, name: str, reading: Reading, option: str = "--foreground") -> np.ndarray:
    """Return the mask, uint8 ``[H, W]``, that values give: see :func:`llmseg.data.pixels.decode_mask`.

    Raises:
        LabelValues: There is no rule for foreground, and the values are labels.
    """
    if reading.foreground is not None:
        binary: np.ndarray = np.where(choose_foreground(values, reading.foreground), np.uint8(255), np.uint8(0))
        return binary
    if values.seen is None or 0 < values.seen.max() < 128 or len(count_labels(values)) > 1:
        raise explain_labels(values, name, option)
    return values.seen


def count_labels(values: MaskValues) -> tuple[int, ...]:
    """Return the labels of a mask, in ascending order: values that make areas of their own; 0 is left out.

    Soft edges and what JPEG leaves around 0 and 255 are no labels, for they make no areas. Values that are nearly
    white count as one, 255.

    Example:
        >>> areas = np.kron(np.array([[0, 1], [0, 255]], np.uint8), np.ones((5, 5), np.uint8))
        >>> count_labels(MaskValues(areas, areas, "colours", False, False))
        (1, 255)
    """
    shown = values.seen
    if values.palette and _has_colours(values):
        return tuple(int(number) for number in np.unique(values.numbers[values.numbers > 0]))
    if shown is None:
        return tuple(int(number) for number in np.unique(values.numbers) if number != 0)
    if values.numbers.dtype.kind == "f" and len(np.unique(values.numbers)) > _LISTED:
        return (255,)  # probabilities, which have areas of nearly equal values
    counts = np.bincount(shown.ravel(), minlength=256)
    white = [255] if counts[WHITE:].any() else []
    # One nearly white value without white itself is no noise around white, but a label, such as 254 for a border.
    nearly_white = np.count_nonzero(counts[WHITE:255])
    noisy = nearly_white > 1 or (nearly_white == 1 and counts[255]) or counts[BLACK + 1 : WHITE].any()
    present = np.flatnonzero(counts[1:WHITE]) + 1
    if not noisy and len(present):
        # Nothing between but a few numbers beside black and white: classes, however thin they are.
        return (*(int(number) for number in present), *white)
    # A soft edge is one pixel wide, or has many values; an area is wider, or has one value.
    side = 2 if len(present) <= _FEW else 3
    flat = np.bincount(_find_flat(shown, side), minlength=256)
    first = BLACK + 1 if counts[WHITE:255].any() else 1
    areas = [v for v in range(first, WHITE) if flat[v] >= 4 and flat[v] >= _FLAT[side] * counts[v]]
    return (*areas, *white)


def explain_labels(values: MaskValues, name: str, option: str = "--foreground") -> LabelValues:
    """Return the error for a mask of labels: its values, and what may be said of them.

    Args:
        values: The mask.
        name: What the message calls the file.
        option: The option, or the argument, that the message names.
    """
    present = [_plain(number) for number in np.unique(values.numbers)]
    listed = shorten_list(present, most=_LISTED)
    labels = [number for number in present if number != 0]
    meant = [label for label in labels if label != 255] or labels  # 255 beside labels is the border, or "ignore"
    what = "palette indices" if values.palette else "values"
    if len(labels) > 1:
        advice = (
            f"choose {option} all-but-0 for all of them, or name those that are meant, and the others are background: "
            f"{option} {meant[-1]}, "
            f"{option} labels:{labels[0]},{labels[1]}"
        )
        whole = all(isinstance(label, int) for label in labels[:2] + meant[-1:])
        advice = advice if whole else f"choose {option} all-but-0"
    else:
        advice = f"if {labels[0]} is the foreground, say {option} {labels[0]}"
        advice = advice if isinstance(labels[0], int) else f"choose {option} all-but-0"
    return LabelValues(
        f"mask {name} has {what} {listed}, where 0 is expected for background and 255 for foreground; {advice}"
    )


def _plain(number: np.generic) -> int | float:
    value = float(number)
    return int(value) if value.is_integer() else round(value, 4)


def _find_deep(numbers: np.ndarray, name: str) -> MaskValues:
    """Return the values of a file of more than 8 bits, and what they show: 0..1, 0..255 or 0..65535."""
    if not np.isfinite(numbers).all():
        raise UserError(f"{name} holds values that are not finite; replace it or move it away")
    lowest, highest = numbers.min(), numbers.max()
    seen: np.ndarray | None = None
    if lowest >= 0 and numbers.dtype.kind == "f":
        # Probabilities, or 8-bit values that were written as floats.
        scale = 255 if highest <= 1 else 1
        seen = np.round(numbers * scale).astype(np.uint8) if highest <= 255 else None
    elif lowest >= 0 and (highest in (0, 255) or (highest == 65535)):
        seen = (numbers if highest <= 255 else np.round(numbers / 257)).astype(np.uint8)
    return MaskValues(numbers, seen, "colours", False, False)


def _find_alpha(image: Image.Image) -> np.ndarray | None:
    """Return the alpha channel, uint8 ``[H, W]``, of a file that is transparent somewhere."""
    if not image.has_transparency_data:
        return None
    alpha = np.array(image.convert("RGBA").getchannel("A"))
    return None if (alpha == 255).all() and "A" not in image.getbands() else alpha


def _drop_alpha(image: Image.Image) -> Image.Image:
    if image.mode == "RGBa":
        return image.convert("RGBA").convert("RGB")
    return image


def _choose_source(image: Image.Image, grey: np.ndarray, alpha: np.ndarray, differ: bool, name: str) -> str:
    if not differ or (alpha == 255).all():
        return "colours"
    colours = np.asarray(image.convert("RGB")).reshape(-1, 3)
    alike = (colours == colours[0]).all()
    if alike != (alpha == alpha.flat[0]).all():
        return "alpha" if alike else "colours"  # of the two, only one shows anything
    opaque = colours[alpha.ravel() > 127]
    if grey.max() < 128 and len(opaque) and (opaque == opaque[0]).all():
        return "alpha"  # a dark colour on transparent ground: its grey value would be taken for a label
    raise UserError(
        f"mask {name} shows one thing in its colours and another in its alpha channel (transparency); "
        "say which is meant: --alpha mask, or --alpha drop for the colours"
    )


def _has_colours(values: MaskValues) -> bool:
    """Whether a palette file shows other colours than black and white, and is no ramp of greys."""
    assert values.seen is not None
    pairs = np.unique(np.stack([values.numbers.ravel(), values.seen.ravel()]), axis=1)
    if np.array_equal(pairs[0], pairs[1]) or pairs.shape[1] > BLACK:
        return False
    return pairs.shape[1] > 2 or bool(((pairs[1] > BLACK) & (pairs[1] < WHITE)).any())


def _find_flat(shown: np.ndarray, side: int) -> np.ndarray:
    """Return the value of every square of one value, of a side in pixels; squares may overlap."""
    if min(shown.shape) < side:
        return shown[:0].ravel()
    squares = np.lib.stride_tricks.sliding_window_view(shown, (side, side))
    first = shown[: squares.shape[0], : squares.shape[1]]
    alike = np.ones(first.shape, dtype=bool)
    for down in range(side):
        for right in range(side):
            alike &= squares[:, :, down, right] == first
    return first[alike]
