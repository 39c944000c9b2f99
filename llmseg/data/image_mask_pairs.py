"""Which mask file belongs to which image file: the same name, or the same name with a suffix such as ``_mask``.

A file's *stem* is its name without the extension.
"""

from __future__ import annotations

import os
import re
import shlex
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llmseg.errors import UserError
from llmseg.files import check_name, show_if_slow

EXTENSIONS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif")
"""Extensions of files that count as images, in lower case."""

_USUAL_NAMES = (
    ("images", "image", "imgs", "img"),
    ("masks", "mask", "labels", "label", "annotations", "segmentations", "ground_truth", "gt"),
)
"""What folders of images, and of masks, are usually called, in lower case."""

SUFFIXES = ("", "_seg", "_m", "_mask", "_segmentation")
"""What a mask's stem may have after the image's stem.

The study's datasets have the first three; the others are common elsewhere.
"""

CHANNEL = "_0000"
"""What nnU-Net puts behind the stem of an image. The labels and predictions of the case do not have it."""


@dataclass(frozen=True)
class ImageMaskPair:
    """The two files of one case. The case's id is the image's file name."""

    id: str
    image: Path
    mask: Path


@dataclass(frozen=True)
class PairedFolders:
    """Which files of two folders belong together, and which have no partner.

    Attributes:
        pairs: In the order of the image file names.
        unpaired_images: Images without a mask, sorted by name.
        unpaired_masks: Files in the folder of the masks that belong to no image, sorted by name.
        suffix: What the stem of every paired mask has after its image's stem.
    """

    pairs: tuple[ImageMaskPair, ...]
    unpaired_images: tuple[Path, ...]
    unpaired_masks: tuple[Path, ...]
    suffix: str


def pair_every_image(images: Path, masks: Path, suffix: str | None = None) -> PairedFolders:
    """Pair every image with its mask as :func:`pair_files` does, and refuse images without one.

    Masks without an image are passed over.

    Args:
        images: Folder of the images.
        masks: Folder of the masks; may be the same.
        suffix: What a mask's stem has after the image's stem; ``None`` tries :data:`SUFFIXES`.

    Returns:
        The pairs, and the masks without an image.

    Raises:
        UserError: A folder is missing or has no images, or an image has no mask or two.

    Example:
        >>> pair_every_image(Path("images"), Path("masks")).pairs[0].mask  # doctest: +SKIP
        PosixPath('masks/case_001_seg.png')
    """
    folders = pair_files(images, masks, suffix)
    if folders.unpaired_images:
        unpaired = [file.name for file in folders.unpaired_images]
        raise UserError(
            f"{len(unpaired)} of {len(unpaired) + len(folders.pairs)} images in {images} have no mask "
            f"'<name>{folders.suffix}.*' in {masks}: {_name_first(unpaired)}; add the masks or move the images away"
        )
    return folders


def pair_files(images: Path, masks: Path, suffix: str | None = None) -> PairedFolders:
    """Pair images and masks, and tell which files have no partner.

    Hidden files and files of other extensions are passed over. All masks have the same suffix: of those that are
    tried, the one that pairs most images. Images and masks may lie in one folder; then files with the suffix are
    masks, and the others are images.

    Args:
        images: Folder of the images.
        masks: Folder of the masks; may be the same.
        suffix: What a mask's stem has after the image's stem; ``None`` tries :data:`SUFFIXES`.

    Returns:
        The pairs, at least one, and the files without a partner.

    Raises:
        UserError: A folder is missing or has no images, no image has a mask, or one has two.
    """
    image_files, mask_files = _list_files(images, "image"), _list_files(masks, "mask")
    same = images.resolve() == masks.resolve()
    _check_stems(image_files, [suffix] if suffix else [s for s in SUFFIXES if s], same)
    candidates = [suffix] if suffix is not None else [s for s in SUFFIXES if s or not same]
    by_stem = _group_by_stem(mask_files)
    stems = [(file, file.stem) for file in image_files]
    pairs_of = {s: _pair_suffix(stems, by_stem, s, same) for s in candidates}
    # Of suffixes that pair equally many, max takes the first: the plainest.
    best = max(candidates, key=lambda s: len(pairs_of[s]))
    paired = pairs_of[best]
    if not paired:
        raise UserError(_explain_no_pairs(images, masks, image_files, mask_files, candidates))
    _refuse_further_masks(mask_files, paired)
    used = {pair.mask for pair in paired.values()}
    # In one folder, the suffix alone tells the masks from the images.
    return PairedFolders(
        pairs=tuple(paired.values()),
        unpaired_images=tuple(f for f in image_files if f.name not in paired and not _is_mask(f, best, same)),
        unpaired_masks=tuple(f for f in mask_files if f not in used and (not same or _is_mask(f, best, same))),
        suffix=best,
    )


