"""Studies in folds: every case is scored once per contender and seed, by a training that did not see it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from llmseg import SyntheticStore, UserError, draw_folds, hold_out, run_study
from llmseg.data import save_folds
from llmseg.figures.predictions import predict_cases
from llmseg.report.cases import CaseScore
from llmseg.report.overlays import draw_overlays
from llmseg.stats import fold_interval
from llmseg.study import (
    Variant,
    collect_studies,
    find_run,
    merge_studies,
    read_results,
    read_study_file,
    read_study_status,
    work_on_studies,
)
from llmseg.study.file.designs import make_designs
from llmseg.study.launching.cells import digest_results
from llmseg.study.launching.failures import read_failures
from llmseg.study.plan import plan_cells
from llmseg.training.loop import NotANumber

TABLES = ("scores.csv", "differences.csv", "study.json")


@pytest.fixture(scope="module")
def few():
    """Six phantoms."""
    return SyntheticStore("mri-tumour", count=6)


@pytest.fixture
def cross_validate(fake_trainings, tiny_recipe, few, tmp_path):
    """A function that runs a study of two variants, two seeds and three folds, without its trainings."""
    variants = [Variant("a", tiny_recipe), Variant("b", tiny_recipe.change("fit.rate", 2))]
    options = {"holdout": draw_folds(few, 3), "seeds": 2, "progress": False}

    def call(folder="s", **changed):
        return run_study(None, variants, few, tmp_path / folder, **{**options, **changed})

    return call


def test_every_case_is_scored_once_per_variant_and_seed(cross_validate, few):
    study = cross_validate()
    rows = study.scores.query("measure == 'dice'").groupby(["variant", "seed"])["case"].apply(sorted)
    assert len(rows) == 2 * 2
    assert all(cases == sorted(few.ids) for cases in rows)
    assert len(study.paired()) == 2 * len(few.ids)
    assert (study.means()["groups"] == len(few.ids)).all()
    assert study.folds == 3


def test_all_variants_in_a_fold_come_before_the_next_fold_and_all_folds_before_the_next_seed(cross_validate, calls):
    study = cross_validate()
    assert [(cell.seed, cell.fold) for cell in study.cells[:6]] == [(s, f) for s in (0, 1) for f in (1, 2, 3)]
    assert calls == [(name, seed) for seed in (0, 1) for _ in range(3) for name in "ab"]


def test_the_second_interval_is_that_of_the_folds(cross_validate):
    study = cross_validate()
    row = study.differences().set_index("variant").loc["b"]
    scores = study.scores.query("measure == 'dice'")
    means = scores.pivot_table(index="holdout", columns="variant", values="value")
    wanted = fold_interval((means["b"] - means["a"]).tolist(), 3)
    assert (row["low_folds"], row["high_folds"]) == pytest.approx((max(wanted[0], -1), min(wanted[1], 1)))


def test_a_study_without_folds_is_as_before(cross_validate, few):
    study = cross_validate(holdout=hold_out(few))
    assert "folds" not in study.record
    assert "low_folds" not in study.differences()
    assert {cell.name for cell in study.cells} == {path.name for path in study.folder.glob("*-seed[01]")}


def test_what_is_left_of_an_interrupted_study_is_compared_over_the_folds_that_all_have(cross_validate):
    study = cross_validate()
    (study.folder / "differences.csv").unlink()
    for cell in study.cells:
        if (cell.seed, cell.fold) > (0, 2) or (cell.variant, cell.fold, cell.seed) == ("b", 2, 0):
            shutil.rmtree(cell.folder)
    assert {(cell.variant, cell.seed, cell.fold) for cell in study.compared} == {(name, 0, 1) for name in "ab"}
    state = "3 of 12 cells of the study on synthetic-mri-tumour are finished"
    assert study.remarks == (f"{state}; seed 0 in fold 1 of 3 of 2 variants are compared",)
    assert set(study.paired().reset_index()["case"]) == set(study.scores.query("holdout == 'h1'")["case"])
    again = cross_validate()
    assert again.is_finished
    assert len(again.paired()) == 12


def test_a_seed_with_fewer_folds_waits(cross_validate):
    study = cross_validate()
    (study.folder / "differences.csv").unlink()
    for cell in study.cells:
        if (cell.seed, cell.fold) > (1, 2):
            shutil.rmtree(cell.folder)
    assert {(cell.seed, cell.fold) for cell in study.compared} == {(0, 1), (0, 2), (0, 3)}


def test_other_launchers_help_and_the_bytes_are_the_same(cross_validate, tmp_path):
    whole = cross_validate("whole")
    begun = cross_validate("begun")
    for cell in begun.cells[1::2]:
        shutil.rmtree(cell.folder)
    (helped,) = work_on_studies(tmp_path / "begun", progress=False)
    assert [(helped.folder / name).read_bytes() for name in TABLES] == [
        (whole.folder / name).read_bytes() for name in TABLES
    ]
    assert [digest_results(cell.folder) for cell in helped.cells] == [digest_results(c.folder) for c in whole.cells]
    (state,) = read_study_status(tmp_path)[:1]
    assert (state.finished, state.cells) == (12, 12)


def test_a_failure_names_its_fold(cross_validate, fake_trainings, tmp_path):
    def diverge(task, attempt, at_once):
        if (task.variant.name, task.cell.fold) == ("b", 2):
            raise NotANumber(0, 1e-4)

    fake_trainings(diverge)
    with pytest.raises(UserError, match="b with seed 0 in fold 2: the training loss"):
        cross_validate()
    (failure,) = read_failures(tmp_path / "s")
    assert (failure.variant, failure.seed, failure.fold) == ("b", 0, 2)


def test_other_folds_are_another_study(cross_validate, few):
    study = cross_validate()
    for holdout in (hold_out(few), draw_folds(few, 3, seed=5)):
        with pytest.raises(UserError, match="its holdout differs"):
            cross_validate(holdout=holdout)
    assert study.is_finished


class TestFile:
    def test_says_how_many(self, tmp_path):
        grid = {"pipelines": ["gpt-4"], "datasets": {"phantoms": {"synthetic": "fundus", "cases": 10}}}
        grid |= {"test": {"folds": 5}, "images_seen": 100}
        (design,) = make_designs(read_study_file(grid), tmp_path)
        assert len(design.folds) == 5
        plan = plan_cells([design])
        assert plan["fold"].tolist() == [1, 2, 3, 4, 5] * 3
        assert plan["epochs"].nunique() == 1

    def test_reads_folds_that_were_drawn_before(self, folds, tmp_path):
        save_folds(folds, tmp_path / "folds")
        dataset = {"synthetic": "mri-tumour", "cases": 25, "holdout": tmp_path / "folds"}
        (design,) = make_designs(read_study_file({"pipelines": ["gpt-4"], "datasets": {"p": dataset}}), tmp_path)
        assert design.folds == folds

    @pytest.mark.parametrize(
        ("test", "holdout", "words"),
        [
            ({"folds": 5, "fraction": 0.2}, False, "give fraction or folds"),
            ({"folds": 5}, True, "dataset p has a holdout, and folds make every case a test case"),
            ({"folds": "5"}, False, "folds is '5'; it must be a whole number"),
        ],
    )
    def test_that_contradicts_itself(self, test, holdout, words, tmp_path):
        dataset = {"synthetic": "fundus", **({"holdout": "test.json"} if holdout else {})}
        with pytest.raises(UserError, match=words):
            read_study_file({"pipelines": ["gpt-4"], "datasets": {"p": dataset}, "test": test})


@pytest.fixture(scope="module")
def folds(phantoms):
    return draw_folds(phantoms, 3)


@pytest.fixture(scope="module")
def trained(phantoms, tiny_recipe, folds, tmp_path_factory):
    """A study of one variant that is really trained."""
    out = tmp_path_factory.mktemp("folds") / "s"
    variants = [Variant("tiny", tiny_recipe.change("fit.epochs", 1))]
    return run_study(None, variants, phantoms, out, holdout=folds, seeds=1, device="cpu", progress=False)


class TestTrained:
    def test_no_training_sees_its_test_cases(self, trained, folds):
        for run, fold in zip(trained.runs("tiny"), folds, strict=True):
            split = run.split
            assert not set(fold.test_ids) & {*split.train, *split.validation, *split.test}
            assert run.record["holdout"] == fold.digest

    def test_results_and_figures_take_the_run_that_held_a_case_out(self, trained, phantoms, folds):
        results = read_results(trained.folder)
        assert [(run.fold, curve.fold) for run, curve in zip(results.runs, results.curves, strict=True)] == [
            (1, 1),
            (2, 2),
            (3, 3),
        ]
        assert "cross-validation in 3 folds" in results.table.remarks[0]
        scores = trained.scores.query("measure == 'dice' and size == 'native'").set_index("case")["value"]
        cases = [fold.test_ids[0] for fold in folds]
        predicted = predict_cases(results, [phantoms], {phantoms.name: cases})
        assert {one.case: one.dice for one in predicted} == pytest.approx({case: scores[case] for case in cases})

    def test_overlays_are_of_the_trainings_that_were_scored(self, trained, phantoms, folds):
        results = read_results(trained.folder)
        wanted = [CaseScore("tiny", phantoms.name, fold.test_ids[0], 0, 0.5) for fold in folds]
        drawn = dict(draw_overlays(wanted, results.runs, {phantoms.name: phantoms}))
        for score, run in zip(wanted, results.runs, strict=True):
            ((_, alone),) = draw_overlays([score], [run], {phantoms.name: phantoms})
            assert np.array_equal(drawn[score].masks, alone.masks)
            assert np.array_equal(drawn[score].image, alone.image)

    def test_the_first_fold_is_taken_for_predictions(self, trained):
        assert find_run(trained.folder).parent.name.endswith("-seed0-fold1")

    def test_folds_that_are_collected_and_merged_read_as_the_study(self, trained, tmp_path):
        half, other = (Path(shutil.copytree(trained.folder, tmp_path / name)) for name in ("half", "other"))
        shutil.rmtree(half / trained.cells[0].name)
        shutil.rmtree(other / trained.cells[2].name)
        for folder in (half, other):
            (folder / "differences.csv").unlink()
            collect_studies(folder, tmp_path / f"{folder.name}-collected")
        state = "2 of 3 cells of the study on synthetic-mri-tumour are finished"
        remark = f"{state}; seed 0 in folds 2, 3 of 3 of 1 variant is compared"
        assert remark in read_results(tmp_path / "half-collected").scores.remarks
        assert (read_study_status(tmp_path / "half-collected")[0].finished, len(trained.cells)) == (2, 3)
        merge_studies([tmp_path / "half-collected", tmp_path / "other-collected"], tmp_path / "all")
        merged, whole = read_results(tmp_path / "all"), read_results(trained.folder)
        pd.testing.assert_frame_equal(merged.scores.frame, whole.scores.frame)
        assert merged.scores.remarks == whole.scores.remarks
        assert [run.fold for run in merged.runs] == [1, 2, 3]

    def test_folds_of_two_draws_are_not_pooled(self, trained, phantoms, tmp_path):
        other = Path(shutil.copytree(trained.folder, tmp_path / "other"))
        record = json.loads((other / "study.json").read_text())
        record |= {"holdout": "0" * 64, "folds": record["folds"][::-1]}
        (other / "study.json").write_text(json.dumps(record))
        merge_studies([trained.folder, other], tmp_path / "all")
        with pytest.raises(
            UserError, match=r"differ in holdout .* choose one: llmseg study merge .* --only study="
        ) as told:
            read_results(tmp_path / "all")
        name, value = str(told.value).split("--only ")[1].split()[0].split("=")
        merge_studies(tmp_path / "all", tmp_path / "one", only={name: [value]})
        assert read_results(tmp_path / "one").scores.contenders == ("tiny",)
