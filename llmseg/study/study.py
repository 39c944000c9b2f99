"""A study on disk: its runs, and its scores compared case by case."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from llmseg.errors import UserError, nearest
from llmseg.evaluation.evaluation import Evaluation
from llmseg.files import clean_name, read_json
from llmseg.stats.columns import SHARES
from llmseg.stats.intervals import Law, mean_interval
from llmseg.study.failures import Failure, read_failures
from llmseg.training.run import Run

RECORD_KEYS = {
    **{"label": (str, type(None)), "variants": dict, "store": dict, "store.name": str, "store.digest": str},
    **dict.fromkeys(("holdout", "epochs", "seeds"), object),
}
"""What every ``study.json`` says; ``tolerance`` and ``precision`` are not in the oldest ones."""

BESIDE = "beside"
"""Folder in a study's folder, for contenders that were not trained as a recipe, such as nnU-Net."""


@dataclass(frozen=True)
class Study:
    """A study on disk.

    Attributes:
        folder: Holds ``study.json`` and a folder per variant and seed, with its run and its evaluation. A finished
            study also has ``scores.csv`` (a row per case, seed, variant and measure) and ``differences.csv``. What
            other contenders got on the same cases lies in ``beside``.

    Example:
        >>> Study.open("ablations/gpt-o3").differences()  # doctest: +SKIP
    """

    folder: Path

    @classmethod
    def open(cls, folder: str | Path) -> Study:
        """Open a finished study.

        Raises:
            UserError: The folder holds none.
        """
        if not all((Path(folder) / name).is_file() for name in ("study.json", "differences.csv")):
            raise UserError(f"{folder} holds no finished study; run llmseg ablate, again if it was interrupted")
        return cls(Path(folder))

    @property
    def record(self) -> dict[str, Any]:
        """The content of ``study.json``."""
        return read_json(self.folder / "study.json", RECORD_KEYS)

    @property
    def scores(self) -> pd.DataFrame:
        """One row per case, seed, variant, size and measure."""
        return pd.read_csv(self.folder / "scores.csv")

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the recipes, that of the base first; without those that failed and were left out."""
        failed = {failure.variant for failure in self.failures}
        return tuple(name for name in self.record["variants"] if name not in failed)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Why recipes were left out."""
        return read_failures(self.folder)

    def runs(self, variant: str) -> tuple[Run, ...]:
        """Return the trainings of a recipe, one per seed.

        Raises:
            UserError: The study has no such recipe.
        """
        if variant not in self.variants:
            raise UserError(f"no recipe '{variant}'{nearest(variant, self.variants)} in {self.folder}")
        facts = self.record
        cells = (cell_folder(self.folder, variant, facts["variants"][variant], seed) for seed in range(facts["seeds"]))
        return tuple(Run.open(cell / "run") for cell in cells)

    @property
    def beside(self) -> tuple[Evaluation, ...]:
        """The evaluations of contenders that were not trained as a recipe; see :func:`llmseg.nnunet.run_beside`."""
        records = sorted((self.folder / BESIDE).rglob("evaluation.json"))
        return tuple(Evaluation.open(record.parent) for record in records)

    def paired(self, measure: str = "dice", size: str = "native") -> pd.DataFrame:
        """Return a row per ``case``, ``group`` and ``seed`` (the index) and a column per recipe, the base first.

        Cases to which the measure does not apply in some recipe or seed are left out.

        Args:
            measure: One of :data:`llmseg.evaluation.measures.MEASURES`.
            size: ``native`` or ``working``.

        Raises:
            UserError: There is no such measure or size.
        """
        ordered: pd.DataFrame = _pair(self.scores, measure, size)[list(self.variants)]
        return ordered

    def means(self, measure: str = "dice", size: str = "native", level: float = 0.95) -> pd.DataFrame:
        """Return the mean score of every recipe.

        Args:
            measure: As for :meth:`paired`.
            size: As for :meth:`paired`.
            level: Level of the intervals, which are those of :func:`llmseg.stats.mean_interval`: ``bounded`` for a
                measure between 0 and 1, ``bootstrap`` for others.

        Returns:
            A row per recipe: ``variant, mean, low, high, level, groups, seeds`` and ``seed_sd``, the sample standard
            deviation of the means of its seeds; not-a-number for one seed.

        Raises:
            UserError: As for :meth:`paired`.
        """
        return _average(self.paired(measure, size), measure, level)

    def means_beside(self, measure: str = "dice", size: str = "native", level: float = 0.95) -> pd.DataFrame:
        """Return the mean score of every contender beside the recipes, in the columns of :meth:`means`.

        Args:
            measure: As for :meth:`paired`.
            size: As for :meth:`paired`. Masks from elsewhere have only the ``native`` size.
            level: As for :meth:`means`.
        """
        frames: dict[str, list[pd.DataFrame]] = {}
        for evaluation in self.beside:
            frames.setdefault(evaluation.record["pipeline"], []).append(evaluation.scores)
        tables = []
        for name, own in frames.items():
            scores = pd.concat(own).assign(variant=name)
            if size in set(scores["size"]):
                tables.append(_average(_pair(scores, measure, size), measure, level))
        table: pd.DataFrame = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
        return table

    def differences(self, measure: str = "dice", size: str = "native", level: float = 0.95) -> pd.DataFrame:
        """Compare every variant with the base, case by case and seed by seed.

        Args:
            measure: As for :meth:`paired`.
            size: As for :meth:`paired`.
            level: Level of the intervals: Student's of :func:`llmseg.stats.intervals.mean_interval`, cut to what a
                difference of the measure can be.

        Returns:
            A row per variant: ``variant, base, mean, difference, low, high, level, groups, seeds``, where ``base`` and
            ``mean`` are the mean scores of the base and of the variant.

        Raises:
            UserError: As for :meth:`paired`.
        """
        wide = self.paired(measure, size)
        base, *others = wide.columns
        columns = ["variant", "base", "mean", "difference", "low", "high", "level", "groups", "seeds"]
        table: pd.DataFrame = pd.DataFrame([_compare(wide, base, name, level) for name in others], columns=columns)
        if measure in SHARES:
            table[["low", "high"]] = table[["low", "high"]].clip(-1, 1)
        return table


