"""Checks of the rows that a table is made of, and reading them from files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from llmseg.errors import UserError, nearest, shorten_list
from llmseg.files import check_text
from llmseg.stats.columns import BASE, COLUMNS, DISTANCES, KEY, NAMES, SHARES
from llmseg.stats.words import CROSS_VALIDATED

_ADVICE = {
    "pipeline": "give it; the scores.csv of a run has the script's own scores: take that of an evaluation or a study",
    "group": "give what cases belong to, as frame.assign(group=frame['case']) where each stands alone",
    "variant": "give it, as fill={'variant': 'base'}",
    "seed": "give it, as fill={'seed': 0}",
    "phase": "give it, as fill={'phase': 'test'}",
}


def take_size(frame: pd.DataFrame, size: str) -> pd.DataFrame:
    """Return the rows of one size, where a frame has the same scores at several.

    Raises:
        UserError: There are several sizes, and this is none of them.
    """
    sizes = frame["size"].unique() if "size" in frame.columns else ()
    if len(sizes) < 2:
        return frame
    if size not in sizes:
        raise UserError(f"no scores of size '{size}'{nearest(size, sizes)}; sizes are {shorten_list(sizes)}")
    kept: pd.DataFrame = frame[frame["size"] == size]
    return kept


def check_frame(
    frame: pd.DataFrame, fill: Mapping[str, str | int], undefined: Sequence[str]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Check rows; return the columns of a table with their types, and remarks on what was left out.

    The arguments are those of :meth:`llmseg.stats.Table.from_frame`.

    Raises:
        UserError: The rows cannot be a table.
    """
    # A shallow copy: new columns do not reach the caller's frame, and the values are not doubled in memory.
    frame = frame.copy(deep=False)
    for name, value in fill.items():
        if name not in frame.columns:
            frame[name] = value
    for name in COLUMNS:
        if name not in frame.columns:
            raise UserError(f"no column '{name}' among {shorten_list(frame.columns)}; {_ADVICE.get(name, 'give it')}")
    if frame.empty:
        raise UserError("the table has no rows; give at least one score")
    if "size" in frame.columns and frame["size"].nunique() > 1:
        sizes = frame["size"].unique()
        raise UserError(
            f"scores at sizes {shorten_list(sizes)} are in one table; keep one, as frame[frame['size'] == '{sizes[0]}']"
        )
    others = [str(name) for name in frame.columns if name not in COLUMNS]
    remarks = (f"columns left out: {shorten_list(others)}",) if others else ()
    frame = frame[list(COLUMNS)].reset_index(drop=True)
    typed = frame.assign(
        **{name: _parse_names(frame[name]) for name in NAMES},
        seed=_parse_seeds(frame["seed"]),
        value=_parse_values(frame["value"]),
    )
    _check_values(typed, undefined)
    _check_rows(typed)
    return typed, remarks


def _parse_names(column: pd.Series) -> pd.Series:
    empty = column.isna() | (column.astype(str).str.strip() == "")
    if empty.any():
        raise UserError(f"{int(empty.sum())} rows have no {column.name}, {_first_row(empty)}; give every row one")
    texts = column.astype(str)
    for name in texts.unique():
        check_text(str(column.name), name)
    return texts


def _parse_seeds(column: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce")
    # Larger ones, and infinity, are no numbers of a training.
    wrong = numbers.isna() | (numbers != numbers.round()) | (numbers.abs() > 2**53)
    if wrong.any() or column.dtype == bool:
        given = column[wrong].iloc[0] if wrong.any() else column.iloc[0]
        raise UserError(f"seed '{given}' is no whole number, {_first_row(wrong)}; number the trainings 0, 1, ...")
    return numbers.astype(np.int64)


def _parse_values(column: pd.Series) -> pd.Series:
    if column.dtype == bool:
        raise UserError("the values are true and false; give scores, which are numbers")
    numbers = pd.to_numeric(column, errors="coerce")
    texts = column.astype(str).str.strip().str.lower()
    wrong = numbers.isna() & column.notna() & ~texts.isin(("", "nan", "na", "none", "null"))
    if wrong.any():
        given = column[wrong].iloc[0]
        raise UserError(
            f"{int(wrong.sum())} values are no numbers, such as '{given}', {_first_row(wrong)}; write 0.87 so"
        )
    return numbers.astype(float)


def _check_values(frame: pd.DataFrame, undefined: Sequence[str]) -> None:
    value, measure = frame["value"], frame["measure"]
    lacking = value.isna() & ~measure.isin(list(undefined))
    if lacking.any():
        which = measure[lacking].iloc[0]
        raise UserError(
            f"{int(lacking.sum())} of {len(frame)} values are no numbers (NaN), such as {which}, {_first_row(lacking)};"
            f" score these cases, or name measures that do not apply to every case, as undefined=['{which}']"
        )
    share, distance = measure.isin(SHARES), measure.isin(DISTANCES)
    outside = np.isinf(value) | (share & ((value < 0) | (value > 1))) | (distance & (value < 0))
    if outside.any():
        row = frame[outside].iloc[0]
        limits = "0 to 1" if row["measure"] in SHARES else "0 and above, and finite"
        raise UserError(
            f"{int(outside.sum())} values lie outside their range, such as {row['measure']} {row['value']:g} of "
            f"{row['pipeline']} on {row['dataset']}, case {row['case']}; allowed is {limits}"
        )


def _check_rows(frame: pd.DataFrame) -> None:
    repeated = frame.duplicated(KEY)
    if repeated.any():
        row = frame[repeated].iloc[0]
        raise UserError(
            f"{int(repeated.sum())} rows stand twice, such as {row['measure']} of {row['pipeline']} ({row['variant']}, "
            f"seed {row['seed']}) on {row['dataset']}, case {row['case']}; keep one of each"
        )
    groups = frame[["dataset", "case", "group"]].drop_duplicates()
    twice = groups.duplicated(["dataset", "case"])
    if twice.any():
        row = groups[twice].iloc[0]
        raise UserError(
            f"case {row['case']} of {row['dataset']} is in group {row['group']} and in another; a case has one group"
        )


def _first_row(wrong: pd.Series) -> str:
    return f"first in row {int(np.argmax(wrong.to_numpy()))}, counted from 0"


def read_csv(path: Path) -> pd.DataFrame:
    """Read a CSV file with all cells as text, so that names such as ``007`` or ``NA`` stay what they are.

    Raises:
        UserError: It cannot be read.
    """
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path} as CSV: {error}; give a file that is one".replace("\n", " ")) from error


