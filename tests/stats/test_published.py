from __future__ import annotations

import pytest

from llmseg import UserError
from llmseg.stats import compare_cohorts, published, reproduce


@pytest.fixture(scope="module")
def reproduced():
    return reproduce()


def test_every_test_equals_the_published_one_to_the_last_digit(reproduced):
    reference = published._read("statistics")
    assert len(reproduced) == len(reference) == 31
    assert [f"{p:.10g}" for p in reproduced["p"]] == reference["p_one_sided"].tolist()
    assert [str(u) for u in reproduced["U"]] == reference["U_first"].tolist()
    assert reproduced["equal"].all()
    for name in ("method", "n_first", "n_second"):
        assert reproduced[name].astype(str).tolist() == reference[name].tolist()
    assert reproduced["significant"].map({True: "yes", False: "no"}).tolist() == reference["significant"].tolist()


def test_the_anomalies_stand_beside_the_tests(reproduced):
    first = reproduced[(reproduced["variant"] == "as_published") & (reproduced["comparison"] == "2024_vs_2025")]
    told = first.set_index(["split", "dataset"])["anomalies"]
    assert "the row of 2025 is also that of Retina" in told["test", "Myoma"]
    assert "1 value above 1" in told["validation", "BAGLS"]
    assert "header cells counted as a score of 0 in 10 of 19 means" in told["test", "Retina"]
    reasoning = reproduced[reproduced["comparison"] == "reasoning_vs_nonreasoning"]
    both = reasoning[reasoning["variant"] == "as_published"].set_index(["split", "dataset"])["anomalies"]
    assert "3 values in both groups" in both["test", "Skin"]


def test_everything_published_has_a_source_a_certainty_and_rows():
    for name in published.names():
        found = published.get(name)
        assert len(found.frame)
        assert found.source
        assert found.certainty
    assert "The 2025 Myoma row is the Retina row" in " ".join(published.get("dice").defects)
    with pytest.raises(UserError, match="did you mean 'dice'"):
        published.get("dicee")


@pytest.mark.parametrize("name", published.names())
def test_what_was_published_is_shown_on_one_line(name):
    shown = repr(published.get(name))
    assert shown.startswith(f"Published('{name}': ")
    assert "in .frame" in shown
    assert "\n" not in shown
    assert len(shown) < 400


def test_the_published_means_as_a_table():
    table = published.dice_table()
    assert table.select(dataset="Retina").frame["pipeline"].nunique() == 19
    assert not ((table.frame["dataset"] == "Myoma") & table.frame["pipeline"].isin(["gpt-o3", "gpt-4"])).any()
    assert "40 of 114 published means left out" in table.remarks[0]
    assert published.dice_table("validation").frame["value"].max() <= 1
    corrected = published.dice_table(corrected=True).select(pipeline="gpt-o3", dataset="Retina")
    assert corrected.frame["value"].tolist() == [0.6329]
    with pytest.raises(UserError, match="did you mean 'test'"):
        published.dice_table("tset")


def test_the_cohort_question_from_published_means_with_the_llm_as_unit(reproduced):
    """Retina is the only dataset whose nineteen means are known by name."""
    models = published.get("models").frame
    labels = dict(zip(models["id"], models["cohort"], strict=True))
    table = published.dice_table(certainty=["certain"]).select(dataset="Retina")
    (claim,) = compare_cohorts(table, labels, "2025", "2024", measure=published.MEASURE)
    assert (claim.unit, claim.units) == ("LLM", 19)
    assert claim.low < claim.difference < claim.high
    assert any("header cell" in remark for remark in claim.remarks)
