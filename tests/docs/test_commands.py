"""Every command that a page shows is one of the command line, with options that it has."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.core import TyperGroup

from llmseg.cli.main import app, put_common_first

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# What stands before the arguments of the command line, also where it is started in another way.
STARTS = (["llmseg"],)


COMMAND = typer.main.get_command(app)  # making it takes longer than all that is asked of it


def arguments(line: str) -> list[str] | None:
    """Return the arguments of the command line that a line of a page gives, ``None`` for another program."""
    words = shlex.split(line, comments=True)
    if words[:1] == ["torchrun"]:
        words = ["llmseg", *words[words.index("llmseg") + 1 :]]
    start = next((start for start in STARTS if words[: len(start)] == start), None)
    return None if start is None else words[len(start) :]


def complaint(words: list[str]) -> str:
    """Return the command or the option that the command line does not have; empty if it has them all."""
    words = put_common_first(words)
    while words[:1] == ["--import"]:
        words = words[2:]
    command: Any = COMMAND
    while isinstance(command, TyperGroup):
        name, *words = words or [""]
        if name not in command.commands:
            return f"command '{name}'"
        command = command.commands[name]
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    given = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    return next((f"option {name}" for name in given if name not in options | {"--help"}), "")


def shown_lines(page: Path, blocks: list[Any]) -> list[str]:
    """Return the lines of the blocks of commands in a page, and the commands in its sentences."""
    inside = [line for block in blocks if not block.language for line in block.code.replace("\\\n", " ").splitlines()]
    return [*inside, *re.findall(r"`(llmseg [a-z][^`]*)`", page.read_text(encoding="utf-8"))]


def test_commands_are_those_of_the_command_line(read_blocks):
    lines = [(page.name, line) for page in PAGES for line in shown_lines(page, read_blocks(page))]
    given = [(page, line, words) for page, line in lines if (words := arguments(line))]
    assert len(given) > 100
    assert [(page, line, complaint(words)) for page, line, words in given if complaint(words)] == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("llmseg tran gpt-4", "command 'tran'"),
        ("llmseg data lst", "command 'lst'"),
        ("llmseg data", "command ''"),
        ("llmseg train gpt-4 --ot runs", "option --ot"),
        ("llmseg gap gpt-4 gpt-4o --swaps=all -x gaps", "option -x"),
        ("llmseg --import x.py shw x --import y.py", "command 'shw'"),
        ("llmseg show x --import y.py", ""),
        ("llmseg gap gpt-4 gpt-4o --swaps=all --out gaps  # Shapley", ""),
    ],
)
def test_wrong_commands_are_found(line, wrong):
    assert complaint(arguments(line) or []) == wrong


def test_other_programs_are_left_alone():
    assert arguments("make demo    # own environment") is None
    assert arguments("torchrun --nproc-per-node 2 -m llmseg train gpt-4") == ["train", "gpt-4"]
