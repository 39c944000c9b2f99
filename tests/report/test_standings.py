"""Who is ranked, and what is said where nobody can be."""

from __future__ import annotations

from llmseg import stats
from llmseg.report import Question, analyse, standings
from llmseg.stats import Table


def test_what_lacks_a_dataset_is_not_ranked_and_what_lacks_a_case_takes_it_from_all(pages, written, scores):
    lacking = (scores["pipeline"] == "gpt-o3") & (scores["dataset"] != "Skin")
    single = (scores["pipeline"] == "gpt-4o") & (scores["dataset"] == "Skin") & (scores["case"] == "case-02")
    report = written(scores[~lacking & ~single])
    assert set(report.analysis.overall.absent) == {"gpt-o3"}
    page = pages(report.folder)[report.index]
    page.check_headings()
    assert f"GPT o3: no scores on {scores['dataset'].iloc[-1]}" in page.said
    assert "1 of 8 cases of Skin left out: not every contender and seed has a dice" in page.said
    assert len(report.analysis.by_dataset["Skin"].places) == scores["pipeline"].nunique()


def test_contenders_with_nothing_in_common(pages, written, scores):
    first = (scores["pipeline"] == "gpt-4o") & (scores["dataset"] == "Skin")
    second = (scores["pipeline"] == "gpt-o3") & (scores["dataset"] != "Skin")
    report = written(scores[first | second])
    said = pages(report.folder)[report.index].said
    assert "Nobody can be ranked here." in said
    assert "No contender can be compared on all datasets." in said


def test_one_contender_on_one_dataset(pages, written, scores):
    report = written(scores[(scores["pipeline"] == "gpt-4o") & (scores["dataset"] == "Skin")])
    said = pages(report.folder)[report.index].said
    assert "One contender: there is nothing to rank or to compare." in said
    assert report.analysis.families[0].claims == ()


def test_distances_that_do_not_differ_say_nothing_of_other_cases(scores):
    flat = standings.standing(Table.from_frame(scores.assign(measure="hd95", value=3.0)), "hd95", "test")
    assert any("how far a mean may be off is not known where scores do not differ" in remark for remark in flat.remarks)


def test_ties_everywhere(pages, written, scores):
    report = written(scores.assign(value=0.5))
    page = pages(report.folder)[report.index]
    assert "All contenders have the same mean: the order of the rows says nothing." in page.said
    assert "share the first place." in page.said
    assert page.said.index("No difference among the 6 contenders is established") < page.said.index("share the first")
    assert "How far a mean may be off" not in page.said
    assert {claim.verdict for family in report.analysis.families for claim in family.claims} == {"undecided"}


def test_places_hold_means_and_ranks_of_stats(scores):
    table = stats.Table.from_frame(scores)
    means = stats.means(table, each_dataset=False).set_index("contender")
    ranking = stats.rank(table)
    standing = standings.standing(table, "dice", "test")
    assert [place.contender for place in standing.places] == ranking.frame["contender"].tolist()
    assert [place.rank for place in standing.places] == ranking.frame["rank"].tolist()
    for place in standing.places:
        assert (place.mean, place.low, place.high) == tuple(means.loc[place.contender, ["mean", "low", "high"]])
        assert place.rank_low <= place.rank <= place.rank_high
    assert (standing.cases, standing.groups, standing.seeds) == (16, 16, 2)
    assert standing.sentence == ranking.sentence


def test_the_standing_on_the_only_dataset_is_that_over_all(scores):
    table = stats.Table(scores[scores["dataset"] == "Skin"])
    analysis = analyse(table, Question.of(), dict.fromkeys(table.contenders))
    assert analysis.by_dataset == {"Skin": standings.standing(table, "dice", "test", "Skin")}
