from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from llmseg import FolderStore, hold_out
from llmseg.data import prepare_dataset
from llmseg.errors import UserError
from llmseg.evaluation import evaluate_masks
from llmseg.nnunet.importing import import_nnunet
from llmseg.stats import Table


def test_a_fold_is_scored_after_its_own_dice_was_reproduced(store, make_fold, tmp_path):
    fold = make_fold()
    imported = import_nnunet(fold, store, tmp_path / "out", label="mine", progress=False)
    own = json.loads((fold / "validation" / "summary.json").read_text())["foreground_mean"]["Dice"]
    assert imported.record["nnunet"] == {"foreground_mean": own, "cases": 12, "reproduced": True}
    # Eleven cases have a number by nnU-Net's rule; by ours the empty pair is a twelfth, of 1.
    assert imported.record["dice"] == pytest.approx((11 * own + 1) / 12)
    assert imported.history.columns.tolist() == ["epoch", "train_loss", "validation_loss", "validation_score", "rate"]
    assert imported.history.iloc[0].tolist() == [1, 0.25, -0.125, 0.5, 0.01]
    assert imported.record["seconds"] == 61.1
    assert "validation cases" in imported.evaluation.record["overlap"]
    assert Table.from_evaluations([imported.folder / "evaluation"]).contenders == ("mine",)


def test_predictions_of_held_out_cases_are_scored_if_there_are_any(store, make_fold, tmp_path):
    holdout = hold_out(store, fraction=0.2)
    fold = make_fold()
    (tmp_path / "predicted").mkdir()
    for id in holdout.test_ids:
        shutil.copy(fold / "validation" / id, tmp_path / "predicted" / id)
    imported = import_nnunet(
        fold, store, tmp_path / "out", predictions=tmp_path / "predicted", holdout=holdout, progress=False
    )
    assert sorted(set(imported.evaluation.scores["case"])) == sorted(holdout.test_ids)
    assert imported.evaluation.record["holdout"] == holdout.digest


def test_slices_in_nifti_have_their_columns_first(store, make_fold, tmp_path):
    import nibabel

    def save(values, path):
        nibabel.save(nibabel.Nifti1Image(values.T[..., None], np.eye(4)), path)

    imported = import_nnunet(make_fold(save=save), store, tmp_path / "out", progress=False)
    assert imported.record["nnunet"]["reproduced"]


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


def test_files_of_other_names_are_refused(store, make_fold, tmp_path):
    with pytest.raises(UserError, match="belong to no case of the store"):
        import_nnunet(make_fold(), store, tmp_path / "out", names={"other": "c00.png"}, progress=False)


