"""Errors in code that language models wrote: the phase in which each came up, and what was wrong."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from llmseg.errors import UserError, nearest
from llmseg.stats import published

ERROR_PHASES = {
    "import": "a name that is used is not imported or not installed",
    "dataset": "files are listed and read, cases are made into batches",
    "model": "the network is built, summarised or called for the first time",
    "train": "a training step: loss, gradients, optimiser",
    "validation": "the validation after an epoch",
    "test": "the test after training",
    "save": "losses, scores, weights and tables are written",
    "plot": "curves and predictions are drawn",
}
"""What a pipeline was doing when an error came up, in the order in which it does it."""

ERROR_CATEGORIES = {
    "missing import": "a name is used and nothing imports it",
    "shape mismatch": "two arrays do not fit: sizes of images, channels, lengths",
    "wrong API use": "a function or method is called in a way that it does not know",
    "dtype": "a value is of another type than what is done with it needs",
    "device placement": "one part is on the GPU and another on the CPU",
    "path/naming": "a file is looked for under a name that it does not have",
    "other": "anything else, and requirements that were missed without an exception",
}
"""What was wrong."""

ERROR_SETS = {
    "core": "the nineteen models of the study",
    "extra": "models that were tried beside the nineteen",
    "run-to-run": "ten further answers each of two models to the same prompt",
}
"""The sets of errors that the study published."""

_COLUMNS = ("model", "phase", "exception", "category", "description")


def published_errors(which: str = "core") -> pd.DataFrame:
    """Return the errors that the study tracked, one row each.

    Args:
        which: One of :data:`ERROR_SETS`.

    Returns:
        The columns ``model, run, phase, exception, category, description``. ``run`` is the number of the answer, as a
        text that is empty where there is one only. Models without errors have no row.

    Raises:
        UserError: There is no such set.

    Example:
        >>> errors = published_errors()
        >>> len(errors), int((errors["phase"] == "import").sum())
        (63, 23)
    """
    if which not in ERROR_SETS:
        raise UserError(f"the study has no set '{which}'{nearest(which, ERROR_SETS)}; it has {', '.join(ERROR_SETS)}")
    errors = published.get("errors").frame
    chosen: pd.DataFrame = errors.loc[errors["set"] == which, ["model", "run", *_COLUMNS[1:]]].reset_index(drop=True)
    chosen["run"] = chosen["run"].map(_run_text)
    return chosen


def published_error_totals(which: str = "core") -> pd.DataFrame:
    """Return how many errors the study counted of each answer, beside the number of rows that it has of them.

    Every error was reported to the model, which repaired it, so these are also numbers of repairs.

    Args:
        which: One of :data:`ERROR_SETS`.

    Returns:
        The columns ``model, run, counted, rows, note``, an answer per row, also those without errors.

    Raises:
        UserError: There is no such set.

    Example:
        >>> len(published_error_totals("core")) > 0
        True
    """
    published_errors(which)
    counts = published.get("error_counts").frame
    # The sums over the answers of a model are rows, too.
    totals = counts[(counts["set"] == which) & (counts["run"] != "all")].reset_index(drop=True)
    names = {"model": "model", "run": "run", "published_count": "counted", "rows_in_sheet": "rows", "note": "note"}
    chosen: pd.DataFrame = totals[list(names)].rename(columns=names)
    chosen["run"] = chosen["run"].map(_run_text)
    return chosen


def read_errors(path: str | Path) -> pd.DataFrame:
    """Read errors of further models from a table.

    Args:
        path: A CSV file with the columns ``model, phase, exception, category, description`` and a row per error. A
            model without errors has one row with nothing but its name.

    Returns:
        The five columns, as texts.

    Raises:
        UserError: The file is missing or no CSV, a column is missing, or a phase or category is unknown.

    Example:
        >>> read_errors("admissions/my-llm/errors.csv")  # doctest: +SKIP
    """
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is no CSV file"
        raise UserError(f"{path}: {reason}; give a table with the columns {', '.join(_COLUMNS)}") from None
    missing = [name for name in _COLUMNS if name not in frame.columns]
    if missing:
        raise UserError(f"{path} has no column '{missing[0]}'; give {', '.join(_COLUMNS)}")
    for name, known in (("phase", ERROR_PHASES), ("category", ERROR_CATEGORIES)):
        for row, word in enumerate(frame[name], start=2):
            if word not in known and (word or frame.loc[row - 2, list(_COLUMNS[1:])].any()):
                raise UserError(
                    f"{path}, line {row}: '{word}' is no {name}{nearest(word, known)}; there are {', '.join(known)}"
                )
    chosen: pd.DataFrame = frame[list(_COLUMNS)]
    return chosen


def count_errors(errors: pd.DataFrame) -> pd.DataFrame:
    """Return how many errors there are of each category (columns) in each phase (rows), also where there are none.

    Args:
        errors: A row per error, with the columns ``phase, category``; rows without a phase are no errors.

    Example:
        >>> count_errors(published_errors()).loc["model"].to_dict()["shape mismatch"]
        5
    """
    counts = pd.crosstab(errors["phase"], errors["category"])
    full: pd.DataFrame = counts.reindex(index=list(ERROR_PHASES), columns=list(ERROR_CATEGORIES), fill_value=0)
    return full


def _run_text(run: object) -> str:
    return str(int(float(str(run)))) if str(run) not in ("", "nan") else ""
