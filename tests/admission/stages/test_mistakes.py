from __future__ import annotations

import dataclasses
import json
import shlex
from dataclasses import asdict
from pathlib import Path

import pytest

from llmseg.admission import Admission, CodeError, Finding, Phantoms, StageVerdict, write_repair_sheet
from llmseg.admission.runner import Runner
from llmseg.admission.stages import tiny_run
from llmseg.admission.stages.admission import join_findings
from llmseg.admission.stages.mistakes import extract, judge_probes, make_bench, probe, read_finding
from llmseg.admission.stages.tiny_run import Seen
from llmseg.cli.text.admission import describe_admission
from llmseg.nnunet import find_compared
from llmseg.recipe import Recipe
from llmseg.zoo import TEXTBOOK

RUN = {
    "record": "record-0",
    "phantoms": asdict(Phantoms(12)),
    "epochs": [{"place": "main.py:3", "was": 50, "now": 3}],
    "layout": {
        "image_ending": ".png",
        "mask_suffix": "_m",
        "mask_ending": ".png",
        "image_folder": "",
        "mask_folder": "",
        "channels": 1,
    },
    "makes_folders": True,
    "edits": [{"kind": "names of files", "place": "main.py:9", "what": "cases were named 001.png and 001_m.png"}],
    "mapped": [{"text": "data/images", "shows": "images"}],
    "sandbox": "bubblewrap",
}
LIKELY = Finding(24, "one order", "train.py:4", certainty="likely")
CERTAIN = Finding(24, "orders of 3 epochs", "train.py:5", "another order each", "one order", found_by="P1")


PROBED = (
    {"probe": "P1", "state": "broken", "reason": "other losses", "findings": [CERTAIN.to_dict()]},
    {"probe": "P2", "state": "holds", "reason": "the same weights", "findings": []},
)


def fail(*_):
    raise KeyError("odd")


def test_a_record_without_a_training(tmp_path):
    found = extract(Seen(tmp_path, RUN), tmp_path)
    assert (found["verdict"]["state"], found["facts"], found["findings"]) == ("not reached", {}, [])


def test_a_training_with_keras_gives_facts(tmp_path):
    record = tmp_path / "record-0"
    record.mkdir()
    step = {"event": "keras step", "name": "Adam", "rate": 0.01, "sizes": [3, 4], "place": "train.py:9"}
    (record / "1.jsonl").write_text(json.dumps(step) + "\n", encoding="utf-8")
    found = extract(Seen(tmp_path, RUN), tmp_path)
    assert found["verdict"]["state"] == "not decidable"
    assert found["facts"] == {"parameters": 7, "optimizer": "Adam", "rate": 0.01, "epochs": 50}
    assert (found["recipe"], found["findings"]) == ({}, [])


def test_a_fault_of_ours_leaves_the_rest_and_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(tiny_run, "read_observation", fail)
    found = extract(Seen(tmp_path, RUN), tmp_path)
    assert (found["verdict"]["state"], found["is_final"]) == ("harness fault", False)
    assert found["verdict"]["reason"] == "KeyError: 'odd'"


def test_scripts_are_probed_with_what_they_needed(tmp_path, monkeypatch):
    bench = make_bench(Runner(tmp_path), tmp_path / "out", RUN)
    runner = bench.runner
    assert (runner.layout.mask_name("1"), runner.makes_folders, bench.phantoms.count) == ("1_m.png", True, 12)
    monkeypatch.setattr(type(bench), "unchanged", property(fail))
    said = probe("P1", bench)
    assert (said["state"], said["is_final"]) == ("harness fault", False)
    assert judge_probes([said]).state == "harness fault"


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((), "probes: not reached, only scripts that reach the end by themselves are probed"),
        (("holds", "broken", "holds"), "probes: reached, 2 holds, 1 broken"),
    ],
)
def test_the_stage_of_the_probes(states, expected):
    assert str(judge_probes([{"state": state} for state in states])) == expected


def test_what_was_not_seen_is_not_probed():
    ran = [StageVerdict("test", "not decidable"), StageVerdict("extraction", "not reached")]
    assert judge_probes([], ran).state == "not decidable"
    assert judge_probes([], [StageVerdict("test", "failed"), *ran]).state == "not reached"


def test_each_kind_is_listed_once():
    other = Finding(7, "dropout")
    assert join_findings([LIKELY, CERTAIN, other, CERTAIN]) == (other, CERTAIN)
    assert read_finding(CERTAIN.to_dict()) == CERTAIN


FOREIGN = {"net": "no network of the library has these shapes"}


@pytest.fixture
def admission():
    verdicts = (StageVerdict("static", "reached"), StageVerdict("extraction", "reached"))
    errors = (CodeError("import", "NameError", "missing import", "name 'nn' is not defined"),)
    facts = {"parameters": 100, "split": {"training": 0.8, "test": 0.1}, "loss": {"bce": 0.5}}
    helped = ("verbose of ReduceLROnPlateau (main.py:8)",)
    return Admission(
        *("mine", Path("scripts"), Path("out"), verdicts, RUN, facts, None, FOREIGN, helped),
        *((CERTAIN, Finding(7, "dropout", certainty="likely")), PROBED, errors, 1, ("no disk",)),
    )


def test_what_to_tell_the_language_model(admission):
    sheet = write_repair_sheet(admission)
    assert (
        "1. I had to help, or your program would have ended (main.py:9): cases were named 001.png and 001_m.png"
        in sheet
    )
    assert "2. The training cases come in the same order in every epoch (train.py:5)." in sheet
    assert "Expected: another order each. Found: one order." in sheet
    assert "3. Dropout" in sheet
    assert sheet.count("I may be mistaken") == 1


def test_the_text(admission):
    text = describe_admission(admission)
    assert text.splitlines()[0] == "mine: reached the stage extraction; 2 silent mistakes found"
    for line in (
        "  fixed-order, certain (train.py:5): The training cases come in the same order in every epoch.",
        "    P1: orders of 3 epochs; expected another order each, found one order",
        "  P1: other losses (fixed-order)",
        "  parameters 100, split training 0.8 test 0.1, loss bce 0.5",
        "  cases: 12, named 001.png and 001_m.png",
        "  lent, as today's libraries lack it: verbose of ReduceLROnPlateau (main.py:8)",
        "  edit, names of files: cases were named 001.png and 001_m.png (main.py:9)",
        "  1 repair turn; errors: 1 missing import",
        "  no field says net: no network of the library has these shapes",
        "  no disk",
    ):
        assert line in text.splitlines()


def test_a_recipe_that_gives_all_that_was_seen_can_be_ranked(admission, tmp_path):
    whole = dataclasses.replace(admission, recipe=TEXTBOOK, foreign={}, out=tmp_path)
    whole.recipe_file.parent.mkdir()
    whole.recipe_file.write_text(TEXTBOOK.to_json())
    text = describe_admission(whole)
    assert f"recipe:\n  in {tmp_path}/recipe/mine.json, every part gives what was seen" in text
    command = next(line for line in text.splitlines() if "llmseg compare" in line)
    assert "--data STORE --out studies/mine" in command
    contenders, _ = find_compared(shlex.split(command)[2:5])  # the advice can be followed
    assert (contenders[0].name, contenders[0].recipe) == ("mine", TEXTBOOK)
    assert Recipe.from_dict(whole.to_dict()["recipe"]) == TEXTBOOK
    assert admission.to_dict()["recipe"] is None
