"""The Python of the page on training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import llmseg

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "train.md"


RESULTS = PAGE.parents[2] / "benchmarks" / "results"


def read_speeds(name):
    """Return how many times as fast as the plain loop we train and predict, by a file of results."""
    found = json.loads((RESULTS / name).read_text(encoding="utf-8"))
    if "rows" in found and "gain_over_plain" in found["rows"][0]:
        (gain,) = (
            row["gain_over_plain"] for row in found["rows"] if (row["pipeline"], row["numerics"]) == ("grok-3", "fp32")
        )
        return gain["step"], gain["prediction"]
    return found["ratios"]["ours_vs_plain"], found["inference_ratios"]["ours_vs_plain"]


def test_the_table_of_speeds_has_the_figures_of_its_files():
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if "| [" in line]
    shown = {row[-1].split("](")[0].lstrip("| ["): (row[2], row[4]) for row in rows}
    assert len(shown) == 4
    assert shown == {name: tuple(f"{value:.2f}" for value in read_speeds(name)) for name in shown}


def test_what_kept_memory_gains_is_what_its_file_says():
    rows = json.loads((RESULTS / "freed_memory.json").read_text(encoding="utf-8"))["rows"]
    gains = {name: [] for name in ("grok-3", "gpt-4", "gpt-o3")}
    for row in rows:
        gains[row["pipeline"]].append(f"{row['gain']['step']:.2f}")
    page = PAGE.read_text(encoding="utf-8")
    for name, shown in gains.items():
        title = llmseg.zoo.get(name).card.name
        (line,) = (line for line in page.splitlines() if line.startswith(f"| {title} ("))
        assert [cell.strip() for cell in line.strip("|").split("|")][1:] == shown
    most = max(row["kept"]["memory"] / row["given_back"]["memory"] for row in rows)
    assert f"takes up to {100 * (most - 1):.0f} % more memory" in page


def test_what_winograds_algorithm_changes_is_what_its_files_say():
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    rows = json.loads((RESULTS / "equivalence_fp32_avx2_imitated.json").read_text(encoding="utf-8"))["rows"]
    largest = sorted((row["fast"] / row["planted"], row["pipeline"]) for row in rows)[-3:]
    assert (len(rows), [name for _, name in largest[1:]]) == (19, ["deepseek-r1", "deepseek-v3"])
    least, r1, v3 = (f"{100 * share:.0f}" for share, _ in largest)
    assert (
        f"at most {least} % of what the learning rate did, and those of DeepSeek R1 and DeepSeek V3 by {r1} and {v3} %"
        in text
    )
    rows = json.loads((RESULTS / "inference_masks_avx2_imitated.json").read_text(encoding="utf-8"))["rows"]
    assert (len(rows), all(row["agrees"] for row in rows)) == (19, True)
    pixels, differ = sum(row["pixels"] for row in rows), sum(row["pixels_that_differ"] for row in rows)
    assert f"{differ} of {pixels:,} pixels" in text


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
