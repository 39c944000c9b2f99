from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from llmseg import Evaluation, UserError, evaluate_run, hold_out, predict, train
from llmseg.evaluation import evaluate_masks, evaluate_run_once
from llmseg.evaluation.conventions import PACKAGES
from llmseg.evaluation.measures import EVALUATOR_VERSION, MEASURES, measure_case

QUIET = {"device": "cpu", "progress": False}


@pytest.fixture(scope="module")
def holdout(phantoms):
    return hold_out(phantoms, fraction=0.2)


@pytest.fixture(scope="module")
def run(phantoms, holdout, tiny_recipe, tmp_path_factory):
    """A run that kept the test cases out."""
    recipe = tiny_recipe.change("fit.epochs", 1)
    out = tmp_path_factory.mktemp("runs") / "held-out"
    return train(recipe, phantoms, out, label="tiny", holdout=holdout, **QUIET)


@pytest.fixture(scope="module")
def careless(phantoms, tiny_recipe, tmp_path_factory):
    """A run on all cases."""
    recipe = tiny_recipe.change("fit.epochs", 1)
    return train(recipe, phantoms, tmp_path_factory.mktemp("runs") / "all", label="tiny", **QUIET)


@pytest.fixture(scope="module")
def evaluation(run, phantoms, holdout, tmp_path_factory):
    return evaluate_run(run, phantoms, tmp_path_factory.mktemp("out") / "e", holdout=holdout, **QUIET)


def test_every_test_case_has_every_measure_at_both_sizes(evaluation, holdout):
    scores = evaluation.scores
    assert set(scores["case"]) == set(holdout.test_ids)
    counted = scores.groupby(["case", "size"])["measure"].apply(tuple)
    assert set(counted.index) == {(id, size) for id in holdout.test_ids for size in ("native", "working")}
    assert set(counted) == {MEASURES}


def test_every_row_says_where_it_comes_from(evaluation, holdout, phantoms):
    scores = evaluation.scores
    for column, value in (
        ("pipeline", "tiny"),
        ("seed", 0),
        ("dataset", phantoms.name),
        ("phase", "test"),
        ("holdout", holdout.digest),
        ("evaluator", EVALUATOR_VERSION),
    ):
        assert set(scores[column]) == {value}
    assert (scores["group"] == scores["case"].map(phantoms.groups)).all()
    assert evaluation.record["store_digest"] == phantoms.digest
    assert evaluation.record["overlap"] is None


