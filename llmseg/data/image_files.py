"""Which files are images, and those of a folder or of the folders below it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from llmseg.data.mask_names import IMAGE_FOLDERS, MASK_FOLDERS, SUFFIXES, strip_number
from llmseg.errors import UserError
from llmseg.files import check_name, nearest_path, show_if_slow, walk_folders

EXTENSIONS = (
    ".png",
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".tif",
    ".tiff",
    ".bmp",
    ".gif",
    ".webp",
    ".jp2",
    ".j2k",
    ".ppm",
    ".pgm",
    ".pbm",
    ".pnm",
)
"""Extensions of files that count as images, in lower case: those of :data:`llmseg.data.opening.FORMATS`."""

_MORE_MASK_FOLDERS = ("seg", "segs", "ground truth", "lesions")
"""What folders of masks are called besides, where a folder is only proposed."""


def is_image_name(name: str) -> bool:
    """Return whether a file counts as an image by its name; a hidden one does not."""
    return name.lower().endswith(EXTENSIONS) and not name.rpartition("/")[2].startswith(".")


def find_images(folder: Path) -> tuple[Path, ...]:
    """Return the image files of a folder, sorted by name; a single image is returned as it is.

    Raises:
        UserError: There is no such folder, or no image in it, or a file is no image.
    """
    if folder.is_file():
        if not is_image_name(folder.name):
            raise UserError(f"{folder} is no image{_looked_for()}")
        return (folder,)
    _check_folder(folder, "image")
    names = _list_flat(folder, "image")
    if not names:
        inner = find_inner_folders(folder)
        below = _list_images_below(folder, None) if inner is None else []
        advice = f"; did you mean --images {shlex.quote(str(inner[0]))}?" if inner else ""
        if below:
            place = shlex.quote(str((folder / below[0]).parent))
            advice = f"; {len(below)} lie in folders below it: give one of these folders, such as --images {place}"
        raise UserError(f"no images in image folder {folder}{advice or _looked_for()}")
    return tuple(folder / name for name in names)


def list_images(folder: Path, other: Path, what: str = "image") -> list[str]:
    """Return the images of a folder by path below it, or of the folders below it if it has none itself.

    Args:
        folder: The folder.
        other: The folder of their partners, which is passed over if it lies below.
        what: What messages call the files.
    """
    _check_folder(folder, what)
    names = _list_flat(folder, what)
    if names:
        return names
    inner = find_inner_folders(folder)
    if inner is not None:
        pair = f"--images {shlex.quote(str(inner[0]))} --masks {shlex.quote(str(inner[1]))}"
        raise UserError(f"no images in {what} folder {folder}; did you mean {pair}?{_looked_for()}")
    below = _list_images_below(folder, None if folder.resolve() == other.resolve() else other)
    if not below:
        raise UserError(f"no images in {what} folder {folder}{_looked_for()}")
    return below


def drop_masks(files: Sequence[Path]) -> tuple[Path, ...]:
    """Leave out the masks that lie among the images of a folder, as a training does.

    A mask has the stem of another file and one of :data:`llmseg.data.mask_names.SUFFIXES` behind it, and perhaps a
    number.

    Example:
        >>> [file.name for file in drop_masks([Path("a.png"), Path("a_mask.png"), Path("a_mask_1.png")])]
        ['a.png']
    """
    stems = {file.stem for file in files}
    masks = {stem + suffix for stem in stems for suffix in SUFFIXES if suffix}
    numbered = {stem for stem in stems for suffix in SUFFIXES if suffix and strip_number(stem, suffix) in masks}
    masks |= numbered
    return tuple(file for file in files if file.stem not in masks)


def list_below(folder: Path, leave_out: Path | None = None) -> list[str]:
    """Return all files in a folder and in folders below it, by path below it, sorted. Hidden ones are passed over.

    Links to folders are followed, but no folder is entered twice.

    Args:
        folder: The folder.
        leave_out: A folder that is not entered.
    """
    files = walk_folders(folder, lambda name: not name.startswith((".", "__MACOSX")), leave_out)
    return sorted(Path(place, name).relative_to(folder).as_posix() for place, name in files if name[0] != ".")


def _list_images_below(folder: Path, leave_out: Path | None) -> list[str]:
    names = [name for name in list_below(folder, leave_out) if is_image_name(name) and (folder / name).is_file()]
    for name in names:
        for part in (*PurePosixPath(name).parents, PurePosixPath(name)):
            check_name(folder / part)
    return names


def _list_flat(folder: Path, what: str) -> list[str]:
    # An entry of a folder mostly knows by itself whether it is a file; a path has to ask the disk, one by one.
    with os.scandir(folder) as entries:
        names = sorted(
            entry.name
            for entry in show_if_slow(entries, f"list {what}s", "file")
            if is_image_name(entry.name) and entry.is_file()
        )
    for name in names:
        check_name(folder / name)
    return names


def find_inner_folders(folder: Path) -> tuple[Path, Path] | None:
    """Return the folders of images and masks inside a folder; ``None`` if they are not told by their names."""
    inner = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_dir() and path.name[0] != "."}
    masks = next((inner[name] for name in (*MASK_FOLDERS, *_MORE_MASK_FOLDERS) if name in inner), None)
    images = next((inner[name] for name in IMAGE_FOLDERS if name in inner), None)
    rest = [path for path in inner.values() if path != masks]
    images = rest[0] if images is None and len(rest) == 1 else images
    return None if images is None or masks is None else (images, masks)


def _check_folder(folder: Path, what: str) -> None:
    if not folder.is_dir():
        near = next((p for p in folder.absolute().parents if p.is_dir()), Path("/"))
        meant = nearest_path(folder) or f"; the nearest folder that exists is {near}"
        raise UserError(f"no {what} folder {folder}{meant}")


def _looked_for() -> str:
    return f"; looked for {', '.join(EXTENSIONS)}"
