"""How scripts want images and masks to be named, and cases laid out like that."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from llmseg.admission.part_words import PartName, find_named_part
from llmseg.admission.prompt.prompt import ENDINGS, find_prompt
from llmseg.admission.running.parts import divide, list_joined, list_parts, read_part_folders
from llmseg.admission.scripts import Script, Scripts, read_scripts
from llmseg.admission.settings import Settings

CASE_SUFFIX = "_seg"
"""In a folder of cases, the image ``images/001.png`` has the mask ``masks/001_seg.png``."""

_ENDING = rf"\.(?:{'|'.join(ENDINGS)})"
_MASK = r"(?:seg(?:mentation)?s?|masks?|labels?|gt|ground_?truth|annotations?|annot)"
_COUNTED = r"(?:%0?\d*d|%s|\{[^}]*\})"
"""What stands for the name of a case in a text that is filled in, such as ``%03d_mask.png``."""

_SUFFIX = re.compile(rf"(?:[*]|{_COUNTED})?([_. -]?{_MASK}(?:_\w{{1,8}}|\d{{1,3}})?)({_ENDING})?", re.IGNORECASE)
_SUFFIX_SETTING = re.compile(r"(\w+_)?(masks?|seg|labels?|gt)_?(name_)?(suffix|postfix|tag)")
_BARE_ENDING = re.compile(rf"(?:\*\*/)?(?:\*|{_COUNTED})?({_ENDING})", re.IGNORECASE)
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
        parts: The parts that have folders of their own, in the order of training, validation and test.
        part_folders: Names of these folders in one with all data; empty if paths of their own lead to all.
        below_kinds: Whether these lie in the folders of images and of masks, as in ``images/train``.
        first_number: The number from which the cases of each folder are counted; ``None`` if the names of cases stay.
        digits: With how many digits, if they are counted.

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
    parts: tuple[PartName, ...] = ()
    part_folders: tuple[str, ...] = ()
    below_kinds: bool = False
    first_number: int | None = None
    digits: int = 3

    def __post_init__(self) -> None:
        # A layout that is read from JSON has lists.
        object.__setattr__(self, "parts", tuple(self.parts))
        object.__setattr__(self, "part_folders", tuple(self.part_folders))

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

    def divide(self, ids: Iterable[str]) -> dict[str, tuple[PartName, str]]:
        """Return the part of each case, and how it is called in the folder of that part.

        Args:
            ids: The cases.

        Example:
            >>> Layout(parts=("training", "test"), first_number=0).divide(["1", "2", "3", "4"])["4"]
            ('test', '000')
        """
        parts = divide(tuple(ids), self.parts)
        if self.first_number is None:
            return {id: (part, id) for id, part in parts.items()}
        counts = dict.fromkeys(self.parts or ("",), self.first_number - 1)
        called = {}
        for id, part in parts.items():
            counts[part] += 1
            called[id] = part, f"{counts[part]:0{self.digits}d}"
        return called


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
    return tuple(dict.fromkeys(_divide_layouts(scripts, layouts)))


def _divide_layouts(scripts: Scripts, layouts: list[Layout]) -> list[Layout]:
    """Return layouts with folders for parts if scripts name some, and after the first of them the one without."""
    folders = read_part_folders(scripts)
    parts = list_parts(scripts, folders)
    if not parts:
        return layouts
    names = tuple(folders.names.get(part, "") for part in parts) if folders.names else ()
    divided = [replace(layout, parts=parts, part_folders=names, below_kinds=folders.below_kinds) for layout in layouts]
    return [divided[0], layouts[0], *divided[1:], *layouts[1:]]


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
    joined = [_drop_part(text) for script in scripts for text in _joined(script)]
    images = next((text for text in joined if _IMAGE_FOLDER.fullmatch(text)), None)
    masks = next((text for text in joined if _MASK_FOLDER.fullmatch(text)), None)
    if images is None and masks is None:
        return "", ""
    return (images or "images").rstrip("/"), (masks or "masks").rstrip("/")


def _drop_part(text: str) -> str:
    """Return a path without the folder of a part that it begins with, such as ``train/images``."""
    first, _, rest = text.partition("/")
    return rest if rest and find_named_part(first) else text


def _joined(script: Script) -> Iterator[str]:
    """Yield the texts that are joined to a path."""
    for _, *pieces in list_joined(script):
        yield from (each.value for each in pieces if isinstance(each, ast.Constant) and isinstance(each.value, str))


def _read_channels(scripts: Scripts) -> int:
    """Return 3 if something is read as RGB that no mask can be, otherwise 1."""
    for script in scripts:
        made_grey = {inner for node in script.nodes if _makes_grey(node) for inner in ast.walk(node)}
        for node in script.nodes:
            words = {inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant)} if _reads(node) else ()
            if "RGB" in words or (isinstance(node, ast.Attribute) and script.dotted(node).endswith("COLOR_BGR2RGB")):
                return 3
            if (isinstance(node, ast.Call) and _normalizes_three(node)) or (
                node not in made_grey and _takes_three(node)
            ):
                return 3
    return 3 if Settings(scripts).constant(ast.Name("in_channels")) == 3 else 1


def _makes_grey(node: ast.AST) -> bool:
    """Return whether a call makes one channel of several."""
    name = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
    return name in ("mean", "average", "dot", "rgb2gray", "rgb_to_grayscale")


def _takes_three(node: ast.AST) -> bool:
    """Return whether the first three channels are taken of what has more, or has an alpha channel, as ``[..., :3]``."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Tuple):
        return False
    first, last = node.slice.elts[0], node.slice.elts[-1]
    upper = last.upper if isinstance(last, ast.Slice) and last.lower is None else None
    is_all = isinstance(first, ast.Constant) and first.value is ...
    return (is_all or len(node.slice.elts) == 3) and isinstance(upper, ast.Constant) and upper.value == 3


def _normalizes_three(call: ast.Call) -> bool:
    """Return whether a call normalises by one mean for each of three channels."""
    means = [*call.args[:1], *(each.value for each in call.keywords if each.arg == "mean")]
    is_named = getattr(call.func, "attr", getattr(call.func, "id", "")) == "Normalize"
    return is_named and any(isinstance(each, ast.Tuple | ast.List) and len(each.elts) == 3 for each in means)


def _reads(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "convert"
