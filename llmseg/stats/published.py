"""What the study published, as data: with its source, how certain it is, and what is known to be wrong with it.

Its claims are among it, under the name ``claims``: each with whether it holds, and why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources

import pandas as pd

from llmseg.errors import UserError, nearest
from llmseg.stats.table import Table
from llmseg.stats.words import count_text

TITLE = "LLM-Driven Baselines for Medical Image Segmentation"
"""Title of the study. No DOI is known to this library."""

REPOSITORY = "https://github.com/ankilab/LLM_based_Segmentation"
"""Where the study's scripts, conversations, prompts and figures are."""

PROMPTS = {
    "PyTorch": "Prompt_final.txt",
    "TensorFlow": "Models Comparison/Results/Tensorflow/Prompt_final_Tf.txt",
}
"""The files in the repository with the prompt that every language model was given."""

VERDICTS = ("holds", "does not hold", "not decidable")
"""What may be said of a claim of the study, in the column ``verdict`` of ``get("claims").frame``."""

MEASURE = "published mean dice"
"""Means over batches by each script's own formula, so not called ``dice``."""

CERTAINTIES = ("certain", "likely", "unknown")

_GROUPS = {"2024_vs_2025": ("2025", "2024"), "reasoning_vs_nonreasoning": ("reasoning", "non-reasoning")}


@dataclass(frozen=True, eq=False)
class Published:
    """Published numbers, under one name.

    Attributes:
        name: The name.
        frame: The numbers, as published. Columns such as ``certainty``, ``usable`` and ``note`` judge single rows.
        source: Where the numbers come from.
        certainty: How sure it is that they are what was published, and which model they belong to.
        defects: What is known to be wrong with them, a sentence each.
    """

    name: str
    frame: pd.DataFrame
    source: str
    certainty: str
    defects: tuple[str, ...]

    def __repr__(self) -> str:
        rows, columns = self.frame.shape
        return (
            f"Published('{self.name}': {count_text(rows, 'row')} of {count_text(columns, 'column')} in .frame; "
            f"certainty: {self.certainty}; {count_text(len(self.defects), 'known defect')} in .defects)"
        )


def names() -> tuple[str, ...]:
    """Return the names of what was published, for :func:`get`.

    Example:
        >>> names()[:4]
        ('architectures', 'claims', 'dice', 'dice_from_figure')
    """
    return tuple(_read("sources")["name"])


def get(name: str) -> Published:
    """Return what was published under a name.

    Args:
        name: One of :func:`names`.

    Raises:
        UserError: Nothing has that name.

    Example:
        >>> dice = get("dice")
        >>> len(dice.frame), dice.defects[0]
        (456, 'Validation means above 1 are no Dice scores: header numbers were averaged in.')
        >>> get("claims").frame["verdict"].value_counts().to_dict()
        {'not decidable': 9, 'does not hold': 8, 'holds': 4}
    """
    sources = _read("sources").set_index("name")
    if name not in sources.index:
        raise UserError(
            f"nothing was published as '{name}'{nearest(name, sources.index)}; there is {', '.join(sources.index)}"
        )
    row = sources.loc[name]
    defects = _read("defects")
    concerned = defects.loc[defects["name"] == name, "defect"]
    return Published(name, _parse_numbers(_read(name)), row["source"], row["certainty"], tuple(concerned))


def dice_table(
    split: str = "test", *, certainty: Iterable[str] = ("certain", "likely"), corrected: bool = False
) -> Table:
    """Return the published mean Dice of single models as a table, in which a mean takes the place of a case.

    Means that cannot be attributed to a model, and means that are unusable, are left out; remarks count them.

    Args:
        split: ``test`` or ``validation``.
        certainty: How sure the attribution to a model has to be: ``certain``, ``likely`` or both.
        corrected: Correct means into which header cells were averaged, where the exact value follows. A mean that is
            unusable as published is then kept.

    Raises:
        UserError: There is no such split or certainty.

    Example:
        >>> dice_table(certainty=["certain"]).select(dataset="Retina")
        Table(19 rows: 19 contenders, 1 dataset, 1 seed, 1 case, 1 measure)
    """
    wanted = list(certainty)
    for given, allowed in [(split, ("test", "validation")), *((word, CERTAINTIES[:2]) for word in wanted)]:
        if given not in allowed:
            raise UserError(f"'{given}' is none of {', '.join(allowed)}{nearest(given, allowed)}")
    dice = get("dice").frame
    dice = dice[(dice["comparison"] == "2024_vs_2025") & (dice["split"] == split)]
    attributed = dice["certainty"].isin(wanted) & (dice["model"] != "")
    # Copied rows and outputs of another dataset stay wrong, whatever is done about header cells.
    repaired = corrected & dice["corrected_value"].notna()
    usable = (dice["usable"] == "yes") | (repaired & ~dice["note"].str.contains("copy|Retina output"))
    chosen = dice[attributed & usable]
    value = chosen["corrected_value"].fillna(chosen["value"]) if corrected else chosen["value"]
    remarks = [
        f"{int((~attributed).sum())} of {len(dice)} published means left out: "
        f"whose they are is not {' or '.join(wanted)}",
        f"{int((attributed & ~usable).sum())} published means left out: a known defect touches them",
    ]
    zeros = int(chosen["note"].str.contains("header zero").sum())
    if zeros and not corrected:
        remarks.append(f"{zeros} published means contain a header cell that was counted as a score of 0")
    frame = pd.DataFrame({"pipeline": chosen["model"], "dataset": chosen["dataset"], "value": value})
    fill: dict[str, str | int] = {
        "variant": "base",
        "seed": 0,
        "phase": split,
        "case": "mean",
        "group": "mean",
        "measure": MEASURE,
    }
    table = Table.from_frame(frame, fill=fill)
    return Table(table.frame, tuple(remarks))


