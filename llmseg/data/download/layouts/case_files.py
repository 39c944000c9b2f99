"""What the modules of this folder share: the files of each case, found among the files of a dataset."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from llmseg.data.download.tree import File
from llmseg.data.image_files import EXTENSIONS
from llmseg.data.mask_names import explain_several, find_part, strip_number
from llmseg.data.pages import check_counts, name_pages
from llmseg.data.pixels import decode_header, decode_image, decode_mask, explain_sizes
from llmseg.data.reading import DEFAULT, Reading
from llmseg.data.store import Case
from llmseg.errors import UserError

Files = Mapping[str, File]
"""All files of a dataset by path."""


@dataclass(frozen=True, slots=True)
class CaseFiles:
    """Files that are read together: an image with its mask (one case), or a volume with its labels (a case per slice).

    Attributes:
        key: Its name among those of a dataset. It is the id of the case, or what the ids of the slices begin with.
        files: What is read: the image and the mask, or all masks.
        read: Returns the cases, and raises :class:`UserError` if a file is damaged.
        group: What the cases belong to, such as a video or a patient. If it is empty, each case is a group of its own.
        part: Official part: ``training``, ``validation``, ``test``, or empty.
    """

    key: str
    files: tuple[File, ...]
    read: Callable[[], Sequence[Case]]
    group: str
    part: str = ""


@dataclass(frozen=True)
class DatasetFiles:
    """What was found among the files of a dataset.

    Attributes:
        layout: Name of the layout that was recognised.
        case_files: The files of each case or volume, sorted by key.
        unpaired: Paths of images without a mask and of masks without an image.
        notes: What a user should know, a sentence each.
        judge: Reads all masks before a case is written, and returns further notes; it refuses what could be read in
            two ways. ``None`` for layouts whose cases say on their own what is foreground.
    """

    layout: str
    case_files: tuple[CaseFiles, ...]
    unpaired: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    judge: Callable[[Iterable[CaseFiles]], list[str]] | None = None


def select_pictures(files: Files) -> list[File]:
    """Return the files that are pictures by their extension, in the order of their paths."""
    return [file for file in files.values() if file.extension in EXTENSIONS]


def in_folder(file: File, names: Iterable[str]) -> bool:
    """Return whether a folder above a file has one of these names (lower case)."""
    return not set(names).isdisjoint(file.folders)


def match_keys(
    images: Mapping[str, File], masks: Mapping[str, File]
) -> tuple[dict[str, tuple[File, File]], tuple[str, ...]]:
    """Pair each image with the mask of the same key.

    Args:
        images: Images by key.
        masks: Masks by key.

    Returns:
        Pairs by key, sorted by key, and the paths of the files without a partner.
    """
    pairs = {key: (images[key], masks[key]) for key in sorted(images) if key in masks}
    unpaired = [file.path for files in (images, masks) for key, file in files.items() if key not in pairs]
    return pairs, tuple(sorted(unpaired))


def index_files(files: Iterable[File], key: Callable[[File], str | None]) -> dict[str, File]:
    """Return files by key. Files whose key is ``None`` are left out.

    Raises:
        UserError: Two files have the same key.
    """
    by_key: dict[str, File] = {}
    for file in files:
        name = key(file)
        if name is None:
            continue
        if name in by_key:
            raise UserError(f"{by_key[name].path} and {file.path} are the same case; move one of them away")
        by_key[name] = file
    return by_key


def add_numbered_masks(
    pairs: Mapping[str, tuple[File, ...]], files: Iterable[File], reading: Reading
) -> dict[str, tuple[File, ...]]:
    """Return pairs with the further masks of an image behind its mask: those called as the mask, but for a number.

    Args:
        pairs: Image and mask by key.
        files: Files among which further masks may be.
        reading: Whether masks are joined.

    Raises:
        UserError: An image has several masks, and it is not said that they are joined.
    """
    owners = {(mask.folder, mask.stem): key for key, (_, mask) in pairs.items()}
    used = {file.path for pair in pairs.values() for file in pair}
    found: dict[str, tuple[File, ...]] = dict(pairs)
    for file in files:
        stem = strip_number(file.stem)
        key = owners.get((file.folder, stem))
        if key is not None and stem != file.stem and file.path not in used:
            found[key] = (*found[key], file)
    several = {image.path: [mask.path for mask in masks] for image, *masks in found.values() if len(masks) > 1}
    if several and reading.several_masks is None:
        raise UserError(explain_several(several))
    return found


def make_picture_cases(
    pairs: Mapping[str, tuple[File, ...]],
    *,
    id: Callable[[File], str] = lambda image: image.name,
    group: Callable[[File], str] | None = None,
    decode: Callable[[File], np.ndarray] | None = None,
    decode_picture: Callable[[File], np.ndarray] | None = None,
    resize_masks: bool = False,
    reading: Reading = DEFAULT,
) -> tuple[CaseFiles, ...]:
    """Return what is to be read for every pair of pictures: one case each.

    Args:
        pairs: Image and mask by key; or image and all masks, which are joined.
        id: Returns the id of the case of an image.
        group: Returns the group of an image. Without it, each case is a group of its own.
        decode: Reads a mask file, uint8 ``[H, W]``. Without it, masks are read by :func:`read_mask_file`.
        decode_picture: Reads an image file, uint8 ``[H, W]`` or ``[H, W, 3]``, where the file alone is not the image.
        resize_masks: Bring masks of another size to that of their image, by nearest neighbour, instead of refusing
            them.
        reading: How pixels are read, where neither ``decode`` nor ``decode_picture`` reads them.
    """

    def make(image: File, *masks: File) -> CaseFiles:
        name = id(image)

        def read_page(id: str, page: int | None) -> Case:
            pixels = decode_picture(image) if decode_picture else read_picture(image, reading, page)
            read_one = decode or functools.partial(read_mask_file, reading=reading, page=page)
            values = [_fit_to_image(read_one(file), pixels, image, file, resize_masks, reading) for file in masks]
            return Case(id, pixels, np.maximum.reduce(values))

        def read() -> Sequence[Case]:
            pages = list_pages_of(name, image, masks, reading)
            return tuple(read_page(id, page) for id, page in pages.items())

        return CaseFiles(name, (image, *masks), read, group(image) if group else name, find_part(image.path))

    return tuple(sorted((make(*pair) for pair in pairs.values()), key=lambda case_files: case_files.key))


def list_pages_of(name: str, image: File, masks: Sequence[File], reading: Reading) -> dict[str, int | None]:
    """Return the page of each case of an image by its id, see :func:`llmseg.data.pages.name_pages`.

    Raises:
        UserError: A file is no image, or image and mask have not as many pages.
    """
    if reading.pages != "each":
        return {name: None}
    count, *others = (len(decode_header(file.read_unpacked(), file.path).pages) for file in (image, *masks))
    for mask, other in zip(masks, others, strict=True):
        check_counts((image.path, count), (mask.path, other))
    return name_pages(name, count, reading)


def read_picture(file: File, reading: Reading = DEFAULT, page: int | None = None) -> np.ndarray:
    """Read an image file, uint8 ``[H, W]`` or ``[H, W, 3]``."""
    return decode_image(file.read_unpacked(), file.path, reading, page)


def read_mask_file(file: File, reading: Reading = DEFAULT, page: int | None = None) -> np.ndarray:
    """Read a mask file, uint8 ``[H, W]``. By default its foreground is white."""
    return decode_mask(file.read_unpacked(), file.path, reading, page=page)


def make_mask(inside: np.ndarray) -> np.ndarray:
    """Return a mask of 0 and 255, uint8 ``[H, W]``, that is white where ``inside`` is true."""
    values: np.ndarray = inside.astype(np.uint8) * np.uint8(255)
    return values


def _fit_to_image(
    mask: np.ndarray, pixels: np.ndarray, image: File, file: File, resize_masks: bool, reading: Reading
) -> np.ndarray:
    height, width = pixels.shape[:2]
    if mask.shape == (height, width):
        return mask
    if not resize_masks:
        advice = explain_sizes((image.read_unpacked(), image.path), (file.read_unpacked(), file.path), reading.exif)
        raise UserError(
            f"mask {file.path} is {mask.shape[1]}x{mask.shape[0]}, its image {image.path} is {width}x{height} "
            f"(width x height); {advice}"
        )
    # Any other way of resizing would make grey edges, and of a label a mean of two.
    return np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST))
