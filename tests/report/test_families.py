"""The questions that a report answers."""

from __future__ import annotations

import pytest

from llmseg import UserError, zoo
from llmseg.report.families import families
from llmseg.report.question import Question
from llmseg.stats import Table, compare_all, simulate


def study(*names):
    frame = simulate(pipelines=len(names), pipeline_spread=0.05, datasets=1, cases=20).frame
    renamed = dict(zip(frame["pipeline"].unique(), names, strict=True))
    table = Table(frame.assign(pipeline=frame["pipeline"].map(renamed)))
    return table, {name: zoo.get(name).card if name in zoo.all_names() else None for name in names}


def ids(*names, **question):
    table, cards = study(*names)
    return [family.id for family in families(table, cards, Question(**question))]


def test_questions_are_asked_where_there_are_groups_to_compare():
    assert ids("gpt-4", "gpt-o3", "monai-basic-unet") == ["cohorts", "reasoning", "reference", "pairs"]
    assert ids("gpt-4", "gpt-4o", "bing-copilot") == ["pairs"]
    assert ids("ours", "theirs", "others", reference="ours") == ["reference", "pairs"]


def test_with_two_contenders_the_reference_and_all_pairs_are_one_question():
    assert ids("ours", "theirs", reference="ours") == ["pairs"]


def test_variants_and_generations_do_not_stand_for_their_llm():
    assert ids("gpt-4", "gpt-o3@rgb", "gpt-4o@run-01") == ["pairs"]


def test_the_claims_are_those_of_stats():
    table, cards = study("gpt-4", "gpt-o3", "monai-basic-unet")
    *_, reference, pairs = families(table, cards, Question(margin=0.01))
    assert pairs.claims == compare_all(table, margin=0.01)
    assert reference.claims == compare_all(table, "monai-basic-unet", margin=0.01)
    assert sum(pairs.counts.values()) == 3


def test_a_question_without_an_answer_says_why():
    table, cards = study("gpt-4", "gpt-4o")
    (alone,) = families(table.select(pipeline="gpt-4"), cards, Question())
    assert (alone.claims, alone.reason) == ((), "one contender can be compared on all datasets")
    (nothing,) = families(None, cards, Question())
    assert (nothing.claims, nothing.reason) == ((), "no contender can be compared on all datasets")
    (lacking, _) = families(table, {**cards, "monai-basic-unet": zoo.get("monai-basic-unet").card}, Question())
    assert (lacking.id, lacking.reason) == ("reference", "monai-basic-unet lacks scores on some dataset")


def test_what_cannot_be_asked_is_refused():
    table, cards = study("gpt-4", "gpt-4o")
    with pytest.raises(UserError, match="no contender 'gpt4'; did you mean 'gpt-4'"):
        families(table, cards, Question(reference="gpt4"))
    with pytest.raises(UserError, match="margin is 0"):
        families(table, cards, Question(margin=0.0))
