"""A file that a user names may lie in a folder that is not there yet: every command makes it."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("command", "file"),
    [
        (["show", "llama-3.1-405b", "--draw"], "net.svg"),
        (["show", "gpt-4", "--recipe"], "mine.yaml"),
        (["errors", "-o"], "errors.svg"),
        (["data", "split", "--synthetic", "fundus", "--cases", "12", "--fraction", "0.5", "-q", "-o"], "test.json"),
    ],
)
def test_the_folder_is_made(command, file, call, tmp_path):
    code, _, err = call(*command, tmp_path / "new" / "folder" / file)
    assert (code, err) == (0, "")
    assert (tmp_path / "new" / "folder" / file).stat().st_size > 0


def test_a_file_in_the_way_is_one_line(check_mistake, tmp_path):
    (tmp_path / "new").write_text("mine")
    check_mistake("cannot make the folder", "show", "gpt-4", "--recipe", tmp_path / "new" / "mine.yaml")
    assert (tmp_path / "new").read_text() == "mine"
