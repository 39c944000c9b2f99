"""Paths that scripts have written into themselves, and how a run can give them what they ask for."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from llmseg.admission.part_words import PartName, find_named_part, find_part, find_path_part
from llmseg.admission.scripts import Script, Scripts
from llmseg.admission.settings import Settings

Role = Literal["images", "masks", "save", "data", "other"]
Mapping = Literal["mount", "working folder", "above", "home"]

# The words that say what a path is for, in the name of a setting or in the path itself; the first that fits counts.
_ROLES: tuple[tuple[Role, re.Pattern[str]], ...] = (
    ("masks", re.compile(r"mask|label|annotation|ground_?truth|(^|_)gt(_|$)")),
    ("images", re.compile(r"image|(^|_)imgs?(_|$)")),
    ("save", re.compile(r"save|out|result|checkpoint|ckpt|runs?(_|$)|experiment|log|weights|model")),
    ("data", re.compile(r"data|root|input")),
)
# Words of folders that scripts write to, which say so only above a folder that is called as a part.
_DRAWN = re.compile(r"fig|plot|vis|pred|board|summary|summaries|cache|temp|tmp")
_PLACE_WORDS = re.compile(r"path|dir|folder|root|(?<!map_)location")
_FILE = re.compile(r"\.[A-Za-z]\w{1,9}$")
_SLASHES = "/\\"
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]")
# Parts of letters, digits and a few signs, with slashes between them: no address in the web, and no pattern.
_PATH = re.compile(r"(~|\.{1,2})?[\\/]?[\w .@()-]+([\\/][\w .@()-]+)+[\\/]?|(~|\.{0,2})[\\/][\w .@()-]+[\\/]?")


@dataclass(frozen=True)
class HardCodedPath:
    """A path in the text of a script.

    Attributes:
        text: The path as it is written.
        role: What it is for: ``"images"``, ``"masks"``, ``"save"``, ``"data"`` for the folder above images and masks,
            or ``"other"``. It is read from the name of the setting, otherwise from the path.
        place: Where it stands, as ``file:line``.
        mapping: How a run on Linux can give it without changing the script. ``"mount"``: an absolute path, at which a
            folder is mounted. ``"working folder"``: a path below the folder in which the script is started; there, a
            path of Windows is the name of one folder. ``"above"``: a path that leaves this folder by ``..``, for which
            the script is started some levels down. ``"home"``: a path that begins with ``~``, for which the variable
            HOME is set.
        part: The part of the cases that it is for, if a word in the path or in the name of the setting says so.

    Example:
        >>> HardCodedPath("../data/images", "images", "main.py:7", "above").text
        '../data/images'
    """

    text: str
    role: Role
    place: str
    mapping: Mapping
    part: PartName = ""


def find_paths(scripts: Scripts) -> tuple[HardCodedPath, ...]:
    """Return the paths that scripts have written into themselves, each text once.

    Args:
        scripts: The scripts.

    Example:
        >>> import tempfile, pathlib
        >>> from llmseg.admission.scripts import read_scripts
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "main.py").write_text("mask_dir = '/content/masks'")
        >>> [(path.role, path.mapping) for path in find_paths(read_scripts(folder))]
        [('masks', 'mount')]
    """
    found: dict[str, HardCodedPath] = {}
    by_kind = [list(kind(scripts)) for kind in (_named_paths, _joined_paths, _other_paths, _globbed_paths)]
    for text, name, place in itertools.chain.from_iterable(by_kind):
        part = find_path_part(text) or find_part(name)
        found.setdefault(text, HardCodedPath(text, _role(name, text), place, _mapping(text), part))
    results = [path.text.rstrip(_SLASHES) for path in found.values() if path.role == "save"]
    saved = tuple(folder + slash for folder in results for slash in _SLASHES)
    named, joined = ({text for text, *_ in kind} for kind in by_kind[:2])
    # Folders with images and masks below one for results are made by the scripts.
    made = {text for text in joined - named if text.startswith(saved)}
    return tuple(path for path in found.values() if path.text not in made)


def _named_paths(scripts: Scripts) -> Iterator[tuple[str, str, str]]:
    """Yield text, name and place of settings that are paths."""
    for setting in Settings(scripts).all:
        text = setting.value.value if isinstance(setting.value, ast.Constant) else None
        if isinstance(text, str) and _is_path(text, setting.name):
            yield text, setting.name, setting.place


def _is_path(text: str, name: str) -> bool:
    if not text or "\n" in text or "://" in text or re.search(r"[*{}<>|]", text):
        return False
    is_place = bool(_PLACE_WORDS.search(name)) and not re.search(r"suffix|pattern|name|ext", name)
    # A name alone, such as output = "results", is a folder if the setting is for something that is saved.
    is_save = bool(re.fullmatch(r"(out|output|save|results?)(_to)?", name))
    return looks_like_path(text) or ((is_place or is_save) and bool(re.fullmatch(r"[\w .-]+/?", text)))


def looks_like_path(text: str) -> bool:
    """Return whether a text can only be meant as a path of a folder or file.

    Example:
        >>> looks_like_path("./data/images"), looks_like_path("data"), looks_like_path("https://x.org/a")
        (True, False, False)
    """
    return bool(_WINDOWS.match(text) or (_PATH.fullmatch(text) and not re.search(r"\s{2}|//", text)))


def _other_paths(scripts: Scripts) -> Iterator[tuple[str, str, str]]:
    """Yield text and place of paths that no setting names, such as arguments by position."""
    for script in scripts:
        passed = _docstrings(script)
        for node in script.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in passed:
                starts = re.match(r"~|\.{0,2}[\\/]\w|[A-Za-z]:[\\/]|data(set)?s?[\\/]", node.value)
                if starts and _is_path(node.value, ""):
                    yield node.value, "", script.place(node)


def _globbed_paths(scripts: Scripts) -> Iterator[tuple[str, str, str]]:
    """Yield text and place of folders that are listed by a pattern, such as ``glob("../train/images/*.png")``."""
    for script in scripts:
        for node in script.nodes:
            if not (isinstance(node, ast.Call) and script.dotted(node.func) in ("glob.glob", "glob.iglob")):
                continue
            pattern = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
            if isinstance(pattern, str) and "*" in pattern:
                folder = re.split(r"[\\/]?[^\\/]*\*", pattern, maxsplit=1)[0]
                if _is_path(folder, "folder"):
                    yield folder, "", script.place(node)


def _joined_paths(scripts: Scripts) -> Iterator[tuple[str, str, str]]:
    """Yield text, name and place of folders with data that are joined from pieces, such as ``data_dir / "images"``."""
    settings = Settings(scripts)
    for setting in settings.all:
        text = _join(setting.script, setting.value, settings)
        if text and not _FILE.search(text) and _role(setting.name, text) in ("images", "masks", "data"):
            yield text, setting.name, setting.place


def _join(script: Script, node: ast.expr, settings: Settings) -> str:
    """Return the path that an expression joins from constant pieces, empty if it joins none."""
    pieces: list[ast.expr] = []
    if isinstance(node, ast.Call) and script.dotted(node.func) in ("os.path.join", "pathlib.Path"):
        pieces = node.args
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        pieces = [node.left, node.right]
    texts = [_join(script, piece, settings) or settings.constant(piece) for piece in pieces]
    return str(PurePosixPath(*texts)) if texts and all(isinstance(text, str) and text for text in texts) else ""


def _docstrings(script: Script) -> set[ast.AST]:
    """Return the texts that are statements of their own, or pieces of texts with values in them."""
    alone = {node.value for node in script.nodes if isinstance(node, ast.Expr)}
    return alone | {piece for node in script.nodes if isinstance(node, ast.JoinedStr) for piece in node.values}


def _role(name: str, text: str) -> Role:
    names = re.split(r"[\\/]", text.rstrip("\\/").lower())
    for words in (name.lower(), names[-1]):
        for role, pattern in _ROLES:
            if pattern.search(words):
                return role
    if not find_named_part(names[-1]):
        return "other"
    # A folder of a part, such as data/train, is for what the folder above is for.
    above = _role("", "/".join(names[:-1])) if len(names) > 1 else "other"
    return "data" if above == "other" and not _DRAWN.search(text.lower()) else above


def _mapping(text: str) -> Mapping:
    if text.startswith("~"):
        return "home"
    if text.startswith("/"):
        return "mount"
    return "above" if ".." in text.split("/") else "working folder"


@dataclass(frozen=True)
class DemandedArgument:
    """An argument without which a script does not start.

    Attributes:
        flag: The option, such as ``"--images"``; the name of an argument that is given by position.
        role: What it is for, see :class:`HardCodedPath`.
        place: Where it is asked for, as ``file:line``.
        part: The part of the cases that it is for, if its name has a word for one.

    Example:
        >>> DemandedArgument("--image-dir", "images", "main.py:12").role
        'images'
    """

    flag: str
    role: Role
    place: str
    part: PartName = ""


def find_demanded_arguments(scripts: Scripts) -> tuple[DemandedArgument, ...]:
    """Return the arguments that a parser of the standard library demands, in their order.

    Args:
        scripts: The scripts.
    """
    found = []
    for script in scripts:
        for node in script.nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument":
                flags = [str(each.value) for each in node.args if isinstance(each, ast.Constant)]
                if flags and _is_demanded(node, flags):
                    name = flags[-1].lstrip("-").replace("-", "_")
                    # What is demanded for a part, such as --train-dir, is the folder with its images and masks.
                    role = _role(name, re.sub(r"_?(path|dir|folder|root)$", "", name))
                    found.append(DemandedArgument(flags[-1], role, script.place(node), find_part(name)))
    return tuple(found)


def _is_demanded(call: ast.Call, flags: list[str]) -> bool:
    given = {each.arg: each.value.value for each in call.keywords if isinstance(each.value, ast.Constant)}
    if flags[0].startswith("-"):
        return given.get("required") is True
    return given.get("nargs") not in ("?", "*")
