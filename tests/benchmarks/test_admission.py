"""Precision and recall of findings; ``benchmarks/results/admission.json`` holds those of all samples."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def admission(module):
    return module("admission")


def judged(admission, name, mistakes, found):
    return admission.Judged(name, "development", frozenset(mistakes), {"both": frozenset(found)}, {})


def test_precision_and_recall_count_each_mistake_of_a_sample_once(admission):
    samples = [
        judged(admission, "a", {4, 8}, {4, 9}),
        judged(admission, "b", {4}, {4}),
        judged(admission, "c", (), {9}),
    ]
    quality = admission.measure_quality(samples, "both")
    assert (quality["precision"], quality["recall"], quality["right"]) == (0.5, 0.667, 2)
    assert (quality["wrong"], quality["missed"]) == (["a: 9", "c: 9"], ["a: 8"])
    assert quality["by_mistake"] == {
        "4": {"precision": 1.0, "recall": 1.0},
        "8": {"precision": None, "recall": 0.0},
        "9": {"precision": 0.0, "recall": None},
    }
    assert quality["sound_with_findings"] == ["c"]


def test_each_sample_is_in_one_half_or_blind(admission):
    development, reported, both, *blind = (
        {sample["name"] for sample in admission.read_samples(half)}
        for half in ("development", "reported", "both", "blind", "blind-2", "blind-3")
    )
    assert not development & reported
    assert development | reported == both
    assert [len(part) for part in blind] == [10, 14, 10]
    assert len(set().union(*blind)) == 34
    assert not set().union(*blind) & both


def test_the_page_about_probes_has_the_figures_of_the_results():
    quality = {}
    for name in ("admission.json", "admission_blind.json", "admission_blind_2.json", "admission_blind_3.json"):
        quality |= json.loads((ROOT / "benchmarks" / "results" / name).read_text(encoding="utf-8"))["quality"]
    page = (ROOT / "docs" / "explanation" / "probes.md").read_text(encoding="utf-8")
    row = re.compile(r"^\|.*\| (\d+) \| (\d+) of (\d+) \| ([\d.]+) \| ([\d.]+) \|$", re.MULTILINE)
    stated = [tuple(map(float, cells)) for cells in row.findall(page)]
    measured = [
        (
            len(way["wrong"]),
            way["right"],
            way["right"] + len(way["missed"]),
            round(way["precision"], 2),
            round(way["recall"], 2),
        )
        for half in ("development", "reported", "blind", "blind-2", "blind-3")
        for way in quality[half].values()
    ]
    assert stated == measured
