from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from llmseg import zoo
from llmseg.stats import NUMBER_DEFECTS, published, published_dice


@pytest.fixture(scope="module")
def rows():
    return published_dice()


def test_every_pipeline_has_a_row_on_every_dataset(rows):
    assert len(rows) == 114
    assert not rows.duplicated(["dataset", "pipeline"]).any()
    assert set(rows["pipeline"]) == set(zoo.names())
    assert set(rows["certainty"]) == {"certain", "likely", "unknown"}
    assert {name for defects in rows["defects"] for name in defects} == set(NUMBER_DEFECTS)


def test_medians_fall_with_the_place_in_the_box_plot(rows):
    for _, part in rows.groupby("dataset"):
        placed = part[part["place"].notna()].sort_values("place")
        assert (np.diff(placed["median"]) <= 0).all()
        assert placed["place"].is_unique


def test_means_are_those_of_the_list_and_lie_near_the_box(rows):
    """A mean of a list is the mean of the values of a box, so that of the wrong model would lie elsewhere."""
    path = Path(published.__file__).with_name("published_data") / "dice.csv"
    with path.open(encoding="utf-8") as file:
        listed = [row for row in csv.DictReader(file) if row["comparison"] == "2024_vs_2025" and row["split"] == "test"]
    usable = {(row["dataset"], row["model"]): float(row["value"]) for row in listed if row["usable"] == "yes"}
    known = rows[rows["mean"].notna()]
    assert len(known) == 62
    for row in known.itertuples():
        assert row.mean == usable[row.dataset, row.pipeline]
        assert abs((row.corrected if row.corrected > 0 else row.mean) - row.median) < 0.06


def test_numbers_that_defects_make_void_are_not_there(rows):
    by = rows.set_index(["dataset", "pipeline"])
    copied = by.loc["Myoma"][by.loc["Myoma"]["defects"].map(lambda names: "copied-row" in names)]
    assert len(copied) == 11
    assert copied["mean"].isna().all()
    assert copied["median"].notna().all()
    void = by.loc[("Myoma", "gpt-4")]
    assert np.isnan([void["mean"], void["median"], void["q1"], void["place"]]).all()
    assert void["defects"] == ("other-output",)


def test_the_header_cell_is_in_all_results_of_a_pipeline(rows):
    has = rows[rows["defects"].map(lambda names: "header-0" in names)]
    assert has["pipeline"].nunique() == 10
    assert (has.groupby("pipeline").size() == 6).all()
    assert set(rows.loc[rows["corrected"].notna(), "pipeline"]) <= set(has["pipeline"])
    retina = rows[rows["defects"].map(lambda names: "three-values" in names)]
    assert (set(retina["dataset"]), len(retina)) == ({"Retina"}, 19)
