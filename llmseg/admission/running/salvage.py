"""Help for scripts that failed for want of a name or a folder. What help was needed is counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from llmseg.admission.running.layout import Layout
from llmseg.admission.running.mapping import SCRIPTS
from llmseg.admission.running.run import ScriptRun

_NOTHING_FOUND = re.compile(
    r"n_samples=0|num_samples|no (\w+ )?(images?|files?|masks?|samples?|data|pairs?)\b|empty|division by zero|"
    r"list index out of range|need at least one array",
    re.IGNORECASE,
)
_NO_IMAGE = re.compile(r"NoneType|Assertion failed|\.empty\(\)")
_UNREAD = re.compile(r"imread_\('(?P<path>[^'\n]+)'\)")
_TOO_FEW = re.compile(r"Sample larger than population|larger sample than population")
_ODD_SIDES = re.compile(r"Sizes of tensors must match|must match the size of tensor")
_MISSING_FILE = re.compile(
    r"(?:FileNotFoundError|No such file|does not exist|can't open|non-existent directory)\D.*?"
    r"['\"](?P<path>[^'\"]+)['\"]"
)


@dataclass(frozen=True)
class Edit:
    """Something that somebody would have had to change before the scripts ran. Setting a path is none.

    Attributes:
        kind: ``"names of files"``.
        place: Where in the scripts it was missed, as ``file:line``.
        what: What was done, in a few words.

    Example:
        >>> Edit("names of files", "dataset.py:26", "cases were named 001.jpg and 001_m.jpg").kind
        'names of files'
    """

    kind: str
    place: str
    what: str


@dataclass(frozen=True)
class Help:
    """What scripts are given when they run again.

    Attributes:
        layout: How cases are laid out.
        makes_folders: Whether folders for results are there.
        is_larger: Whether there are more cases, for scripts that draw more test cases than a few cases have.
        has_even_sides: Whether the sides of images can be halved many times, for scripts that resize nothing.
        edits: What of that somebody would have had to change.
    """

    layout: Layout
    makes_folders: bool = False
    is_larger: bool = False
    has_even_sides: bool = False
    edits: tuple[Edit, ...] = ()


def find_help(run: ScriptRun, ids: set[str], now: Help, others: Iterator[Layout], told_names: bool) -> Help | None:
    """Return what may let scripts go on that ended by an exception, ``None`` if nothing here can.

    Args:
        run: What came of them.
        ids: Names of the cases.
        now: What they were given.
        others: Further layouts that their text allows; the next one is taken if they found no case.
        told_names: Whether the language model was told how files are named; otherwise other names are no edit.
    """
    exception = run.exception
    if exception is None:
        return None
    if _TOO_FEW.search(exception) and not now.is_larger:
        return replace(now, is_larger=True)
    if _ODD_SIDES.search(exception) and not now.has_even_sides:
        return replace(now, has_even_sides=True)
    path = _find_missed(exception, run)
    results = [each.seen_at for each in run.mapped if each.shows == "folder"]
    if path is not None and not now.makes_folders and (path in results or path.parent in results):
        # Whoever had the scripts write there has that folder: its path is given, as those of the cases are.
        return replace(now, makes_folders=True)
    layout = (
        None if path is None else _read_count(path, ids, now.layout, run) or _read_names(path, ids, now.layout, run)
    )
    if layout is None and (path is not None or _NOTHING_FOUND.search(exception)):
        layout = next((layout for layout in others if layout != now.layout), None)
    if layout is None or layout == now.layout:
        return None
    names = f"cases were named {layout.image_name('001')} and {layout.mask_name('001')}"
    edits = (Edit("names of files", run.place, names),) if told_names else ()
    return replace(now, layout=layout, edits=(*now.edits, *edits))


def _find_missed(exception: str, run: ScriptRun) -> Path | None:
    """Return the file that scripts missed, ``None`` if nothing says so. OpenCV only prints it, and gives nothing."""
    found = _MISSING_FILE.search(exception) or _find_mapped(exception, run)
    if found is None and _NO_IMAGE.search(exception):
        found = _UNREAD.search(run.printed)
    # An exception writes a backslash twice.
    return SCRIPTS / found["path"].replace("\\\\", "\\") if found else None


def _find_mapped(exception: str, run: ScriptRun) -> re.Match[str] | None:
    """Return the file below a path of the scripts that an error of theirs names without quotes."""
    folders = "|".join(re.escape(each.text) for each in run.mapped)
    if not folders or not exception.startswith("FileNotFoundError"):
        return None
    return re.search(rf"(?P<path>(?:{folders})[/\\][^'\"\n]*?\.[A-Za-z]\w{{2,3}})\b", exception)


def _read_count(path: Path, ids: set[str], layout: Layout, run: ScriptRun) -> Layout | None:
    """Return the layout in which cases are counted as a file that was missed is: anew in each folder, from 0 or 1."""
    number = re.match(r"\d+", path.name)
    part = next((each.part for each in run.mapped if each.part and path.is_relative_to(each.seen_at)), "")
    if number is None or not path.suffix:
        return None
    called = [name for own, name in layout.divide(ids).values() if own == part or not layout.parts]
    if number[0] in called or int(number[0]) > len(called):
        return None
    missed = int(number[0])
    if layout.first_number == 1 and missed != 0:
        return None
    # Where they were counted from 0, the last one is missed.
    first = int(missed != 0 and (missed == 1 or layout.first_number == 0))
    return replace(layout, first_number=first, digits=len(number[0]))


def _read_names(path: Path, ids: set[str], layout: Layout, run: ScriptRun) -> Layout | None:
    """Return the layout in which a file that was missed is there, if it is that of a case."""
    names = [name for _, name in layout.divide(ids).values()]
    id = next((name for name in names if path.name.startswith(name)), None)
    if id is None or not path.suffix:
        return None
    suffix = path.stem.removeprefix(id)
    masks = [each.seen_at for each in run.mapped if each.shows == "masks"]
    if not suffix and not any(map(path.is_relative_to, masks)):
        return replace(layout, image_ending=path.suffix)
    return replace(layout, mask_suffix=suffix, mask_ending=path.suffix)
