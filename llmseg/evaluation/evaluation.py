"""``Evaluation``: a folder with the scores of every case, and how it is written."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from llmseg.errors import UserError
from llmseg.evaluation.conventions import Convention, compare_conventions
from llmseg.evaluation.measures import EVALUATOR_VERSION, Counts
from llmseg.files import (
    check_files,
    check_text,
    clear_leftovers,
    is_older_part,
    make_folder,
    read_json,
    read_json_if_any,
    replace_file,
    write_text,
)
from llmseg.files.fields import Fields
from llmseg.files.tables import Columns, read_table

FILES = ("evaluation.json", "scores.csv", "counts.csv", "conventions.csv")
"""All files of an evaluation."""

SCORE_COLUMNS: Columns = {
    **dict.fromkeys(("pipeline", "seed", "dataset", "phase", "case", "group", "size", "measure"), "any"),
    "value": "number",
}
_COUNT_COLUMNS: Columns = {"case": "any", "size": "any", **dict.fromkeys(("tp", "fp", "fn", "tn"), "whole")}

_BEGUN = ".llmseg-evaluation"

_CASES_AT_A_TIME = 500
"""Rows take twenty times the memory of the text that is written of them."""


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


_RECORD: Fields = {
    **{
        "pipeline": str,
        "dataset": str,
        "store_digest": str,
        "holdout": (str, type(None)),
        "overlap": (str, type(None)),
    },
    **{"evaluator": int, "cases": int, "means": dict, "prepared_as?": (str, type(None))},
}
"""What ``evaluation.json`` says of every evaluation; the last is not in the oldest ones."""


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
        return read_json(self.folder / "evaluation.json", _RECORD)

    @property
    def scores(self) -> pd.DataFrame:
        """One row per case, size and measure.

        The columns are ``pipeline, seed, dataset, phase, case, group, size, measure, value``, ``holdout`` (the digest
        of the held-out test set) and ``evaluator`` (its version).
        """
        return read_table(self.folder / "scores.csv", SCORE_COLUMNS)

    @property
    def means(self) -> pd.DataFrame:
        """The mean of each measure (rows) at each size (columns), without cases to which the measure does not apply."""
        return _average(self.scores)

    def counts(self, size: str = "native") -> tuple[Counts, ...]:
        """Return the counts of every case, in the order in which they were scored."""
        frame = read_table(self.folder / "counts.csv", _COUNT_COLUMNS)
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
    for name in ("pipeline", "dataset"):
        check_text(name, facts[name])
    native = [case.counts for case in scored if case.size == "native"]
    by_rule = compare_conventions({facts["pipeline"]: native}, rules)
    scores = _as_csv(scored, lambda case: _score_rows(case, facts))
    # Of the table as a reader finds it.
    read = [pd.read_csv(io.StringIO(part), usecols=["size", "measure", "value"]) for part in scores]
    means = _average(pd.concat(read, ignore_index=True))
    summary = {size: means[size].to_dict() for size in means.columns}
    record = {**facts, "evaluator": EVALUATOR_VERSION, "cases": len(native), "means": summary}
    texts = {
        "scores.csv": _join(scores),
        "counts.csv": _join(_as_csv(scored, lambda case: [{**_key(case), **asdict(case.counts)}])),
        "conventions.csv": by_rule.to_csv(index=False),
        "evaluation.json": json.dumps(record, indent=2) + "\n",
    }
    _write_all(folder, texts)
    return Evaluation(folder)


def _key(case: ScoredCase) -> dict[str, str]:
    return {"case": case.case, "group": case.group, "size": case.size}


def _score_rows(case: ScoredCase, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    first_columns = {name: facts[name] for name in ("pipeline", "seed", "dataset")}
    last_columns = {"holdout": facts["holdout"], "evaluator": EVALUATOR_VERSION}
    return [
        {**first_columns, "phase": "test", **_key(case), "measure": measure, "value": value, **last_columns}
        for measure, value in case.measures.items()
    ]


def _as_csv(scored: Sequence[ScoredCase], rows: Callable[[ScoredCase], list[dict[str, Any]]]) -> list[str]:
    """Return a table as CSV texts, each with its header: of some cases at a time, for rows take much more memory."""
    parts = (scored[start : start + _CASES_AT_A_TIME] for start in range(0, len(scored), _CASES_AT_A_TIME))
    return [pd.DataFrame([row for case in part for row in rows(case)]).to_csv(index=False) for part in parts]


def _join(parts: Sequence[str]) -> str:
    """Return one CSV text of several with the same header."""
    return "".join(part if not index else part.split("\n", 1)[1] for index, part in enumerate(parts))


def check_free(folder: Path) -> None:
    """See that a folder may become an evaluation: it is not there, is empty, or holds an evaluation and nothing else.

    Raises:
        UserError: It holds something else, or tables that are called like those of an evaluation.
    """
    check_files(folder, "an evaluation", FILES)
    begun = (folder / _BEGUN).exists() or any(is_older_part(path.name, FILES) for path in folder.glob(".*"))
    tables = [name for name in FILES if (folder / name).exists()]
    if tables and not begun and not read_json_if_any(folder / "evaluation.json", ("pipeline", "evaluator")):
        raise UserError(f"{folder} holds {tables[0]}, but no evaluation that llmseg wrote; choose another --out")


def clear_evaluation(folder: Path) -> None:
    """Remove what a killed process left in the folder of a finished evaluation."""
    clear_leftovers(folder, *FILES)
    with suppress(OSError):
        (folder / _BEGUN).unlink(missing_ok=True)


def _write_all(folder: Path, texts: Mapping[str, str]) -> None:
    """Write the files of an evaluation. If the disk is full, an earlier evaluation stays as it was."""
    make_folder(folder)
    # The first file and the last to go. With it, a folder of tables is known as ours if the process is killed.
    write_text(folder / _BEGUN, "llmseg evaluate is writing this folder, or was killed while it did\n")
    clear_leftovers(folder, *FILES)
    with ExitStack() as stack:
        # Temporary files get their names in the opposite order: evaluation.json is the last.
        for name in FILES:
            with stack.enter_context(replace_file(folder / name)).open("w", encoding="utf-8", newline="") as file:
                file.write(texts[name])
                file.flush()
                os.fsync(file.fileno())
        # A folder with evaluation.json is a complete evaluation: old and new tables are never taken for one.
        (folder / "evaluation.json").unlink(missing_ok=True)
    clear_evaluation(folder)


def _average(scores: pd.DataFrame) -> pd.DataFrame:
    means: pd.DataFrame = scores.pivot_table("value", "measure", "size", sort=False)
    return means
