from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from llmseg import UserError, hold_out, run_study, zoo
from llmseg.stats import Table, published_dice, simulate
from llmseg.study import Results, Variant, collect_studies, compare_with_published, read_results
from llmseg.study.origins import find_entry
from llmseg.study.published.defects import scoring_defects

NAMES = ("gpt-4", "gpt-o3", "grok-3", "claude-3.5-sonnet", "llama-3.1-405b", "deepseek-r1")


@pytest.fixture(scope="module")
def table() -> Table:
    """Six pipelines of the study, a reference and a variant on one dataset, with four seeds."""
    gains = dict(zip((*NAMES, "monai-basic-unet"), (0.1, 0.3, 0.2, 0.0, -0.1, 0.25, 0.4), strict=True))
    frame = simulate(pipelines=list(gains.values()), datasets=1, seeds=4, cases=40).frame
    names = dict(zip(frame["pipeline"].unique(), gains, strict=True))
    frame = frame.assign(pipeline=frame["pipeline"].map(names), dataset="glottis")
    return Table(
        pd.concat([frame, frame[frame["pipeline"] == "gpt-4"].assign(variant="fit.rate=1")], ignore_index=True)
    )


@pytest.fixture(scope="module")
def comparison(table):
    return compare_with_published(Results(table, ()), prepared_as={"glottis": "BAGLS"})


def test_ranks_stand_beside_ranks_and_agree_as_scipy_says(comparison, table):
    (part,) = comparison.datasets
    frame = part.frame.set_index("pipeline")
    ours = table.frame[table.frame["pipeline"].isin(NAMES) & (table.frame["variant"] != "fit.rate=1")]
    means = ours.groupby("pipeline", observed=True)["value"].mean()
    published = published_dice().set_index(["dataset", "pipeline"]).loc["BAGLS"].loc[list(frame.index)]
    assert frame["mean"].to_dict() == pytest.approx(means.to_dict())
    assert frame["rank"].to_dict() == means.rank(ascending=False).to_dict()
    assert frame["published_rank"].to_dict() == published["median"].rank(ascending=False).to_dict()
    expected = stats.kendalltau(published["median"], frame["mean"]), stats.spearmanr(published["median"], frame["mean"])
    assert (part.kendall.value, part.spearman.value) == pytest.approx([found.statistic for found in expected])
    assert part.resampled[0] <= part.resampled[1]
    assert frame["rank_low"].le(frame["rank"]).all()
    assert f"Kendall's tau {part.kendall.value:.2f} (95 % interval {part.kendall.low:.2f} to" in part.sentence


def test_differences_are_to_means_without_header_cells_or_between_medians(comparison):
    rows = comparison.frame.set_index("pipeline")
    claude, o3 = rows.loc["claude-3.5-sonnet"], rows.loc["gpt-o3"]
    assert (claude["printed_mean"], claude["published_mean"]) == (0.7635, 0.7874)
    assert claude["difference"] == pytest.approx(claude["mean"] - 0.7874)
    assert np.isnan(o3["difference"])
    assert o3["difference_of_medians"] == pytest.approx(o3["median"] - 0.883)
    assert claude["defects"] == "header-0 likely mask-above-zero soft-dice"


def test_every_defect_has_an_explanation_and_no_other_is_explained(comparison):
    named = {name for text in comparison.frame["defects"] for name in text.split()}
    assert set(comparison.explanations) == named
    assert all(text.endswith(".") for text in comparison.explanations.values())


def test_defects_of_scores_follow_from_the_recipes():
    for name in zoo.names():
        recipe, defects = zoo.get(name).recipe, scoring_defects(name)
        assert ("soft-dice" in defects) == (recipe.test.threshold is None)
        assert ("batch-dice" in defects) == (recipe.test.over == "batch")


