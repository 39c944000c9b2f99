"""llmseg study collect and llmseg study merge."""

from __future__ import annotations

import json
from pathlib import Path

EARLIER = Path(__file__).parents[1] / "earlier_versions" / "a93af28" / "study"


def test_collect_merge_and_report(call, tmp_path):
    code, out, err = call("study", "collect", EARLIER, "-o", tmp_path / "a")
    assert (code, err) == (0, "")
    assert out.startswith("synthetic-mri-tumour: 2 cells\nwritten to ")
    advice = out.rpartition("llmseg ")[2].split()
    assert advice == ["report", str(tmp_path / "a"), "-o", "REPORT"]
    code, out, _ = call("report", tmp_path / "a", "-o", tmp_path / "report", "--cases", "0")
    assert code == 0
    code, out, _ = call(
        "study", "merge", tmp_path / "a", EARLIER, "-o", tmp_path / "b", "--only", "variant=slow", "--json"
    )
    assert code == 0
    assert json.loads(out) == {"folder": str(tmp_path / "b"), "cells": {"synthetic-mri-tumour": 1}}
    code, out, _ = call("status", tmp_path / "b")
    assert "1 of 1" in out
    code, out, _ = call("figure", "losses", tmp_path / "a", "-o", tmp_path / "losses.svg")
    assert code == 0


def test_mistakes_end_in_one_line(check_mistake):
    check_mistake("no such folder", "study", "collect", "nowhere", "-o", "out")


def test_a_choice_without_a_value_is_refused(check_mistake):
    check_mistake("names no value; write FIELD=VALUE", "study", "merge", EARLIER, "-o", "out", "--only", "seed")


def test_predicting_needs_the_study(call, tmp_path):
    call("study", "collect", EARLIER, "-o", tmp_path / "a")
    code, out, err = call("predict", tmp_path / "a", "--images", tmp_path, "--out", tmp_path / "p")
    assert (code, out) == (2, "")
    assert "is a collected study, which has no weights; give the folder of the study itself" in err