def _refuse_further_masks(masks: Sequence[Path], paired: dict[str, ImageMaskPair]) -> None:
    """Refuse an image that has several masks with numbers, such as ``a_mask.png`` and ``a_mask_1.png``."""
    images = {pair.mask.stem: pair.image for pair in paired.values()}
    used = {pair.mask for pair in paired.values()} | {pair.image for pair in paired.values()}
    for mask in masks:
        if mask in used:
            continue
        base = re.sub(r"[-_ .]\(?\d{1,3}\)?$", "", mask.stem)
        if base != mask.stem and base in images:
            raise UserError(
                f"image {images[base].name} seems to have several masks, one of them {mask.name}; its object would be "
                "background: join the masks of an image in one file, or move it away"
            )


def find_images(folder: Path) -> tuple[Path, ...]:
    """Return the image files of a folder, sorted by name.

    Raises:
        UserError: There is no such folder, or no image in it.
    """
    return tuple(_list_files(folder, "image"))


def drop_masks(files: Sequence[Path]) -> tuple[Path, ...]:
    """Leave out the masks that lie among the images of a folder, as a training does.

    A mask has the stem of another file and one of :data:`SUFFIXES` behind it.

    Example:
        >>> [file.name for file in drop_masks([Path("a.png"), Path("a_mask.png"), Path("b_mask.png")])]
        ['a.png', 'b_mask.png']
    """
    stems = {file.stem for file in files}
    masks = {stem + suffix for stem in stems for suffix in SUFFIXES if suffix}
    return tuple(file for file in files if file.stem not in masks)


def _list_files(folder: Path, what: str) -> list[Path]:
    if not folder.is_dir():
        near = next((p for p in folder.absolute().parents if p.is_dir()), Path("/"))
        raise UserError(f"no {what} folder {folder}; the nearest folder that exists is {near}")
    # An entry of a folder mostly knows by itself whether it is a file; a path has to ask the disk, one by one.
    with os.scandir(folder) as entries:
        names = [
            entry.name
            for entry in show_if_slow(entries, f"list {what}s", "file")
            if entry.name.lower().endswith(EXTENSIONS) and not entry.name.startswith(".") and entry.is_file()
        ]
    if not names:
        proposed = _propose_folders(folder)
        raise UserError(f"no images in {what} folder {folder}{proposed}; looked for {', '.join(EXTENSIONS)}")
    files = [folder / name for name in sorted(names)]
    for path in files:
        check_name(path)
    return files


def _propose_folders(folder: Path) -> str:
    """Return the folders of images and masks inside a folder that has none itself, as a question."""
    inner = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_dir()}
    images, masks = (next((inner[name] for name in names if name in inner), None) for names in _USUAL_NAMES)
    if images is None or masks is None:
        return ""
    return f"; did you mean --images {shlex.quote(str(images))} --masks {shlex.quote(str(masks))}?"


def _group_by_stem(files: Sequence[Path]) -> dict[str, list[Path]]:
    by_stem: dict[str, list[Path]] = {}
    for file in files:
        by_stem.setdefault(_compose(file.stem), []).append(file)
    return by_stem


def _compose(name: str) -> str:
    """Return a name with accents in one spelling: a Mac writes them as two characters, other systems as one."""
    return unicodedata.normalize("NFC", name)


def _check_stems(images: Sequence[Path], suffixes: Sequence[str], same: bool) -> None:
    """Refuse two images of one stem.

    They would share a mask, and a split could put one into training and the other into the test.
    """
    for stem, files in _group_by_stem(images).items():
        if len(files) > 1 and not (same and stem.endswith(tuple(suffixes))):
            raise UserError(
                f"images {_name_first([f.name for f in files])} would share the mask of '{stem}'; keep one of them"
            )


def _is_mask(file: Path, suffix: str, same: bool) -> bool:
    """Whether a file listed among the images is a mask, because both lie in one folder."""
    return same and file.stem.endswith(suffix)


def _pair_suffix(
    images: Sequence[tuple[Path, str]], by_stem: dict[str, list[Path]], suffix: str, same: bool
) -> dict[str, ImageMaskPair]:
    pairs = {}
    for image, stem in images:
        if _is_mask(image, suffix, same):
            continue
        masks = by_stem.get(_compose(stem + suffix), [])
        if len(masks) > 1:
            raise UserError(
                f"image {image.name} has {len(masks)} masks: {_name_first([m.name for m in masks])}; keep one"
            )
        if masks:
            name = image.name
            pairs[name] = ImageMaskPair(id=name, image=image, mask=masks[0])
    return pairs


def _explain_no_pairs(
    images: Path, masks: Path, image_files: Sequence[Path], mask_files: Sequence[Path], tried: Sequence[str]
) -> str:
    message = (
        f"no image in {images} has a mask in {masks}: images like '{image_files[0].name}', "
        f"masks like '{mask_files[0].name}', suffixes tried: {', '.join(repr(s) for s in tried)}"
    )
    # A suffix that nobody thought of shows in the names: what most often follows an image's stem is offered.
    stems = {image.stem for image in image_files}
    remainders = Counter(
        mask.stem[length:] for mask in mask_files for length in range(1, len(mask.stem)) if mask.stem[:length] in stems
    )
    likely = remainders.most_common(1)
    return (
        f"{message}; the masks seem to end in '{likely[0][0]}': give --mask-suffix={likely[0][0]}"
        if likely
        else message
    )


def _name_first(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