def test_native_scores_are_those_of_the_masks_that_predict_writes(evaluation, run, phantoms, holdout, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for id in holdout.test_ids:
        Image.fromarray(phantoms.read(id).image).save(images / id)
    masks = predict(run.load_net(), run.recipe, images, tmp_path / "out", **QUIET)
    scores = evaluation.scores.query("size == 'native'").set_index(["case", "measure"])["value"]
    for path in masks:
        expected = measure_case(np.asarray(Image.open(path)) > 0, phantoms.read(path.name).mask > 127, tolerance=2.0)
        assert expected == pytest.approx({name: scores[path.name, name] for name in MEASURES}, nan_ok=True)
    again = evaluate_masks(tmp_path / "out/masks", phantoms, tmp_path / "e", holdout=holdout, progress=False)
    native = again.scores.set_index(["case", "measure"])["value"]
    pd.testing.assert_series_equal(native, scores.reindex(native.index))
    assert again.counts() == evaluation.counts()


def test_working_size_is_that_of_the_network(evaluation, tiny_recipe):
    height, width = tiny_recipe.images.size
    counts = evaluation.counts("working")
    assert {c.tp + c.fp + c.fn + c.tn for c in counts} == {height * width}


def test_means_leave_out_what_does_not_apply(evaluation):
    scores = evaluation.scores.query("size == 'native' and measure == 'false_positive_area'")["value"]
    means = evaluation.means["native"]
    assert scores.isna().all()
    assert "false_positive_area" not in means.dropna()
    assert means["dice"] == pytest.approx(
        evaluation.scores.query("size == 'native' and measure == 'dice'")["value"].mean()
    )


def test_the_rules_of_others_stand_beside(evaluation):
    frame = pd.read_csv(evaluation.folder / "conventions.csv")
    assert list(frame["convention"]) == [rule.name for rule in PACKAGES]
    ours = frame.set_index("convention")["value"]["llmseg"]
    assert ours == pytest.approx(evaluation.means["native"]["dice"])


def test_an_opened_evaluation_is_the_same(evaluation):
    assert Evaluation.open(evaluation.folder).record == evaluation.record


def test_a_run_that_saw_the_test_cases_is_refused(careless, phantoms, holdout, tmp_path):
    with pytest.raises(UserError, match=r"was trained or selected on [1-5] of these 5 cases"):
        evaluate_run(careless, phantoms, tmp_path / "e", holdout=holdout, **QUIET)
    assert not (tmp_path / "e").exists()
    told = evaluate_run(careless, phantoms, tmp_path / "e", holdout=holdout, allow_overlap=True, **QUIET)
    assert "was trained or selected on" in told.record["overlap"]


def test_without_a_manifest_a_run_is_scored_on_its_own_test_part(careless, phantoms, tmp_path):
    evaluation = evaluate_run(careless, phantoms, tmp_path / "e", **QUIET)
    assert set(evaluation.scores["case"]) == set(careless.split.test)


def test_a_run_that_does_not_say_what_it_kept_out_is_refused(careless, phantoms, holdout, tmp_path):
    """Its cases have other names, so that names cannot tell, and as a run of an earlier version it has no digests."""
    record = json.loads((careless.folder / "run.json").read_text())
    del record["seen_images"]
    record["split"] = {part: [f"x{id}" for id in ids] for part, ids in record["split"].items()}
    record["store"]["digest"] = "0" * 64
    renamed = tmp_path / "run"
    shutil.copytree(careless.folder, renamed)
    (renamed / "run.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match="does not say that these test cases were kept out"):
        evaluate_run(type(careless)(renamed), phantoms, tmp_path / "e", holdout=holdout, **QUIET)


class TestEvaluateRunOnce:
    def test_what_is_there_is_not_made_again(self, evaluation, run, phantoms, holdout):
        before = {path: path.stat().st_mtime_ns for path in evaluation.folder.iterdir()}
        again = evaluate_run_once(run, phantoms, evaluation.folder, holdout=holdout, tolerance=2, **QUIET)
        assert again == evaluation
        assert {path: path.stat().st_mtime_ns for path in evaluation.folder.iterdir()} == before

    def test_it_evaluates_where_there_is_nothing(self, evaluation, run, phantoms, holdout, tmp_path):
        made = evaluate_run_once(run, phantoms, tmp_path / "e", holdout=holdout, **QUIET)
        assert made.record == evaluation.record

    @pytest.mark.parametrize(
        ("recorded", "words"),
        [
            ({"tolerance": 3.0}, r"another tolerance \(3\.0 there, 2\.0 here\); choose another --out"),
            ({"evaluator": 0}, r"another evaluator \(0 there, 1 here\)"),
            ({"seed": 7}, r"another seed \(7 there, 0 here\)"),
            ({"cases": 4}, r"another number of cases \(4 there, 5 here\)"),
            ({"holdout": None}, "another holdout;"),
            ({"recipe_digest": "0" * 64}, "another recipe;"),
            ({"store_digest": "0" * 64}, "another store;"),
            ({"pipeline": "gpt-4"}, "another pipeline;"),
            ({"overlap": "the run has seen 2 cases"}, "says that the run has seen 2 cases; give other cases"),
        ],
    )
    def test_another_evaluation_is_refused(self, recorded, words, evaluation, run, phantoms, holdout, tmp_path):
        copy = shutil.copytree(evaluation.folder, tmp_path / "e")
        (copy / "evaluation.json").write_text(json.dumps(evaluation.record | recorded))
        before = {path: path.read_bytes() for path in copy.iterdir()}
        with pytest.raises(UserError, match=words):
            evaluate_run_once(run, phantoms, copy, holdout=holdout, **QUIET)
        assert {path: path.read_bytes() for path in copy.iterdir()} == before

    def test_an_overlap_that_is_allowed_is_returned(self, careless, phantoms, holdout, tmp_path):
        options = {"holdout": holdout, "allow_overlap": True, **QUIET}
        told = evaluate_run(careless, phantoms, tmp_path / "e", **options)
        assert evaluate_run_once(careless, phantoms, tmp_path / "e", **options) == told

    def test_a_damaged_record_is_one_line(self, evaluation, run, phantoms, holdout, tmp_path):
        copy = shutil.copytree(evaluation.folder, tmp_path / "e")
        (copy / "evaluation.json").write_bytes(b"\xff\xfe{")
        with pytest.raises(UserError, match=r"evaluation\.json is damaged"):
            evaluate_run_once(run, phantoms, copy, holdout=holdout, **QUIET)


def masks_of(store, ids, folder, change=lambda mask: mask):
    folder.mkdir()
    for id in ids:
        Image.fromarray(change(store.read(id).mask)).save(folder / id)
    return folder


def test_perfect_masks_score_perfectly(phantoms, tmp_path):
    folder = masks_of(phantoms, phantoms.ids, tmp_path / "perfect")
    evaluation = evaluate_masks(folder, phantoms, tmp_path / "e", progress=False)
    means = evaluation.means["native"]
    assert means[["dice", "iou", "nsd"]].eq(1).all()
    assert means[["hd95", "assd"]].eq(0).all()
    assert evaluation.record["pipeline"] == "perfect"
    assert evaluation.record["cases"] == len(phantoms.ids)


def test_masks_of_another_value(phantoms, tmp_path):
    folder = masks_of(phantoms, phantoms.ids, tmp_path / "ones", lambda mask: (mask > 127).astype(np.uint8))
    with pytest.raises(UserError, match="--predicted-foreground 1"):
        evaluate_masks(folder, phantoms, tmp_path / "e", progress=False)
    evaluation = evaluate_masks(folder, phantoms, tmp_path / "e", foreground=1, progress=False)
    assert evaluation.means["native"]["dice"] == 1


def test_a_missing_mask_is_named(phantoms, tmp_path):
    folder = masks_of(phantoms, phantoms.ids[1:], tmp_path / "some")
    with pytest.raises(UserError, match=f"1 of {len(phantoms.ids)} cases have no mask .* first '{phantoms.ids[0]}'"):
        evaluate_masks(folder, phantoms, tmp_path / "e", progress=False)
    assert not (tmp_path / "e").exists()


def test_a_mask_of_another_size_is_named(phantoms, tmp_path):
    folder = masks_of(phantoms, phantoms.ids, tmp_path / "small", lambda mask: mask[::2, ::2])
    with pytest.raises(UserError, match=f"the mask of '{phantoms.ids[0]}' is .* make them equal"):
        evaluate_masks(folder, phantoms, tmp_path / "e", progress=False)


def test_two_masks_of_a_name_are_refused(phantoms, tmp_path):
    folder = masks_of(phantoms, phantoms.ids, tmp_path / "two")
    shutil.copy(folder / phantoms.ids[0], (folder / phantoms.ids[0]).with_suffix(".bmp"))
    with pytest.raises(UserError, match="two masks of one name"):
        evaluate_masks(folder, phantoms, tmp_path / "e", progress=False)


def test_a_folder_with_something_else_is_kept(phantoms, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match=r"thesis\.txt, which is no part of an evaluation"):
        evaluate_masks(tmp_path, phantoms, tmp_path, progress=False)
