"""How scripts want images and masks to be named, and cases laid out like that."""

from __future__ import annotations

import ast
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from llmseg.admission.prompt.prompt import ENDINGS, find_prompt
from llmseg.admission.scripts import Script, Scripts, read_scripts
from llmseg.admission.settings import Settings
from llmseg.errors import UserError

CASE_SUFFIX = "_seg"
"""In a folder of cases, the image ``images/001.png`` has the mask ``masks/001_seg.png``."""

_ENDING = rf"\.(?:{'|'.join(ENDINGS)})"
_MASK = r"(?:seg(?:mentation)?s?|masks?|labels?|gt|ground_?truth|annotations?|annot)"
_SUFFIX = re.compile(rf"[*]?([_. -]?{_MASK}(?:_\w{{1,8}}|\d{{1,3}})?)({_ENDING})?", re.IGNORECASE)
_SUFFIX_SETTING = re.compile(r"(\w+_)?(masks?|seg|labels?|gt)_?(name_)?(suffix|postfix|tag)")
_BARE_ENDING = re.compile(rf"(?:\*\*/)?\*?({_ENDING})", re.IGNORECASE)
_IMAGE_FOLDER = re.compile(r"(?:\w+/)?(?:\w+_)?(?:images?|imgs?|inputs?)/?", re.IGNORECASE)
_MASK_FOLDER = re.compile(
    r"(?:\w+/)?(?:\w+_)?(?:masks?|labels?|gts?|ground_?truths?|annotations?|segmentations?)/?", re.IGNORECASE
)


@dataclass(frozen=True)
class Layout:
    """How scripts want cases to be laid out, as their text shows it.

    Attributes:
        image_ending: Ending of the files with images, such as ``".png"``.
        mask_suffix: What the name of a mask has after that of its image, such as ``"_seg"``; empty for the same name.
        mask_ending: Ending of the files with masks.
        image_folder: Name of the folder with images in a folder with all data, empty if images lie in that itself.
        mask_folder: The same for masks.
        channels: Channels that images are read with, 1 or 3.

    Example:
        >>> Layout(mask_suffix="_m").mask_name("001")
        '001_m.png'
    """

    image_ending: str = ".png"
    mask_suffix: str = CASE_SUFFIX
    mask_ending: str = ".png"
    image_folder: str = "images"
    mask_folder: str = "masks"
    channels: int = 1

    def image_name(self, id: str) -> str:
        """Return the name of the file with the image of a case.

        Example:
            >>> Layout(image_ending=".jpg").image_name("001")
            '001.jpg'
        """
        return f"{id}{self.image_ending}"

    def mask_name(self, id: str) -> str:
        """Return the name of the file with the mask of a case.

        Example:
            >>> Layout(mask_suffix="_mask").mask_name("001")
            '001_mask.png'
        """
        return f"{id}{self.mask_suffix}{self.mask_ending}"


def read_layout(folder: str | Path | Scripts) -> Layout:
    """Read from the text of scripts how they want images and masks to be named.

    The stamp of a prompt counts first. Without one, the names of masks and the endings of files count that stand in
    the text.

    Args:
        folder: The folder of the scripts, or the scripts.

    Raises:
        UserError: There is no such folder or no Python file in it, or a file is too large, a link or no file.

    Example:
        >>> read_layout("answers/my-llm").image_name("001")  # doctest: +SKIP
        '001.png'
    """
    return list_layouts(folder if isinstance(folder, Scripts) else read_scripts(folder))[0]


def list_layouts(scripts: Scripts) -> tuple[Layout, ...]:
    """Return the layouts that the text of scripts allows, the likeliest first.

    Args:
        scripts: The scripts.
    """
    traced = find_prompt(script.text for script in scripts)
    folders, channels = _read_folders(scripts), _read_channels(scripts)
    texts = [text for script in scripts for text in _texts(script)]
    endings = Counter(found[1].lower() for text in texts if (found := _BARE_ENDING.fullmatch(text)))
    image_endings = sorted(endings or [".png"], key=lambda ending: (ending != ".png", -endings[ending]))
    layouts = [
        Layout(image_ending, suffix, mask_ending or image_ending, *folders, channels)
        for suffix, mask_ending in [*_read_set_suffixes(scripts), *_rank_suffixes(texts), ("", "")]
        for image_ending in image_endings
    ]
    if traced is not None:
        image, mask = (name.rpartition(".") for name in (traced.prompt.image_names, traced.prompt.mask_names))
        suffix = mask[0].partition("*")[2]
        layouts.insert(0, Layout(f".{image[2]}", suffix, f".{mask[2]}", *folders, traced.prompt.channels))
    return tuple(dict.fromkeys(layouts))


