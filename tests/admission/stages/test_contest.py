"""Ranking of an admitted recipe: who takes part, what is said of each outcome, and where it is kept."""

from __future__ import annotations

import math

import pytest

from llmseg import Study, UserError
from llmseg.admission.stages.contest import AGAINST, find_contest, run_contest, say_ended
from llmseg.admission.stages.stage import StageVerdict
from llmseg.study import Variant

FAST = {"epochs": 1, "seeds": 1, "progress": False}


@pytest.fixture
def make_contest(phantoms, tiny_recipe):
    """A function that makes a contest on phantoms, against a tiny recipe if nobody else is named."""

    def make(*others, **options):
        against = [Variant(name, recipe) for name, recipe in others] or [Variant("tiny", tiny_recipe)]
        return find_contest("mine", phantoms, None, against, {**FAST, **options})

    return make


class TestWhoTakesPart:
    def test_without_cases_nobody(self):
        assert find_contest("mine", None, None, None, {}) is None

    def test_a_few_of_the_zoo_if_nobody_is_named(self, phantoms):
        contest = find_contest("mine", phantoms, None, None, FAST)
        assert tuple(variant.name for variant in contest.against) == AGAINST
        assert len(contest.holdout.test_ids) > 1

    @pytest.mark.parametrize(
        ("name", "against", "words"),
        [
            ("mine", ["gpt-o33"], "no pipeline 'gpt-o33'; did you mean 'gpt-o3'"),
            ("gpt-4", ["gpt-4"], "a contender is called gpt-4, too; give the admitted pipeline another --name"),
            ("mine", ["gpt-4", "nnunet"], "give OUT/recipe/mine.json and nnunet to llmseg compare"),
            ("mine", [], "there is nobody to rank against; give --against PIPELINE"),
        ],
    )
    def test_nobody_who_cannot(self, phantoms, name, against, words):
        with pytest.raises(UserError, match=words):
            find_contest(name, phantoms, None, against, FAST)

    @pytest.mark.parametrize(
        ("against", "options", "words"), [(["gpt-4"], {}, "--against"), (None, {"epochs": 1}, "--epochs")]
    )
    def test_options_without_cases(self, against, options, words):
        with pytest.raises(UserError, match=f"{words} without cases to rank on; give --data STORE, too"):
            find_contest("mine", None, None, against, options)


def test_another_question_has_a_folder_of_its_own(make_contest, tiny_recipe, tmp_path):
    mine = Variant("mine", tiny_recipe)
    folders = [make_contest(**options).design(mine, tmp_path).folder for options in ({}, {"epochs": 2}, {"seeds": 2})]
    assert folders[0] != folders[1]
    assert folders[0] == folders[2]  # more seeds go on with the same study
    assert all(folder.name.startswith("synthetic-mri-tumour-") for folder in folders)


@pytest.mark.slow
class TestOutcomes:
    def test_a_place_on_the_leaderboard(self, make_contest, tiny_recipe, tmp_path):
        other = tiny_recipe.change("fit.rate", 1e-8)
        ranked = run_contest(make_contest(("slow", other)), Variant("mine", tiny_recipe), tmp_path)
        assert [str(verdict).split(",")[0] for verdict in ranked.verdicts] == ["full run: reached", "rank: reached"]
        means = dict(Study.open(ranked.study).means().set_index("variant")["mean"])
        assert {row["contender"]: row["mean"] for row in ranked.leaderboard} == means
        assert [row["mean"] for row in ranked.leaderboard] == sorted(means.values(), reverse=True)
        place = next(row["place"] for row in ranked.leaderboard if row["contender"] == "mine")
        assert ranked.verdicts[1].reason == f"place {place} of 2, Dice {means['mine']:.4f}"

    def test_equal_means_share_a_place(self, make_contest, tiny_recipe, tmp_path):
        ranked = run_contest(make_contest(("twin", tiny_recipe)), Variant("mine", tiny_recipe), tmp_path)
        assert [row["place"] for row in ranked.leaderboard] == [1, 1]

    def test_a_recipe_that_diverges(self, make_contest, tiny_recipe, tmp_path):
        wild = tiny_recipe.change("fit.rate", 1e38)
        ranked = run_contest(make_contest(), Variant("mine", wild), tmp_path)
        assert [verdict.state for verdict in ranked.verdicts] == ["failed", "not reached"]
        assert "nan" in ranked.verdicts[0].reason.lower() or "not a number" in ranked.verdicts[0].reason
        assert (ranked.study, ranked.leaderboard) == (None, ())

    def test_contenders_that_fail(self, make_contest, tiny_recipe, tmp_path):
        wild = ("wild", tiny_recipe.change("fit.rate", 1e38))
        alone = run_contest(make_contest(wild), Variant("mine", tiny_recipe), tmp_path)
        assert {verdict.state for verdict in alone.verdicts} == {"not decidable"}
        assert alone.verdicts[0].reason.startswith("no other contender can be trained: wild with seed 0")
        beside = run_contest(make_contest(wild, ("tiny", tiny_recipe)), Variant("mine", tiny_recipe), tmp_path)
        assert "left out: wild with seed 0" in beside.verdicts[1].reason
        assert len(beside.leaderboard) == 2
        assert all(math.isfinite(row["mean"]) for row in beside.leaderboard)


@pytest.mark.parametrize("run", [{}, {"ended_by": "limit", "exit_code": None}, {"ended_by": "script", "exit_code": 1}])
def test_scripts_that_had_ended_before(run):
    verdicts = say_ended([StageVerdict("static", "reached"), StageVerdict("epoch", "failed", "ValueError")], run)
    assert [str(each) for each in verdicts] == [
        f"{stage}: not reached, they had ended before, at the stage epoch" for stage in ("full run", "rank")
    ]


def test_scripts_that_got_to_their_end():
    verdicts = [StageVerdict("static", "reached"), StageVerdict("data", "not decidable")]
    assert say_ended(verdicts, {"ended_by": "script", "exit_code": 0}) == ()