class TestTheFolder:
    def read(self, folder):
        return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}

    def refuse(self, fold, store, out, match, **options):
        before = self.read(out.parent)
        with pytest.raises(UserError, match=match) as error:
            import_nnunet(fold, store, out, progress=False, **options)
        assert "\n" not in str(error.value)
        assert self.read(out.parent) == before

    def test_references_are_never_replaced(self, store, make_fold, tmp_path):
        assert store.masks == tmp_path / "data/masks"
        fold = make_fold()
        self.refuse(fold, store, tmp_path / "data", "not empty and holds no import of nnU-Net; choose another")
        (tmp_path / "data/imported.json").write_text('{"label": "mine"}')
        self.refuse(fold, store, tmp_path / "data", "not empty and holds no import of nnU-Net")

    def test_folders_that_are_read_and_written_lie_apart(self, store, make_fold, tmp_path):
        fold = make_fold()
        self.refuse(fold, store, fold / "scored", "lie within each other; choose an --out beside it")
        self.refuse(fold, store, fold / "validation/scored", "lie within each other")

    def test_an_earlier_import_is_replaced_but_not_what_was_added_to_its_masks(self, store, make_fold, tmp_path):
        fold, out = make_fold(), tmp_path / "out"
        import_nnunet(fold, store, out, progress=False)
        before = self.read(out)
        import_nnunet(fold, store, out, progress=False)
        assert self.read(out) == before
        (out / "masks/thesis.png").write_text("years of work")
        self.refuse(fold, store, out, r"holds thesis\.png, which is no part of this import")

    def test_an_import_that_was_killed_is_made_again(self, store, make_fold, tmp_path, monkeypatch):
        fold, out = make_fold(), tmp_path / "out"
        import_nnunet(fold, store, out, progress=False)
        whole = {path.relative_to(out): content for path, content in self.read(out).items()}
        with monkeypatch.context() as patch:
            patch.setattr("llmseg.nnunet.importing.evaluate_masks", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                import_nnunet(fold, store, tmp_path / "killed", progress=False)
        import_nnunet(fold, store, tmp_path / "killed", progress=False)
        again = self.read(tmp_path / "killed").items()
        assert {path.relative_to(tmp_path / "killed"): content for path, content in again} == whole


def test_what_a_mac_leaves_is_passed_over(store, make_fold, tmp_path):
    fold = make_fold()
    shutil.copytree(fold / "validation", tmp_path / "predicted", ignore=shutil.ignore_patterns("*.json"))
    for folder in (fold / "validation", tmp_path / "predicted"):
        for name in ("._c00.png", "._c11.png"):
            (folder / name).write_bytes(b"\0\5\x16\7")
    imported = import_nnunet(fold, store, tmp_path / "out", predictions=tmp_path / "predicted", progress=False)
    assert len(set(imported.evaluation.scores["case"])) == 12
    evaluate_masks(tmp_path / "predicted", store, tmp_path / "e", foreground=1, progress=False)


class TestStoreOfRawFiles:
    """Its ids have the channel, ``c00_0000.png``; the files of nnU-Net do not."""

    @pytest.fixture
    def raw(self, store, tmp_path):
        for kind, name in (("images", "imagesTr"), ("masks", "labelsTr")):
            (tmp_path / "raw" / name).mkdir(parents=True)
            for id in store.ids:
                values = np.asarray(Image.open(tmp_path / "data" / kind / id))
                stem = id.removesuffix(".png") + ("_0000" if kind == "images" else "")
                Image.fromarray(values if kind == "images" else values // 255).save(
                    tmp_path / "raw" / name / f"{stem}.png"
                )
        return prepare_dataset("nnunet", tmp_path / "raw", tmp_path / "raw.h5", progress=False)

    def test_its_fold_is_imported(self, raw, store, make_fold, tmp_path):
        fold = make_fold()
        imported = import_nnunet(fold, raw, tmp_path / "out", progress=False)
        assert (
            set(imported.evaluation.scores["case"]) == set(raw.ids) == {id.replace(".", "_0000.") for id in store.ids}
        )
        own = import_nnunet(fold, store, tmp_path / "own", progress=False)
        assert imported.record["dice"] == own.record["dice"]

    def test_its_predictions_are_scored(self, raw, store, make_fold, tmp_path):
        masks = make_fold() / "validation"
        ours = evaluate_masks(masks, raw, tmp_path / "a", foreground=1, progress=False)
        assert ours.means.equals(evaluate_masks(masks, store, tmp_path / "b", foreground=1, progress=False).means)

    def test_a_case_does_not_take_the_mask_of_another(self, tmp_path):
        """``c`` and ``c_0000`` are two cases of a folder that has nothing to do with nnU-Net."""
        for kind in ("images", "masks", "predicted"):
            (tmp_path / kind).mkdir()
            for name in ("c", "c_0000")[: 1 if kind == "predicted" else 2]:
                Image.fromarray(np.eye(4, dtype=np.uint8) * 255).save(tmp_path / kind / f"{name}.png")
        folders = FolderStore(tmp_path / "images", tmp_path / "masks")
        with pytest.raises(UserError, match=r"1 of 2 cases have no mask in .*, first 'c_0000\.png'"):
            evaluate_masks(tmp_path / "predicted", folders, tmp_path / "e", progress=False)


@pytest.mark.parametrize("folder", ["validation_raw", "validation_raw_postprocessed", "validation"])
def test_a_fold_of_version_1_says_so_and_its_masks_can_be_scored(store, make_fold, tmp_path, folder):
    fold = make_fold()
    (fold / "validation" / "summary.json").write_text(json.dumps({"results": {"all": [], "mean": {}}}))
    (fold / "validation").rename(fold / folder)
    with pytest.raises(UserError, match=r"of nnU-Net version 1; only summaries of version 2") as refused:
        import_nnunet(fold, store, tmp_path / "out", progress=False)
    masks, _, foreground = str(refused.value).partition("llmseg evaluate ")[2].split()
    evaluation = evaluate_masks(masks, store, tmp_path / "e", foreground=int(foreground), progress=False)
    assert set(evaluation.scores["case"]) == set(store.ids)
