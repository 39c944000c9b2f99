from __future__ import annotations

import json

import pytest

import llmseg

FACTS = {"device": "A", "torch": "2", "small": False, "question": "why?"}


def test_what_was_kept_is_found_again(gpu, tmp_path):
    results = gpu("results").StageResults.open(tmp_path / "x" / "s.json", FACTS)
    results.keep("one", {"rate": 1.5, "bad": float("nan"), "pair": (1, 2)}, 0.123, "code")
    results.fail("two", "ValueError: no", 2.0, "code")
    results.left = ["two"]
    results.write()
    again = gpu("results").StageResults.open(tmp_path / "x" / "s.json", FACTS)
    assert again == results
    assert again.items["one"] == {"value": {"rate": 1.5, "bad": "nan", "pair": [1, 2]}, "seconds": 0.12, "code": "code"}
    assert (again.is_done("one"), again.is_done("two"), again.is_done("three")) == (True, False, False)
    again.keep("two", {}, 1.0, "code")
    assert (again.is_done("two"), again.errors) == (True, {})


def test_an_item_of_which_something_is_left_is_not_done(gpu, tmp_path):
    results = gpu("results").StageResults(tmp_path / "s.json", FACTS)
    results.left = ["cells", "other"]
    results.keep("cells", {"left": ["b"]}, 1.0, "code")
    assert (results.is_done("cells"), results.left) == (False, ["cells", "other"])
    results.keep("cells", {"left": []}, 1.0, "code")
    assert (results.is_done("cells"), results.left) == (True, ["other"])


@pytest.mark.parametrize(("name", "other"), [("device", "B"), ("torch", "3"), ("small", True)])
def test_results_of_something_else_are_refused(gpu, tmp_path, name, other):
    """Following the advice of the message, another folder, helps."""
    gpu("results").StageResults(tmp_path / "s.json", FACTS).keep("one", {}, 1.0, "code")
    with pytest.raises(llmseg.UserError, match=rf"results with {name} .*; give another --out"):
        gpu("results").StageResults.open(tmp_path / "s.json", {**FACTS, name: other})
    assert gpu("results").StageResults.open(tmp_path / "other" / "s.json", {**FACTS, name: other}).items == {}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"items": 3}'])
def test_a_damaged_file_is_refused_and_kept(gpu, tmp_path, text):
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(llmseg.UserError, match=r"holds no results of a stage: .*; move it away"):
        gpu("results").StageResults.open(tmp_path / "s.json", FACTS)
    assert (tmp_path / "s.json").read_text() == text


def test_a_file_is_whole_whenever_its_writer_is_killed(gpu, kill_at_every_change):
    write_json = gpu("results").write_json

    def prepare(folder):
        write_json(folder / "s.json", {"number": 1})

    numbers = set()
    for folder in kill_at_every_change(lambda folder: write_json(folder / "s.json", {"number": 2}), prepare):
        numbers.add(json.loads((folder / "s.json").read_text())["number"])
    assert numbers == {1}
