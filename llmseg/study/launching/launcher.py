"""A launcher: takes the cells of studies one after the other, trains and scores them."""

from __future__ import annotations

import heapq
import itertools
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmseg.data.holdout import Holdout
from llmseg.errors import Terminated, UserError
from llmseg.evaluation.evaluate import evaluate_run_once
from llmseg.files import make_folder
from llmseg.files.locks import Lease
from llmseg.files.notes import note, warn
from llmseg.study.conventions import all_conventions
from llmseg.study.design import Design, seeded
from llmseg.study.launching.allowance import Allowance
from llmseg.study.launching.cells import WORK, Cell, clear_finished, find_finished, publish, take_attempt
from llmseg.study.launching.diagnosis import FAILING, describe_failure
from llmseg.study.launching.failures import Failure, forget_failure, forget_failures, read_failures, write_failure
from llmseg.study.launching.outlook import CellBar
from llmseg.study.options import Launch
from llmseg.study.study import Study
from llmseg.study.variants import Variant
from llmseg.training.run_files import BegunElsewhere
from llmseg.training.train import train

_POLL = 1.0
"""Seconds between two looks at cells that other launchers work on."""

_TABLES = 20.0
"""Between two writings of the tables of an unfinished study pass so many times the seconds that one takes."""


@dataclass(frozen=True)
class Task:
    """A cell with all that its training needs.

    Attributes:
        design: The study.
        variant: The variant that is trained.
        cell: The variant with one seed and one fold.
    """

    design: Design
    variant: Variant
    cell: Cell

    @property
    def holdout(self) -> Holdout:
        """The test cases of the cell."""
        return self.design.folds[max(self.cell.fold - 1, 0)]


@dataclass(eq=False)
class _Progress:
    """How far this launcher knows a study to be.

    Attributes:
        design: What the study trains.
        open: The tasks that are not known to be finished, in the order in which they are tried.
        failed: Names of the variants that are left out.
        at_once: Cases that pass through the network together, for variants that needed too much memory before.
        tables_at: When the tables may be written again, by ``time.monotonic``.
    """

    design: Design
    open: list[Task]
    failed: set[str] = field(default_factory=set)
    at_once: dict[str, int] = field(default_factory=dict)
    tables_at: float = 0.0


