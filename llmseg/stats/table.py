"""Scores per case as a tidy table, checked when it is made."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

from llmseg.errors import UserError, nearest, shorten_list
from llmseg.files import as_list
from llmseg.files.cells import unguard_cell
from llmseg.files.html import MOST_ROWS, list_html, table_html
from llmseg.stats.checks import check_frame, join_scores, read_csv, read_evaluations, take_size
from llmseg.stats.columns import BASE, COLUMNS, UNDEFINED
from llmseg.stats.words import count_text, sentence


@dataclass(frozen=True, eq=False)
class Table:
    """Scores per case.

    Comparisons compare *contenders*: pipelines and their variants. The name of a contender is that of the pipeline,
    followed by that of the variant. The second is left out where it is ``base`` or, as in studies of several
    pipelines, the name of the pipeline itself.

    Attributes:
        frame: A row per pipeline, variant, dataset, seed, phase, case and measure, see :data:`COLUMNS`. ``group`` says
            what a case belongs to (a video, a patient); a case that stands alone is its own group.
        remarks: What was left out on the way, a sentence each. Every claim from this table repeats them.

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
            frame: Rows with the columns of :data:`COLUMNS`, in any order; further columns are left out, with a remark.
            fill: Values of columns that the frame does not have, such as ``{"variant": "base", "seed": 0}``.
            undefined: Measures whose values may be NaN, because they do not apply to every case.

        Raises:
            UserError: A column or a name is missing, a row stands twice, a value is not a number or lies outside the
                range of its measure, a seed is not a whole number, or a case belongs to two groups.
        """
        return cls(*check_frame(frame, fill or {}, tuple(undefined)))

    @classmethod
    def from_csv(cls, path: str | Path, *, fill: Mapping[str, str | int] | None = None, size: str = "native") -> Table:
        """Read a CSV file; names such as ``007`` stay text.

        A report writes an apostrophe before names that a spreadsheet would take for formulas, such as ``'=1+1``; it is
        taken off again.

        Args:
            path: The file, such as a ``scores.csv`` of an evaluation or a study.
            fill: As for :meth:`from_frame`.
            size: The size at which cases were scored, where the file has several: ``native`` or ``working``.

        Raises:
            UserError: The file cannot be read, or its content is refused.
        """
        frame = read_csv(Path(path))
        for name, column in frame.items():
            if column.str.startswith("'").any():
                frame[name] = column.map(unguard_cell)
        return cls.from_frame(take_size(frame, size), fill=fill)

    @classmethod
    def from_parquet(
        cls, path: str | Path, *, fill: Mapping[str, str | int] | None = None, size: str = "native"
    ) -> Table:
        """Read a parquet file.

        Args:
            path: The file.
            fill: As for :meth:`from_frame`.
            size: As for :meth:`from_csv`.

        Raises:
            UserError: The file cannot be read, or its content is refused.
        """
        try:
            frame = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise UserError(
                f"cannot read {path} as parquet: {error}; give a file that is one".replace("\n", " ")
            ) from error
        return cls.from_frame(take_size(frame, size), fill=fill)

    @classmethod
    def from_evaluations(
        cls,
        folders: str | Path | Iterable[str | Path],
        *,
        size: str = "native",
        variants: Mapping[Path, str] | None = None,
    ) -> Table:
        """Read the scores of evaluations, or of studies, as ``llmseg evaluate`` and ``llmseg ablate`` write them.

        Args:
            folders: Folders with a ``scores.csv``.
            size: The size at which cases were scored, ``native`` or ``working``.
            variants: Name of the variant that was evaluated, for folders of single cells of a study.

        Raises:
            UserError: A folder holds no scores, there are none of that size, or scores cannot be compared: they were
                computed by other rules (evaluator versions), or on other held-out cases of the same dataset.
        """
        given = [Path(folder) for folder in as_list(folders)]
        return cls.from_scores(read_evaluations(given, size, variants or {}), size=size)

    @classmethod
    def from_scores(cls, frames: Sequence[pd.DataFrame], *, size: str = "native") -> Table:
        """Make a table of scores as evaluations and collected studies have them.

        Args:
            frames: Rows with the columns of :data:`COLUMNS`, and ``size``, ``holdout`` and ``evaluator``; all but the
                values are texts.
            size: The size at which cases were scored, ``native`` or ``working``.

        Raises:
            UserError: As :meth:`from_evaluations`.
        """
        scores, remarks = join_scores(frames, size)
        table = cls.from_frame(scores)
        return cls(table.frame, (*remarks, *table.remarks))

    def __repr__(self) -> str:
        counts = {"contender": len(self.contenders)}
        counts |= {name: self.frame[name].nunique() for name in ("dataset", "seed", "case", "measure")}
        words = ", ".join(count_text(count, name) for name, count in counts.items())
        return f"Table({len(self.frame)} rows: {words})"

    def _repr_html_(self) -> str:
        measure = self.frame["measure"].iloc[0]
        chosen = self.frame[self.frame["measure"] == measure].assign(contender=contender_names)
        means = chosen.groupby(["contender", "dataset"], sort=False, observed=True)["value"].mean().unstack("dataset")
        rows = [
            (str(name), *(f"{value:.3f}" if math.isfinite(value) else "-" for value in row))
            for name, row in zip(means.index, means.to_numpy(), strict=True)
        ]
        head = ("contender", *map(str, means.columns))
        what = f"<p>{escape(repr(self))}; below, the mean {escape(str(measure))} of the scores on each dataset.</p>"
        return what + table_html(head, rows, MOST_ROWS) + list_html(map(sentence, self.remarks))

    @property
    def contenders(self) -> tuple[str, ...]:
        """Names of the contenders, in the order of the rows."""
        return tuple(contender_names(self.frame).unique())

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the datasets, in the order of the rows."""
        return tuple(self.frame["dataset"].unique())

    def select(self, **wanted: object) -> Table:
        """Keep rows by the values of columns.

        Args:
            wanted: A value, or several, per column: ``table.select(dataset=["Skin", "Brain"], measure="dice")``.

        Raises:
            UserError: There is no such column or value, or no row has all of the values.

        Example:
            >>> from llmseg.stats import simulate
            >>> simulate(datasets=2).select(dataset="dataset-1").datasets
            ('dataset-1',)
        """
        keep = np.ones(len(self.frame), bool)
        for column, given in wanted.items():
            if column not in COLUMNS:
                raise UserError(f"no column '{column}'{nearest(column, COLUMNS)}; columns are {', '.join(COLUMNS)}")
            values = list(given) if isinstance(given, (list, tuple, set, frozenset)) else [given]
            present = self.frame[column].unique()
            for value in values:
                if value not in present:
                    near = nearest(str(value), [str(name) for name in present])
                    raise UserError(f"no {column} '{value}' in the table{near}; it has {shorten_list(present)}")
            keep &= self.frame[column].isin(values).to_numpy()
        if not keep.any():
            raise UserError(f"no row has all of {dict(wanted)}; choose a combination that the table has")
        return Table(self.frame[keep].reset_index(drop=True), self.remarks)

    def missing(self, measure: str = "dice", *, phase: str = "test") -> pd.DataFrame:
        """Return the scores that are missing or not a number.

        Within a dataset, each contender should have a score on every case with every seed that any contender has there.

        Args:
            measure: Which measure.
            phase: Which phase.

        Returns:
            A row per missing score: ``contender, dataset, seed, case``.

        Raises:
            UserError: There is no such measure or phase.

        Example:
            >>> from llmseg.stats import simulate
            >>> frame = simulate(pipelines=2, datasets=1, seeds=1, cases=3).frame
            >>> Table(frame.drop(index=4)).missing().values.tolist()
            [['llm-02', 'dataset-1', 0, 'case-02']]
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
        """Keep the cases on which every contender has a score with every seed, for one measure.

        Args:
            measure: Which measure.
            phase: Which phase.

        Returns:
            A table of that measure and phase; its remarks say how many cases were left out.

        Raises:
            UserError: There is no such measure or phase, or no case is left.

        Example:
            >>> from llmseg.stats import simulate
            >>> frame = simulate(pipelines=2, datasets=1, seeds=1, cases=3).frame
            >>> Table(frame.drop(index=4)).complete().remarks
            ('1 of 3 cases of dataset-1 left out: not every contender and seed has a dice',)
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
            f"{count} of {total[dataset]} cases of {dataset} left out: not every contender and seed has a {measure}"
            for dataset, count in absent.groupby("dataset", sort=False, observed=True).size().items()
        ]
        return Table(chosen.frame[keep].reset_index(drop=True), (*self.remarks, *remarks))


def contender_names(frame: pd.DataFrame) -> pd.Series:
    """Return the name of the contender of every row, see :class:`Table`.

    Example:
        >>> rows = pd.DataFrame({"pipeline": "gpt-4o", "variant": ["base", "gpt-4o", "loss.dice=0.0"]})
        >>> contender_names(rows).tolist()
        ['gpt-4o', 'gpt-4o', 'gpt-4o loss.dice=0.0']
    """
    pipeline = frame["pipeline"].astype(str)
    variant = frame["variant"].astype(str)
    names: pd.Series = pipeline.where((variant == BASE) | (variant == pipeline), pipeline + " " + variant)
    return names
