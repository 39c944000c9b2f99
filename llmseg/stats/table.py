"""Scores per case as a tidy table, checked when it is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from llmseg.errors import UserError, nearest
from llmseg.stats.checks import checked, read_csv, read_evaluations
from llmseg.stats.columns import BASE, COLUMNS, UNDEFINED, listed


@dataclass(frozen=True, eq=False)
class Table:
    """Scores per case.

    A pipeline, or one of its variants, is a *contender*: what comparisons compare. Its name is that of the pipeline,
    and behind it that of the variant unless it is ``base`` or, as in studies of several pipelines, the pipeline itself.

    Attributes:
        frame: A row per pipeline, variant, dataset, seed, phase, case and measure, see :data:`COLUMNS`. ``group`` says
            what a case belongs to (a video, a patient); a case that stands alone is its own group.
        remarks: What was left out on the way, a sentence each; every claim from this table repeats them.

    Example:
        >>> frame = pd.DataFrame({"pipeline": ["a", "b"], "dataset": "Skin", "case": "1", "group": "1"})
        >>> rest = {"variant": "base", "seed": 0, "phase": "test", "measure": "dice"}
        >>> table = Table.from_frame(frame.assign(value=[0.8, 0.9]), fill=rest)
        >>> table
        Table(2 rows: 2 contenders, 1 dataset, 1 seed, 1 case, 1 measure)
        >>> table.contenders
        ('a', 'b')
    """

    frame: pd.DataFrame
    remarks: tuple[str, ...] = ()

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, *, fill: Mapping[str, str | int] | None = None, undefined: Iterable[str] = UNDEFINED
    ) -> Table:
        """Check a data frame and make a table of it; the frame itself is left as it is.

        Args:
            frame: With the columns of :data:`COLUMNS`, in any order; further columns are left out, with a remark.
            fill: Values of columns the frame does not have, such as ``{"variant": "base", "seed": 0}``.
            undefined: Measures whose values may be no numbers, because they do not apply to every case.

        Raises:
            UserError: A column or a cell is missing, a row stands twice, a value is no number or lies outside the range
                of its measure, a seed is no whole number, or a case belongs to two groups.
        """
        return cls(*checked(frame, fill or {}, tuple(undefined)))

    @classmethod
    def from_csv(cls, path: str | Path, *, fill: Mapping[str, str | int] | None = None) -> Table:
        """Read a CSV file, see :meth:`from_frame`; names such as ``007`` stay text.

        Raises:
            UserError: The file cannot be read, or its content is refused.
        """
        return cls.from_frame(read_csv(Path(path)), fill=fill)

    @classmethod
    def from_parquet(cls, path: str | Path, *, fill: Mapping[str, str | int] | None = None) -> Table:
        """Read a parquet file, see :meth:`from_frame`.

        Raises:
            UserError: The file cannot be read, or its content is refused.
        """
        try:
            frame = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise UserError(
                f"cannot read {path} as parquet: {error}; give a file that is one".replace("\n", " ")
            ) from error
        return cls.from_frame(frame, fill=fill)

    @classmethod
    def from_evaluations(cls, folders: Iterable[str | Path], *, size: str = "native") -> Table:
        """Read the scores of evaluations, or of studies, as ``llmseg evaluate`` and ``llmseg ablate`` write them.

        Args:
            folders: Folders with a ``scores.csv``.
            size: At which size cases were scored, ``native`` or ``working``.

        Raises:
            UserError: A folder holds no scores, there are none of that size, or scores cannot be compared: other rules
                (evaluator versions) or other held-out cases of the same dataset.
        """
        frame, remarks = read_evaluations([Path(folder) for folder in folders], size)
        table = cls.from_frame(frame)
        return cls(table.frame, (*remarks, *table.remarks))

    def __repr__(self) -> str:
        numbers = {"contender": len(self.contenders)}
        numbers |= {name: self.frame[name].nunique() for name in ("dataset", "seed", "case", "measure")}
        counted = ", ".join(f"{number} {name}{'' if number == 1 else 's'}" for name, number in numbers.items())
        return f"Table({len(self.frame)} rows: {counted})"

    @property
    def contenders(self) -> tuple[str, ...]:
        """What comparisons compare, in the order of the rows."""
        return tuple(contender_names(self.frame).unique())

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets, in the order of the rows."""
        return tuple(self.frame["dataset"].unique())

    def select(self, **wanted: object) -> Table:
        """Keep rows by the values of columns.

        Args:
            wanted: A value, or several, per column: ``table.select(dataset=["Skin", "Brain"], measure="dice")``.

        Raises:
            UserError: There is no such column or value.
        """
        keep = np.ones(len(self.frame), bool)
        for column, given in wanted.items():
            if column not in COLUMNS:
                raise UserError(f"no column '{column}'{nearest(column, COLUMNS)}; columns are {', '.join(COLUMNS)}")
            values = list(given) if isinstance(given, (list, tuple, set, frozenset)) else [given]
            known = self.frame[column].unique()
            for value in values:
                if value not in known:
                    near = nearest(str(value), [str(one) for one in known])
                    raise UserError(f"no {column} '{value}' in the table{near}; it has {listed(known)}")
            keep &= self.frame[column].isin(values).to_numpy()
        if not keep.any():
            raise UserError(f"no row has all of {dict(wanted)}; choose a combination that the table has")
        return Table(self.frame[keep].reset_index(drop=True), self.remarks)

    def missing(self, measure: str = "dice", *, phase: str = "test") -> pd.DataFrame:
        """Return the cells that are not there or hold no number.

        In every dataset each contender should have a value for each of its cases with each of its seeds.

        Returns:
            A row per missing cell: ``contender, dataset, seed, case``.

        Raises:
            UserError: There is no such measure or phase.
        """
        chosen = self.select(measure=measure, phase=phase).frame
        chosen = chosen.assign(contender=contender_names(chosen))
        names = ["contender", "dataset", "seed", "case"]
        datasets = chosen.groupby("dataset", sort=False, observed=True)
        wanted = [
            pd.MultiIndex.from_product(
                [chosen["contender"].unique(), [dataset], part["seed"].unique(), part["case"].unique()], names=names
            )
            for dataset, part in datasets
        ]
        there = pd.MultiIndex.from_frame(chosen.loc[chosen["value"].notna(), names])
        absent = wanted[0].append(wanted[1:]).difference(there, sort=False)
        frame: pd.DataFrame = absent.to_frame(index=False)
        return frame

    def complete(self, measure: str = "dice", *, phase: str = "test") -> Table:
        """Keep the cases that every contender has with every seed, for one measure; remarks say what was left out.

        Raises:
            UserError: No case is left.
        """
        chosen = self.select(measure=measure, phase=phase)
        absent = chosen.missing(measure, phase=phase)[["dataset", "case"]].drop_duplicates()
        cases = pd.MultiIndex.from_frame(chosen.frame[["dataset", "case"]])
        keep = ~cases.isin(pd.MultiIndex.from_frame(absent))
        if not keep.any():
            raise UserError(
                f"no case has a {measure} of every contender with every seed; see missing(), select() fewer"
            )
        total = chosen.frame.groupby("dataset", observed=True)["case"].nunique()
        remarks = [
            f"{number} of {total[dataset]} cases of {dataset} left out: not every contender and seed has a {measure}"
            for dataset, number in absent.groupby("dataset", sort=False, observed=True).size().items()
        ]
        return Table(chosen.frame[keep].reset_index(drop=True), (*self.remarks, *remarks))


def contender_names(frame: pd.DataFrame) -> pd.Series:
    """Return the contender of every row, see :class:`Table`."""
    pipeline = frame["pipeline"].astype(str)
    variant = frame["variant"].astype(str)
    names: pd.Series = pipeline.where((variant == BASE) | (variant == pipeline), pipeline + " " + variant)
    return names
