"""The Python of the page on training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "train.md"


def test_recording_steps_of_a_loop_of_ones_own(read_blocks, capsys):
    (code,) = (block.code for block in read_blocks(PAGE) if "Recording" in block.code)
    exec(code, {})
    assert capsys.readouterr().out.startswith("cpu 1 ")


@pytest.mark.slow
def test_the_observer_logs_to_a_file(read_blocks, tiny, tmp_path, monkeypatch):
    """The pipeline of the page is replaced by a tiny one, to save time."""
    (code,) = (block.code for block in read_blocks(PAGE) if block.file == "log_losses.py")
    monkeypatch.chdir(tmp_path)
    assert code.count('"gpt-o3"') == 1
    exec(code.replace('"gpt-o3"', f'"{tiny}"'), {})
    lines = [json.loads(line) for line in Path("losses.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["beginning", "epoch", "epoch", "end"]
    assert (lines[0]["label"], lines[0]["continues_at"], lines[-1]["outcome"]) == (tiny, 0, "done")
    history = Path("runs/gpt-o3/history.csv").read_text().splitlines()
    assert [row.split(",")[2] for row in history[1:]] == [f"{line['validation']:.17g}" for line in lines[1:3]]