def test_what_the_study_did_not_publish_is_left_out_and_named(comparison, table):
    assert set(comparison.frame["pipeline"]) == set(NAMES)
    assert "monai-basic-unet, gpt-4 fit.rate=1" in " ".join(comparison.left_out)
    both = pd.concat([table.frame, table.frame.assign(dataset="ours")], ignore_index=True)
    found = compare_with_published(Results(Table(both), ()), prepared_as={"glottis": "bagls"})
    assert "not prepared as a dataset of the study: ours" in found.left_out


def test_two_pipelines_or_one_show_no_agreement(table):
    two = compare_with_published(Results(table.select(pipeline=NAMES[:2]), ()), prepared_as={"glottis": "bagls"})
    assert not two.datasets[0].kendall.is_shown
    assert "it is not shown that the orders have anything in common" in two.datasets[0].sentence
    one = compare_with_published(Results(table.select(pipeline="gpt-4"), ()), prepared_as={"glottis": "bagls"})
    assert one.datasets[0].kendall is None
    assert "fewer than two pipelines" in one.datasets[0].sentence


def test_a_number_that_is_void_has_no_rank(table):
    (part,) = compare_with_published(Results(table, ()), prepared_as={"glottis": "umd"}).datasets
    assert part.published_as == "Myoma"
    assert np.isnan(part.frame.set_index("pipeline").loc["gpt-4", "published_rank"])
    assert part.kendall.count == len(NAMES) - 1


def test_tied_means_are_ties(table):
    frame = table.frame.assign(value=table.frame["value"].where(table.frame["pipeline"] == "gpt-o3", 0.0))
    (part,) = compare_with_published(Results(Table(frame), ()), prepared_as={"glottis": "bagls"}).datasets
    assert part.frame["rank"].tolist() == [1, 2, 2, 2, 2, 2]
    assert part.kendall.tied == 5
    same = Table(table.frame.assign(value=0.0))
    (part,) = compare_with_published(Results(same, ()), prepared_as={"glottis": "bagls"}).datasets
    assert "share one rank" in part.sentence


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"glotis": "bagls"}, "did you mean 'glottis'"),
        ({"glottis": "bagl"}, "did you mean 'bagls'"),
        ({"glottis": "drive"}, "published no figures of DRIVE; it has bagls"),
        ({}, "not prepared as a dataset of the study: glottis.*--as NAME=DATASET"),
    ],
)
def test_what_cannot_be_compared_is_refused(table, names, words):
    with pytest.raises(UserError, match=words):
        compare_with_published(Results(table, ()), prepared_as=names)


@pytest.mark.slow
def test_limits_are_read_from_the_runs_and_origins_from_evaluations(phantoms, tiny_recipe, tmp_path):
    variants = [Variant("gpt-4", tiny_recipe.change("fit.epochs", 1)), Variant("gpt-o3", tiny_recipe)]
    holdout = hold_out(phantoms, fraction=0.2)
    run_study(None, variants, phantoms, tmp_path / "s", holdout=holdout, seeds=1, device="cpu", progress=False)
    results = read_results(tmp_path / "s")
    assert find_entry(results, phantoms.name) is None
    for path in (tmp_path / "s").glob("*/*/*.json"):
        record = json.loads(path.read_text())
        if "prepared_as" in record:
            path.write_text(json.dumps({**record, "prepared_as": "bagls"}))
    results = read_results(tmp_path / "s")
    assert find_entry(results, phantoms.name).id == "bagls"
    limits = " | ".join(compare_with_published(results).limits)
    size = "x".join(map(str, tiny_recipe.images.size))
    assert f"Other size on {phantoms.name}: {size} pixels instead of 256x256" in limits
    assert f"scored on {len(holdout.test_ids)}; the study took 5,002 in all" in limits
    assert "images seen in training instead of about" in limits
    assert "fit.rate" in limits
    # A collected study says the same, although it names no cases.
    collect_studies(tmp_path / "s", tmp_path / "c")
    assert " | ".join(compare_with_published(read_results(tmp_path / "c")).limits) == limits
