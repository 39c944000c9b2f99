"""What should be known of image files before they are used: turned photographs, stacks, few greys, files left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from llmseg.data.depth import FEW_GREYS, ROBUST, advise_depth
from llmseg.data.image_files import EXTENSIONS, is_image_name, list_below
from llmseg.data.image_header import ImageHeader
from llmseg.data.opening import read_image_file
from llmseg.data.pixels import decode_header, decode_image, decode_numbers
from llmseg.data.reading import DEFAULT, Reading
from llmseg.errors import UserError, name_first

_HALF = 32767
"""A set of 16 bits that does not go beyond it may as well be one of 15 bits or fewer."""

_DOCUMENTS = (
    ".txt",
    ".csv",
    ".tsv",
    ".json",
    ".xml",
    ".md",
    ".html",
    ".pdf",
    ".yaml",
    ".yml",
    ".log",
    ".xlsx",
    ".meta",
    ".db",
    ".ini",
)
"""Extensions of files that nobody takes for images, in lower case."""


@dataclass(frozen=True)
class Numbers:
    """What is kept of the numbers of an image of more than 8 bits.

    Attributes:
        low: The smallest.
        high: The largest.
        usual: What 99.9 % of them do not exceed.
        floats: Whether they are floats.
        levels: How many different ones there are.
        greys: How many are left when they are 0 to 255.
    """

    low: float
    high: float
    usual: float
    floats: bool
    levels: int
    greys: int

    @property
    def lost(self) -> bool:
        """Whether only few of many grey levels are left."""
        return self.greys < FEW_GREYS and 2 * self.greys < self.levels


@dataclass(frozen=True)
class ImageFacts:
    """What is kept of an image or mask file.

    Attributes:
        name: Its name.
        header: What it says of itself.
        numbers: Of an image of more than 8 bits.
    """

    name: str
    header: ImageHeader
    numbers: Numbers | None = None


def measure_image(content: bytes, name: str, reading: Reading, page: int | None = None) -> ImageFacts:
    """Return what is kept of an image file. Pixels are decoded only where a file has more than 8 bits.

    Args:
        content: The file's bytes.
        name: What messages call the file.
        reading: How it is read.
        page: Number of the page, from 1; ``None`` for what the reading says.

    Raises:
        UserError: The file is no image or is damaged, or its numbers are not what the reading says.
    """
    header = decode_header(content, name)
    if not header.deep:
        return ImageFacts(name, header)
    try:
        pixels = decode_image(content, name, reading, page)
    except UserError:
        if reading.depth is not None:
            raise
        pixels = np.zeros(1, np.uint8)  # the numbers of all images decide, and are told
    try:
        numbers = decode_numbers(content, name, reading, page)
    except UserError:  # a rare layout of colours, of which Pillow has the higher 8 bits
        numbers = pixels.astype(np.uint16) * 257
    return ImageFacts(
        name,
        header,
        Numbers(
            float(numbers.min()),
            float(numbers.max()),
            float(np.percentile(numbers, 99.9, method="lower")),
            numbers.dtype.kind == "f",
            len(np.unique(numbers)),
            len(np.unique(pixels)),
        ),
    )


def measure_file(content: bytes, name: str) -> ImageFacts:
    """Return what is kept of a mask file, whose pixels are judged elsewhere.

    Raises:
        UserError: The file is no image.
    """
    return ImageFacts(name, decode_header(content, name))


def judge_images(images: Sequence[ImageFacts], reading: Reading) -> str | None:
    """Return why images cannot be used as they are read, or ``None``.

    Args:
        images: All images of a store.
        reading: How they are read.
    """
    deep = [image for image in images if image.numbers is not None]
    if reading.depth is not None:
        if images and not deep:
            return (
                f"--depth {reading.depth} is for images of more than 8 bits, and all {len(images)} have 8, which are "
                "as they are; leave it out"
            )
        return None
    numbers = [image.numbers for image in deep if image.numbers is not None]
    if not numbers:
        return None
    low, high, usual = min(n.low for n in numbers), max(n.high for n in numbers), max(n.usual for n in numbers)
    small = 0 < high <= _HALF or any(n.floats and n.low >= 0 and 0 < n.high <= 1 for n in numbers)
    if low < 0 or high > 65535 or small or 2 * sum(n.lost for n in numbers) > len(numbers):
        floats = any(n.floats for n in numbers)
        return (
            f"{len(deep)} of {len(images)} images have more than 8 bits and hold values from {low:.10g} to "
            f"{high:.10g}, which can be read in several ways: {name_first(image.name for image in deep)}; "
            + advise_depth(low, high, floats, usual)
        )
    return None


def judge_pages(files: Sequence[ImageFacts], reading: Reading) -> str | None:
    """Return why files of several pages cannot be used, or ``None``.

    Args:
        files: All images and masks of a store.
        reading: How they are read.
    """
    stacks = [file for file in files if len(file.header.pages) > 1]
    if not stacks or reading.pages is not None:
        return None
    return (
        f"{len(stacks)} of {len(files)} files have several pages, such as {stacks[0].name} "
        f"({len(stacks[0].header.pages)}); choose --pages each to make a case of every page, --pages first, or "
        "--pages 2 for another one"
    )


def warn_of_images(images: Sequence[ImageFacts], masks: Sequence[ImageFacts], reading: Reading) -> list[str]:
    """Return a sentence for each thing that should be known of files that can be used.

    Args:
        images: All images of a store, or all images that are predicted.
        masks: All masks, if there are any.
        reading: How they are read.
    """
    sentences = []
    for what, facts in (("images", images), ("masks", masks)):
        turned = [file.name for file in facts if file.header.turned]
        if turned and reading.exif is None:
            sentences.append(
                f"{len(turned)} of {len(facts)} {what} have an EXIF orientation flag, which is ignored: "
                f"{name_first(turned)}; viewers show them turned: give --exif turn if masks fit what viewers show, "
                "--exif ignore if they fit the pixels as they are stored"
            )
        stacks = [file.name for file in facts if len(file.header.pages) > 1]
        if stacks and reading.pages is None:
            sentences.append(
                f"{len(stacks)} of {len(facts)} {what} have several pages, of which the first is read: "
                f"{name_first(stacks)}; --pages first says that this is meant, --pages 2 reads another"
            )
    deep = [image for image in images if image.numbers is not None]
    lost = [image.name for image in deep if image.numbers is not None and image.numbers.lost]
    # A window, say, is chosen to cut values off: of some images little is left, and that is meant.
    if lost and (reading.depth is None or 2 * len(lost) > len(deep)):
        said = "0 to 65535" if reading.depth is None else f"--depth {reading.depth}"
        sentences.append(
            f"{len(lost)} of {len(images)} images keep fewer than {FEW_GREYS} grey levels, read as {said}: "
            f"{name_first(lost)}; if single pixels lie far from the others, choose --depth {ROBUST}"
        )
    return sentences


def warn_of_left_out(folders: Iterable[Path], used: Collection[Path]) -> list[str]:
    """Return a sentence for each folder with files that are left out: of another format, or in folders below it.

    Args:
        folders: The folders.
        used: Files that are not left out.
    """
    sentences = []
    for folder in folders:
        names = list_below(folder)
        sentences += name_other_files(names, f" in {folder}")
        below = [name for name in names if "/" in name and is_image_name(name) and folder / name not in used]
        if below:
            sentences.append(f"{len(below)} images in folders below {folder} are left out: {name_first(below)}")
    return sentences


def name_other_files(names: Iterable[str], where: str = "") -> list[str]:
    """Return a sentence that counts and names files that are neither images nor documents; none if there are none."""
    known = (*EXTENSIONS, *_DOCUMENTS)
    other = [name for name in names if PurePosixPath(name.removesuffix(".gz")).suffix.lower() not in known]
    if not other:
        return []
    return [f"{len(other)} files{where} are left out, for they are not {', '.join(EXTENSIONS)}: {name_first(other)}"]


def check_image_files(paths: Sequence[Path], reading: Reading = DEFAULT) -> tuple[str | None, list[str]]:
    """Return why images without masks cannot be used, and what should be known of them and their folders.

    Files that cannot be read are passed over. Where a depth is stated, images of 8 bits may be among them.

    Args:
        paths: The files.
        reading: How they are read.
    """
    facts = []
    for path in paths:
        try:
            facts.append(measure_image(read_image_file(path), path.name, reading))
        except UserError:
            continue
    refusal = judge_pages(facts, reading) or (judge_images(facts, reading) if reading.depth is None else None)
    left_out = warn_of_left_out(dict.fromkeys(path.parent for path in paths), {*paths})
    return refusal, [*warn_of_images(facts, (), reading), *left_out]
