"""What is read for a report."""

from __future__ import annotations

import pytest

from llmseg import UserError
from llmseg.report.source import read_sources
from llmseg.stats import simulate


def test_files_are_joined_and_lacking_columns_filled_in(tmp_path):
    frame = simulate(pipelines=2, datasets=1, seeds=1, cases=3).frame
    first, second = (rows for _, rows in frame.groupby("pipeline"))
    first.to_csv(tmp_path / "first.csv", index=False)
    second.drop(columns=["variant", "seed", "phase"]).to_parquet(tmp_path / "second.parquet")
    results = read_sources([tmp_path / "first.csv", tmp_path / "second.parquet"])
    assert results.runs == ()
    assert repr(results.scores) == "Table(6 rows: 2 contenders, 1 dataset, 1 seed, 3 cases, 1 measure)"
    assert set(results.scores.frame["variant"]) == {"base"}


def test_remarks_of_all_files_are_kept_once(tmp_path):
    frame = simulate(pipelines=2, datasets=1, seeds=1, cases=3).frame.assign(note="x")
    for name, rows in frame.groupby("pipeline"):
        rows.to_csv(tmp_path / f"{name}.csv", index=False)
    assert read_sources(sorted(tmp_path.iterdir())).scores.remarks == ("columns left out: note",)


def test_what_cannot_be_reported_is_told(tmp_path):
    with pytest.raises(UserError, match="nothing to report"):
        read_sources([])
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(UserError, match=r"no table of scores; files may end in \.csv or \.parquet"):
        read_sources([tmp_path / "notes.txt"])
