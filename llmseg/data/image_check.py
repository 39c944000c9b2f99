"""What should be known of image files before they are used: turned photographs, stacks, few greys, files left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from llmseg.data.image_mask_pairs import EXTENSIONS
from llmseg.data.pixels import ImageHeader, read_header, read_image
from llmseg.errors import UserError

FEW_GREYS = 32
"""Images of more than 8 bits that keep fewer grey levels than this, over the whole set, are reported."""

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
)


@dataclass(frozen=True)
class ImageFacts:
    """What is kept of an image file.

    Attributes:
        name: Its name.
        header: What it says of itself.
        greys: The different values after it was brought to 8 bits; empty for a file of 8 bits.
    """

    name: str
    header: ImageHeader
    greys: frozenset[int]


def measure_image(path: Path) -> ImageFacts:
    """Return what is kept of an image file. Pixels are decoded only where a file has more than 8 bits.

    Raises:
        UserError: The file is no image or is damaged.
    """
    header = read_header(path)
    return ImageFacts(path.name, header, frozenset(read_image(path).ravel().tolist()) if header.deep else frozenset())


def warn_of_images(facts: Sequence[ImageFacts]) -> list[str]:
    """Return a sentence for each thing that should be known of images."""
    turned = [image.name for image in facts if image.header.turned]
    stacks = [image.name for image in facts if image.header.pages > 1]
    deep = [image for image in facts if image.header.deep]
    greys = frozenset[int]().union(*(image.greys for image in deep))
    sentences = []
    if turned:
        sentences.append(
            f"{len(turned)} of {len(facts)} images have an EXIF orientation flag, which is ignored: {_name(turned)}; "
            "viewers show them turned, so masks that were drawn on what they show do not fit: turn the pixels in the "
            "files (exiftran, ImageMagick -auto-orient)"
        )
    if stacks:
        sentences.append(
            f"{len(stacks)} of {len(facts)} files have several pages, of which the first is read: {_name(stacks)}; "
            "write a file for each page"
        )
    if deep and len(greys) < FEW_GREYS:
        sentences.append(
            f"{len(deep)} images of more than 8 bits are read as 0 to 65535, which leaves {len(greys)} grey levels in "
            f"all of them: {_name(image.name for image in deep)}; write them as 8 bits, or scale them to 0 to 65535"
        )
    return sentences


def warn_of_left_out(folders: Iterable[Path]) -> list[str]:
    """Return a sentence for each folder with files that are left out: of another format, or in folders below it."""
    sentences = []
    for folder in folders:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        other = [
            path.name for path in entries if path.is_file() and path.suffix.lower() not in (*EXTENSIONS, *_DOCUMENTS)
        ]
        if other:
            sentences.append(
                f"{len(other)} files in {folder} are left out, for they are not {', '.join(EXTENSIONS)}: {_name(other)}"
            )
        below = [
            f"{path.name}/{file.name}"
            for path in entries
            if path.is_dir()
            for file in sorted(path.iterdir())
            if file.suffix.lower() in EXTENSIONS and not file.name.startswith(".")
        ]
        if below:
            sentences.append(f"{len(below)} images in folders below {folder} are left out: {_name(below)}")
    return sentences


def check_image_files(paths: Sequence[Path]) -> list[str]:
    """Return what should be known of image files and their folders; files that cannot be read are passed over."""
    facts = []
    for path in paths:
        try:
            facts.append(measure_image(path))
        except UserError:
            continue
    return [*warn_of_images(facts), *warn_of_left_out(dict.fromkeys(path.parent for path in paths))]


def _name(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")
