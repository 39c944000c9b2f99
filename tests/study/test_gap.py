from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest

from llmseg import UserError, run_gap
from llmseg.study import Variant

QUIET = {"device": "cpu", "progress": False}


@pytest.fixture(scope="module")
def sides(tiny_recipe):
    """Two recipes that differ in rate, in the width of the network, in a score, and in what goes from net to loss."""
    left = tiny_recipe.change("fit.epochs", 1)
    right = (
        left.change("fit.rate", 1e-12)
        .change("net", replace(left.net, encoder=(2, 4), bottleneck=8, decoder=(4, 2), output="probability"))
        .change("loss.reads", "probability")
        .change("test.threshold", 0.4)
    )
    return Variant("fast", left), Variant("slow", right)


@pytest.fixture(scope="module")
def gap(phantoms, holdout, sides, tmp_path_factory):
    out = tmp_path_factory.mktemp("gaps") / "g"
    return run_gap(*sides, phantoms, out, holdout=holdout, swaps="all", seeds=1, **QUIET)


def test_one_training_per_mixture_of_what_differs(gap):
    assert gap.study.variants == (
        "slow",
        "net of fast",
        "loss of fast",
        "fit of fast",
        "net+loss of fast",
        "net+fit of fast",
        "loss+fit of fast",
        "fast",
    )


def test_parts_add_up_and_what_is_alike_has_exactly_nothing(gap):
    table = gap.contributions().set_index("part")
    paired = gap.study.paired()
    assert table.loc["gap", "difference"] == pytest.approx((paired["fast"] - paired["slow"]).mean())
    assert table.drop("gap")["difference"].sum() == pytest.approx(table.loc["gap", "difference"])
    for part in ("images", "split", "score", "test"):
        assert table.loc[part, ["difference", "low", "high"]].tolist() == [0, 0, 0]
    assert table.loc["interaction", "difference"] == pytest.approx(0, abs=1e-12)
    assert (table["low"] <= table["difference"] + 1e-12).all()


def test_ends_are_the_two_recipes(gap, sides):
    fast, slow = sides
    digests = json.loads((gap.folder / "study" / "study.json").read_text())["variants"]
    assert digests["fast"] == fast.recipe.digest
    assert digests["slow"] == slow.recipe.digest


def test_files(gap):
    pd.testing.assert_frame_equal(pd.read_csv(gap.folder / "gap.csv"), gap.contributions())
    assert not [*gap.folder.rglob("*.pdf"), *gap.folder.rglob("*.png")]  # the command line draws
    points = 100 * gap.contributions().set_index("part").loc["gap", "difference"]
    assert abs(points) >= 0.05
    side = "better" if points >= 0 else "worse"
    assert gap.sentence().startswith(f"With one seed, fast is {abs(points):.1f} Dice points {side} than slow: ")


def test_no_gap_is_not_called_better(gap, tmp_path):
    none = gap.contributions().assign(difference=[*[0.0] * 2, 0.02, -0.02, *[0.0] * 5])
    none.to_csv(tmp_path / "gap.csv", index=False)
    assert replace(gap, folder=tmp_path).sentence() == (
        "With one seed, fast and slow have the same Dice: net +2.0, loss -2.0"
    )


def test_single_swaps_use_the_trainings_that_are_there(gap, sides, phantoms, holdout, tmp_path):
    """Of three parts that differ, single swaps need the eight mixtures that Shapley values need."""
    folder = shutil.copytree(gap.folder, tmp_path / "g")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("weights.safetensors")}
    assert len(before) == 8
    single = run_gap(*sides, phantoms, folder, holdout=holdout, swaps="single", seeds=1, **QUIET)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("weights.safetensors")} == before
    means = single.study.paired().mean()
    alone = means["fit of fast"] - means["slow"]
    last = means["fast"] - means["net+loss of fast"]
    contributions = single.contributions().set_index("part")["difference"]
    assert contributions["fit"] == pytest.approx((alone + last) / 2)


def test_a_gap_of_other_trainings_is_refused(gap, sides, phantoms, holdout):
    with pytest.raises(UserError, match="holds something else: its epochs differ"):
        run_gap(*sides, phantoms, gap.folder, holdout=holdout, swaps="all", seeds=1, epochs=2, **QUIET)


def test_recipes_that_decide_alike_have_no_gap(sides, phantoms, holdout, tmp_path):
    fast = sides[0]
    other = Variant("other", fast.recipe.change("test.threshold", 0.4))
    with pytest.raises(UserError, match="fast and other differ in no part that decides a mask"):
        run_gap(fast, other, phantoms, tmp_path / "g", holdout=holdout, **QUIET)
    assert not (tmp_path / "g").exists()


def test_unknown_swaps(sides, phantoms, holdout, tmp_path):
    with pytest.raises(UserError, match="no kind of swaps 'singel'; did you mean 'single'"):
        run_gap(*sides, phantoms, tmp_path / "g", holdout=holdout, swaps="singel", **QUIET)


def test_a_table_of_somebody_else_is_kept(sides, phantoms, holdout, tmp_path):
    (tmp_path / "gap.csv").write_text("mine")
    with pytest.raises(UserError, match="is not empty and holds no gap; choose another --out"):
        run_gap(*sides, phantoms, tmp_path, holdout=holdout, **QUIET)
    assert (tmp_path / "gap.csv").read_text() == "mine"