class Launcher:
    """Trains the cells of studies. Any number of launchers may work on the same studies, on any number of computers.

    Attributes:
        launch: How cells are trained.
        breadth_first: Whether every variant of every study is trained with one seed before any is with the next;
            otherwise one study is finished before the next one begins.
        allowance: How long it may work; ``None`` for as long as there are cells.
        bar: The line that it shows.
    """

    def __init__(
        self, designs: Sequence[Design], launch: Launch, *, breadth_first: bool, allowance: Allowance | None = None
    ) -> None:
        self.launch, self.breadth_first, self.allowance = launch, breadth_first, allowance
        self._leases: dict[Cell, Lease] = {}
        self._studies = {design.folder: self._begin(design) for design in designs}
        total = sum(len(design.variants) * design.seeds * len(design.folds) for design in designs)
        self.bar = CellBar(total, disable=not launch.progress)

    def finish(self, design: Design) -> Study | None:
        """Work until a study is finished or the time is up, on its cells and on those of other studies.

        Returns:
            The study; ``None`` if a variant failed that it cannot do without, or if none of its cells is finished.

        Raises:
            UserError: A variant failed and is not to be left out, or something keeps all from being trained.
            Terminated: The process was told to stop. The cell it worked on is given back with its checkpoint.
        """
        own = self._studies[design.folder]
        while self._look(own):
            if not any(self._try(self._studies[task.design.folder], task) for task in self._list_next(own)):
                if self.allowance is not None:
                    break
                self.bar.show("waiting for other launchers", self._list_open())
                time.sleep(_POLL)
        if not design.can_spare(own.failed) or not find_finished(itertools.chain(*map(design.cells, design.variants))):
            return None
        clear_finished(design.folder)
        study = Study(design.folder)
        study.write_tables()
        if not self._list_open():
            self.bar.show("finished", ())
        return study

    def _list_next(self, own: _Progress) -> Iterable[Task]:
        """Return what may be worked on now: seed by seed of all studies, or those of one study first."""
        studies = self._studies.values()
        if self.allowance is not None:
            tasks = [task for study in studies for task in self._look(study) if self.allowance.allows(task.cell)]
            rank = self.allowance.rank
            return sorted(tasks, key=lambda task: rank(task.cell))
        if self.breadth_first:
            # Each study lists its tasks by seed and fold. Of one seed and fold, those of the first study come first.
            return heapq.merge(*map(self._look, studies), key=lambda task: (task.cell.seed, task.cell.fold))
        others = (study for study in studies if study is not own)
        return (task for study in (own, *others) for task in self._look(study))

    def _begin(self, design: Design) -> _Progress:
        make_folder(design.folder / WORK / "leases")
        tried_again = forget_failures(design.folder, ("error", *self.launch.kinds_to_retry))
        sizes = {variant.name: variant.recipe.fit.batch_size for variant in design.variants}
        at_once = {
            failure.variant: max(1, (failure.at_once or sizes[failure.variant]) // 2)
            for failure in tried_again
            if failure.kind == "out-of-memory" and failure.variant in sizes
        }
        # Seed by seed, and fold by fold, so that an unfinished study has something of every variant.
        rows = zip(*(design.cells(variant) for variant in design.variants), strict=True)
        tasks = [Task(design, *pair) for row in rows for pair in zip(design.variants, row, strict=True)]
        finished = find_finished(task.cell for task in tasks)
        progress = _Progress(design, [task for task in tasks if task.cell not in finished], at_once=at_once)
        if progress.open:
            (design.folder / "differences.csv").unlink(missing_ok=True)  # it would say that the study is finished
        clear_finished(design.folder)
        return progress

    def _look(self, study: _Progress) -> tuple[Task, ...]:
        """See what other launchers have done; return what is left to do."""
        for failure in read_failures(study.design.folder):
            if failure.kind != "killed" and failure.variant not in study.failed:
                self._leave_out(study, failure)
        finished = find_finished(task.cell for task in study.open)
        study.open = [
            task for task in study.open if task.variant.name not in study.failed and task.cell not in finished
        ]
        return tuple(study.open) if study.design.can_spare(study.failed) else ()

    def _leave_out(self, study: _Progress, failure: Failure) -> None:
        if not self.launch.leave_out_failing:
            again = f", with --retry {failure.kind} it is tried again" if failure.lasts else ""
            kept = "what is finished is kept; the same command with --leave-out-failing goes on without it"
            raise UserError(f"{failure}; {kept}{again}")
        study.failed.add(failure.variant)
        where = f" of {study.design.label}" if study.design.label else ""
        warn(f"{failure.variant}{where} is left out: {failure}")

    def _try(self, study: _Progress, task: Task) -> bool:
        """Work on a cell if no other launcher does; return whether its state is another now."""
        cell = task.cell
        lease = self._leases.setdefault(cell, Lease(cell.lease))
        held = lease.read_heartbeat() is not None
        try:
            if not lease.take():
                return False
        except OSError as error:
            raise UserError(f"cannot write in {cell.study}: {error.strerror or error}; make it writable") from error
        try:
            if not cell.is_finished:
                if held:
                    cause = "its launcher was killed; the cell is continued"
                    killed = Failure(cell.variant, cell.seed, "killed", cause, fold=cell.fold)
                    write_failure(cell.study, killed)
                self._work(study, task, lease)
        finally:
            lease.release()
            del self._leases[cell]
        return True

    def _work(self, study: _Progress, task: Task, lease: Lease) -> None:
        cell, at_once = task.cell, study.at_once.get(task.variant.name)
        where = f" on {task.design.store.name}" if len(self._studies) > 1 else ""
        self.bar.begin(cell, self._list_open(), where)
        attempt = take_attempt(cell)
        try:
            seconds = train_and_score(task, attempt, self.launch, at_once)
            publish(cell, attempt, seconds)
            if self.allowance is not None:
                self.allowance.note(cell, seconds)
        except Terminated as stop:
            raise Terminated(str(stop).replace(str(attempt / "run"), str(cell.folder)), stop.signum) from None
        except (*FAILING, UserError) as error:
            if lease.lost or not attempt.is_dir():
                note(f"{cell.name} was taken over by another launcher; this one goes on")
                return
            if not isinstance(error, FAILING):
                raise
            self._note_failure(study, task, error, attempt)
            return
        forget_failure(cell.study, cell.variant, cell.seed, cell.fold)
        self._write_tables(study)

    def _note_failure(self, study: _Progress, task: Task, error: Exception, attempt: Path) -> None:
        at_once = study.at_once.get(task.variant.name)
        failure = describe_failure(error, task.cell, at_once)
        write_failure(task.cell.study, failure)
        if failure.kind == "out-of-memory":
            shutil.rmtree(attempt, ignore_errors=True)  # with other parts of a batch it begins anew
        # With its traceback, for it is a fault of llmseg; and a GPU that met one answers no other training any more.
        if failure.kind == "error" and (not self.launch.leave_out_failing or "CUDA error" in failure.cause):
            raise error
        self._leave_out(study, failure)

    def _write_tables(self, study: _Progress) -> None:
        began = time.monotonic()
        if began > study.tables_at or not self._look(study):
            Study(study.design.folder).write_tables()
            now = time.monotonic()
            study.tables_at = now + _TABLES * (now - began)

    def _list_open(self) -> list[Cell]:
        return [task.cell for study in self._studies.values() for task in study.open]


def train_and_score(task: Task, attempt: Path, launch: Launch, at_once: int | None) -> float:
    """Train and score a cell in the folder of an attempt, from where it stands; return the seconds that took.

    Raises:
        UserError: As for :func:`llmseg.train` and :func:`llmseg.evaluate_run`.
    """
    design = task.design
    how: dict[str, Any] = {"device": launch.device, "precision": design.precision, "progress": launch.progress}
    training = {**how, "label": design.label or task.variant.name, "seed": task.cell.seed, "epochs": design.epochs}
    training |= {"exact": design.exact}
    recipe, place = seeded(task.variant.recipe, task.cell.seed), attempt / "run"
    try:
        run = train(recipe, design.store, place, holdout=task.holdout, at_once=at_once, **training)
    except BegunElsewhere as error:
        note(f"{task.cell.name} begins anew: {error}")
        shutil.rmtree(place)
        run = train(recipe, design.store, place, holdout=task.holdout, at_once=at_once, **training)
    began = time.monotonic()
    evaluate_run_once(
        run,
        design.store,
        attempt / "evaluation",
        holdout=task.holdout,
        tolerance=design.tolerance,
        rules=all_conventions(),
        **how,
    )
    return float(run.record.get("seconds", 0.0)) + time.monotonic() - began
