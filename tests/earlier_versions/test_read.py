"""Run folders and studies that an earlier version wrote can be read, and the same call continues them.

``a93af28`` holds what that commit wrote by the lines in ``make.txt``, without the figures.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from llmseg import Run, Study, SyntheticStore, hold_out, run_study, train, write_report
from llmseg.prediction import predict_image
from llmseg.study import Variant, read_results

EARLIER = Path(__file__).parent / "a93af28"
DIGESTS = {
    "base": "74a2f3c939b35927bc3d13aca0662233840ced9ee47b203f1e89a187098601df",
    "slow": "17a8ff42d51a007a393e009c36385c2b96d8eb5efd10f0200ca449a13f4eb499",
}


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EARLIER, tmp_path / "earlier"))


def test_a_run_is_read(earlier, phantoms):
    run = Run.open(earlier / "run")
    assert run.recipe.digest == DIGESTS["base"] == run.record["recipe_digest"]
    assert run.split.digest == run.record["split_digest"]
    assert len(run.history) == 2
    image = phantoms.read(run.split.test[0]).image
    values = predict_image(run.load_net(), run.recipe, image)
    assert values.shape == image.shape[:2]
    assert 0 <= values.min() < values.max() <= 1


def test_the_network_of_a_run_scores_as_it_did(earlier, phantoms):
    run = Run.open(earlier / "run")
    net, recipe = run.load_net(), run.recipe
    for row in run.scores.to_dict("records"):
        image, mask = recipe.images(*(getattr(phantoms.read(row["case"]), name) for name in ("image", "mask")))
        assert recipe.test.score_cases(net(image[None]), mask[None]).item() == pytest.approx(row["value"], abs=1e-5)


def test_the_same_call_returns_the_run(earlier, phantoms):
    before = {path: path.read_bytes() for path in (earlier / "run").iterdir()}
    recipe = Run.open(earlier / "run").recipe
    train(recipe, phantoms, earlier / "run", label="tiny", device="cpu", exact=True, progress=False)
    assert {path: path.read_bytes() for path in (earlier / "run").iterdir()} == before


def test_a_study_is_read(earlier, tmp_path):
    study = Study.open(earlier / "study")
    assert study.record["variants"] == DIGESTS
    written = pd.read_csv(study.folder / "differences.csv")
    pd.testing.assert_frame_equal(study.differences()[list(written)], written)
    results = read_results([study.folder])
    assert [run.seed for run in results.runs] == [0, 0]
    report = write_report([study.folder], tmp_path / "report")
    assert "slow" in report.index.read_text(encoding="utf-8")


def test_the_same_call_continues_a_study(earlier, phantoms):
    study = Study.open(earlier / "study")
    weights = {path: path.stat().st_mtime_ns for path in study.folder.glob("*/run/weights.safetensors")}
    scores = study.scores
    variants = [Variant(name, study.runs(name)[0].recipe) for name in study.variants]
    options = {"device": "cpu", "precision": "fp32", "progress": False}
    holdout = hold_out(phantoms, progress=False)
    run_study("tiny", variants, phantoms, study.folder, holdout=holdout, seeds=2, **options)
    assert len(weights) == 2
    assert {path: path.stat().st_mtime_ns for path in weights} == weights
    ours = study.scores[study.scores["seed"] == 0].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        ours.sort_values(list(ours)[:9], ignore_index=True), scores.sort_values(list(ours)[:9], ignore_index=True)
    )
    assert np.all(study.differences()["seeds"] == 2)


def test_the_store_is_still_drawn_alike():
    store = SyntheticStore("mri-tumour", count=25)
    assert store.digest == Run.open(EARLIER / "run").record["store"]["digest"]
