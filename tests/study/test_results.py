"""Reading folders of studies, runs and evaluations."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from llmseg import SyntheticStore, UserError
from llmseg.study import Results, read_results

EARLIER = Path(__file__).parents[1] / "earlier_versions" / "a93af28"
"""A study of two variants with one seed, and a run, both on the same phantoms."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study two levels down, a run, and the evaluation of another training with seed 7."""
    out = tmp_path_factory.mktemp("results")
    shutil.copytree(EARLIER / "study", out / "studies" / "tiny")
    shutil.copytree(EARLIER / "run", out / "run")
    (evaluation,) = (EARLIER / "study").glob("slow-*/evaluation")
    other = Path(shutil.copytree(evaluation, out / "others" / "evaluation"))
    for name in ("scores.csv", "evaluation.json"):
        text = (other / name).read_text(encoding="utf-8")
        (other / name).write_text(text.replace("tiny", "other"), encoding="utf-8")
    return out


@pytest.fixture(scope="module")
def results(folder):
    return read_results([folder])


def test_all_kinds_of_folders_are_read(results, phantoms):
    assert set(results.scores.contenders) == {"tiny", "tiny slow", "other"}
    assert [(run.contender, run.seed) for run in results.runs] == [("tiny", 0), ("tiny", 0), ("tiny slow", 0)]
    assert results.datasets == (phantoms.name,)


def test_runs_of_a_study_stand_once(folder, results):
    study = read_results([folder / "studies"])
    assert [run.contender for run in study.runs] == ["tiny", "tiny slow"]
    assert set(study.scores.contenders) == {"tiny", "tiny slow"}
    assert len(results.runs) == len(study.runs) + 1


def test_curves_are_the_histories(results):
    for curve, run in zip(results.curves, results.runs, strict=True):
        np.testing.assert_array_equal(curve.validation, run.run.history["validation_loss"])
        assert (curve.contender, curve.dataset, curve.seed) == (run.contender, run.dataset, run.seed)
        assert curve.chosen is None, "the zoo does not know these pipelines"


def test_folders_are_looked_through_four_levels_down(tmp_path):
    shutil.copytree(EARLIER / "run", tmp_path / "1" / "2" / "3" / "4")
    assert len(read_results([tmp_path]).runs) == 1
    shutil.move(tmp_path / "1", tmp_path / "0" / "1")
    with pytest.raises(UserError, match="it holds no study, run or evaluation"):
        read_results([tmp_path])


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(UserError, match="nowhere: no such folder"):
        read_results([tmp_path / "nowhere"])
    with pytest.raises(UserError, match="hold no scores"):
        _ = Results(None, ()).scores


def test_an_unfinished_study_is_read_and_says_so(tmp_path):
    unfinished = Path(shutil.copytree(EARLIER / "study", tmp_path / "s"))
    (unfinished / "differences.csv").unlink()
    (unfinished / "scores.csv").unlink()
    whole, results = read_results([EARLIER / "study"]), read_results([unfinished])
    assert [run.contender for run in results.runs] == ["tiny", "tiny slow"]
    pd.testing.assert_frame_equal(results.scores.frame, whole.scores.frame)
    shutil.rmtree(next(unfinished.glob("slow-*/evaluation")))
    results = read_results([unfinished])
    assert [run.contender for run in results.runs] == ["tiny"]
    assert results.scores.contenders == ("tiny",)
    assert (
        "1 of 2 cells of the study on synthetic-mri-tumour are finished; seed 0 of 1 variant is compared"
        in results.scores.remarks
    )
    shutil.rmtree(next(unfinished.glob("base-*/evaluation")))
    with pytest.raises(UserError, match=r"no cell of .* is finished yet"):
        read_results([unfinished])


def test_datasets_are_selected_by_name_and_by_store(results, phantoms):
    assert results.select_datasets(phantoms.name).datasets == results.datasets
    assert len(results.select_stores([phantoms, SyntheticStore("fundus")]).runs) == len(results.runs)
    with pytest.raises(UserError, match="no dataset 'synthetic-mri'; did you mean 'synthetic-mri-tumour'"):
        results.select_datasets("synthetic-mri")
    with pytest.raises(UserError, match="given are those of synthetic-fundus; use --data"):
        results.select_stores([SyntheticStore("fundus")])
    with pytest.raises(UserError, match="images of synthetic-mri-tumour are needed, none are given"):
        results.select_stores([])


def test_a_run_fits_the_store_of_its_training(results, phantoms):
    more = SyntheticStore("mri-tumour", count=26)
    for run in results.runs:
        assert run.digest == phantoms.digest
        assert run.fits(phantoms)
        assert not run.fits(more)
        # Without a digest, a store with more cases may be the one: the rest was held out.
        assert replace(run, digest=None).fits(more)
        assert not replace(run, digest=None).fits(SyntheticStore("fundus", count=25))
    with pytest.raises(UserError, match="is not in the state in which tiny was trained on it"):
        results.runs[0].check(more)
