"""A store of images and masks as files in folders."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from llmseg.data.groups import choose_groups
from llmseg.data.image_mask_pairs import ImageMaskPair, PairedFolders, pair_every_image, pair_files
from llmseg.data.mask_values import MaskValues
from llmseg.data.opening import read_image_file
from llmseg.data.pages import split_pages
from llmseg.data.pixels import explain_sizes, read_image, read_mask, read_mask_values
from llmseg.data.reading import DEFAULT, Foreground, Reading, read_reading
from llmseg.data.store import Case, SizesDiffer
from llmseg.errors import UserError, nearest
from llmseg.files import read_bytes, show_if_slow

Orphans = Literal["refuse", "skip"]


@dataclass(frozen=True)
class FolderStore:
    r"""Images and masks as files in two folders, or in one.

    Files may have the extensions of :data:`llmseg.data.image_files.EXTENSIONS`; grey, RGB, RGBA, palette, 1-bit
    or 16-bit. If a folder has no such files itself, those in the folders below it are taken. How masks are found is
    said in :mod:`llmseg.data.mask_names`, how pixel values are read in :mod:`llmseg.data.pixels`.

    Attributes:
        images: Folder of the images.
        masks: Folder of the masks; may be the same.
        mask_suffix: What a mask's name has after the image's name, extensions left out, such as ``"_seg"``; ``None``
            finds it.
        foreground: Which mask values are foreground, for masks that hold other numbers than 0 and 255: a number,
            ``"all-but-0"``, ``"labels:1,2"`` or ``"above-127"``; short for that field of ``reading``.
        orphans: What becomes of images without a mask: ``"refuse"`` raises an error, ``"skip"`` leaves them out.
            Masks without an image are left out in either case. :attr:`unpaired` lists both.
        group: Pattern that finds the group of a case in its id, see :func:`llmseg.data.groups.match_groups`.
        group_table: Group by case, or a CSV file with the columns ``case`` and ``group``, see
            :func:`llmseg.data.groups.look_up_groups`.
        reading: How pixels are read, and whether an image may have several masks. The default refuses what could be
            read in two ways.

    Raises:
        UserError: A folder is missing, no image has a mask, or one has none and ``orphans`` is ``"refuse"``; or the
            pattern or the table of groups does not fit the cases.

    Example:
        >>> store = FolderStore("hrf/images", "hrf/masks")  # doctest: +SKIP
        >>> store.name, store.ids[:2]  # doctest: +SKIP
        ('hrf', ('01_dr.png', '01_g.png'))
        >>> store.read(store.ids[0]).image.shape  # doctest: +SKIP
        (512, 512)
        >>> slices = FolderStore("ct/images", "ct/masks", group=r"patient\d+")  # doctest: +SKIP
        >>> slices.groups["patient01_slice003.png"]  # doctest: +SKIP
        'patient01'
    """

    images: Path | str
    masks: Path | str
    mask_suffix: str | None = None
    foreground: Foreground = None
    orphans: Orphans = "refuse"
    group: str | None = None
    group_table: Mapping[str, str] | Path | str | None = field(default=None, hash=False)
    reading: Reading = DEFAULT

    def __post_init__(self) -> None:
        allowed = get_args(Orphans)
        if self.orphans not in allowed:
            hint = nearest(str(self.orphans), allowed)
            raise UserError(f"orphans '{self.orphans}': must be one of {', '.join(allowed)}{hint}")
        reading = read_reading(self.reading)
        short, long = Reading(self.foreground).foreground, reading.foreground
        if None not in (short, long) and short != long:
            raise UserError(f"foreground is '{short}', and '{long}' in the reading; give it once")
        chosen = long if short is None else short
        object.__setattr__(self, "foreground", chosen)
        object.__setattr__(self, "reading", replace(reading, foreground=chosen))
        # Finding the pairs now reports a wrong folder where it is named, not where it is first read.
        _ = self._pairs, self.groups

    @functools.cached_property
    def _pairs(self) -> dict[str, ImageMaskPair]:
        pages = {file.id: split_pages(file, self.reading) for file in self._folders.pairs}
        pairs: dict[str, ImageMaskPair] = {}
        for pair in (pair for of_file in pages.values() for pair in of_file):
            if pair.id in pairs:
                raise UserError(f"a page of {pair.image.name} would be called {pair.id}, as another case; rename one")
            pairs[pair.id] = pair
        return pairs

    @functools.cached_property
    def _folders(self) -> PairedFolders:
        pair = pair_every_image if self.orphans == "refuse" else pair_files
        join = self.reading.several_masks == "join"
        return pair(Path(self.images), Path(self.masks), self.mask_suffix, join=join)

    @property
    def name(self) -> str:
        """Name of the folder that holds the images, or of the one above when it is called ``images``."""
        folder = Path(self.images).resolve()
        return folder.parent.name if folder.name.lower() == "images" else folder.name

    @property
    def ids(self) -> tuple[str, ...]:
        """Image file names, sorted; of images in folders below, with their path."""
        return tuple(self._pairs)

    @functools.cached_property
    def groups(self) -> Mapping[str, str]:
        """What each case belongs to, by pattern or table; with neither, each file is a group of its own."""
        files = [pair.id for pair in self._folders.pairs]
        of_file = choose_groups(files, self.group, self.group_table)
        by_path = {pair.image: of_file[pair.id] for pair in self._folders.pairs}
        return {id: by_path[pair.image] for id, pair in self._pairs.items()}

    @property
    def unpaired(self) -> tuple[str, ...]:
        """Files without a partner, as ``folder/name``: images without a mask, then masks without an image."""
        images, masks = Path(self.images), Path(self.masks)
        found = self._folders
        return (
            *(f"{images.name}/{file.relative_to(images).as_posix()}" for file in found.unpaired_images),
            *(f"{masks.name}/{file.relative_to(masks).as_posix()}" for file in found.unpaired_masks),
        )

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 over names, file contents and groups, 64 hexadecimal digits.

        Where the folders lie does not matter, and neither does how the groups were given.
        """
        total = hashlib.sha256(repr((self.ids, self.foreground)).encode())
        # Only what is not the default counts: stores that could always be read in one way keep their digest.
        if self.reading.stated:
            total.update(json.dumps(self.reading.stated, sort_keys=True).encode())
        for pair in show_if_slow(self._folders.pairs, "compute the digest", "case"):
            for path in (pair.image, *pair.masks):
                total.update(hashlib.sha256(read_bytes(path)).digest())
        groups = [self.groups[id] for id in self.ids]
        # A store without groups keeps the digest it had before groups could be given.
        if groups != list(self.ids):
            total.update(json.dumps(["groups", *groups]).encode())
        return total.hexdigest()

    def find_pair(self, id: str) -> ImageMaskPair:
        """Return the image file of a case, its masks (several if these are joined), and the page, if it is one.

        Raises:
            UserError: The id is unknown.
        """
        if id not in self._pairs:
            raise UserError(f"no case '{id}' in {self.images}; it has {len(self.ids)}, first '{self.ids[0]}'")
        return self._pairs[id]

    def name_mask(self, mask: Path) -> str:
        """Return the path of a mask below the folder of the masks."""
        return mask.relative_to(self.masks).as_posix()

    def list_files(self) -> tuple[Path, ...]:
        """Return all files that are read: of every case the image and its masks."""
        return tuple(path for pair in self._folders.pairs for path in (pair.image, *pair.masks))

    def read(self, id: str) -> Case:
        """Decode one case.

        Raises:
            UserError: The id is unknown, or a file is damaged or no image.
            SizesDiffer: Image and mask differ in size, or the masks of one image.
            LabelValues: The mask's values cannot mean background and foreground, see
                :func:`llmseg.data.pixels.decode_mask`.
        """
        pair = self.find_pair(id)
        image = read_image(pair.image, self.reading, pair.page)
        masks = [read_mask(path, self.reading, page=pair.page) for path in pair.masks]
        for path, mask in zip(pair.masks, masks, strict=True):
            if image.shape[:2] != mask.shape[:2]:
                raise SizesDiffer(self._explain_sizes(pair, image, path, mask))
        return Case(id=id, image=image, mask=np.maximum.reduce(masks))

    def _explain_sizes(self, pair: ImageMaskPair, image: np.ndarray, path: Path, mask: np.ndarray) -> str:
        name = self.name_mask(path)
        advice = explain_sizes((read_image_file(pair.image), pair.id), (read_image_file(path), name), self.reading.exif)
        return f"mask {name} is {_size(mask)}, its image {pair.id} is {_size(image)} (width x height); {advice}"

    def read_mask_values(self, id: str) -> tuple[MaskValues, ...]:
        """Return the values of the masks of a case as they are stored, before it is decided which are foreground.

        Raises:
            UserError: As :meth:`read`.
        """
        pair = self.find_pair(id)
        return tuple(read_mask_values(path, self.reading, pair.page) for path in pair.masks)


def _size(array: np.ndarray) -> str:
    return f"{array.shape[1]}x{array.shape[0]}"
