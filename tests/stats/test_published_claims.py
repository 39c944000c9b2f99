"""The claims of the study: what is said of each follows from the published data, the cards, and committed results."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmseg import stats, zoo
from llmseg.stats import published
from llmseg.study import read_results

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
CLAIMS = published.get("claims").frame


def why(part: str, verdict: str) -> str:
    """Return what is said of the one claim with these words, which has that verdict."""
    (row,) = CLAIMS[CLAIMS["claim"].str.contains(part, regex=False)].to_dict("records")
    assert row["verdict"] == verdict
    return str(row["why"])


def names_with(about: str, *, kind: str = "") -> list[str]:
    """Return the names of the pipelines of which a card says that they differ from the document in a field."""
    return [
        card.name
        for card in (zoo.get(id).card for id in zoo.names())
        if any(point.about == about and point.kind.startswith(kind) for point in card.disagreements)
    ]


def test_each_has_a_verdict_a_reason_and_a_source():
    assert set(CLAIMS["verdict"]) == set(published.VERDICTS)
    assert CLAIMS["claim"].is_unique
    assert all(text.endswith(".") for column in ("claim", "why") for text in CLAIMS[column])
    assert set(CLAIMS["made_in"]) == {"text", "README", "table", "statistics script"}


def test_the_tests_of_the_study():
    tests = published.reproduce()
    printed = tests[tests["variant"] == "as_published"]
    assert printed["equal"].all()
    assert f"all {len(printed)} are equal" in why("U and p", "holds")
    assert not tests["significant"].any()
    for comparison, words in (("2024_vs_2025", "Models of 2025"), ("reasoning_vs_nonreasoning", "Reasoning models wr")):
        count = int((printed["comparison"] == comparison).sum())
        assert f"one of the {count} " in why(words, "not decidable")
    models = published.get("models").frame
    of_2025 = models[models["reasoning"] == "yes"]["cohort"].eq("2025")
    assert (of_2025.sum(), len(of_2025)) == (9, 10)
    assert "Nine of the ten" in why("Reasoning models wr", "not decidable")


@pytest.mark.slow
def test_our_answer_is_that_of_our_results():
    scores = read_results(RESULTS / "realdata_64").scores
    cards = {name: zoo.get(name).card for name in scores.contenders}
    cohorts = {name: str(card.cohort) for name, card in cards.items() if not card.is_reference}
    (claim,) = stats.compare_cohorts(scores, cohorts, "2025", "2024")
    said = why("Models of 2025", "not decidable")
    assert f"{claim.difference:.3f} on average (95 % interval {claim.low:.3f} to {claim.high:.3f})" in said


@pytest.mark.slow
def test_published_means_decide_nothing_after_correction():
    """docs/explanation/published.md says so, of the means whose pipelines are known."""
    table = published.dice_table(corrected=True)
    cohorts = {name: str(zoo.get(name).card.cohort) for name in table.contenders}
    p = []
    for dataset in table.datasets:
        part = table.select(dataset=dataset)
        if len({cohorts[name] for name in part.contenders}) == 2:
            (claim,) = stats.compare_cohorts(part, cohorts, "2025", "2024", measure=published.MEASURE)
            p.append(claim.p_difference)
    assert len(p) == 5
    assert sum(value < 0.05 for value in p) == 2
    assert stats.adjust(p).min() > 0.05


@pytest.mark.slow
def test_a_repair_shows_what_limits_a_network():
    repairs = read_results(RESULTS / "repairs_64").scores.select(dataset="ham10000")
    means = stats.means(repairs).set_index("contender")["mean"]
    with_it, without = means["github-copilot"], means["github-copilot without one-channel-stage"]
    said = why("falls slowly", "does not hold")
    assert f"a Dice of {without:.3f} on HAM10000 in our trainings, and {with_it:.3f} without" in said


def test_ten_generations():
    boxes = published.get("dice_from_figure").frame
    medians = boxes[boxes["figure"].str.contains("run_to_run")].groupby("model")["median"]
    ours, other = (medians.get_group(name) for name in ("gpt-4o", "gpt-o4-mini-high"))
    score = why("scores higher", "not decidable")
    assert f"({ours.median():.3f} against {other.median():.3f})" in score
    assert f"({ours.mean():.3f} against {other.mean():.3f})" in score
    assert ours.median() > other.median()
    assert ours.mean() < other.mean()
    stable = why("more stable", "holds")
    assert f"between {other.min()} and {other.max()}, those of GPT-4o between {ours.min()} and {ours.max()}" in stable
    errors = published.get("error_counts").frame
    all_runs = errors[errors["run"] == "all"].set_index("model")
    assert all_runs["published_count"].tolist() == [6, 6]
    assert all_runs["rows_in_sheet"].to_dict() == {"gpt-4o": 6, "gpt-o4-mini-high": 10}
    assert "six errors of each model; its sheet lists ten" in why("corrected more reliably", "not decidable")


def test_the_best_of_2024():
    best = {"gpt-4o", "gpt-o1-preview", "gemini-1.5-pro"}
    boxes = stats.published_dice()
    boxes = boxes[boxes["pipeline"].isin(zoo.names(cohort=2024))].set_index("pipeline")
    medians = {name: rows["median"] for name, rows in boxes.groupby("dataset")}
    assert all(set(medians[name].nlargest(3).index) == best for name in ("BAGLS", "Brain"))
    assert medians["Bolus"]["gpt-4"] == medians["Bolus"]["gemini-1.5-pro"]
    assert "first three on BAGLS and Brain" in why("best Dice among", "holds")


def test_who_made_no_error():
    errors = published.get("error_counts").frame
    named = errors[errors["seed_text"].str.startswith("zero") & (errors["set"] == "core")]
    assert (named["rows_in_sheet"] == 0).all()
    claim = CLAIMS[CLAIMS["claim"].str.contains("made no error")]["claim"].iloc[0]
    names = [zoo.get(id).card.name for id in named["model"]]
    assert [name for name in names if name not in claim and not name.startswith("Claude")] == []
    assert sum(name.startswith("Claude") for name in names) == 2


@pytest.mark.parametrize(
    ("claim", "about"),
    [
        ("is split into", "split.first_size"),
        ("normalised", "images.mean"),
        ("read grey", "images.colour"),
        ("own code", "card.origin"),
        ("settled on", "card.reasoning"),
    ],
)
def test_what_the_cards_say_of_all_pipelines(claim, about):
    said = why(claim, "does not hold")
    named = names_with(about)
    assert named
    assert [name for name in named if name.removesuffix(" 235B") not in said] == []


def test_layers_parameters_and_openness():
    heads = {*names_with("net.head"), *names_with("card.published.head")}
    assert all(name in why("end in a convolution", "does not hold") for name in heads)
    (wrong,) = names_with("card.published.parameters")
    parameters = zoo.get("deepseek-v3").card.parameters
    said = why("numbers of parameters", "does not hold")
    assert f"{wrong} has {parameters:,}" in said
    assert f"{len(zoo.names()) - 1} of {len(zoo.names())}" in said
    assert len(names_with("card.open_weights", kind="inside")) == 6
    assert "all six" in why("open-source", "not decidable")


def test_the_times_of_2025():
    times = published.get("training_times").frame
    table, sheet = (
        times[times["source"] == source].set_index("model")["seconds"] for source in ("2025 table", "2025 sheet")
    )
    differ = int(((table - sheet[table.index]).abs() > 1).sum())
    assert (differ, len(table)) == (3, 11)
    assert "Three of eleven" in why("training times", "not decidable")


def test_a_wrong_verdict_would_be_found():
    with pytest.raises(AssertionError):
        why("U and p", "does not hold")