def read_evaluations(folders: Sequence[Path], size: str, variants: Mapping[Path, str]) -> list[pd.DataFrame]:
    """Read ``scores.csv`` of evaluations and studies; return what :func:`join_scores` takes.

    The arguments are those of :meth:`llmseg.stats.Table.from_evaluations`.

    Raises:
        UserError: There are no scores.
    """
    if not folders:
        raise UserError("no folders were given; name those that llmseg evaluate has written")
    frames = []
    for folder in folders:
        if not (folder / "scores.csv").is_file():
            if (folder / "collected.json").is_file():
                raise UserError(f"{folder} is a collected study; read it by llmseg.study.read_results")
            raise UserError(f"{folder} holds no scores.csv; make one by llmseg evaluate")
        frame = read_csv(folder / "scores.csv")
        if "size" not in frame.columns or size not in set(frame["size"]):
            raise UserError(f"{folder} has no scores of size '{size}'; sizes are native and working")
        frames.append(frame if "variant" in frame.columns else frame.assign(variant=variants.get(folder, BASE)))
    return frames


def join_scores(frames: Sequence[pd.DataFrame], size: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the rows of a table from scores of cells, and remarks.

    Args:
        frames: As evaluations have them, with the column ``variant``; names, seeds and digests are texts.
        size: The size at which cases were scored.

    Raises:
        UserError: The scores cannot be compared.
    """
    scores = pd.concat(frames, ignore_index=True)
    scores = scores[scores["size"] == size]
    versions = scores["evaluator"].unique()
    if len(versions) > 1:
        raise UserError(
            f"scores are by evaluators {shorten_list(versions)}, whose rules differ; evaluate all again by one"
        )
    divided = [
        f"{dataset}: {CROSS_VALIDATED.format(folds=folds)}"
        for dataset, rows in scores.groupby("dataset", sort=False)
        if (folds := _count_folds(str(dataset), rows)) > 1
    ]
    unseeded = _is_blank(scores["seed"])
    scores = scores.assign(seed=scores["seed"].where(~unseeded, "0"))
    masks = tuple(
        f"masks of {name} came without a seed, which is taken for 0" for name in scores["pipeline"][unseeded].unique()
    )
    own = _is_blank(scores["holdout"])
    remarks = ("scored on each run's own test part, not on cases held out by a manifest",) if own.any() else ()
    return scores[list(COLUMNS)], (*masks, *remarks, *divided)


def _count_folds(dataset: str, scores: pd.DataFrame) -> int:
    """Return on how many held-out test sets the contenders were scored.

    Raises:
        UserError: These are no folds: a case is in two of them, or none of the contenders was scored on all of them.
    """
    if scores["holdout"].nunique() < 2:
        return 1
    scored = scores.groupby(["pipeline", "variant", "seed"])["holdout"].nunique()
    cases = scores[["case", "holdout"]].drop_duplicates()
    # A contender may lack some folds, as it may lack seeds; it is then not ranked.
    none_on_all = scored.max() < scores["holdout"].nunique()
    if none_on_all or cases["case"].duplicated().any() or _is_blank(scores["holdout"]).any():
        raise UserError(
            f"the runs on {dataset} were scored on different held-out cases; evaluate all on one manifest, or on all "
            "folds of one draw"
        )
    return int(cases["holdout"].nunique())


def _is_blank(column: pd.Series) -> pd.Series:
    """Return whether each cell of a column of text says nothing, bool per row."""
    blank: pd.Series = column.str.lower().isin(("", "nan", "none"))
    return blank
