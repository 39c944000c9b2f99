"""A study on disk: its runs, and its scores compared case by case."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from llmseg.errors import UserError, nearest
from llmseg.evaluation.evaluation import SCORE_COLUMNS, Evaluation
from llmseg.files import write_text
from llmseg.files.html import MOST_ROWS, facts_html, list_html, table_html
from llmseg.files.tables import read_table
from llmseg.stats.columns import sign
from llmseg.stats.words import count_text, sentence
from llmseg.study.launching.cells import Cell, list_finished
from llmseg.study.launching.failures import Failure, read_failures
from llmseg.study.pairing import average_scores, compare_with_base, pair_scores
from llmseg.study.record import PRIMARY, is_study, list_cells, read_record
from llmseg.study.scores import choose_comparable, describe_state, join_scores, parse_scores
from llmseg.study.verdicts import find_secondary_verdicts, find_verdicts
from llmseg.training.run import Run

BESIDE = "beside"
"""Folder in a study's folder, for contenders that were not trained as a recipe, such as nnU-Net."""


@dataclass(frozen=True)
class Study:
    """A study on disk.

    Attributes:
        folder: Holds ``study.json`` and a folder for every cell that is finished, with its run and its evaluation;
            ``scores.csv``, a row per case, seed, variant and measure; ``failures``, if some variants failed. A finished
            study also has ``differences.csv``. What other contenders got on the same cases lies in ``beside``.

    A study that is not finished can be read, too. It then compares the variants and seeds of which all cells are there,
    see :attr:`compared`.

    Example:
        >>> Study.open("ablations/gpt-o3").differences()  # doctest: +SKIP
    """

    folder: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", Path(self.folder))  # a text is taken, too

    @classmethod
    def open(cls, folder: str | Path) -> Study:
        """Open a study, finished or not.

        Raises:
            UserError: The folder holds none.
        """
        if not is_study(Path(folder)):
            raise UserError(f"{folder} holds no study; run llmseg ablate or llmseg compare")
        return cls(Path(folder))

    def _repr_html_(self) -> str:
        facts = {"dataset": self.record["store"]["name"], "folder": str(self.folder)}
        title = facts_html(f"Study of {count_text(len(self.variants), 'recipe')}", facts)
        remarks = list_html(map(sentence, self.remarks))
        if not self.compared:
            return f"{title}{remarks}<p>No cell is finished yet.</p>"
        first, *others = [(name, self.means(name).set_index("variant")) for name in self.measures]
        means = first[1].sort_values("mean", ascending=sign(first[0]) < 0, kind="stable")
        rows = [
            (
                name,
                f"{row['mean']:.3f}",
                f"{row['low']:.3f} to {row['high']:.3f}" if math.isfinite(row["low"] + row["high"]) else "not known",
                *(f"{table.loc[name, 'mean']:.3f}" for _, table in others),
                f"{row['seeds']:.0f}",
            )
            for name, row in means.iterrows()
        ]
        head = ("recipe", f"mean {first[0]}", "95 % interval", *(f"mean {name}" for name, _ in others), "seeds")
        return title + table_html(head, rows, MOST_ROWS) + remarks

    @property
    def record(self) -> dict[str, Any]:
        """The content of ``study.json``."""
        return read_record(self.folder)

    @property
    def is_finished(self) -> bool:
        """Whether all cells are finished, and the tables written."""
        return (self.folder / "differences.csv").is_file()

    @property
    def folds(self) -> int:
        """Number of folds of a cross-validation; 1 if the test cases were held out once."""
        return len(self.record.get("folds", ())) or 1

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures in which variants are compared, as they were named when the study began; the primary first."""
        return tuple(self.record.get("measures", (PRIMARY,)))

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, finished or not, those of the base first; without variants that failed and were left out."""
        return list_cells(self.folder)

    @property
    def compared(self) -> tuple[Cell, ...]:
        """The cells whose scores are compared: all, or of an unfinished study the same seeds of every variant."""
        return self.cells if self.is_finished else choose_comparable(self._list_finished())

    def _list_finished(self) -> tuple[Cell, ...]:
        return tuple(list_finished(self.cells))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader of its scores has to know: how many cells are finished, and what was left out."""
        remarks = [f"left out: {failure}" for failure in self.failures]
        if not self.is_finished:
            dataset, finished = self.record["store"]["name"], len(self._list_finished())
            remarks.insert(0, describe_state(dataset, len(self.cells), finished, self.compared, self.folds))
        return tuple(remarks)

    @property
    def scores(self) -> pd.DataFrame:
        """One row per case, seed, variant, size and measure, of all cells that are finished."""
        if self.is_finished:
            return read_table(self.folder / "scores.csv", {**SCORE_COLUMNS, "variant": "any"})
        return parse_scores(join_scores(self._list_finished()))

    def write_tables(self) -> None:
        """Write ``scores.csv`` from the cells that are finished and, if these are all, ``differences.csv``.

        Several launchers may do so at once: whoever finds that another cell was finished meanwhile writes again.

        Raises:
            UserError: The disk is full or refuses a file, or cells were scored by different versions of the evaluator.
        """
        written: tuple[Cell, ...] = ()
        while written != (finished := self._list_finished()):
            text = join_scores(finished)
            versions = parse_scores(text)["evaluator"].unique()
            if len(versions) > 1:
                shown = f"holds an evaluation with another evaluator ({', '.join(map(str, versions))})"
                raise UserError(f"{self.folder} {shown}; remove the cells of the older one")
            write_text(self.folder / "scores.csv", text)
            if len(finished) == len(self.cells):
                # Last, because this file says that the study is finished.
                write_text(self.folder / "differences.csv", self.all_differences().to_csv(index=False))
            written = finished

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the recipes that are compared, that of the base first; without those that were left out."""
        return tuple(dict.fromkeys(cell.variant for cell in self.compared))

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Why recipes were left out."""
        return tuple(failure for failure in read_failures(self.folder) if failure.kind != "killed")

    def runs(self, variant: str) -> tuple[Run, ...]:
        """Return the finished trainings of a recipe, one per seed and fold.

        Raises:
            UserError: The study has no such recipe.
        """
        names = dict.fromkeys(cell.variant for cell in self.cells)
        if variant not in names:
            raise UserError(f"no recipe '{variant}'{nearest(variant, names)} in {self.folder}")
        finished = (cell for cell in self._list_finished() if cell.variant == variant)
        return tuple(Run.open(cell.folder / "run") for cell in finished)

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
        if not self.compared:
            raise UserError(f"no cell of {self.folder} is finished yet; wait for one, see llmseg status")
        # The table of an unfinished study has cells that cannot be compared yet.
        chosen = self.scores if self.is_finished else parse_scores(join_scores(self.compared))
        ordered: pd.DataFrame = pair_scores(chosen, measure, size)[list(self.variants)]
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
        return average_scores(self.paired(measure, size), measure, level)

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
                tables.append(average_scores(pair_scores(scores, measure, size), measure, level))
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
            ``mean`` are the mean scores of the base and of the variant, and ``p, p_corrected, verdict`` of
            :func:`llmseg.study.verdicts.find_verdicts`. An interval is that of its difference alone; ``p_corrected``
            and ``verdict`` are corrected for all pairs of recipes. A cross-validation also has ``low_folds`` and
            ``high_folds``, the interval of :func:`llmseg.stats.fold_interval`, which counts what trainings on other
            cases would change.

        Raises:
            UserError: As for :meth:`paired`.
        """
        wide = self.paired(measure, size)
        table = compare_with_base(wide, measure, level, self._find_folds(), self.folds)
        judged: pd.DataFrame = table.merge(find_verdicts(wide, measure, 1 - level), on="variant", how="left")
        return judged

    def all_differences(self, size: str = "native", level: float = 0.95) -> pd.DataFrame:
        """Compare every variant with the base in all measures of the study, as ``differences.csv`` has it.

        Args:
            size: As for :meth:`paired`.
            level: As for :meth:`differences`.

        Returns:
            The rows of :meth:`differences` of the primary measure. If the study has several measures, these of the
            others follow, and there are the columns ``measure`` and ``role`` (``primary`` or ``secondary``). All
            comparisons in secondary measures are corrected together, see :func:`llmseg.stats.compare_secondary`.

        Raises:
            UserError: As for :meth:`paired`.
        """
        primary, *others = self.measures
        first = self.differences(primary, size, level)
        if not others:
            return first
        paired = {measure: self.paired(measure, size) for measure in others}
        judged = find_secondary_verdicts(paired, 1 - level)
        tables = [first.assign(measure=primary, role="primary")]
        for measure, wide in paired.items():
            table = compare_with_base(wide, measure, level, self._find_folds(), self.folds)
            merged = table.merge(judged[measure], on="variant", how="left")
            tables.append(merged.assign(measure=measure, role="secondary"))
        whole: pd.DataFrame = pd.concat(tables, ignore_index=True)
        return whole

    def _find_folds(self) -> dict[str, str] | None:
        """Return the fold of every case, by the digest of its test cases; ``None`` without folds."""
        if self.folds == 1:
            return None
        rows = self.scores[["case", "holdout"]].drop_duplicates()
        return dict(zip(rows["case"], rows["holdout"], strict=True))
