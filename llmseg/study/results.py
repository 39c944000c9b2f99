"""Results: what folders of studies, runs and evaluations hold."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from llmseg import zoo
from llmseg.data.store import Store
from llmseg.errors import UserError, nearest
from llmseg.files import as_list, check_text, nearest_path, read_json_if_any
from llmseg.files.folders import find_folders
from llmseg.stats.checks import read_evaluations
from llmseg.stats.table import Table, contender_names
from llmseg.study.collected.files import read_collected
from llmseg.study.collected.record import MARK, holds_collected
from llmseg.study.collected.results import CollectedRun, choose_cells, list_remarks, make_frame, make_run
from llmseg.study.record import is_study
from llmseg.study.scores import describe_unbegun
from llmseg.study.study import Study
from llmseg.training.run import Run

if TYPE_CHECKING:
    import numpy as np

_MARKS = ("study.json", "run.json", "evaluation.json", MARK)
_DEPTH = 4
"""Levels of folders that are looked through: the deepest evaluation is ``nnunet/trainings/NAME/evaluation``."""


@dataclass(frozen=True, eq=False)
class Curve:
    """The losses of one training.

    Attributes:
        contender: Name of the contender that was trained.
        dataset: Name of the dataset.
        seed: Seed of the training.
        train: Training loss of every epoch, float ``[E]``.
        validation: Validation loss of every epoch, float ``[E]``.
        chosen: Number of epochs that the pipeline itself asks for, if the training had another.
        fold: Number of the fold that was held out, as that of a :class:`llmseg.study.Cell`.
    """

    contender: str
    dataset: str
    seed: int
    train: np.ndarray
    validation: np.ndarray
    chosen: int | None = None
    fold: int = 0


@dataclass(frozen=True)
class ContenderRun:
    """A run, with the name that its contender has in tables.

    Attributes:
        contender: Name of the contender.
        dataset: Name of the store it was trained on.
        seed: Its seed.
        run: The run.
        digest: Digest of the whole store. ``None`` if it is not known: a run with held-out cases records the digest of
            the other cases only.
        fold: Number of the fold that was held out, as that of a :class:`llmseg.study.Cell`.

    Example:
        >>> import llmseg
        >>> for item in llmseg.study.read_results("studies/brain").runs:  # doctest: +SKIP
        ...     print(item.contender, item.seed, item.run.folder)
    """

    contender: str
    dataset: str
    seed: int
    run: Run
    digest: str | None
    fold: int = 0

    def held_out(self, case: str) -> bool:
        """Return whether a case was kept out of all that the recipe divided for itself."""
        split = self.run.split
        return case not in {*split.train, *split.validation, *split.test}

    @property
    def has_weights(self) -> bool:
        """Whether masks can be predicted by it; a collected study has no weights."""
        return not isinstance(self.run, CollectedRun)

    def fits(self, store: Store) -> bool:
        """Return whether a store is the one of this training; without a digest, whether it has the run's cases."""
        if self.digest is not None:
            return store.name == self.dataset and store.digest == self.digest
        split = self.run.split
        return store.name == self.dataset and {*split.train, *split.validation, *split.test} <= set(store.ids)

    def check(self, store: Store) -> None:
        """Raise :class:`UserError` if a store is not the one of this training."""
        if not self.fits(store):
            state = f"{store.name} is not in the state in which {self.contender} was trained on it"
            raise UserError(f"the store {state}; give that store")


