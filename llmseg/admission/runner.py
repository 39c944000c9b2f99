"""How scripts are run under the eyes of the observer: all runs of an admission are made here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llmseg.admission.observing import observer_places
from llmseg.admission.running import Layout, ScriptRun, run_scripts
from llmseg.admission.sandbox import Limits


@dataclass(frozen=True)
class Runner:
    """How scripts are run.

    Attributes:
        folder: The folder of the scripts.
        layout: How they want cases to be laid out; ``None`` for what their text shows.
        makes_folders: Whether folders for results are there when they start.
        limits: How much one run may use; ``None`` for the usual limits.
        rung: The sandbox; ``None`` for the best one that this computer has.
        start: The file to start and its arguments; empty for what their text shows.
    """

    folder: Path
    layout: Layout | None = None
    makes_folders: bool = False
    limits: Limits | None = None
    rung: str | None = None
    start: tuple[str, ...] = ()

    def with_help(self, run: Mapping[str, Any]) -> Runner:
        """Return the same with what the tiny run needed to reach its end.

        Args:
            run: What came of the tiny run, see :meth:`llmseg.admission.stages.tiny_run.TinyRun.to_dict`.
        """
        return replace(self, layout=Layout(**run["layout"]), makes_folders=run["makes_folders"])

    def run(
        self,
        cases: Path,
        out: Path,
        record: Path,
        *,
        epochs: int | None,
        listing: str = "1",
        environment: Mapping[str, str] | None = None,
    ) -> ScriptRun:
        """Run the scripts on cases, and record what they do.

        Args:
            cases: The folder of the cases.
            out: Where what the scripts write stays; a folder that is empty or is not there.
            record: A new or empty folder for the record.
            epochs: The number of epochs that they are told; ``None`` for their own.
            listing: Decides the order in which folders list their files.
            environment: More variables for the scripts.

        Raises:
            UserError: As :func:`llmseg.admission.run_scripts`.
        """
        variables, places = observer_places(record, listing=listing)
        run = run_scripts(
            *(self.folder, cases, out),
            epochs=epochs,
            environment={**variables, **(environment or {})},
            places=places,
            limits=self.limits,
            layout=self.layout,
            makes_folders=self.makes_folders,
            rung=self.rung,
            start=self.start,
        )
        # The record is written by the observer, and no result of the scripts.
        return replace(run, outcome=replace(run.outcome, results=run.outcome.results.without(record)))
