"""Groups on the command line: given by pattern or table, proposed by the doctor, and said to be missing."""

from __future__ import annotations

import json
import shlex

import pytest

from llmseg import FolderStore, Holdout
from llmseg.data.hdf5 import write_store
from llmseg.data.packed_case import pack_case

CASES = [f"p{patient:02}_s{slice:02}" for patient in range(6) for slice in range(4)]


@pytest.fixture
def folders(make_folder):
    return make_folder(dict.fromkeys(CASES, (40, 36)))


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("case,group\n" + "".join(f"{case},{case[:3]}\n" for case in CASES))
    return path


def _split(call, folders, out, *options):
    images, masks = folders
    code, text, err = call(
        "data", "split", "--images", images, "--masks", masks, "--fraction", "0.2", "--out", out, *options
    )
    assert code == 0, err
    return Holdout.load(out), text, err


def _divided(cases):
    return {case.group for case in cases if case.held} & {case.group for case in cases if not case.held}


@pytest.mark.parametrize("way", ["pattern", "table"])
def test_a_split_keeps_patients_together(call, folders, table, tmp_path, way):
    options = {"pattern": ("--group", r"p\d+"), "table": ("--groups", table)}
    holdout, text, err = _split(call, folders, tmp_path / "m.json", *options[way])
    assert {case.group for case in holdout.cases} == {case[:3] for case in CASES}
    assert _divided(holdout.cases) == set()
    assert "4 of 24 cases" in text
    assert "held out in 1 group " in text
    assert "note: " not in err


def test_a_split_without_groups_says_so_once_and_its_advice_can_be_followed(call, folders, tmp_path):
    _, _, err = _split(call, folders, tmp_path / "m.json")
    assert err.count("note: ") == 1
    assert "the 24 cases of" in err
    assert "taken as independent" in err
    option = shlex.split(err[err.index("--group=") :])[0]
    holdout, _, err = _split(call, folders, tmp_path / "grouped.json", option)
    assert _divided(holdout.cases) == set()
    assert "note: " not in err


def test_a_random_split_does_not_speak_of_groups(call, folders, tmp_path):
    assert _split(call, folders, tmp_path / "m.json", "--split", "random", "-q")[2] == ""


def test_the_doctor_proposes_the_option(call, folders, tmp_path):
    images, masks = folders
    code, text, _ = call("data", "doctor", "--images", images, "--masks", masks, "--json")
    finding = next(f for f in json.loads(text)["findings"] if f["kind"] == "groups-in-names")
    assert (code, finding["severity"], finding["count"]) == (0, "warning", 24)
    assert "24 cases of 6 patients" in finding["sentence"]
    option = shlex.split(finding["sentence"][finding["sentence"].index("--group=") :])
    code, text, _ = call("data", "doctor", "--images", images, "--masks", masks, "--json", *option)
    assert json.loads(text)["groups"] == 6
    assert not [f for f in json.loads(text)["findings"] if f["kind"] == "groups-in-names"]
    assert _divided(_split(call, folders, tmp_path / "m.json", *option)[0].cases) == set()


def test_groups_go_with_the_run_into_its_rows_and_its_source(call, folders, tmp_path, tiny_json):
    images, masks = folders
    cases = ("--images", images, "--masks", masks, "--group", r"p\d+")
    holdout, _, _ = _split(call, folders, tmp_path / "m.json", "--group", r"p\d+")
    options = (*cases, "--holdout", tmp_path / "m.json", "--out", tmp_path / "run", "--epochs", 1, "--no-cache")
    code, _, err = call("train", tiny_json, *options)
    assert (code, "note: " in err) == (0, False), err
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["source"]["group"] == r"p\d+"
    used = {id[:3] for part in record["split"].values() for id in part}
    assert not used & {id[:3] for id in holdout.test_ids}
    options = (*cases, "--holdout", tmp_path / "m.json", "--out", tmp_path / "scores")
    code, _, err = call("evaluate", tmp_path / "run", *options)
    assert code == 0, err
    rows = (tmp_path / "scores" / "scores.csv").read_text().splitlines()
    group = rows[0].split(",").index("group")
    assert {row.split(",")[group] for row in rows[1:]} == {id[:3] for id in holdout.test_ids}


