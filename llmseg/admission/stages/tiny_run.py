"""The tiny run: scripts run for a few epochs on a few dyed cases, and get help where a name or a folder is missing."""

from __future__ import annotations

import ast
import datetime
import functools
import shutil
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmseg.admission.observing import Observation, Phantoms, read_observation, write_phantoms
from llmseg.admission.prompt import find_prompt
from llmseg.admission.runner import Runner
from llmseg.admission.running import Edit, Layout, ScriptRun
from llmseg.admission.running.laying_out import lay_out
from llmseg.admission.running.layout import list_layouts
from llmseg.admission.running.salvage import Help, find_help
from llmseg.admission.scripts import Scripts, read_scripts
from llmseg.admission.stages.judge import judge_run
from llmseg.admission.stages.stage import StageVerdict
from llmseg.data.pixels import read_image

EPOCHS = 3
"""With fewer, a schedule and a choice of weights cannot be told from chance."""

CASES, MORE_CASES = 23, 53
"""Four fifths are 18 and 42, so that batches of 4, 8 or 16 leave a rest, by which it shows how the loss of an epoch is
averaged. A tenth of 53 is five, which scripts draw for a figure."""

_EVEN_SIDE = 128

_MOST_HELP = 3


@dataclass(frozen=True)
class TinyRun:
    """What came of scripts on a few dyed cases.

    Attributes:
        run: The last of the runs.
        verdicts: What is said of the stages that it decides.
        edits: What somebody would have had to change.
        makes_folders: Whether folders for results had to be there when they started.
        phantoms: The cases.
        record: The folder with the record of the observer.
        faults: What is wrong with that.
    """

    run: ScriptRun
    verdicts: tuple[StageVerdict, ...]
    edits: tuple[Edit, ...]
    makes_folders: bool
    phantoms: Phantoms
    record: Path
    faults: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as values that JSON can hold."""
        outcome = self.run.outcome
        return {
            "verdicts": [verdict.to_dict() for verdict in self.verdicts],
            "is_final": outcome.ended_by != "harness",
            "date": datetime.date.today().isoformat(),
            "phantoms": asdict(self.phantoms),
            "record": self.record.name,
            "outcome": str(outcome),
            "ended_by": outcome.ended_by,
            "limit": outcome.limit,
            "exit_code": outcome.exit_code,
            "signal": outcome.signal,
            "exception": self.run.exception,
            "place": self.run.place,
            "there": list(outcome.results.kinds),
            "removed": [path.name for path in outcome.results.removed],
            "faults": [*outcome.faults, *self.faults],
            "usage": asdict(outcome.usage),
            "sandbox": outcome.rung,
            "not_contained": list(outcome.not_contained),
            "mapped": [{**asdict(each), "seen_at": str(each.seen_at)} for each in self.run.mapped],
            "epochs": [asdict(each) for each in self.run.epochs],
            "layout": asdict(self.run.layout),
            "makes_folders": self.makes_folders,
            "edits": [asdict(each) for each in self.edits],
            "last_lines": outcome.tail.splitlines()[-20:],
        }


def run_tiny(runner: Runner, out: Path) -> TinyRun:
    """Run scripts for a few epochs on a few dyed cases.

    Args:
        runner: How they are run, but for the layout of the cases and the folders for results: these are found out. The
            scripts passed the static stage.
        out: Where the cases, the record and what the scripts write stay; what is there of an earlier try is removed.
    """
    scripts = read_scripts(runner.folder)
    layouts = iter(list_layouts(scripts))
    told_names = find_prompt(script.text for script in scripts) is not None
    now = Help(next(layouts), makes_folders=not _makes_folders(scripts))
    if out.exists():
        shutil.rmtree(out)
    for number in range(1 + _MOST_HELP):
        phantoms = Phantoms(MORE_CASES if now.is_larger else CASES, channels=now.layout.channels, noisy=True)
        if now.has_even_sides:
            phantoms = replace(phantoms, height=_EVEN_SIDE, width=_EVEN_SIDE)
        cases, record = out / _name_cases(phantoms), out / f"record-{number}"
        if not cases.exists():
            write_phantoms(cases, phantoms)
        helped = replace(runner, layout=now.layout, makes_folders=now.makes_folders)
        run = helped.run(cases, out / f"run-{number}", record, epochs=EPOCHS)
        more = find_help(run, set(phantoms.ids), now, layouts, told_names) if number < _MOST_HELP else None
        if more is None:
            break
        now = more
    reached, faults = _find_reached(record, phantoms)
    verdicts = judge_run(run, scripts, reached)
    return TinyRun(run, verdicts, now.edits, now.makes_folders, phantoms, record, faults)


@dataclass(frozen=True)
class Seen:
    """What the observer saw in a tiny run. Each part is read once, when it is asked for.

    Attributes:
        tiny: The folder of the tiny run.
        run: What came of it, see :meth:`TinyRun.to_dict`.
    """

    tiny: Path
    run: dict[str, Any]

    @functools.cached_property
    def observation(self) -> Observation:
        """What the scripts did."""
        # Names of files that are counted anew in each folder do not say which case was opened.
        seen = read_observation(self.tiny / self.run["record"], Phantoms(**self.run["phantoms"]))
        return seen if self.layout.first_number is None else replace(seen, opened=())

    @property
    def layout(self) -> Layout:
        """How the cases were laid out."""
        return Layout(**self.run["layout"])

    @functools.cached_property
    def files(self) -> dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        """Image and mask of each case as the files have them that the scripts were given; JPEG changes pixels."""
        phantoms, layout = self.observation.phantoms, self.layout
        with tempfile.TemporaryDirectory(prefix="llmseg-files-") as name:
            folders = lay_out(self.tiny / _name_cases(phantoms), layout, Path(name))
            return {
                id: (
                    read_image(folders["images", part] / layout.image_name(called)),
                    read_image(folders["masks", part] / layout.mask_name(called)),
                )
                for id, (part, called) in layout.divide(phantoms.ids).items()
            }


def _name_cases(phantoms: Phantoms) -> str:
    """Return the name of the folder of some cases."""
    return f"cases-{phantoms.count}" + (f"-{phantoms.height}" if phantoms.height == _EVEN_SIDE else "")


def _makes_folders(scripts: Scripts) -> bool:
    """Return whether the text of scripts makes any folder."""
    attributes = (node.attr for script in scripts for node in script.nodes if isinstance(node, ast.Attribute))
    return any(name in ("makedirs", "mkdir") for name in attributes)


def _find_reached(record: Path, phantoms: Phantoms) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the stages that the observer saw, and what is wrong with its record, to which scripts may write, too."""
    try:
        observation = read_observation(record, phantoms)
        # A network that gave no output was not reached.
        has_output = bool(observation.record.list("output", "keras call", "keras trained"))
    except Exception as error:  # whatever scripts wrote there, how they ended is known
        return {}, (f"the record of the observer cannot be read ({type(error).__name__}: {error})"[:300],)
    return {stage: place for stage, place in observation.reached.items() if has_output or stage != "network"}, ()
