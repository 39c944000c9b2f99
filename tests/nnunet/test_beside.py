"""nnU-Net as a contender of a comparison."""

from __future__ import annotations

import json

import pytest

from llmseg import Study, SyntheticStore, UserError, draw_folds, hold_out, run_study
from llmseg.nnunet import beside, run_beside
from llmseg.study import Variant, read_results


@pytest.fixture(scope="module")
def holdout(phantoms):
    return hold_out(phantoms, fraction=0.2)


@pytest.fixture(scope="module")
def study(phantoms, holdout, tiny_recipe, tmp_path_factory):
    variant = Variant("tiny", tiny_recipe.change("fit.epochs", 1))
    out = tmp_path_factory.mktemp("studies") / "s"
    return run_study(None, [variant], phantoms, out, holdout=holdout, seeds=1, device="cpu", progress=False)


def test_other_cases_are_refused(study, phantoms, holdout):
    others = SyntheticStore("fundus", count=25)
    with pytest.raises(UserError, match="is a study of another store than synthetic-fundus"):
        run_beside(study, others, holdout=hold_out(others))
    with pytest.raises(UserError, match="holds other test cases out"):
        run_beside(study, phantoms, holdout=hold_out(phantoms, fraction=0.4))
    assert not (study.folder / "beside").exists()


def test_another_tolerance_is_refused(phantoms, holdout, tiny_recipe, tmp_path):
    variant = Variant("tiny", tiny_recipe.change("fit.epochs", 1))
    options = {"holdout": holdout, "seeds": 1, "device": "cpu", "progress": False}
    study = run_study(None, [variant], phantoms, tmp_path / "s", tolerance=3.0, **options)
    with pytest.raises(UserError, match="has the tolerance 3, nnU-Net is scored with 2"):
        run_beside(study, phantoms, holdout=holdout)


def test_every_fold_is_a_training_of_one_contender(phantoms, tiny_recipe, tmp_path, monkeypatch):
    folds = draw_folds(phantoms, 3)
    variant = Variant("tiny", tiny_recipe.change("fit.epochs", 1))
    options = {"holdout": folds, "seeds": 1, "device": "cpu", "progress": False}
    study = run_study(None, [variant], phantoms, tmp_path / "s", **options)
    prepared, trained = [], []
    monkeypatch.setattr(
        beside, "prepare_nnunet", lambda store, folder, holdout, **_: prepared.append((folder.name, holdout)) or folder
    )
    monkeypatch.setattr(
        beside, "run_nnunet", lambda baseline, store, budgets, **_: trained.append((baseline.name, *budgets)) or ()
    )
    run_beside(study, phantoms, holdout=folds)
    assert prepared == [(f"nnunet-seed0-fold{number}", fold) for number, fold in enumerate(folds, 1)]
    assert len({budget.name for _, budget in trained}) == 1
    with pytest.raises(UserError, match="or all its folds"):
        run_beside(study, phantoms, holdout=folds[0])


def test_nnunet_alone_is_one_line(tmp_path, call):
    code, _, err = call("compare", "nnunet", "--synthetic", "fundus", "--out", tmp_path / "s", "-q")
    assert code == 2
    assert "nnunet needs a pipeline beside it" in err
    assert not (tmp_path / "s").exists()


@pytest.mark.slow
def test_nnunet_is_compared(tiny_recipe, tmp_path, call):
    """It trains on the cases of the first recipe, to as many images, and stands in the table and in the results."""
    path = tmp_path / "tiny.json"
    path.write_text(tiny_recipe.change("fit.epochs", 2).to_json())
    given = ["compare", path, "nnunet", "--synthetic", "mri-tumour", "--cases", 25, "--seeds", 1, "-q"]
    code, out, err = call(*given, "--device", "cpu", "--out", tmp_path / "c")
    assert code == 0
    assert err.startswith("llmseg: warning: 2 test cases of 25 cases: ")
    assert err.count("\n") == 1
    study = Study.open(tmp_path / "c")
    (run,) = study.runs("tiny")
    (evaluation,) = study.beside
    name = evaluation.record["pipeline"]
    assert name.startswith("nnunet-v2@")
    # The verdict, then the table with the best first; either may be.
    heading, *rows = [line.split()[0] for line in out.splitlines()[1:4]]
    assert (heading, set(rows)) == ("recipe", {"tiny", name})
    imported = json.loads((evaluation.folder.parent / "imported.json").read_text())
    assert abs(imported["images_seen"] - 2 * len(run.split.train)) <= imported["batch_size"] / 2
    baseline = json.loads((study.folder / "beside" / "nnunet-seed0" / "baseline.json").read_text())
    assert (baseline["split"]["train"], baseline["split"]["validation"]) == (
        list(run.split.train),
        list(run.split.validation),
    )
    results = read_results([study.folder])
    assert set(results.scores.contenders) == {"tiny", name}
    assert set(evaluation.scores["case"]) == set(study.scores["case"])
    records = json.loads(call(*given, "--device", "cpu", "--out", tmp_path / "c", "--json")[1])
    assert [record["variant"] for record in records] == ["tiny", name]
    assert records[1]["mean"] == pytest.approx(evaluation.record["means"]["native"]["dice"])
