from __future__ import annotations

import pytest

from llmseg.report.analysis import judge
from llmseg.report.question import Question
from llmseg.stats import Table, simulate


@pytest.mark.parametrize("names", [("gpt-4o", "gpt-o3"), ("gpt-4o", "my-own")])
def test_pipelines_of_the_study_are_judged_like_others(names):
    table = simulate(pipelines=[0.0, 0.2])
    frame = table.frame.replace(dict(zip(table.contenders, names, strict=True)))
    assert judge(Table.from_frame(frame), Question()) == {"dice": f"{names[1]} is better than {names[0]} in dice."}
