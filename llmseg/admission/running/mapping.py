"""Where in the sandbox the paths lie that scripts have written into themselves."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from llmseg.admission.hard_coded_paths import DemandedArgument, HardCodedPath, Role
from llmseg.admission.part_words import PartName
from llmseg.admission.running.laying_out import Kind, lay_out
from llmseg.admission.running.layout import Layout
from llmseg.admission.sandbox import Place
from llmseg.errors import UserError

WORK = Path("/admission/work")
"""What belongs to the scripts while they run, as they see it."""

SCRIPTS = WORK / "a" / "b" / "c" / "scripts"
"""Where the scripts lie and start. It is some levels down, for paths that begin with ``..``."""

HOME = WORK / "home"
CASES = Path("/admission/cases")

_EPOCHS = 50

_FILE = re.compile(r"\.[A-Za-z]\w{1,9}$")

Shows = Literal["images", "masks", "images and masks", "folder", "nothing"]


@dataclass(frozen=True)
class Mapped:
    """A path that scripts ask for, and what they find there.

    Attributes:
        text: The path as it is written, or the option under which it was given.
        role: What it is for.
        place: Where it stands, as ``file:line``.
        seen_at: Where the scripts see it.
        shows: What is there: ``"images"``, ``"masks"``, ``"images and masks"``; ``"folder"`` for one that can be
            written to; ``"nothing"`` for a path that belongs to the system.
        part: The part of the cases that is there, if they are divided.

    Example:
        >>> Mapped("data/images", "images", "main.py:7", SCRIPTS / "data" / "images", "images").shows
        'images'
    """

    text: str
    role: Role
    place: str
    seen_at: Path
    shows: Shows
    part: PartName = ""


Shown = tuple[Path, Kind, PartName]


@dataclass(frozen=True)
class _Wish:
    """A path that scripts ask for; see :class:`Mapped`."""

    text: str
    role: Role
    place: str
    seen_at: Path
    part: PartName


@dataclass(frozen=True)
class Plan:
    """What a run is given for its paths.

    Attributes:
        mapped: The paths.
        arguments: The arguments that the scripts demand.
        shown: Where cases are seen, of them the images or the masks, and of which part; an empty text for all cases.
        anchors: The folders, as the scripts see them, that they may write to.
    """

    mapped: tuple[Mapped, ...]
    arguments: tuple[str, ...]
    shown: tuple[Shown, ...]
    anchors: tuple[Path, ...]


def plan_paths(
    paths: Iterable[HardCodedPath], demanded: Iterable[DemandedArgument], layout: Layout, epochs: int | None
) -> Plan:
    """Decide where the paths of scripts lie, and what is there.

    Args:
        paths: The paths that they have written into themselves.
        demanded: The arguments without which they do not start.
        layout: How they want cases to be laid out.
        epochs: The number of epochs that is given if an argument asks for it.
    """
    wishes = [_Wish(path.text, path.role, path.place, locate(path), path.part) for path in paths]
    arguments: list[str] = []
    for argument in demanded:
        value, seen_at = _give(argument, layout, epochs)
        arguments += [argument.flag, value] if argument.flag.startswith("-") else [value]
        if seen_at is not None:
            wishes.append(_Wish(argument.flag, argument.role, argument.place, seen_at, argument.part))
    results = [wish.seen_at for wish in wishes if wish.role == "save"]
    # What lies in a folder for results is made by the scripts themselves.
    wishes = [replace(wish, role="save") if any(map(wish.seen_at.is_relative_to, results)) else wish for wish in wishes]
    wishes = _choose_parts(wishes, layout)
    mapped = []
    shown: list[Shown] = [(CASES / "images", "images", ""), (CASES / "masks", "masks", "")]
    held = [wish for wish in wishes if _is_folder(wish.seen_at)]
    for wish in wishes:
        # What nobody asks for in any part may lie with something else; in one part, it is just not there.
        beside = [other for other in held if wish.role != "data" or other.part == wish.part]
        cases = _choose_cases(wish, {other.role for other in beside}, layout)
        part = wish.part if cases else ""
        mapped.append(Mapped(wish.text, wish.role, wish.place, wish.seen_at, _name_shown(wish.seen_at, cases), part))
        shown += cases
    anchors = _choose_anchors(each.seen_at for each in mapped if each.shows != "nothing")
    return Plan(tuple(mapped), tuple(arguments), tuple(dict.fromkeys(shown)), anchors)


def locate(path: HardCodedPath) -> Path:
    """Return where scripts see a path.

    Example:
        >>> locate(HardCodedPath("../data", "data", "main.py:1", "above")).as_posix()
        '/admission/work/a/b/c/data'
    """
    if path.mapping == "home":
        return Path(os.path.normpath(HOME / path.text.lstrip("~").lstrip("/")))
    # An absolute path replaces the folder before it.
    return Path(os.path.normpath(SCRIPTS / path.text))


_HOLDING = ("images", "masks", "data")


def _choose_parts(wishes: list[_Wish], layout: Layout) -> list[_Wish]:
    """Return what scripts ask for, so that no case is in two parts: all cases are nowhere if there are parts."""
    held = [wish for wish in wishes if wish.role in _HOLDING and _is_folder(wish.seen_at)]
    named = {wish.part for wish in held}
    chosen = []
    for wish in wishes:
        is_held = wish in held
        if wish.role not in _HOLDING or wish.part not in layout.parts:
            wish = replace(wish, part="")
        if layout.parts and is_held and not wish.part and not layout.part_folders:
            is_above = any(other.part and other.seen_at.is_relative_to(wish.seen_at) for other in held)
            # Beside a folder for the test part, one without a word is for learning; otherwise for anything else.
            is_other = is_above or "training" in named
            wish = replace(wish, role="other") if is_other else replace(wish, part="training")
        chosen.append(wish)
    return chosen


def _choose_cases(wish: _Wish, roles: set[Role], layout: Layout) -> list[Shown]:
    """Return where images and masks are seen for one path; what no path of its own asks for lies with another."""
    if not _is_folder(wish.seen_at) or not _can_be_shown(wish.seen_at):
        return []
    if not layout.part_folders or wish.part:
        return [(path, kind, wish.part) for path, kind in _list_cases(wish.role, wish.seen_at, roles, layout)]
    shown: list[Shown] = []
    for part, name in zip(layout.parts, layout.part_folders, strict=True):
        above = wish.seen_at if layout.below_kinds else wish.seen_at / name
        below = name if layout.below_kinds else ""
        shown += [(path / below, kind, part) for path, kind in _list_cases(wish.role, above, roles, layout) if name]
    return shown


def _list_cases(role: Role, seen_at: Path, roles: set[Role], layout: Layout) -> list[tuple[Path, Kind]]:
    """Return where images and masks of one part, or of all cases, are seen for one path."""
    images: tuple[Path, Kind] = (seen_at / layout.image_folder, "images")
    masks: tuple[Path, Kind] = (seen_at / layout.mask_folder, "masks")
    if role == "data" and "masks" in roles and "images" not in roles:
        # Scripts with a folder for masks seldom keep images in a folder below another one.
        return [(seen_at, "images")]
    if role == "data":
        return [pair for pair in (images, masks) if pair[1] not in roles]
    if role == "images":
        alone = not roles & {"masks", "data"}
        return [(seen_at, "images"), (seen_at, "masks")] if alone else [(seen_at, "images")]
    if role == "masks":
        alone = not roles & {"images", "data"}
        return [images, masks] if alone else [(seen_at, "masks")]
    return []


def _is_folder(seen_at: Path) -> bool:
    return not _FILE.search(seen_at.name)


def _can_be_shown(path: Path) -> bool:
    try:
        Place(Path("/"), path)
    except UserError:
        return False
    return True


def _name_shown(seen_at: Path, cases: list[Shown]) -> Shows:
    if not _can_be_shown(seen_at):
        return "nothing"
    kinds = {kind for _, kind, _ in cases}
    if len(kinds) == 2:
        return "images and masks"
    return cases[0][1] if cases else "folder"


def _give(argument: DemandedArgument, layout: Layout, epochs: int | None) -> tuple[str, Path | None]:
    """Return the value of an argument, and the path that it is, if it is one."""
    name = argument.flag.lstrip("-").replace("-", "_").lower()
    if "suffix" in name:
        return layout.mask_suffix, None
    if "epoch" in name:
        return str(epochs or _EPOCHS), None
    below = argument.part if argument.part in layout.parts else ""
    folders: dict[Role, Path] = {
        "images": CASES / below / "images",
        "masks": CASES / below / "masks",
        "data": WORK / "data" / below,
    }
    seen_at = folders.get(argument.role, WORK / "results")
    return str(seen_at), seen_at


def _choose_anchors(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the folders that can be written to: that of the scripts, and those above the paths elsewhere."""
    anchors = [WORK]
    parents = {path.parent if len(path.parts) > 2 and _can_be_shown(path.parent) else path for path in paths}
    for anchor in sorted(parents, key=lambda path: len(path.parts)):
        if not anchor.is_relative_to(WORK.parent) and not any(anchor.is_relative_to(other) for other in anchors):
            anchors.append(anchor)
    return tuple(anchors)