def _read_set_suffixes(scripts: Scripts) -> list[tuple[str, str]]:
    """Return what a setting for the ending of names of masks says, with the ending of files if it has one."""
    settings = (setting for setting in Settings(scripts).all if _SUFFIX_SETTING.fullmatch(setting.name))
    texts = [setting.value.value for setting in settings if isinstance(setting.value, ast.Constant)]
    split = [re.fullmatch(rf"(.*?)({_ENDING})?", text, re.IGNORECASE) for text in texts if isinstance(text, str)]
    return [(found[1], (found[2] or "").lower()) for found in split if found]


def _rank_suffixes(texts: Iterable[str]) -> list[tuple[str, str]]:
    """Return the endings of names of masks among some texts, the likeliest first."""
    found = (_SUFFIX.fullmatch(text) for text in texts)
    suffixes = Counter((each[1], (each[2] or "").lower()) for each in found if each)
    # A text without a mark before the word, such as "masks", is more often the name of a folder or a column.
    marked = {pair: count for pair, count in suffixes.items() if pair[0][0] in "_. -" and not pair[0].endswith("s")}
    return sorted(marked, key=lambda pair: (bool(pair[1]), marked[pair]), reverse=True)


def _texts(script: Script) -> Iterator[str]:
    return (node.value for node in script.nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _read_folders(scripts: Scripts) -> tuple[str, str]:
    """Return the names that are joined to a folder with all data."""
    joined = [text for script in scripts for text in _joined(script)]
    images = next((text for text in joined if _IMAGE_FOLDER.fullmatch(text)), None)
    masks = next((text for text in joined if _MASK_FOLDER.fullmatch(text)), None)
    if images is None and masks is None:
        return "", ""
    return (images or "images").rstrip("/"), (masks or "masks").rstrip("/")


def _joined(script: Script) -> Iterator[str]:
    """Yield the texts that are joined to a path."""
    for node in script.nodes:
        parts: list[ast.expr] = []
        if isinstance(node, ast.Call) and script.dotted(node.func) in ("os.path.join", "posixpath.join"):
            parts = node.args[1:]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            parts = [node.right]
        yield from (part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))


def _read_channels(scripts: Scripts) -> int:
    """Return 3 if something is read as RGB that no mask can be, otherwise 1."""
    for script in scripts:
        for node in script.nodes:
            words = {inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant)} if _reads(node) else ()
            if "RGB" in words or (isinstance(node, ast.Attribute) and script.dotted(node).endswith("COLOR_BGR2RGB")):
                return 3
    return 1


def _reads(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "convert"


def lay_out(cases: Path, layout: Layout, target: Path) -> dict[str, Path]:
    """Return folders in which the images and the masks of cases have the names that scripts want.

    Where they have those names already, the folder of the cases itself is returned. Otherwise files are copied in the
    order in which their folder lists them, for that of some file systems depends on the order of writing. A file with
    another ending is encoded anew.

    Args:
        cases: A folder with ``images/001.png`` and ``masks/001_seg.png``.
        layout: The names.
        target: An empty folder for copies.

    Returns:
        The folder of ``"images"`` and that of ``"masks"``.

    Raises:
        UserError: One of the two folders is missing, or a mask is not named after an image.
    """
    names: dict[str, dict[str, str]] = {"images": {}, "masks": {}}
    for kind, wanted in names.items():
        if not (cases / kind).is_dir():
            raise UserError(f"{cases / kind} does not exist; a folder of cases holds images/ and masks/")
        with os.scandir(cases / kind) as entries:
            for entry in entries:
                wanted[entry.name] = _rename(Path(entry.path), kind, layout)
    folders = {}
    for kind, wanted in names.items():
        folders[kind] = cases / kind
        if any(name != new for name, new in wanted.items()):
            folders[kind] = target / kind
            folders[kind].mkdir()
            for name, new in wanted.items():
                _write(cases / kind / name, folders[kind] / new)
    return folders


def _rename(path: Path, kind: str, layout: Layout) -> str:
    if kind == "images":
        return layout.image_name(path.stem)
    if not path.stem.endswith(CASE_SUFFIX):
        raise UserError(f"{path}: masks are named after their images, such as masks/001{CASE_SUFFIX}.png")
    return layout.mask_name(path.stem.removesuffix(CASE_SUFFIX))


def _write(source: Path, target: Path) -> None:
    if source.suffix.lower() == target.suffix.lower():
        shutil.copyfile(source, target)
        return
    quality = {"quality": 100, "subsampling": 0} if target.suffix.lower() in (".jpg", ".jpeg") else {}
    try:
        with Image.open(source) as image:
            pixels = image.copy()
    except OSError:
        shutil.copyfile(source, target)  # a file that is damaged on purpose stays damaged
        return
    pixels.save(target, **quality)