def test_a_recipe_that_divides_groups_is_told(call, folders, tmp_path, tiny_json):
    images, masks = folders
    options = ("--images", images, "--masks", masks, "--out", tmp_path / "run", "--epochs", 1, "--no-cache")
    code, _, err = call("train", tiny_json, *options, "--group", r"p\d+")
    assert code == 0
    assert "note: the recipe splits single cases: " in err
    assert "hold cases out by llmseg data split" in err
    note = err[err.index("note: ") :]
    options = (*options[:4], "--group", r"p\d+", "--out", tmp_path / "scores")
    code, _, err = call("evaluate", tmp_path / "run", *options)
    assert code == 0
    assert note in err


def test_a_manifest_of_other_groups_is_not_taken_for_the_same(call, folders, tmp_path, tiny_json, check_mistake):
    images, masks = folders
    _split(call, folders, tmp_path / "m.json")
    options = ("--images", images, "--masks", masks, "--group", r"p\d+", "--holdout", tmp_path / "m.json")
    check_mistake("would be divided; draw them again", "train", tiny_json, *options, "--out", "run")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--group", "x"), "matches nothing in 24 of 24 cases: p00_s00.png, p00_s01.png, p00_s02.png and 21 more"),
        (("--group", "p"), "gives all 24 cases the same group, 'p'"),
        (("--group", r".*"), "gives every one of the 24 cases a group of its own"),
        (("--group", "(p"), "is no regular expression"),
        (("--groups", "nowhere.csv"), "no table of groups nowhere.csv"),
        (("--group", "p", "--groups", "nowhere.csv"), "give --group or --groups, not both"),
    ],
)
def test_groups_that_do_not_fit_are_a_mistake(call, folders, check_mistake, options, words):
    check_mistake(words, "data", "split", "--images", folders[0], "--masks", folders[1], "--out", "m.json", *options)


def test_groups_are_for_folders(call, folders, tmp_path):
    store = FolderStore(*folders)
    write_store(tmp_path / "s.h5", "s", (pack_case(store.read(id), id) for id in store.ids), {})
    for way in (("--synthetic", "fundus"), ("--data", tmp_path / "s.h5")):
        code, _, err = call("data", "split", *way, "--group", "p", "--out", tmp_path / "m.json")
        assert (code, err.count("\n")) == (2, 1)
        assert "--group and --groups are for cases in folders" in err


def test_a_folder_is_prepared_with_groups_and_the_advice_for_a_store_can_be_followed(call, folders, tmp_path):
    root, store = folders[0].parent, tmp_path / "s.h5"
    prepare = ("data", "prepare", "folder", "--root", root, "--out")
    assert call(*prepare, store)[0] == 0
    code, _, err = call("data", "split", "--data", store, "--out", tmp_path / "m.json")
    assert (code, err.count("note: ")) == (0, 1)
    assert "taken as independent" in err
    assert "llmseg data prepare with --group=" in err
    option = shlex.split(err[err.index("--group=") :])[0]
    code, _, err = call(*prepare, store, option)
    assert code == 2
    assert "remove it or choose another --out" in err
    grouped = tmp_path / "grouped.h5"
    assert "24 cases in 6 groups" in call(*prepare, grouped, option)[1]
    code, _, err = call("data", "split", "--data", grouped, "--out", tmp_path / "m.json", "--fraction", "0.4")
    assert (code, "note: " in err) == (0, False)
    assert _divided(Holdout.load(tmp_path / "m.json").cases) == set()


def test_prepare_says_what_names_look_like(call, make_folder, tmp_path):
    make_folder({f"patient{patient:02d}_slice{index}": (20, 20) for patient in range(3) for index in range(4)})
    command = ("data", "prepare", "folder", "--root", tmp_path, "--out")
    code, out, err = call(*command, tmp_path / "without.h5")
    assert code == 0
    assert "12 cases in 12 groups" in out
    assert "note: no groups are known, so the 12 cases" in err
    pattern = err.split("--group=")[1].split(" (a guess")[0].strip("'")
    code, out, err = call(*command, tmp_path / "with.h5", "--group", pattern, "-q")
    assert (code, err) == (0, "")
    assert "12 cases in 3 groups" in out
