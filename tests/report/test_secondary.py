"""A report about several measures: the first is the primary one, the others stand below it."""

from __future__ import annotations

import pandas as pd
import pytest

from llmseg import UserError, write_report
from llmseg.report import Question, judge
from llmseg.stats import Table, simulate


@pytest.fixture
def scores(tmp_path):
    """A table of two contenders, of which one is better in IoU, and none in HD95."""
    frame = simulate(pipelines=[0.0, 0.2], datasets=1, cases=20).frame
    shuffled = 100 * frame["value"].sample(frac=1, random_state=0).to_numpy()
    frame = pd.concat([frame.assign(measure="iou"), frame.assign(measure="hd95", value=shuffled)], ignore_index=True)
    frame.to_csv(tmp_path / "scores.csv", index=False)
    return tmp_path / "scores.csv"


def test_secondary_measures_stand_below_the_primary_one(scores, tmp_path):
    report = write_report(scores, tmp_path / "report", measure=["iou", "hd95"], cases=0)
    page = report.index.read_text(encoding="utf-8")
    assert page.index('id="leaderboard"') < page.index("Secondary measures") < page.index('id="leaderboard-hd95"')
    assert "named beside IoU, which alone decides" in page
    assert report.analysis.verdict.startswith("llm-02 is better than llm-01 in iou")
    (verdict,) = report.analysis.secondary_verdicts.values()
    assert verdict.startswith("No difference between")
    assert [family.id for family in report.analysis.families] == ["pairs", "secondary"]
    assert "Who is better in secondary measures (hd95)?" in (report.folder / "claims.html").read_text(encoding="utf-8")
    again = write_report(
        report.folder / "data" / "scores.parquet", tmp_path / "again", measure=["iou", "hd95"], cases=0
    )
    assert again.index.read_bytes() == report.index.read_bytes()


def test_one_measure_alone_has_no_such_section(scores, tmp_path):
    report = write_report(scores, tmp_path / "report", measure="iou", cases=0)
    assert "Secondary measures" not in report.index.read_text(encoding="utf-8")
    assert set(pd.read_csv(report.folder / "data" / "scores.csv")["measure"]) == {"iou"}


def test_verdicts_without_a_report_are_those_of_the_report(scores, tmp_path):
    question = Question.of(["iou", "hd95"])
    report = write_report(scores, tmp_path / "report", measure=["iou", "hd95"], cases=0)
    verdicts = judge(Table.from_csv(scores), question)
    assert verdicts == {"iou": report.analysis.verdict, **report.analysis.secondary_verdicts}


def test_a_measure_that_is_not_there(scores, tmp_path):
    with pytest.raises(UserError, match="no measure 'nsd' in the table"):
        write_report(scores, tmp_path / "report", measure=["iou", "nsd"], cases=0)
    assert not (tmp_path / "report").exists()