def reproduce() -> pd.DataFrame:
    """Compute every published test again, and list what is wrong with it.

    The tests are one-sided Mann-Whitney U tests of the first group against the second. scipy takes the exact law where
    the smaller group has at most eight values and no two values are equal.

    Returns:
        A row per test: ``comparison, variant`` (as published, or with a repair), ``split, dataset, n_first, n_second,
        U, p, U_published, p_published`` (text, ten digits), ``equal`` (to the last digit), ``method, alpha`` (after
        Bonferroni over six datasets), ``significant, certain`` (values whose model is certain), ``unusable`` (values
        that a known defect spoils) and ``anomalies``.

    Example:
        >>> tests = reproduce()
        >>> len(tests), bool(tests["equal"].all()), int(tests["significant"].sum())
        (31, True, 0)
    """
    dice, reference = get("dice").frame, _read("statistics")
    tests: pd.DataFrame = pd.DataFrame([_test(dice, reference.loc[row]) for row in reference.index])
    return tests


def _test(dice: pd.DataFrame, row: pd.Series) -> dict[str, object]:
    from scipy import stats

    values, first = _values(dice, row)
    numbers = values["number"]
    result = stats.mannwhitneyu(numbers[first], numbers[~first], alternative="greater")
    p, alpha = f"{result.pvalue:.10g}", 0.05 / 6
    ties = numbers.duplicated().any()
    exact = min(first.sum(), (~first).sum()) <= 8 and not ties
    return {
        **{name: row[name] for name in ("comparison", "variant", "split", "dataset")},
        "n_first": int(first.sum()),
        "n_second": int((~first).sum()),
        "U": float(result.statistic),
        "p": float(result.pvalue),
        "U_published": float(row["U_first"]),
        "p_published": row["p_one_sided"],
        "equal": p == row["p_one_sided"] and float(result.statistic) == float(row["U_first"]),
        "method": "exact" if exact else "asymptotic, continuity corrected",
        "alpha": alpha,
        "significant": bool(result.pvalue <= alpha),
        "certain": int((values["certainty"] == "certain").sum()),
        "unusable": int((values["usable"] == "no").sum()),
        "anomalies": "; ".join(_anomalies(dice, values, row)),
    }


def _values(dice: pd.DataFrame, row: pd.Series) -> tuple[pd.DataFrame, pd.Series]:
    """Return the values of a test, and which of them are of the first group.

    Variants called ``rebuilt`` form the groups of reasoning models anew, from the rows of single models: the published
    groups share values.
    """
    rebuilt = row["variant"].startswith("rebuilt")
    comparison = "2024_vs_2025" if rebuilt else row["comparison"]
    chosen = (dice["comparison"] == comparison) & (dice["split"] == row["split"]) & (dice["dataset"] == row["dataset"])
    values = dice[chosen]
    if row["variant"] in ("as_published", "rebuilt"):
        numbers = values["value"]
    else:
        numbers = values["corrected_value"].fillna(values["value"])
    values = values.assign(number=numbers)
    if rebuilt:
        models = _read("models")
        return values, values["model"].isin(models.loc[models["reasoning"] == "yes", "id"])
    return values, values["group"] == _GROUPS[comparison][0]


def _anomalies(dice: pd.DataFrame, values: pd.DataFrame, row: pd.Series) -> list[str]:
    """Return what is seen in the values themselves, and the note of the reference."""
    anomalies = []
    above = int((values["number"] > 1).sum())
    if above:
        anomalies.append(f"{above} value{'s' if above > 1 else ''} above 1")
    others = dice[(dice["comparison"] == values["comparison"].iloc[0]) & (dice["split"] == row["split"])]
    rows = others.groupby(["group", "dataset"])["value"].agg(tuple)
    for group in values["group"].unique():
        same = [
            name
            for name, means in rows[group].items()
            if means == rows[group][row["dataset"]] and name != row["dataset"]
        ]
        anomalies += [f"the row of {group} is also that of {name}" for name in same]
    sides = [set(part["value"]) for _, part in values.groupby("group")]
    both = len(sides[0] & sides[1])
    if both and row["comparison"] == "reasoning_vs_nonreasoning" and row["variant"] == "as_published":
        anomalies.append(f"{both} value{'s' if both > 1 else ''} in both groups")
    zeros = int(values["note"].str.contains("header zero").sum())
    if zeros and "zero_removed" not in row["variant"]:
        anomalies.append(f"header cells counted as a score of 0 in {zeros} of {len(values)} means")
    return [*anomalies, *([row["note"]] if row["note"] else [])]


def _read(name: str) -> pd.DataFrame:
    with (resources.files("llmseg.stats") / "published_data" / f"{name}.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, dtype=str, keep_default_na=False)


def _parse_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn columns into numbers whose cells all are numbers or empty; years stay names."""
    typed: pd.DataFrame = frame.copy()
    for name in frame.columns.difference(["group", "cohort", *(["value"] if "field" in frame else [])]):
        numbers = pd.to_numeric(frame[name].replace("", None), errors="coerce")
        if numbers.notna().any() and (numbers.notna() | (frame[name] == "")).all():
            typed[name] = numbers
    return typed