@dataclass(frozen=True, eq=False)
class Results:
    """What folders of studies, runs and evaluations hold.

    Attributes:
        table: Scores of all evaluations; ``None`` if there are none.
        runs: All runs.
        prepared_as: What evaluations say of their store: name of the dataset, and the id of the catalogue that the
            store was prepared as, ``None`` if it was not.
    """

    table: Table | None
    runs: tuple[ContenderRun, ...]
    prepared_as: tuple[tuple[str, str | None], ...] = ()

    @property
    def scores(self) -> Table:
        """The table.

        Raises:
            UserError: There is none.
        """
        if self.table is None:
            for run in self.runs[:1]:
                command = f"llmseg evaluate {shlex.quote(str(run.run.folder))} --data STORE --out SCORES"
                raise UserError(
                    f"the folders hold runs and no scores; score each, such as by {command}, and name SCORES"
                )
            raise UserError("the folders hold no scores; name a study, or what llmseg evaluate wrote")
        return self.table

    @property
    def curves(self) -> tuple[Curve, ...]:
        """The losses of all runs."""
        return tuple(_read_curve(run) for run in self.runs)

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the datasets."""
        names = [*(self.table.datasets if self.table else ()), *(run.dataset for run in self.runs)]
        return tuple(dict.fromkeys(names))

    def select_datasets(self, *datasets: str) -> Results:
        """Keep some datasets.

        Raises:
            UserError: There is no dataset of a name.
        """
        for name in datasets:
            if name not in self.datasets:
                listed = ", ".join(self.datasets) or "none"
                raise UserError(f"no dataset '{name}'{nearest(name, self.datasets)}; there are {listed}")
        scored = [name for name in datasets if self.table and name in self.table.datasets]
        table = self.table.select(dataset=scored) if self.table and scored else None
        return Results(table, tuple(run for run in self.runs if run.dataset in datasets), self.prepared_as)

    def select_stores(self, stores: Sequence[Store]) -> Results:
        """Keep the datasets of these stores.

        Raises:
            UserError: No store has the name of a dataset.
        """
        names = [store.name for store in stores]
        kept = [name for name in self.datasets if name in names]
        if not kept:
            have = f"given are those of {', '.join(names)}" if names else "none are given"
            raise UserError(f"images of {', '.join(self.datasets) or 'a dataset'} are needed, {have}; use --data")
        return self.select_datasets(*kept)


def read_results(folders: str | Path | Iterable[str | Path], *, size: str = "native") -> Results:
    """Read studies, runs and evaluations, or folders that hold such folders.

    Args:
        folders: As ``llmseg compare``, ``ablate``, ``train`` and ``evaluate`` write them.
        size: At which size cases were scored, ``native`` or ``working``.

    Raises:
        UserError: A folder holds none of these, no cell of a study is finished, or scores cannot be compared.

    Example:
        >>> read_results(["studies/brain", "evaluated/nnunet"]).table  # doctest: +SKIP
    """
    found = [_read_folder(folder, size) for given in as_list(folders) for folder in _result_folders(Path(given))]
    frames = [frame for part in found for frame in part.frames]
    remarks = [remark for part in found for remark in part.remarks]
    runs = tuple(run for part in found for run in part.runs)
    if not frames and not runs:
        where = ", ".join(str(given) for given in as_list(folders))
        raise UserError(f"no cell of {where} is finished yet; wait for one, see llmseg status")
    table = Table.from_scores(frames, size=size) if frames else None
    if table is not None and remarks:
        table = Table(table.frame, (*remarks, *table.remarks))
    return Results(table, runs, tuple(origin for part in found for origin in part.origins))


@dataclass(frozen=True)
class _Found:
    """What one folder holds: scores as :meth:`Table.from_scores` takes them, runs, remarks, and origins of stores."""

    frames: Sequence[pd.DataFrame] = ()
    runs: Sequence[ContenderRun] = ()
    remarks: Sequence[str] = ()
    origins: Sequence[tuple[str, str | None]] = ()


def _read_folder(folder: Path, size: str) -> _Found:
    if holds_collected(folder):
        return _read_collected(folder, size)
    if is_study(folder):
        return _read_study(Study.open(folder), size)
    if (folder / "run.json").is_file():
        run = Run.open(folder)
        digest = None if run.record["holdout"] else run.record["store"]["digest"]
        return _Found(runs=[_describe_run(run, run.record["label"] or folder.name, digest)])
    return _Found(read_evaluations([folder], size, {}), origins=list(_read_origins([folder])))


def _read_study(study: Study, size: str) -> _Found:
    if not study.compared:
        return _Found(remarks=(describe_unbegun(study.record["store"]["name"]),))
    # The table of an unfinished study may lack cells, or have some that cannot be compared.
    cells = {} if study.is_finished else {cell.folder / "evaluation": cell.variant for cell in study.compared}
    scored = [*(cells or [study.folder]), *(evaluation.folder for evaluation in study.beside)]
    frames = read_evaluations(scored, size, cells)
    return _Found(frames, _read_runs(study), study.remarks, list(_read_origins(scored)))


def _read_collected(folder: Path, size: str) -> _Found:
    collected = read_collected(folder)
    cells = choose_cells(folder, collected)
    trained = [cell for cell in cells if not cell.is_beside]
    named = {name: [getattr(cell, name) for cell in trained] for name in ("pipeline", "variant")}
    names = contender_names(pd.DataFrame(named, dtype=str))
    runs = [
        _describe_run(make_run(folder, collected, cell), name, cell.data, cell.fold)
        for cell, name in zip(trained, names, strict=True)
    ]
    origins = [(cell.dataset, cell.facts["prepared_as"]) for cell in cells if "prepared_as" in cell.facts]
    frames = [make_frame(cell, collected.scores[cell.key]) for cell in cells]
    if frames and not any(size in set(frame["size"]) for frame in frames):
        raise UserError(f"{folder} has no scores of size '{size}'; sizes are native and working")
    return _Found(frames, runs, list_remarks(collected, cells), list(dict.fromkeys(origins)))


def _read_origins(folders: Iterable[Path]) -> Iterator[tuple[str, str | None]]:
    for folder in folders:
        record = read_json_if_any(folder / "evaluation.json", {"dataset?": str, "prepared_as?": (str, type(None))})
        # Evaluations that an earlier version wrote do not say it.
        if "dataset" in record and "prepared_as" in record:
            yield record["dataset"], record["prepared_as"]


def _result_folders(folder: Path) -> list[Path]:
    # Those inside them belong to them.
    folders = list(find_folders(folder, lambda inner: any((inner / mark).is_file() for mark in _MARKS), _DEPTH))
    if folders:
        return folders
    what = "it holds no study, run or evaluation" if folder.is_dir() else f"no such folder{nearest_path(folder)}"
    raise UserError(f"{folder}: {what}; name what llmseg compare, ablate, train or evaluate wrote")


def _read_runs(study: Study) -> list[ContenderRun]:
    record = study.record
    labels = {variant: record["label"] or variant for variant in study.variants}
    names = pd.DataFrame({"pipeline": labels.values(), "variant": labels.keys()})
    contenders = dict(zip(labels, contender_names(names), strict=True))
    digest = record["store"]["digest"]
    return [
        _describe_run(Run.open(cell.folder / "run"), contenders[cell.variant], digest, cell.fold)
        for cell in study.compared
    ]


def choose_run(runs: Iterable[ContenderRun], case: str) -> ContenderRun | None:
    """Return the run that was scored on a case: of folds, the one that held it out; otherwise the last."""
    candidates = [run for run in runs if not run.fold or run.held_out(case)]
    return candidates[-1] if candidates else None


def _describe_run(run: Run, contender: str, digest: str | None, fold: int = 0) -> ContenderRun:
    record = run.record
    check_text("contender", contender)
    check_text("dataset", record["store"]["name"])
    return ContenderRun(contender, record["store"]["name"], record["seed"], run, digest, fold)


def _read_curve(trained: ContenderRun) -> Curve:
    history = trained.run.history
    own = zoo.get(trained.contender).recipe.fit.epochs if trained.contender in zoo.all_names() else None
    epochs = trained.run.recipe.fit.epochs
    return Curve(
        trained.contender,
        trained.dataset,
        trained.seed,
        history["train_loss"].to_numpy(float),
        history["validation_loss"].to_numpy(float),
        None if own == epochs else own,
        trained.fold,
    )
