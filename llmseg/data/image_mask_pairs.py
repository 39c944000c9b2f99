"""Which mask file belongs to which image file: the same name, or the same name with a suffix such as ``_mask``.

:mod:`llmseg.data.mask_names` compares the names.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llmseg.data.image_files import find_inner_folders, list_images
from llmseg.data.mask_names import (
    SUFFIXES,
    Pairing,
    drop_role_folders,
    find_stem,
    pair_names,
    separate_roles,
)
from llmseg.errors import UserError, name_first

CHANNEL = "_0000"
"""What nnU-Net puts behind the stem of an image. The labels and predictions of the case do not have it."""


@dataclass(frozen=True)
class ImageMaskPair:
    """The files of one case.

    Attributes:
        id: The image's file name. If images lie in folders below the one that is named, their path below it comes
            first, without folders called ``images`` or ``masks``: ``patient1/slice_0.png``.
        image: The image.
        masks: The mask; or all masks of the image, of which each shows a part of the foreground.
        page: The page of these files, from 1, if each of several is a case.
    """

    id: str
    image: Path
    masks: tuple[Path, ...]
    page: int | None = None


@dataclass(frozen=True)
class PairedFolders:
    """Which files of two folders belong together, and which have no partner.

    Attributes:
        pairs: In the order of the image file names.
        unpaired_images: Images without a mask, sorted by name.
        unpaired_masks: Files in the folder of the masks that belong to no image, sorted by name.
        suffix: What the stem of every paired mask has after its image's stem; ``None`` if each case has a folder to
            itself, where names need not agree.
    """

    pairs: tuple[ImageMaskPair, ...]
    unpaired_images: tuple[Path, ...]
    unpaired_masks: tuple[Path, ...]
    suffix: str | None


def pair_every_image(images: Path, masks: Path, suffix: str | None = None, *, join: bool = False) -> PairedFolders:
    """Pair every image with its mask as :func:`pair_files` does, and refuse images without one.

    Masks without an image are passed over.

    Args:
        images: Folder of the images.
        masks: Folder of the masks; may be the same.
        suffix: As for :func:`pair_files`.
        join: As for :func:`pair_files`.

    Returns:
        The pairs, and the masks without an image.

    Raises:
        UserError: As :func:`pair_files`, or an image has no mask.

    Example:
        >>> pair_every_image(Path("images"), Path("masks")).pairs[0].masks  # doctest: +SKIP
        (PosixPath('masks/case_001_seg.png'),)
    """
    folders = pair_files(images, masks, suffix, join=join)
    if folders.unpaired_images:
        unpaired = [file.relative_to(images).as_posix() for file in folders.unpaired_images]
        called = "" if folders.suffix is None else f" '<name>{folders.suffix}.*'"
        raise UserError(
            f"{len(unpaired)} of {len(unpaired) + len(folders.pairs)} images in {images} have no mask"
            f"{called} in {masks}: {name_first(unpaired)}; add the masks or move the images away"
        )
    return folders


def pair_files(images: Path, masks: Path, suffix: str | None = None, *, join: bool = False) -> PairedFolders:
    """Pair images and masks, and tell which files have no partner.

    Hidden files and files of other extensions are passed over. If a folder has no images itself, those in the folders
    below it are taken. Images and masks may lie in one folder; then files with the suffix are masks, and the others
    are images, unless folders below it are called ``images`` and ``masks``.

    Args:
        images: Folder of the images.
        masks: Folder of the masks; may be the same.
        suffix: What a mask's stem has after the image's stem; ``None`` tries
            :data:`llmseg.data.mask_names.SUFFIXES`.
        join: Whether an image may have several masks, see :func:`llmseg.data.mask_names.pair_names`.

    Returns:
        The pairs, at least one, and the files without a partner.

    Raises:
        UserError: A folder is missing or has no images, no image has a mask, or one has several without ``join``.
    """
    image_names, mask_names = list_images(images, masks), list_images(masks, images, "mask")
    same = images.resolve() == masks.resolve()
    others: list[str] = []
    if same:
        of_images, of_masks, others = separate_roles(image_names)
        if of_images and of_masks:
            image_names, mask_names, same = of_images, of_masks, False
        else:
            others = []
    suffixes = [suffix] if suffix is not None else [s for s in SUFFIXES if s or not same]
    pairing = pair_names(image_names, None if same else mask_names, suffixes, join=join)
    if not pairing.masks:
        raise UserError(_explain_no_pairs(images, masks, image_names, mask_names, suffixes))
    return _find_paths(pairing, images, masks, others)


def _find_paths(pairing: Pairing, images: Path, masks: Path, others: Sequence[str]) -> PairedFolders:
    # Files that lie in none of the folders of images and masks may be either; that they are named is what counts.
    unpaired = sorted([*pairing.unpaired_images, *others])
    return PairedFolders(
        pairs=tuple(
            ImageMaskPair(drop_role_folders(image), images / image, tuple(masks / mask for mask in of_image))
            for image, of_image in pairing.masks.items()
        ),
        unpaired_images=tuple(images / name for name in unpaired),
        unpaired_masks=tuple(masks / name for name in pairing.unpaired_masks),
        suffix=pairing.suffix,
    )


def _explain_no_pairs(
    images: Path, masks: Path, image_names: Sequence[str], mask_names: Sequence[str], tried: Sequence[str]
) -> str:
    message = (
        f"no image in {images} has a mask in {masks}: images like '{image_names[0]}', "
        f"masks like '{mask_names[0]}', suffixes tried: {', '.join(repr(s) for s in tried)}"
    )
    if images.resolve() == masks.resolve() and (pair := find_inner_folders(images.absolute().parent)) is not None:
        beside = [images.with_name(folder.name) for folder in pair]
        if beside[0] == images:
            return f"{message}; did you mean --images {shlex.quote(str(images))} --masks {shlex.quote(str(beside[1]))}?"
    # A suffix that nobody thought of shows in the names: what most often follows an image's stem is offered.
    image_stems, mask_stems = ([find_stem(name) for name in names] for names in (image_names, mask_names))
    stems = {*image_stems}
    remainders = Counter(
        mask[length:] for mask in mask_stems for length in range(1, len(mask)) if mask[:length] in stems
    )
    likely = remainders.most_common(1)
    return (
        f"{message}; the masks seem to end in '{likely[0][0]}': give --mask-suffix={likely[0][0]}"
        if likely
        else message
    )
