"""The first sentence of a report."""

from __future__ import annotations

import pytest

from llmseg.report import Question, analyse
from llmseg.report.headline import write_headline
from llmseg.stats import Table, simulate


def headline(table, **options):
    labels = {name: name.replace("llm-0", "LLM ") for name in table.contenders}
    return write_headline(analyse(table, Question.of(**options), dict.fromkeys(table.contenders)), labels)


def valued(table, **values):
    frame = table.frame
    chosen = frame["pipeline"].map({name.replace("_", "-"): value for name, value in values.items()})
    return Table(frame.assign(value=chosen.fillna(frame["value"])))


@pytest.mark.parametrize(
    ("shifts", "rest"),
    [
        ([0.0, 0.3], "of 2 contenders, and is better than each of all others."),
        ([0.0, 0.0], "of 2 contenders, but it is not shown to be better than LLM 1."),
        ([0.0, 0.0, 0.0], "of 3 contenders, but it is not shown to be better than any other."),
        ([-0.4, 0.0, 0.0, 0.0], "of 4 contenders, but it is not shown to be better than the next 2."),
    ],
)
def test_it_says_who_is_first_and_whether_that_is_shown(shifts, rest):
    said = headline(simulate(pipelines=shifts, datasets=1, seeds=3, cases=20))
    assert said.startswith(("LLM 1 has the highest mean Dice (", "LLM 2 has", "LLM 3 has", "LLM 4 has"))
    assert said.endswith(rest)


def test_equivalence_is_said():
    said = headline(simulate(pipelines=[0.0, 0.0], datasets=1, seeds=3, cases=60), margin=0.2)
    assert said.endswith("but LLM 1 is as good.") or said.endswith("but LLM 2 is as good.")


def test_of_distances_the_lowest_is_best():
    frame = simulate(pipelines=[0.0, 0.3], datasets=1, seeds=3, cases=20).frame
    table = Table(frame.assign(measure="hd95", value=100 * (1 - frame["value"])))
    assert headline(table, measure="hd95").startswith("LLM 2 has the lowest mean HD95")


def test_alone_tied_and_without_cases_in_common():
    table = simulate(pipelines=2, datasets=2, seeds=1)
    assert "nothing to compare it with" in headline(table.select(pipeline="llm-01"))
    assert headline(valued(table, llm_01=0.5, llm_02=0.5)).startswith("LLM 1 and LLM 2 share the highest mean Dice")
    frame = table.frame
    apart = frame[(frame["pipeline"] == "llm-01") == (frame["dataset"] == "dataset-1")]
    assert headline(Table(apart.reset_index(drop=True))).startswith("The contenders cannot be ranked")


def test_where_nobody_has_learnt_anything_nobody_is_praised():
    table = valued(simulate(pipelines=2, datasets=1, seeds=1), llm_01=0.01, llm_02=0.08)
    assert headline(table) == "No contender has learnt to segment these images: the best mean Dice is 0.080."
