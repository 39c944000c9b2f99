from __future__ import annotations

import inspect
import json
from dataclasses import replace

import pandas as pd
import pytest

from llmseg import Study, UserError, run_gap, run_study, zoo
from llmseg.study import PriceSettings, Variant, read_results, run_cohort_gap, run_prices
from llmseg.study.options import Launch, LaunchOptions, StudyOptions

QUIET = {"seeds": 1, "device": "cpu", "progress": False}


@pytest.fixture(scope="module")
def recipes(tiny_recipe):
    """Three that can be trained, one that diverges, and two that cannot be trained on so few cases."""
    good = tiny_recipe.change("fit.epochs", 1)
    return {
        "good": good,
        "slow": good.change("fit.rate", 1e-12),
        "third": good.change("fit.rate", 2e-12),
        "wild": good.change("fit.rate", 1e30),
        "large": good.change("fit.batch_size", 50).change("fit.drop_last", True),
        "larger": good.change("fit.batch_size", 60).change("fit.drop_last", True),
    }


@pytest.fixture
def compare(recipes, phantoms, holdout, tmp_path):
    """A function that compares some of the recipes, by name."""

    def run(*names, **options):
        variants = [Variant(name, recipes[name]) for name in names]
        return run_study(None, variants, phantoms, tmp_path / "s", holdout=holdout, **QUIET, **options)

    return run


def test_all_that_cannot_be_trained_is_named_before_anything_is(compare, tmp_path):
    with pytest.raises(UserError, match=r"^large: the split leaves .*; larger: the split .*--leave-out-failing$"):
        compare("good", "large", "slow", "larger")
    assert not (tmp_path / "s").exists()


@pytest.mark.usefixtures("notes_printed")
def test_what_cannot_be_trained_is_left_out_on_request(compare, capsys):
    study = compare("large", "good", "slow", leave_out_failing=True)
    assert study.variants == ("good", "slow")
    assert list(study.record["variants"]) == ["large", "good", "slow"]
    assert [(failure.variant, failure.seed, failure.kind) for failure in study.failures] == [("large", None, "refused")]
    assert list(study.means()["variant"]) == ["good", "slow"]
    assert study.differences()["variant"].tolist() == ["slow"]
    assert set(read_results(study.folder).scores.contenders) == {"good", "slow"}
    assert "warning: large is left out: large: the split leaves" in capsys.readouterr().err


@pytest.mark.usefixtures("notes_printed")
def test_a_contender_that_diverges_ends_the_study_in_one_line_and_can_be_left_out(compare, tmp_path, capsys):
    advice = "the same command with --leave-out-failing goes on without it, with --retry diverged it is tried again$"
    with pytest.raises(UserError, match=rf"^wild with seed 0: the .* loss of epoch 1 is .*{advice}"):
        compare("good", "wild", "slow")
    note = json.loads((tmp_path / "s" / "failures" / "wild-seed0.json").read_text())
    assert (note["variant"], note["seed"], note["kind"]) == ("wild", 0, "diverged")
    trained = {path: path.stat().st_mtime_ns for path in tmp_path.glob("s/good*/run/weights.safetensors")}
    assert len(trained) == 1
    study = compare("good", "wild", "slow", leave_out_failing=True)
    assert study.variants == ("good", "slow")
    assert set(pd.read_csv(study.folder / "scores.csv")["variant"]) == {"good", "slow"}
    assert {path: path.stat().st_mtime_ns for path in trained} == trained
    assert "wild is left out" in capsys.readouterr().err
    assert len(read_results(study.folder).runs) == 2


def test_without_the_base_nothing_is_left(recipes, phantoms, holdout, tmp_path):
    for base, other in (("wild", "good"), ("good", "wild"), ("large", "good")):
        variants = [Variant("base", recipes[base]), Variant(other, recipes[other])]
        out = tmp_path / f"{base}-{other}"
        with pytest.raises(UserError, match=r"; without it nothing is left to compare: mend it$"):
            run_study("tiny", variants, phantoms, out, holdout=holdout, leave_out_failing=True, **QUIET)


