"""The published test Dice of every pipeline on every dataset, with what is known to be wrong with each number."""

from __future__ import annotations

import pandas as pd

from llmseg.stats import published

NUMBER_DEFECTS = {
    "header-0": "A header cell, a 0, was counted as a score. It lowers means by 1.6 to 25 %, and moves medians.",
    "likely": "The mean stands in a list without names; that it is this pipeline's is likely, not certain.",
    "no-mean": "It is not known which of the means in the list is this pipeline's; there is only the median.",
    "copied-row": "The published mean is that of another dataset, whose row was copied.",
    "other-output": "The scores of another dataset were read; there is no number of this one.",
    "three-values": "Mean and box rest on three values, which the batch sizes of the scripts do not explain.",
}
"""What may be wrong with a published number, a sentence for each short name."""

_BOX_PLOT = "all Dice scoress_median_sorted.png"  # the spelling is the study's
_BASELINE = "nnU-Net"


def published_dice() -> pd.DataFrame:
    """Return the published test Dice of the nineteen pipelines on the six datasets.

    The study printed no table of them. Medians and quartiles were read off its box plots, to about 0.002. Means come
    from the lists of its statistics script, which carry no names; a mean is given where it is certain or likely whose
    it is.

    Returns:
        A row per dataset and pipeline: ``dataset, pipeline, place`` (in the box plot, from 1 for the largest median,
        without nnU-Net), ``median, q1, q3, mean, corrected`` (the mean without header cells, where it follows exactly),
        ``certainty`` (of whose mean it is: ``certain``, ``likely`` or ``unknown``), ``defects`` (a tuple of names in
        :data:`NUMBER_DEFECTS`). A number that a defect makes void is NaN.

    Example:
        >>> rows = published_dice().set_index(["dataset", "pipeline"])
        >>> len(rows), rows.loc[("Brain", "llama-4-maverick"), ["place", "median", "mean", "corrected"]].tolist()
        (114, [16.0, 0.573, 0.4667, 0.5834])
        >>> rows.loc[("Brain", "llama-4-maverick"), "defects"]
        ('header-0',)
    """
    boxes, means = _read_boxes(), _read_means()
    frame = boxes.merge(means, on=["dataset", "pipeline"], how="left")
    frame["certainty"] = frame["certainty"].fillna("unknown")
    notes = frame["note"].fillna("")
    copied, other = notes.str.contains("copy of the"), notes.str.contains("output of this model was read")
    frame.loc[copied | other, ["mean", "corrected"]] = float("nan")
    no_mean = frame["certainty"] == "unknown"
    frame.loc[copied | other, "certainty"] = "unknown"
    frame.loc[other, ["median", "q1", "q3", "place"]] = float("nan")
    # The header cell comes with a pipeline's way to write its scores, so it is in all of its results.
    with_header = set(means.loc[means["note"].str.contains("header zero"), "pipeline"])
    found = {
        "header-0": frame["pipeline"].isin(with_header) & ~other,
        "likely": (frame["certainty"] == "likely") & frame["mean"].notna(),
        "no-mean": no_mean,
        "copied-row": copied,
        "other-output": other,
        "three-values": frame["dataset"].isin(_datasets_of_three_values()),
    }
    frame["defects"] = [tuple(name for name in NUMBER_DEFECTS if found[name][row]) for row in frame.index]
    columns = ["dataset", "pipeline", "place", "median", "q1", "q3", "mean", "corrected", "certainty", "defects"]
    ordered: pd.DataFrame = frame[columns]
    return ordered


def _read_boxes() -> pd.DataFrame:
    boxes = published.get("dice_from_figure").frame
    chosen = boxes[(boxes["figure"] == _BOX_PLOT) & (boxes["split"] == "test") & (boxes["model"] != _BASELINE)]
    place = chosen.groupby("dataset")["position_from_top"].rank().astype(float)
    named = chosen.rename(columns={"model": "pipeline"}).assign(place=place)
    rows: pd.DataFrame = named[["dataset", "pipeline", "place", "median", "q1", "q3"]]
    return rows


def _read_means() -> pd.DataFrame:
    dice = published.get("dice").frame
    first = (dice["comparison"] == "2024_vs_2025") & (dice["split"] == "test") & (dice["model"] != "")
    named = dice[first].rename(columns={"model": "pipeline", "value": "mean", "corrected_value": "corrected"})
    means: pd.DataFrame = named[["dataset", "pipeline", "mean", "corrected", "certainty", "note"]]
    return means


def _datasets_of_three_values() -> set[str]:
    """Return the datasets whose header cell is one of four values, that is three scores, for every pipeline."""
    dice = published.get("dice").frame
    with_header = dice[dice["note"].str.contains("header zero")]
    three = with_header["note"].str.contains("among 4 values").groupby(with_header["dataset"]).all()
    return set(three.index[three])
