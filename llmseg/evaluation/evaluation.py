"""``Evaluation``: a folder with the scores of every case, and how it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from llmseg.errors import UserError
from llmseg.evaluation.conventions import Convention, compare_conventions
from llmseg.evaluation.measures import EVALUATOR_VERSION, Counts
from llmseg.files import make_folder, read_json, write_text

FILES = ("evaluation.json", "scores.csv", "counts.csv", "conventions.csv")
"""All files of an evaluation."""


@dataclass(frozen=True)
class ScoredCase:
    """The scores of a case at one size.

    Attributes:
        case: Id of the case.
        group: Its group, such as the patient.
        size: ``native`` for the height and width of its image, ``working`` for those of the network's output.
        measures: The value of each measure.
        counts: The pixels that prediction and reference agree or disagree on.
    """

    case: str
    group: str
    size: str
    measures: Mapping[str, float]
    counts: Counts


@dataclass(frozen=True)
class Evaluation:
    """An evaluation on disk.

    Attributes:
        folder: Holds ``evaluation.json`` (what was scored, on which cases, how, and the means), ``scores.csv`` (a row
            per case, size and measure), ``counts.csv`` (true and false positives and negatives of each case) and
            ``conventions.csv`` (the mean Dice of the same masks by the rules of others).

    Example:
        >>> evaluation = Evaluation.open("evaluated/gpt-4")  # doctest: +SKIP
        >>> evaluation.means.loc["dice", "native"]  # doctest: +SKIP
        0.83
    """

    folder: Path

    @classmethod
    def open(cls, folder: str | Path) -> Evaluation:
        """Open the folder of an evaluation.

        Raises:
            UserError: It holds none.
        """
        if not (Path(folder) / "evaluation.json").is_file():
            raise UserError(f"{folder} holds no evaluation; make one by llmseg evaluate")
        return cls(Path(folder))

    @property
    def record(self) -> dict[str, Any]:
        """The content of ``evaluation.json``."""
        return read_json(self.folder / "evaluation.json")

    @property
    def scores(self) -> pd.DataFrame:
        """One row per case, size and measure.

        The columns are ``pipeline, seed, dataset, phase, case, group, size, measure, value``, ``holdout`` (the digest
        of the held-out test set) and ``evaluator`` (its version).
        """
        return pd.read_csv(self.folder / "scores.csv")

    @property
    def means(self) -> pd.DataFrame:
        """The mean of each measure (rows) at each size (columns), without cases to which the measure does not apply."""
        means: pd.DataFrame = self.scores.pivot_table("value", "measure", "size", sort=False)
        return means

    def counts(self, size: str = "native") -> tuple[Counts, ...]:
        """Return the counts of every case, in the order in which they were scored."""
        frame = pd.read_csv(self.folder / "counts.csv")
        rows = frame.loc[frame["size"] == size, ["tp", "fp", "fn", "tn"]]
        return tuple(Counts(*(int(value) for value in row)) for row in rows.itertuples(index=False))


def write_evaluation(
    folder: Path, scored: Sequence[ScoredCase], facts: Mapping[str, Any], rules: Sequence[Convention]
) -> Evaluation:
    """Write the folder of an evaluation.

    Args:
        folder: The folder; an earlier evaluation in it is replaced.
        scored: The scores of all cases at all sizes.
        facts: What ``evaluation.json`` says besides the means; ``pipeline``, ``seed``, ``dataset`` and ``holdout`` are
            columns of the scores, too.
        rules: The rules by which the mean Dice is taken again, for ``conventions.csv``.

    Raises:
        UserError: The disk is full or refuses the folder.
    """
    make_folder(folder)
    # A folder with evaluation.json is a complete evaluation. So the file goes first and comes back last: whatever
    # happens in between, old and new tables are never taken for one evaluation.
    (folder / "evaluation.json").unlink(missing_ok=True)
    first_columns = {name: facts[name] for name in ("pipeline", "seed", "dataset")}
    last_columns = {"holdout": facts["holdout"], "evaluator": EVALUATOR_VERSION}
    keys = [{"case": case.case, "group": case.group, "size": case.size} for case in scored]
    rows = [
        {**first_columns, "phase": "test", **key, "measure": measure, "value": value, **last_columns}
        for case, key in zip(scored, keys, strict=True)
        for measure, value in case.measures.items()
    ]
    counts = [{**key, **asdict(case.counts)} for case, key in zip(scored, keys, strict=True)]
    native = [case.counts for case in scored if case.size == "native"]
    by_rule = compare_conventions({facts["pipeline"]: native}, rules)
    for name, frame in (("scores", pd.DataFrame(rows)), ("counts", pd.DataFrame(counts)), ("conventions", by_rule)):
        write_text(folder / f"{name}.csv", frame.to_csv(index=False))
    means = Evaluation(folder).means  # of the table as a reader finds it
    summary = {size: means[size].to_dict() for size in means.columns}
    record = {**facts, "evaluator": EVALUATOR_VERSION, "cases": len(native), "means": summary}
    write_text(folder / "evaluation.json", json.dumps(record, indent=2) + "\n")
    return Evaluation(folder)