def test_other_errors_are_not_the_contenders(compare, monkeypatch):
    """A full disk would meet one contender after the other."""

    def fail(*_, **__):
        raise UserError("cannot write weights: No space left on device")

    monkeypatch.setattr("llmseg.study.launching.launcher.train", fail)
    with pytest.raises(UserError, match=r"^cannot write weights"):
        compare("good", "slow", leave_out_failing=True)


@pytest.mark.usefixtures("notes_printed")
def test_an_error_of_one_contender_does_not_stop_the_others(compare, monkeypatch, capsys):
    from llmseg.study.launching import launcher

    train = launcher.train

    def fail(recipe, *arguments, **options):
        if options["label"] == "slow":
            raise RuntimeError("shapes differ:\n  3 and 4")
        return train(recipe, *arguments, **options)

    monkeypatch.setattr(launcher, "train", fail)
    with pytest.raises(RuntimeError, match="shapes differ"):  # with its traceback, for it is a fault of llmseg
        compare("slow", "good", "third")
    study = compare("slow", "good", "third", leave_out_failing=True)
    (failure,) = study.failures
    assert (failure.kind, failure.cause) == ("error", "RuntimeError: shapes differ: 3 and 4")
    assert study.variants == ("good", "third")
    assert "slow is left out" in capsys.readouterr().err


def test_a_gap_needs_all_its_mixtures(recipes, phantoms, holdout, tmp_path):
    sides = Variant("good", recipes["good"]), Variant("large", recipes["large"])
    with pytest.raises(UserError, match=r"^large: the split leaves"):
        run_gap(*sides, phantoms, tmp_path / "g", holdout=holdout, **QUIET)
    assert not (tmp_path / "g").exists()
    with pytest.raises(UserError, match="a gap needs all its mixtures"):
        run_gap(*sides, phantoms, tmp_path / "g", holdout=holdout, leave_out_failing=True, **QUIET)


def test_pairs_are_checked_before_the_first_is_trained_and_left_out(recipes, phantoms, holdout, tmp_path):
    left = [Variant(name, recipes[name]) for name in ("slow", "large")]
    cohorts = left, [Variant("good", recipes["good"])]
    with pytest.raises(UserError, match=r"^large: the split leaves"):
        run_cohort_gap(*cohorts, phantoms, tmp_path / "g", holdout=holdout, **QUIET)
    assert not (tmp_path / "g").exists()
    result = run_cohort_gap(*cohorts, phantoms, tmp_path / "g", holdout=holdout, leave_out_failing=True, **QUIET)
    assert [gap.left.name for gap in result.gaps] == ["slow"]
    assert set(result.pairs["left"]) == {"slow"}


def test_prices_are_checked_before_the_first_is_trained_and_left_out(recipes, phantoms, tmp_path, monkeypatch):
    monkeypatch.setattr("llmseg.zoo.registry._PIPELINES", dict(zoo.registry._PIPELINES))
    for name in ("good", "large", "larger"):
        recipe = recipes[name].change("images.mask_threshold", None)  # a mistake
        zoo.register(replace(zoo.get("gpt-o3"), id=name, recipe=recipe))
    settings = PriceSettings(seeds=1, fraction=0.2)
    options = {"settings": settings, "kind": "mistake", "device": "cpu", "progress": False}
    names = ["good", "large", "larger"]
    with pytest.raises(UserError, match=r"^base: the split leaves .* \(large\); .* \(larger\); mend them"):
        run_prices(phantoms, tmp_path / "p", names, **options)
    assert not list(tmp_path.rglob("weights.safetensors"))
    prices = run_prices(phantoms, tmp_path / "p", names, leave_out_failing=True, **options)
    assert set(prices.rows["pipeline"]) == {"good"}


def test_the_options_of_all_functions_are_those_of_run_study():
    keywords = inspect.signature(run_study).parameters
    assert set(StudyOptions.__annotations__) | set(LaunchOptions.__annotations__) | {"holdout"} == {
        name for name, parameter in keywords.items() if parameter.kind is parameter.KEYWORD_ONLY
    }
    launch = Launch()
    assert all(getattr(launch, name) == keywords[name].default for name in vars(launch))


def test_a_study_without_failures_has_none(compare):
    assert Study.open(compare("good", "slow").folder).failures == ()
