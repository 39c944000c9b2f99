from __future__ import annotations

import pytest

from llmseg import zoo


@pytest.mark.slow
def test_a_small_study_is_reported_and_timed(module, tmp_path):
    report_time = module("report_time")
    table = report_time.simulate_study(cases=3, seeds=1)
    assert table.contenders == zoo.names()
    assert table.datasets == report_time.DATASETS
    times = report_time.time_report(table, tmp_path)
    assert times["rows"] == 19 * 6 * 3
    assert times["pages"] == 4 + 19 + 6
    assert times["report_seconds"] > 0
