"""How masks are named on disk, and which mask belongs to which image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llmseg.errors import UserError

EXTENSIONS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif")
"""Extensions of files that count as images, in lower case."""

SUFFIXES = ("", "_seg", "_m", "_mask", "_segmentation")
"""What a mask's stem may have after the image's stem. The scripts met the first three; the others are common."""


@dataclass(frozen=True)
class Pair:
    """The files of one case; the id is the image's file name."""

    id: str
    image: Path
    mask: Path


def find_pairs(images: Path, masks: Path, suffix: str | None = None) -> tuple[Pair, ...]:
    """Pair every image with its mask.

    Hidden files and other extensions are passed over. All masks of a store have the same suffix: the one that
    pairs most images. When both folders are the same, files with the suffix are masks, the others images.

    Args:
        images: Folder of the images.
        masks: Folder of the masks; may be the same.
        suffix: What a mask's stem has after the image's stem; ``None`` tries :data:`SUFFIXES`.

    Returns:
        Pairs in the order of the image file names.

    Raises:
        UserError: A folder is missing or has no images, or an image has no mask or two.
    """
    image_files, mask_files = _list(images, "image"), _list(masks, "mask")
    same = images.resolve() == masks.resolve()
    _check_stems(image_files, [suffix] if suffix else [s for s in SUFFIXES if s], same)
    candidates = [suffix] if suffix is not None else [s for s in SUFFIXES if s or not same]
    by_stem = _by_stem(mask_files)
    found = {s: _paired(image_files, by_stem, s, same) for s in candidates}
    best = max(candidates, key=lambda s: len(found[s]))
    if not found[best]:
        raise UserError(_no_pairs(images, masks, image_files, mask_files, candidates))
    expected = [f for f in image_files if not (same and f.stem.endswith(best))]
    missing = [f.name for f in expected if f.name not in found[best]]
    if missing:
        raise UserError(
            f"{len(missing)} of {len(expected)} images in {images} have no mask "
            f"'<name>{best}.*' in {masks}: {_few(missing)}; add the masks or move the images away"
        )
    return tuple(found[best][f.name] for f in expected)


def find_images(folder: Path) -> tuple[Path, ...]:
    """Return the image files of a folder by name; raises :class:`UserError` when there are none."""
    return tuple(_list(folder, "image"))


def _list(folder: Path, what: str) -> list[Path]:
    if not folder.is_dir():
        near = next((p for p in folder.absolute().parents if p.is_dir()), Path("/"))
        raise UserError(f"no {what} folder {folder}; the nearest folder that exists is {near}")
    files = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in EXTENSIONS and not path.name.startswith(".") and path.is_file()
    ]
    if not files:
        raise UserError(f"no images in {what} folder {folder}; looked for {', '.join(EXTENSIONS)}")
    return sorted(files, key=lambda path: path.name)


def _by_stem(files: Sequence[Path]) -> dict[str, list[Path]]:
    by_stem: dict[str, list[Path]] = {}
    for file in files:
        by_stem.setdefault(file.stem, []).append(file)
    return by_stem


def _check_stems(images: Sequence[Path], suffixes: Sequence[str], same: bool) -> None:
    """Two images of one stem would share a mask, and could come to lie on both sides of a split."""
    for stem, files in _by_stem(images).items():
        if len(files) > 1 and not (same and stem.endswith(tuple(suffixes))):
            raise UserError(
                f"images {_few([f.name for f in files])} would share the mask of '{stem}'; keep one of them"
            )


def _paired(images: Sequence[Path], by_stem: dict[str, list[Path]], suffix: str, same: bool) -> dict[str, Pair]:
    pairs = {}
    for image in images:
        if same and image.stem.endswith(suffix):
            continue
        masks = by_stem.get(image.stem + suffix, [])
        if len(masks) > 1:
            raise UserError(f"image {image.name} has {len(masks)} masks: {_few([m.name for m in masks])}; keep one")
        if masks:
            pairs[image.name] = Pair(id=image.name, image=image, mask=masks[0])
    return pairs


def _no_pairs(
    images: Path, masks: Path, image_files: Sequence[Path], mask_files: Sequence[Path], tried: Sequence[str]
) -> str:
    message = (
        f"no image in {images} has a mask in {masks}: images like '{image_files[0].name}', "
        f"masks like '{mask_files[0].name}', suffixes tried: {', '.join(repr(s) for s in tried)}"
    )
    remainders = Counter(
        mask.stem.removeprefix(image.stem)
        for image in image_files
        for mask in mask_files
        if mask.stem.startswith(image.stem) and mask != image and mask.stem != image.stem
    )
    likely = remainders.most_common(1)
    return (
        f"{message}; the masks seem to end in '{likely[0][0]}': give --mask-suffix={likely[0][0]}"
        if likely
        else message
    )


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
