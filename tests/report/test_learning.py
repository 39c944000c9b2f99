"""Who has learnt next to nothing."""

from __future__ import annotations

import pytest

from llmseg.report import remark_on_learning
from llmseg.report.learning import find_unlearnt
from llmseg.report.standings import standing
from llmseg.stats import Table, simulate


@pytest.fixture
def frame():
    return simulate(pipelines=3, datasets=2, seeds=1, cases=10).frame


def of(frame, contender, dataset="dataset-1"):
    return (frame["pipeline"] == contender) & (frame["dataset"] == dataset)


def test_masks_that_hit_nothing_and_empty_masks(frame):
    frame.loc[of(frame, "llm-01"), "value"] = 0.04
    frame.loc[of(frame, "llm-02"), "value"] = [1.0] * 6 + [0.0] * 4  # six true masks are empty, too
    assert find_unlearnt(frame, "dice") == {"dataset-1": ("llm-01", "llm-02")}
    assert find_unlearnt(frame, "hd95") == {}
    assert remark_on_learning(Table(frame), "dice")[0].startswith("on dataset-1, llm-01 and llm-02 have learnt next")
    assert remark_on_learning(Table(frame), "hd95") == []
    found = standing(Table(frame), "dice", "test")
    (remark,) = [text for text in found.remarks if "learnt" in text]
    assert remark.startswith("on dataset-1, llm-01 and llm-02 have learnt next to nothing")
    assert not found.nobody


def test_perfect_masks_were_learnt(frame):
    frame.loc[of(frame, "llm-01"), "value"] = 1.0
    assert find_unlearnt(frame, "dice") == {}
    assert remark_on_learning(Table(frame), "dice") == []


def test_nobody_on_one_dataset_and_on_all(frame):
    frame.loc[frame["dataset"] == "dataset-1", "value"] = 0.02
    found = standing(Table(frame), "dice", "test")
    assert found.remarks[0].startswith("no contender has learnt to segment dataset-1")
    assert not found.nobody
    assert standing(Table(frame), "dice", "test", "dataset-1").nobody
    assert standing(Table(frame.assign(value=0.02)), "dice", "test").nobody
