"""Reports as a whole."""

from __future__ import annotations

import csv
import re

import pandas as pd
import pytest

from llmseg import UserError, stats, write_report


def test_downloads_can_be_reported_again_and_give_the_same_bytes(report, scores, tmp_path):
    pd.testing.assert_frame_equal(stats.Table.from_csv(report.folder / "data/scores.csv").frame, scores)
    again = write_report([report.folder / "data/scores.parquet"], tmp_path / "again")
    files = {path.relative_to(again.folder): path.read_bytes() for path in again.folder.rglob("*") if path.is_file()}
    assert files == {p.relative_to(report.folder): p.read_bytes() for p in report.folder.rglob("*") if p.is_file()}


def test_values_that_are_no_numbers_and_other_mistakes_end_in_one_line(call, scores, tmp_path):
    scores.assign(value=float("nan")).to_csv(tmp_path / "nan.csv", index=False)
    scores.to_csv(tmp_path / "scores.csv", index=False)
    (tmp_path / "notes.txt").write_text("none")
    for names, options, wanted in (
        (["nan.csv"], [], "values are no numbers (NaN)"),
        (["absent"], [], "no such folder"),
        (["notes.txt"], [], "files may end in .csv or .parquet"),
        (["scores.csv"], ["--measure", "dce"], "no measure 'dce' in the table"),
        (["scores.csv"], ["--reference", "gpt-3"], "no contender 'gpt-3'"),
        (["scores.csv"], ["--margin", 0], "margin is 0.0"),
        (["scores.csv", "scores.csv"], [], "rows stand twice"),
    ):
        code, _, error = call("report", *(tmp_path / name for name in names), "-o", tmp_path / "site", *options)
        assert (code, error.count("\n")) == (2, 1)
        assert wanted in error
        assert not (tmp_path / "site").exists()


def test_names_are_no_formulas_in_spreadsheets_and_come_back(scores, tmp_path):
    odd = {"gpt-4o": "=cmd|' /C calc'!A0", "gpt-o3": "-2+3", "deepseek-r1": "@SUM(1)", "claude-3.5-sonnet": "'=1"}
    frame = scores.assign(pipeline=scores["pipeline"].replace(odd), case=scores["case"].replace("case-02", "+1"))
    frame.to_parquet(tmp_path / "scores.parquet")
    report = write_report([tmp_path / "scores.parquet"], tmp_path / "site", cases=0)
    for path in (report.folder / "data").glob("*.csv"):
        cells = {cell for row in csv.reader(path.open(newline="")) for cell in row}
        texts = {cell for cell in cells if not re.fullmatch(r"-?[\d.]+(e-?\d+)?", cell)}
        assert [cell for cell in texts if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == [], path.name
    pd.testing.assert_frame_equal(stats.Table.from_csv(report.folder / "data/scores.csv").frame, frame)


@pytest.mark.parametrize("column", ["pipeline", "variant", "dataset", "case", "group"])
def test_control_characters_are_refused(column, scores):
    with pytest.raises(UserError, match=rf"{column} '.*\\x1b\[31mred' has control characters"):
        stats.Table.from_frame(scores.assign(**{column: scores[column] + "\x1b[31mred"}))


def test_a_title_that_commands_terminals_is_refused(scores, tmp_path):
    with pytest.raises(UserError, match=r"title 'a.*' has control characters"):
        write_report([tmp_path], tmp_path / "site", title="a\x1b[31m")
