"""Which masks belong to which image, told by names alone.

Names are paths below a folder, written with ``/``. A file's *stem* is its name without the extension. A *case folder*
is the folder of a file without folders called ``images`` or ``masks``: it is the same for an image and its mask.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from llmseg.errors import UserError, name_first
from llmseg.files import show_if_slow

SUFFIXES = ("", "_seg", "_m", "_mask", "_segmentation")
"""What a mask's stem may have after the image's stem.

The study's datasets have the first three; the others are common elsewhere.
"""

IMAGE_FOLDERS = ("images", "image", "imgs", "img", "frames", "inputs", "input", "converted_images", "combined_images")
MANUAL_FOLDERS = ("manual", "manual1", "1st_manual")
MASK_FOLDERS = (
    "masks",
    "mask",
    "labels",
    "label",
    "labels-ah",
    "gt",
    "groundtruth",
    "ground_truth",
    "segmentations",
    "segmentation",
    "annotations",
    *MANUAL_FOLDERS,
    "combined_masks",
    "masks_myoma",
)
"""Folder names in lower case. Of the folders above a file, the innermost that is listed decides what the file is."""

PARTS = {
    "training": "training",
    "train": "training",
    "validation": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}
"""Official part of a case by the name of a folder above it, in lower case."""

_MASK_WORD = re.compile(r"(?:^|[-_ .])(?:masks?|labels?|seg|segmentation|gt|annotation|lesion)$", re.IGNORECASE)
_NUMBER = re.compile(r"[-_ .]\(?(?:\d{1,3}|[a-z]|left|right)\)?$", re.IGNORECASE)
"""What tells masks of one image apart: ``a_mask_1``, ``a_mask (2)``, ``a_mask_b``, ``a_mask_left``."""

_DIGITS = re.compile(r"\d{1,3}$")


@dataclass(frozen=True)
class Pairing:
    """Which names belong together, and which have no partner.

    Attributes:
        masks: The masks of every image that has one, in the order of the images.
        unpaired_images: Images without a mask.
        unpaired_masks: Masks without an image.
        suffix: What the stem of a mask has after its image's stem; ``None`` if each case has a folder to itself, where
            names need not agree.
    """

    masks: Mapping[str, tuple[str, ...]]
    unpaired_images: tuple[str, ...]
    unpaired_masks: tuple[str, ...]
    suffix: str | None


def pair_names(
    images: Sequence[str], masks: Sequence[str] | None, suffixes: Sequence[str], *, join: bool = False
) -> Pairing:
    """Pair images and masks by their names.

    All masks have the same suffix: of those that are tried, the one that pairs most images. Names are compared within
    case folders first. If more images have a mask when folders do not count, and no two images have the same stem, then
    they do not. If no name fits, and each case folder has one image, the masks of its folder belong to it.

    Args:
        images: Names of images, sorted.
        masks: Names of masks, sorted. ``None`` if they are among those of the images: then files with the suffix are
            masks, and the others are images.
        suffixes: What is tried, the plainest first.
        join: Whether an image may have several masks: with numbers, as in ``a_mask.png`` and ``a_mask_1.png``, in
            several folders, or in a case folder.

    Raises:
        UserError: Two images have the same stem and so the same mask, or an image has several masks without ``join``.

    Example:
        >>> pair_names(["a.png", "b.png"], ["a_mask.png"], SUFFIXES).masks
        {'a.png': ('a_mask.png',)}
        >>> pair_names(["7/ct.png"], ["7/mask_1.png", "7/mask_2.png"], SUFFIXES, join=True).masks
        {'7/ct.png': ('7/mask_1.png', '7/mask_2.png')}
    """
    flat = not any("/" in name for name in [*images, *(masks or ())])
    places = (_place_nowhere,) if flat else (find_case_folder, find_part)
    ways = [(suffix, place) for suffix in suffixes for place in places]
    tries = show_if_slow(ways, "pair images and masks", "attempt")
    tried = [_pair_by_name(images, masks, suffix, place) for suffix, place in tries]
    # Of ways that pair equally many, max takes the first: the plainest suffix, and folders that count.
    best = max(tried, key=lambda found: (len(found.exact), len(found.numbered)))
    if not best.exact and not best.numbered:
        best = _pair_by_folder(images, masks) or best
    elif best.shared:
        raise UserError(f"images {name_first(best.shared)} would share a mask; keep one of them")
    return best.choose(join)


def separate_roles(names: Iterable[str]) -> tuple[list[str], list[str], list[str]]:
    """Return the names in folders of images, those in folders of masks, and the others.

    Example:
        >>> separate_roles(["p1/images/a.png", "p1/masks/a.png", "overview.png"])
        (['p1/images/a.png'], ['p1/masks/a.png'], ['overview.png'])
    """
    found: dict[str, list[str]] = {"image": [], "mask": [], "": []}
    for name in names:
        found[_find_role(name)].append(name)
    return found["image"], found["mask"], found[""]


def drop_role_folders(name: str) -> str:
    """Return a path without folders called ``images`` or ``masks``.

    Example:
        >>> drop_role_folders("patient1/images/slice_0.png")
        'patient1/slice_0.png'
    """
    *folders, last = name.split("/")
    return "/".join([*(f for f in folders if f.lower() not in (*IMAGE_FOLDERS, *MASK_FOLDERS)), last])


def find_case_folder(name: str) -> str:
    """Return the case folder of a file, in lower case and in one spelling."""
    return compose(drop_role_folders(name).lower()).rpartition("/")[0]


def find_part(name: str) -> str:
    """Return the official part that the folders above a file tell, the innermost first; empty if none does."""
    return next((PARTS[folder] for folder in reversed(_find_folders(name)) if folder in PARTS), "")


def find_stem(name: str) -> str:
    """Return the last part of a path without its extension: ``im1.ah`` for ``labels/im1.ah.ppm.gz``."""
    last = name.rpartition("/")[2]
    last = last[: -len(".gz")] if last.lower().endswith(".gz") else last
    stem = last.rpartition(".")[0]
    return stem or last


def strip_number(stem: str, suffix: str = "") -> str:
    """Return a stem without what tells several masks of an image apart.

    Args:
        stem: The stem.
        suffix: What masks have after the image's stem. After a suffix, digits need nothing before them: ``a_mask1``.

    Example:
        >>> strip_number("a_mask_1"), strip_number("a_mask1", "_mask"), strip_number("a1"), strip_number("a_m")
        ('a_mask', 'a_mask', 'a1', 'a_m')
    """
    plain = _NUMBER.sub("", stem)
    if plain == stem and suffix and _DIGITS.sub("", stem).endswith(suffix):
        plain = _DIGITS.sub("", stem)
    return stem if stem.removeprefix(plain).lower() in SUFFIXES or not plain else plain


def explain_several(masks: Mapping[str, Sequence[str]]) -> str:
    """Return why images with several masks are refused.

    Args:
        masks: The masks of every such image.
    """
    image, first = next(iter(masks.items()))
    more = f"; {len(masks) - 1} images more have several" if len(masks) > 1 else ""
    return (
        f"image {image} has {len(first)} masks: {name_first(first)}{more}; if together they are the foreground, give "
        "--several-masks=join, otherwise keep one"
    )


def compose(name: str) -> str:
    """Return a name with accents in one spelling: a Mac writes them as two characters, other systems as one."""
    return unicodedata.normalize("NFC", name)


@dataclass(frozen=True)
class _Found:
    """What one way of pairing finds.

    Attributes:
        images: All images.
        exact: Masks that are called as the image, by image.
        numbered: Masks that are called so but for a number, by image.
        left: Names of masks that belong to no image.
        shared: Images that are called alike.
        suffix: As in :class:`Pairing`.
    """

    images: list[str]
    exact: Mapping[str, list[str]]
    numbered: Mapping[str, list[str]]
    left: list[str]
    shared: list[str]
    suffix: str | None

    def choose(self, join: bool) -> Pairing:
        """Return the masks of every image; without ``join``, an image has one."""
        every = {image: [*self.exact.get(image, ()), *self.numbered.get(image, ())] for image in self.images}
        several = {image: masks for image, masks in every.items() if len(masks) > 1}
        if several and not join:
            raise UserError(explain_several(several))
        # A single mask with a number may belong to something else, unless masks are said to be numbered.
        chosen = {image: masks for image, masks in every.items() if masks and (join or image in self.exact)}
        alone = [mask for image, masks in every.items() if image not in chosen for mask in masks]
        return Pairing(
            masks={image: tuple(masks) for image, masks in chosen.items()},
            unpaired_images=tuple(image for image in self.images if image not in chosen),
            unpaired_masks=tuple(sorted([*self.left, *alone])),
            suffix=self.suffix,
        )


def _pair_by_name(
    images: Sequence[str], masks: Sequence[str] | None, suffix: str, place: Callable[[str], str]
) -> _Found:
    together = masks is None
    if masks is None:
        masks = [name for name in images if suffix and find_stem(name).endswith(suffix)]
        images = [name for name in images if not suffix or not find_stem(name).endswith(suffix)]
    keys = {image: (place(image), compose(find_stem(image))) for image in images}
    first = {key: image for image, key in reversed(keys.items())}
    shared = [image for image, key in keys.items() if first[key] != image]
    if shared and place is find_part:  # then folders count, for they keep these images apart
        return _Found(list(images), {}, {}, list(masks), [], suffix)
    exact: dict[str, list[str]] = defaultdict(list)
    for mask in masks:
        stem = find_stem(mask)
        owner = first.get((place(mask), compose(stem.removesuffix(suffix)))) if stem.endswith(suffix) else None
        if owner is not None:
            exact[owner].append(mask)
    used = {mask for owned in exact.values() for mask in owned} | ({*exact} if together else set())
    numbered: dict[str, list[str]] = defaultdict(list)
    # Of masks that are told by a number, such as a_1, a_2 is another of the same image.
    plain = suffix if suffix in SUFFIXES else _NUMBER.sub("", suffix)
    for mask in [name for name in sorted({*images, *masks} if together else masks) if name not in used]:
        stem = strip_number(find_stem(mask), plain)
        owner = first.get((place(mask), compose(stem.removesuffix(plain)))) if stem.endswith(plain) else None
        if owner is not None and owner != mask and stem != find_stem(mask):
            numbered[owner].append(mask)
    used |= {mask for owned in numbered.values() for mask in owned}
    return _Found(
        images=[image for image in images if image not in used or image in exact],
        exact=exact,
        numbered=numbered,
        left=[mask for mask in masks if mask not in used],
        shared=[first[keys[shared[0]]], shared[0]] if shared else [],
        suffix=suffix,
    )


def _pair_by_folder(images: Sequence[str], masks: Sequence[str] | None) -> _Found | None:
    """Return the one image of each case folder with all masks there; ``None`` if a folder has several images."""
    if masks is None:
        masks = [name for name in images if _MASK_WORD.search(strip_number(find_stem(name), "mask"))]
        images = [name for name in images if name not in masks]
    folders = {find_case_folder(image): image for image in images}
    owned: dict[str, list[str]] = defaultdict(list)
    for mask in masks:
        if find_case_folder(mask) in folders:
            owned[folders[find_case_folder(mask)]].append(mask)
    if len(folders) < len(images) or "" in folders or not owned:
        return None
    used = {mask for masks_of in owned.values() for mask in masks_of}
    return _Found(list(images), owned, {}, [mask for mask in masks if mask not in used], [], None)


def _place_nowhere(name: str) -> str:
    return ""


def _find_role(name: str) -> str:
    for folder in reversed(_find_folders(name)):
        if folder in MASK_FOLDERS:
            return "mask"
        if folder in IMAGE_FOLDERS:
            return "image"
    return ""


def _find_folders(name: str) -> tuple[str, ...]:
    return tuple(name.lower().split("/")[:-1])
