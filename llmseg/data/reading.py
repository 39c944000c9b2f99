"""How pixels of image and mask files are read, stated as a value.

The default decides only what cannot be read in two ways. Whatever can is refused, and the message names the choices.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeAlias

from llmseg.data.depth import Depth, parse_depth
from llmseg.errors import UserError, nearest

Foreground: TypeAlias = "int | str | None"
"""Which mask values are foreground: a number, ``"above-127"``, ``"all-but-0"``, ``"labels:1,2"``, or ``None``."""

RULES = ("above-127", "all-but-0")
"""Names of rules for foreground. Besides them there are numbers and ``labels:`` with numbers."""

OF_IMAGES = ("depth", "exif", "pages")
"""The fields that decide what an image is; the others are of masks alone."""

Pages: TypeAlias = "int | str | None"
"""Which pages of a file of several are read: a number from 1, ``"first"``, ``"each"``, or ``None``."""

_ALPHA = ("drop", "mask")
_EXIF = ("turn", "ignore")
_PAGES = ("first", "each")
_SEVERAL_MASKS = ("join",)


class ReadingWarning(UserWarning):
    """Files of a store can be read, but something about them should be known.

    Example:
        >>> import warnings
        >>> warnings.simplefilter("error", ReadingWarning)  # doctest: +SKIP
    """


@dataclass(frozen=True)
class Reading:
    """How pixels are read. A field that is ``None`` leaves the choice to what a file can only mean.

    Attributes:
        foreground: Which values of a mask are foreground: a number, ``"above-127"`` (what is bright),
            ``"all-but-0"`` (every label), or ``"labels:1,2"`` (these labels). Of a palette file, numbers are indices.
            ``None`` takes black for background and white for foreground, and refuses masks that hold labels.
        alpha: What the alpha channel (transparency) of a mask means: ``"mask"`` if it is the mask, ``"drop"`` if
            colours are. ``None`` takes the one that says something, and refuses masks where both do and differ.
        depth: How the numbers of images of more than 8 bits become 0 to 255: a number of bits (``12`` is 0 to 4095),
            ``"unit"`` (0 to 1), ``"window:LOW,HIGH"``, or ``"percentiles:LOW,HIGH"`` of each image. ``None`` is 0 to
            65535, and a set that does not reach half of it is refused. Images of 8 bits are as they are.
        exif: What becomes of the orientation flag of a camera: ``"turn"`` turns every image and every mask as its own
            flag says, as viewers do; ``"ignore"`` and ``None`` take pixels as they are stored, and ``None`` warns.
        several_masks: What several masks of one image mean: with ``"join"``, what is foreground in one of them is
            foreground. ``None`` refuses an image that has more than one.
        pages: Which pages of a TIFF, or frames of an animation, are read: ``"first"``, a number from 1, or ``"each"``,
            which makes a case of every page, called ``name_page001.tif``; those of a file are a group. Files of one
            page are read as ever. ``None`` is the first, and a set with files of several is refused.

    Raises:
        UserError: A field has a value that is not allowed.

    Example:
        >>> Reading("labels:2,1").foreground, Reading("2").foreground
        ('labels:1,2', 2)
    """

    foreground: Foreground = None
    alpha: str | None = None
    depth: Depth = None
    exif: str | None = None
    several_masks: str | None = None
    pages: Pages = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "foreground", parse_foreground(self.foreground))
        object.__setattr__(self, "depth", parse_depth(self.depth))
        _check_choice("alpha", self.alpha, _ALPHA)
        _check_choice("exif", self.exif, _EXIF)
        _check_choice("several masks", self.several_masks, _SEVERAL_MASKS)
        object.__setattr__(self, "pages", parse_pages(self.pages))

    @property
    def stated(self) -> dict[str, Any]:
        """The fields that are not ``None``, but for the foreground: what the digest of a store says of them."""
        return {name: value for name, value in asdict(self).items() if value is not None and name != "foreground"}


def parse_foreground(value: Foreground) -> Foreground:
    """Return a rule for foreground in its one spelling: a number, the name of a rule, ``labels:`` with sorted numbers.

    Raises:
        UserError: It is none of them.

    Example:
        >>> parse_foreground("38"), parse_foreground("labels:3"), parse_foreground("all-but-0")
        (38, 3, 'all-but-0')
    """
    if value is None or value in RULES or isinstance(value, int):
        return value
    numbers = str(value).removeprefix("labels:").split(",")
    try:
        labels = sorted({int(number) for number in numbers})
    except ValueError:
        hint = nearest(str(value), RULES)
        raise UserError(
            f"foreground '{value}': must be a number, above-127, all-but-0 or labels:1,2 (with your numbers){hint}"
        ) from None
    return labels[0] if len(labels) == 1 else f"labels:{','.join(map(str, labels))}"


def parse_pages(value: Pages) -> Pages:
    """Return which pages are read, in the one spelling.

    Raises:
        UserError: It is none that can be.

    Example:
        >>> parse_pages("each"), parse_pages("3")
        ('each', 3)
    """
    if value in (None, "first", "each"):
        return value
    if not str(value).isdecimal() or int(value) < 1:
        raise UserError(f"pages '{value}': must be first, each or a number from 1{nearest(str(value), _PAGES)}")
    return int(value)


def list_labels(foreground: Foreground) -> tuple[int, ...]:
    """Return the mask values that a rule names; empty for a rule that names none.

    Example:
        >>> list_labels("labels:1,2"), list_labels(7), list_labels("all-but-0")
        ((1, 2), (7,), ())
    """
    if isinstance(foreground, int):
        return (foreground,)
    if foreground is None or foreground in RULES:
        return ()
    return tuple(int(number) for number in foreground.removeprefix("labels:").split(","))


def read_reading(values: Any) -> Reading:
    """Return the reading that ``dataclasses.asdict`` gave, or the default of ``None``.

    Raises:
        UserError: It is no such dictionary.
    """
    if values is None or isinstance(values, Reading):
        return values or Reading()
    if not isinstance(values, dict) or not set(values) <= {field.name for field in fields(Reading)}:
        raise UserError(f"reading is {values}; it must have only {', '.join(field.name for field in fields(Reading))}")
    return Reading(**values)


def complete(reading: Reading, earlier: Reading) -> Reading:
    """Return a reading whose fields that are ``None`` are those of an earlier one.

    Example:
        >>> name_options(complete(Reading(depth=16), Reading(foreground=1, depth=12)))
        '--foreground 1 --depth 16'
    """
    return replace(earlier, **{name: value for name, value in asdict(reading).items() if value is not None})


def without(reading: Reading, stated: Reading) -> Reading:
    """Return a reading without the fields that another one states.

    Example:
        >>> name_options(without(Reading(foreground=1, depth=12), Reading(depth=16)))
        '--foreground 1'
    """
    return replace(reading, **{name: None for name, value in asdict(stated).items() if value is not None})


def name_options(reading: Reading) -> str:
    """Return what a reading states as options of the command line.

    Example:
        >>> name_options(Reading(foreground="labels:1,2", exif="turn"))
        '--foreground labels:1,2 --exif turn'
    """
    stated = {name: value for name, value in asdict(reading).items() if value is not None}
    return " ".join(f"--{name.replace('_', '-')} {value}" for name, value in stated.items())


def images_only(reading: Reading) -> Reading:
    """Return what a reading states of images, and nothing of masks."""
    return Reading(**{name: getattr(reading, name) for name in OF_IMAGES})


def find_contradiction(reading: Reading, earlier: Reading) -> str:
    """Return how images are read otherwise than an earlier reading states; empty if they are not.

    Example:
        >>> find_contradiction(Reading(depth=16), Reading(depth=12))
        'with --depth 16 instead of 12'
        >>> find_contradiction(Reading(foreground=2), Reading(foreground=1))
        ''
    """
    others = []
    for name in OF_IMAGES:
        here, there = getattr(reading, name), getattr(earlier, name)
        if there in (None, "ignore") or here == there:  # flags are ignored where nothing is said
            continue
        option = f"--{name.replace('_', '-')}"
        others.append(f"without {option} {there}" if here is None else f"with {option} {here} instead of {there}")
    return ", ".join(others)


def _check_choice(name: str, value: str | None, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise UserError(f"{name} '{value}': must be {' or '.join(allowed)}{nearest(str(value), allowed)}")


DEFAULT = Reading()
"""What is taken where nothing is said."""
