"""What llmseg evaluate and llmseg conventions print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmseg.cli.text.layout import align_columns

if TYPE_CHECKING:
    import pandas as pd

    from llmseg import Evaluation


def describe_evaluation(evaluation: Evaluation) -> str:
    """Return the means of an evaluation."""
    record, means = evaluation.record, evaluation.means
    rows = [(name, *(f"{value:.4f}" for value in values)) for name, *values in means.itertuples()]
    place = f"{record['pipeline']} on {record['cases']} cases of {record['dataset']}, in {evaluation.folder}"
    warning = [f"overlap: {record['overlap']}"] if record["overlap"] else []
    return "\n".join([align_columns([("mean", *means.columns), *rows]), place, *warning])


def convention_table(frame: pd.DataFrame, stability: float) -> str:
    """Return the score of every system by every convention, and which system wins by it.

    Args:
        frame: One row per convention and system, see :func:`llmseg.evaluation.compare_conventions`.
        stability: Share of the pairs of systems whose order is the same by every convention.
    """
    wide = frame.pivot_table("value", "convention", "system", sort=False, dropna=False)
    winners = frame.groupby("convention", sort=False)["winner"].first()
    rows = [
        (str(name), *(f"{value:.4f}" for value in scores), str(winners[name]))
        for name, scores in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    table = align_columns([("convention", *map(str, wide.columns), "winner"), *rows])
    return f"{table}\nstability: {stability:.3f} of the pairs keep their order under every rule"
