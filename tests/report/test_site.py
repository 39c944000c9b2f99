"""Reports as a whole."""

from __future__ import annotations

import pandas as pd

from llmseg import stats, write_report


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
