"""Results: what folders of studies, runs and evaluations hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llmseg import zoo
from llmseg.data.store import Store
from llmseg.errors import UserError, nearest
from llmseg.stats.table import Table, contender_names
from llmseg.study.study import Study
from llmseg.training.run import Run

if TYPE_CHECKING:
    import numpy as np

_MARKS = ("study.json", "run.json", "evaluation.json")
_DEPTH = 4
"""Levels of folders that are looked through; those of nnU-Net are the deepest."""


@dataclass(frozen=True, eq=False)
class Curve:
    """The losses of one training.

    Attributes:
        contender: Whose.
        dataset: On which dataset.
        seed: With which seed.
        train: Training loss of every epoch, float ``[E]``.
        validation: Validation loss, float ``[E]``.
        chosen: Number of epochs that the pipeline itself asks for, if the training had another.
    """

    contender: str
    dataset: str
    seed: int
    train: np.ndarray
    validation: np.ndarray
    chosen: int | None = None


@dataclass(frozen=True)
class Trained:
    """A run, and whose it is.

    Attributes:
        contender: Name of the contender, as in tables.
        dataset: Name of the store it was trained on.
        seed: Its seed.
        run: The run.
        digest: Digest of the whole store, if it is known; that of a run alone tells only of what was not held out.
    """

    contender: str
    dataset: str
    seed: int
    run: Run
    digest: str | None

    def fits(self, store: Store) -> bool:
        """Return whether a store is the one of this training; if only its cases are known, whether it has them."""
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
class Found:
    """What folders hold.

    Attributes:
        table: Scores of all evaluations; ``None`` if there are none.
        trained: All runs.
    """

    table: Table | None
    trained: tuple[Trained, ...]

    @property
    def scores(self) -> Table:
        """The table.

        Raises:
            UserError: There is none.
        """
        if self.table is None:
            raise UserError("the folders hold no scores; name a study, or what llmseg evaluate wrote")
        return self.table

    @property
    def curves(self) -> tuple[Curve, ...]:
        """The losses of all runs."""
        return tuple(_curve(one) for one in self.trained)

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the datasets."""
        names = [*(self.table.datasets if self.table else ()), *(one.dataset for one in self.trained)]
        return tuple(dict.fromkeys(names))

    def on(self, *datasets: str) -> Found:
        """Keep some datasets.

        Raises:
            UserError: There is none of a name.
        """
        for name in datasets:
            if name not in self.datasets:
                known = ", ".join(self.datasets) or "none"
                raise UserError(f"no dataset '{name}'{nearest(name, self.datasets)}; there are {known}")
        scored = [name for name in datasets if self.table and name in self.table.datasets]
        table = self.table.select(dataset=scored) if self.table and scored else None
        return Found(table, tuple(one for one in self.trained if one.dataset in datasets))

    def among(self, stores: Sequence[Store]) -> Found:
        """Keep the datasets whose images are there.

        Raises:
            UserError: There are none.
        """
        names = [store.name for store in stores]
        kept = [name for name in self.datasets if name in names]
        if not kept:
            have = f"given are those of {', '.join(names)}" if names else "none are given"
            raise UserError(f"images of {', '.join(self.datasets) or 'a dataset'} are needed, {have}; use --data")
        return self.on(*kept)


def collect(folders: Iterable[str | Path], *, size: str = "native") -> Found:
    """Read studies, runs and evaluations, or folders that hold such folders.

    Args:
        folders: As ``llmseg compare``, ``ablate``, ``train`` and ``evaluate`` write them.
        size: At which size cases were scored, ``native`` or ``working``.

    Raises:
        UserError: A folder holds none of these, a study is not finished, or scores cannot be compared.

    Example:
        >>> collect(["studies/brain", "evaluated/nnunet"]).table  # doctest: +SKIP
    """
    trained: list[Trained] = []
    scored: list[Path] = []
    for folder in (inner for given in folders for inner in _known(Path(given))):
        if (folder / "study.json").is_file():
            trained += _of_study(Study.open(folder))
            scored.append(folder)
        elif (folder / "run.json").is_file():
            run = Run.open(folder)
            digest = None if run.record["holdout"] else run.record["store"]["digest"]
            trained.append(_trained(run, run.record["label"] or folder.name, digest))
        else:
            scored.append(folder)
    table = Table.from_evaluations(scored, size=size) if scored else None
    return Found(table, tuple(trained))


def _known(folder: Path) -> list[Path]:
    found = list(_marked(folder, _DEPTH))
    if found:
        return found
    what = "no such folder" if not folder.is_dir() else "it holds no study, run or evaluation"
    raise UserError(f"{folder}: {what}; name what llmseg compare, ablate, train or evaluate wrote")


def _marked(folder: Path, depth: int) -> Iterator[Path]:
    """Yield the folders that are a study, a run or an evaluation, but not those inside them."""
    if any((folder / mark).is_file() for mark in _MARKS):
        yield folder
    elif depth:
        for inner in sorted(folder.glob("*/")):
            yield from _marked(inner, depth - 1)


def _of_study(study: Study) -> list[Trained]:
    names = study.scores[["pipeline", "variant"]].drop_duplicates()
    contenders = dict(zip(names["variant"], contender_names(names), strict=True))
    digest = study.record["store"]["digest"]
    return [_trained(run, contenders[variant], digest) for variant in study.variants for run in study.runs(variant)]


def _trained(run: Run, contender: str, digest: str | None) -> Trained:
    record = run.record
    return Trained(contender, record["store"]["name"], record["seed"], run, digest)


def _curve(one: Trained) -> Curve:
    history = one.run.history
    own = zoo.get(one.contender).recipe.fit.epochs if one.contender in zoo.all_names() else None
    epochs = one.run.recipe.fit.epochs
    return Curve(
        one.contender,
        one.dataset,
        one.seed,
        history["train_loss"].to_numpy(float),
        history["validation_loss"].to_numpy(float),
        None if own == epochs else own,
    )
