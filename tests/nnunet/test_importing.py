from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from llmseg import Holdout, hold_out
from llmseg.errors import UserError
from llmseg.evaluation.conventions import NNUNET
from llmseg.evaluation.measures import Counts
from llmseg.nnunet.importing import import_nnunet
from llmseg.nnunet.summary import Summary
from llmseg.stats import Table


def test_a_fold_is_scored_after_its_own_figure_was_reproduced(store, make_fold, tmp_path):
    fold = make_fold()
    found = import_nnunet(fold, store, tmp_path / "out", label="mine", progress=False)
    said = json.loads((fold / "validation" / "summary.json").read_text())["foreground_mean"]["Dice"]
    assert found.record["nnunet"] == {"foreground_mean": said, "cases": 12, "reproduced": True}
    # Eleven cases have a number by nnU-Net's rule; by ours the empty pair is a twelfth, of 1.
    assert found.record["dice"] == pytest.approx((11 * said + 1) / 12)
    assert found.history.columns.tolist() == ["epoch", "train_loss", "validation_loss", "validation_score", "rate"]
    assert found.history.iloc[0].tolist() == [1, 0.25, -0.125, 0.5, 0.01]
    assert found.record["seconds"] == 61.1
    assert "validation cases" in found.evaluation.record["overlap"]
    assert Table.from_evaluations([found.folder / "evaluation"]).contenders == ("mine",)


def test_predictions_of_held_out_cases_are_scored_if_there_are_any(store, make_fold, tmp_path):
    holdout = hold_out(store, fraction=0.2)
    fold = make_fold()
    (tmp_path / "predicted").mkdir()
    for id in holdout.test_ids:
        shutil.copy(fold / "validation" / id, tmp_path / "predicted" / id)
    found = import_nnunet(
        fold, store, tmp_path / "out", predictions=tmp_path / "predicted", holdout=holdout, progress=False
    )
    assert isinstance(holdout, Holdout)
    assert sorted(set(found.evaluation.scores["case"])) == sorted(holdout.test_ids)
    assert found.evaluation.record["holdout"] == holdout.digest


def test_slices_in_nifti_have_their_columns_first(store, make_fold, tmp_path):
    import nibabel

    def save(values, path):
        nibabel.save(nibabel.Nifti1Image(values.T[..., None], np.eye(4)), path)

    found = import_nnunet(make_fold(save=save), store, tmp_path / "out", progress=False)
    assert found.record["nnunet"]["reproduced"]


def _changed_mask(fold):
    Image.fromarray(np.ones((9, 7), np.uint8)).save(fold / "validation" / "c05.png")


def _grey_mask(fold):
    Image.fromarray(np.full((9, 7), 255, np.uint8)).save(fold / "validation" / "c05.png")


def _other_size(fold):
    Image.fromarray(np.ones((7, 9), np.uint8)).save(fold / "validation" / "c05.png")


def _changed_mean(fold):
    path = fold / "validation" / "summary.json"
    content = json.loads(path.read_text())
    content["foreground_mean"]["Dice"] = np.nextafter(content["foreground_mean"]["Dice"], 1)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_changed_mask, r"1 of 12 cases differ, first 'c05'"),
        (_grey_mask, r"c05.png has values 255; allowed are 0 and nnU-Net's foreground label 1"),
        (_other_size, r"c05 is 9x7, the case 'c05.png' 7x9"),
        (_changed_mean, r"nnU-Net's mean Dice of .* is .* by its masks"),
        (lambda fold: (fold / "validation" / "c05.png").unlink(), r"1 masks are missing in .*, first 'c05'"),
        (lambda fold: (fold / "validation" / "c05.png").write_bytes(b"x"), r"c05.png is not an image"),
        (lambda fold: (fold / "validation" / "summary.json").unlink(), r"summary.json is not there"),
        (lambda fold: (fold / "validation" / "summary.json").write_text("{}"), r"no summary of nnU-Net"),
        (lambda fold: next(fold.glob("*.txt")).unlink(), r"no epoch of nnU-Net has ended"),
    ],
)
def test_a_fold_that_is_not_what_it_says_is_refused_and_nothing_written(store, make_fold, tmp_path, spoil, words):
    fold = make_fold()
    spoil(fold)
    with pytest.raises(UserError, match=words):
        import_nnunet(fold, store, tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


def test_several_labels_and_strange_names_are_refused(store, make_fold, tmp_path):
    fold = make_fold("(1, 2)")
    with pytest.raises(UserError, match=r"foreground labels \(1, 2\); results with a single one"):
        Summary.read(fold / "validation" / "summary.json")
    shutil.rmtree(fold)
    with pytest.raises(UserError, match="belong to no case of the store"):
        import_nnunet(make_fold(), store, tmp_path / "out", names={"other": "c00.png"}, progress=False)


def test_the_mean_is_that_of_nnunet_to_the_last_bit():
    random = np.random.default_rng(2)
    counts = [Counts(*(int(n) for n in random.integers(0, 99, 3)), 0) for _ in range(60)]
    counts[7:50:3] = [Counts(0, 0, 0, 9)] * len(counts[7:50:3])
    dice = [2 * c.tp / (2 * c.tp + c.fp + c.fn) if c.tp + c.fp + c.fn else np.nan for c in counts]
    assert NNUNET.mean(counts) == np.nanmean(dice)
    known = np.array([value for value in dice if not np.isnan(value)])
    assert NNUNET.mean(counts) != known.mean()  # what is left out changes the order of the sum