def _pair(scores: pd.DataFrame, measure: str, size: str) -> pd.DataFrame:
    """Return a row per case, group and seed, a column per variant; without cases that lack a value somewhere."""
    chosen = scores[(scores["measure"] == measure) & (scores["size"] == size)]
    if chosen.empty:
        measures = ", ".join(scores["measure"].unique())
        raise UserError(f"no measure '{measure}' at size '{size}'; measures are {measures}, sizes native and working")
    wide = chosen.pivot(index=["case", "group", "seed"], columns="variant", values="value")
    everywhere = wide.notna().all(axis=1).groupby(["case", "group"]).transform("all")
    kept: pd.DataFrame = wide.loc[everywhere]
    return kept


def _average(wide: pd.DataFrame, measure: str, level: float) -> pd.DataFrame:
    law: Law = "bounded" if measure in SHARES else "bootstrap"
    rows = [
        {
            "variant": name,
            **asdict(mean_interval(_as_rows(wide[name]), level=level, law=law)),
            "seed_sd": float(sd),
        }
        for name, sd in wide.groupby("seed").mean().std().items()
    ]
    table: pd.DataFrame = pd.DataFrame(rows)
    return table


def _compare(wide: pd.DataFrame, base: str, name: str, level: float) -> dict[str, Any]:
    interval = asdict(mean_interval(_as_rows(wide[name] - wide[base]), level=level))
    means = {"base": float(wide[base].mean()), "mean": float(wide[name].mean()), "difference": interval.pop("mean")}
    return {"variant": name, **means, **interval}


def _as_rows(column: pd.Series) -> pd.DataFrame:
    values: pd.DataFrame = column.rename("value").reset_index()
    return values


def cell_folder(folder: Path, variant: str, digest: str, seed: int) -> Path:
    """Return the folder of a variant and seed; letters that some file systems refuse become underscores."""
    return folder / f"{clean_name(variant, also='-_.=')}-{digest[:6]}-seed{seed}"