def prepare_places(
    plan: Plan, layout: Layout, cases: Path, laid_out: Path, out: Path, makes_folders: bool
) -> tuple[Place, ...]:
    """Make the folders that scripts see, and return them as places.

    Args:
        plan: What is where.
        layout: How cases are laid out.
        cases: A folder with ``images/`` and ``masks/``.
        laid_out: An empty folder for cases under the names that scripts want.
        out: An empty folder for what scripts write.
        makes_folders: Whether folders for results are there, too, or only those above them.
    """
    sources = lay_out(cases, layout, laid_out)
    roots = {anchor: out.joinpath(*anchor.parts[1:]) for anchor in plan.anchors}
    for root in roots.values():
        root.mkdir(parents=True, exist_ok=True)
    places = [Place(root, anchor, writable=True) for anchor, root in roots.items()]
    for path, kind, part in plan.shown:
        own = _find_own(path, roots)
        if own is None:
            places.append(Place(sources[kind, part], path))
        else:
            own.mkdir(parents=True, exist_ok=True)
            if _is_shared(path, plan):
                shutil.copytree(sources[kind, part], own, dirs_exist_ok=True)
            else:
                places.append(Place(sources[kind, part], path))
    for each in plan.mapped:
        own = _find_own(each.seen_at, roots)
        if own is not None:
            # A script that makes one folder needs those above it.
            is_made = makes_folders and each.shows == "folder" and _is_folder(each.seen_at)
            (own if is_made else own.parent).mkdir(parents=True, exist_ok=True)
    return tuple(places)


def _find_own(path: Path, roots: Mapping[Path, Path]) -> Path | None:
    """Return where a path that scripts see lies on this computer, ``None`` if it is in no folder that they write to."""
    anchor = next((anchor for anchor in roots if path.is_relative_to(anchor)), None)
    return None if anchor is None else roots[anchor] / path.relative_to(anchor)


def _is_shared(path: Path, plan: Plan) -> bool:
    """Return whether more lies in a folder than the images or the masks, so that it cannot be shown read-only."""
    others = [*(each.seen_at for each in plan.mapped), *(other for other, _, _ in plan.shown), *plan.anchors]
    shown = [other for other, _, _ in plan.shown if other == path]
    return len(shown) > 1 or path in plan.anchors or any(o != path and o.is_relative_to(path) for o in others)
