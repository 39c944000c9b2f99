"""An evaluation: a folder with the scores of every case, and how they came about."""

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
        case: Its id.
        group: What it belongs to.
        size: Where it was scored: ``native``, on its image's own grid, or ``working``, on that of the network's output.
        measures: Value of each measure.
        counts: Pixels by agreement.
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
        folder: Holds ``evaluation.json`` (what was scored, on which cases, by which rules, and the means),
            ``scores.csv`` (a row per case, size and measure), ``counts.csv`` (pixels by agreement) and
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
        of the manifest) and ``evaluator`` (its version).
        """
        return pd.read_csv(self.folder / "scores.csv")

    @property
    def means(self) -> pd.DataFrame:
        """Mean of each measure (rows) at each size (columns); cases to which a measure does not apply are left out."""
        means: pd.DataFrame = self.scores.pivot_table("value", "measure", "size", sort=False)
        return means

    def counts(self, size: str = "native") -> tuple[Counts, ...]:
        """Return the pixels by agreement of every case, in the order in which they were scored."""
        frame = pd.read_csv(self.folder / "counts.csv")
        rows = frame.loc[frame["size"] == size, ["tp", "fp", "fn", "tn"]]
        return tuple(Counts(*(int(value) for value in row)) for row in rows.itertuples(index=False))


def write_evaluation(
    folder: Path, scored: Sequence[ScoredCase], facts: Mapping[str, Any], rules: Sequence[Convention]
) -> Evaluation:
    """Write an evaluation; ``evaluation.json`` comes last, so that a folder with it is complete.

    Args:
        folder: Where; an earlier evaluation is replaced.
        scored: All cases at all sizes.
        facts: ``pipeline``, ``seed``, ``dataset``, ``holdout`` and what else ``evaluation.json`` shall say.
        rules: By which the mean Dice is computed again.

    Raises:
        UserError: The disk is full or refuses the folder.
    """
    make_folder(folder)
    (folder / "evaluation.json").unlink(missing_ok=True)
    known = {name: facts[name] for name in ("pipeline", "seed", "dataset")}
    tail = {"holdout": facts["holdout"], "evaluator": EVALUATOR_VERSION}
    places = [{"case": one.case, "group": one.group, "size": one.size} for one in scored]
    rows = [
        {**known, "phase": "test", **place, "measure": measure, "value": value, **tail}
        for one, place in zip(scored, places, strict=True)
        for measure, value in one.measures.items()
    ]
    counts = [{**place, **asdict(one.counts)} for one, place in zip(scored, places, strict=True)]
    native = [one.counts for one in scored if one.size == "native"]
    by_rule = compare_conventions({facts["pipeline"]: native}, rules)
    for name, frame in (("scores", pd.DataFrame(rows)), ("counts", pd.DataFrame(counts)), ("conventions", by_rule)):
        write_text(folder / f"{name}.csv", frame.to_csv(index=False))
    means = Evaluation(folder).means
    summary = {size: means[size].to_dict() for size in means.columns}
    record = {**facts, "evaluator": EVALUATOR_VERSION, "cases": len(native), "means": summary}
    write_text(folder / "evaluation.json", json.dumps(record, indent=2) + "\n")
    return Evaluation(folder)
