"""Figures of what folders hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmseg import UserError, evaluate_masks, hold_out, run_study
from llmseg.figures.kinds import Choices, draw, draw_all
from llmseg.figures.predictions import predict_cases, predict_worst, typical_cases
from llmseg.study import Variant
from llmseg.study.results import Results, read_results


@pytest.fixture(scope="module")
def folder(phantoms, tiny_recipe, tmp_path_factory):
    """A study of two pipelines, which were given one epoch, and masks from elsewhere deeper down, in one folder."""
    from PIL import Image

    out = tmp_path_factory.mktemp("figures")
    recipe, holdout = tiny_recipe.change("fit.epochs", 1), hold_out(phantoms, fraction=0.2)
    variants = (Variant("gpt-4", recipe), Variant("gpt-o3", recipe.change("fit.rate", 1e-12)))
    options = {"holdout": holdout, "progress": False}
    run_study(None, variants, phantoms, out / "all/study", seeds=1, device="cpu", **options)
    (out / "masks").mkdir()
    for id in holdout.test_ids:
        Image.fromarray(phantoms.read(id).mask).save((out / "masks" / id).with_suffix(".png"))
    evaluate_masks(out / "masks", phantoms, out / "all/elsewhere/trainings/1/evaluation", label="ours", **options)
    return out / "all"


@pytest.fixture(scope="module")
def found(folder):
    return read_results([folder])


def test_studies_and_masks_are_found_with_their_names(found, phantoms):
    assert found.scores.contenders == ("ours", "gpt-4", "gpt-o3")
    assert found.datasets == (phantoms.name,)
    assert "masks of ours came without a seed, which is taken for 0" in found.scores.remarks
    assert [(one.contender, one.seed, len(one.validation), one.chosen) for one in found.curves] == [
        ("gpt-4", 0, 1, 25),
        ("gpt-o3", 0, 1, 25),
    ]


def test_predictions_have_the_dice_of_the_evaluation(found, phantoms):
    frame = found.scores.frame.query("measure == 'dice'")
    by_place = frame.set_index(["pipeline", "case"])["value"]
    cases = typical_cases(found)
    middle = frame.groupby("case")["value"].mean().loc[cases[phantoms.name][0]]
    assert middle <= frame.groupby("case")["value"].mean().median()
    drawn = [*predict_cases(found, [phantoms], cases), *predict_worst(found, [phantoms])]
    assert [one.contender for one in drawn] == ["gpt-4", "gpt-o3"] * 2
    for one in drawn:
        assert one.dice == pytest.approx(by_place[one.contender, one.case], abs=1e-6)
    assert [one.dice for one in drawn[2:]] == pytest.approx(
        [by_place[name].min() for name in ("gpt-4", "gpt-o3")], abs=1e-6
    )


def test_references_may_come_from_masks(found):
    axes = draw("boxes", found, Choices(references=("ours",))).axes[0]
    assert axes.get_yticklabels()[0].get_text() == "ours"


def test_all_figures_are_drawn_or_left_out_with_a_reason(found, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr("llmseg.figures.kinds.save", lambda figure, path: drawn.append(path) or path)
    files, left_out = draw_all(found, tmp_path / "all", extension="svg")
    assert files == drawn
    assert {path.stem for path in files} | set(left_out) == {path.stem for path in files} ^ set(left_out)
    assert set(left_out) == {"boxes-of-runs", "losses-of-runs", "panels", "worst", "critical-difference"}
    assert "use --data" in left_out["worst"]
    assert all(path.suffix == ".svg" for path in files)


def test_what_folders_lack_is_told(found, phantoms):
    nothing = Results(None, ())
    with pytest.raises(UserError, match="hold no scores"):
        draw("boxes", nothing)
    with pytest.raises(UserError, match="there are no trainings"):
        draw("losses", nothing)
    with pytest.raises(UserError, match="no dataset 'x'"):
        found.select_datasets("x")
    other = replace(found.runs[0], digest="0" * 64)
    with pytest.raises(UserError, match="is not in the state in which gpt-4 was trained"):
        predict_cases(Results(None, (other,)), [phantoms], {phantoms.name: [phantoms.ids[0]]})
    with pytest.raises(UserError, match="no case 'x'"):
        draw("panels", found, Choices(cases=("x",), stores=(phantoms,)))
