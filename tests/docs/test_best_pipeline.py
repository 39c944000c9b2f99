"""The page from a folder of images to the best pipeline: its commands run in its order, and print what it shows."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest

import llmseg

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "best-pipeline.md"
DIGEST = re.compile(r"^digest: \w+$", re.MULTILINE)
# One training of one epoch for each pipeline: scores are others then, and so are the lines of the report.
SHORTER = {"--epochs 6": "--epochs 1", "--seeds 3": "--seeds 1"}
OF_SCORES = ("compare", "report")


def commands(blocks: list) -> list[tuple[str, str]]:
    """Return (command, what the page shows of its output) of the six steps."""
    return [
        (" ".join(block.code.replace("\\\n", " ").split()), after.code)
        for block, after in itertools.pairwise(blocks)
        if not block.language and after.language == "text" and "#" not in block.code
    ]


@pytest.fixture(scope="module")
def shown(read_blocks) -> list[tuple[str, str]]:
    return commands(read_blocks(PAGE))


@pytest.fixture(scope="module")
def printed(shown, read_blocks, tmp_path_factory) -> dict[str, str]:
    """What each command prints, in a folder with the images that the page draws."""
    folder = tmp_path_factory.mktemp("lesions")
    (drawing,) = (block for block in read_blocks(PAGE) if block.file)
    subprocess.run([sys.executable, "-c", drawing.code], cwd=folder, check=True, timeout=120)
    outputs = {}
    for command, _ in shown:
        short = command
        for long, less in SHORTER.items():
            short = short.replace(long, less)
        shell = f"{sys.executable} -m {short}"
        done = subprocess.run(shell, shell=True, cwd=folder, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        outputs[command] = done.stdout
    return outputs


def test_there_are_six_steps(shown):
    names = ("data doctor", "data prepare", "data split", "compare", "report", "predict")
    assert [command for name, (command, _) in zip(names, shown, strict=True) if f"llmseg {name}" not in command] == []
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in names if f"`llmseg {name}" not in text] == []
    assert all(long in shown[3][0] for long in SHORTER)


def test_the_study_file_can_be_read(read_blocks, tmp_path):
    (block,) = (block for block in read_blocks(PAGE) if block.language == "toml")
    path = tmp_path / "lesions.toml"
    path.write_text(block.code)
    assert llmseg.study.read_study_file(path).seeds == 3


@pytest.mark.slow
def test_commands_print_what_the_page_shows(shown, printed):
    exact = [(command, output) for command, output in shown if command.split()[1] not in OF_SCORES]
    assert len(exact) == 4
    for command, output in exact:
        assert DIGEST.sub("", printed[command]) == DIGEST.sub("", output), command


@pytest.mark.slow
def test_scores_stand_where_the_page_shows_them(shown, printed):
    compared, reported = (printed[command] for command, _ in shown if command.split()[1] in OF_SCORES)
    (_, table), (_, report) = ((name, output) for name, output in shown if name.split()[1] in OF_SCORES)
    for name in ("gpt-o3", "gpt-4", "llama-3.1-405b", "monai-basic-unet"):
        assert re.search(rf"^{name} +\d\.\d{{4}} ", compared, re.MULTILINE)
        assert re.search(rf"^{name} +\d\.\d{{4}} ", table, re.MULTILINE)
    assert table.splitlines()[-1] in compared
    assert reported.splitlines()[0] == report.splitlines()[0] == "lesions-report/index.html"
