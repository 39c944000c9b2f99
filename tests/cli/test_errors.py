"""llmseg errors: the study's errors, and others beside them."""

from __future__ import annotations

import json


def test_sums_and_counts_of_the_study_are_printed(call):
    code, text, _ = call("errors")
    assert code == 0
    rows = {line.split("  ")[0]: line.split() for line in text.splitlines() if line}
    assert rows["all"][1:] == ["23", "17", "9", "5", "5", "0", "4", "63"]
    assert rows["gemini-1.5-pro"][-2:] == ["15", "15"]
    assert rows["deepseek-r1"][-2:] == ["2", "0"]


def test_errors_of_others_stand_beside_and_are_drawn(call, tmp_path):
    table, picture = tmp_path / "mine.csv", tmp_path / "errors.svg"
    table.write_text(
        "model,phase,exception,category,description\nours,save,ValueError,dtype,no text\nnone,,,,\n", encoding="utf-8"
    )
    code, text, _ = call("errors", table, "-o", picture)
    assert code == 0
    assert "Yours, 1 error:" in text
    rows = {line.split("  ")[0]: line.split() for line in text.splitlines() if line}
    assert (rows["ours"][-2:], rows["none"][-2:]) == (["1", "-"], ["0", "-"])
    assert picture.is_file()
    found = json.loads(call("errors", table, "--json")[1])
    assert found["sets"]["Yours"]["by_phase_and_category"]["save"]["dtype"] == 1
    assert len(found["sets"]["Yours"]["errors"]) == 1


def test_each_lists_every_answer(call):
    text = call("errors", "--set", "run-to-run", "--each")[1]
    assert len(text.splitlines()) == 17
    assert "gpt-4o@run-10 " in text


def test_an_unknown_set_ends_with_one_line(call):
    code, _, message = call("errors", "--set", "extras")
    assert code == 2
    assert "did you mean 'extra'" in message
