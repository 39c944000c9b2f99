"""The help: it fits a screen, every command has an example, and the examples work."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
import typer.main

from llmseg.cli.help import FURTHER, GROUPS, list_commands, split_example
from llmseg.cli.main import app

COMMANDS = {" ".join(words): command for words, command in list_commands(typer.main.get_command(app))}
EXAMPLES = {name: split_example(command.help or "")[1] for name, command in COMMANDS.items()}

# Examples that need what not every computer has: nnU-Net and minutes, a cluster, a sandbox.
ELSEWHERE = ("admit", "nnunet prepare", "nnunet train", "nnunet predict", "nnunet import", "nnunet run", "study submit")
# What the others read is made first.
ORDER = ("data prepare", "data split", "train", "compare", "evaluate", "study run", "study collect")


@pytest.fixture(autouse=True)
def _screen(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERMINAL_WIDTH", "80")


@pytest.mark.parametrize("name", ["", "data", "cache", "nnunet", "study", *COMMANDS])
def test_help_fits_a_screen(name, call):
    code, text, _ = call(*name.split(), "--help")
    assert code == 0
    assert len(text.splitlines()) <= 40, text
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert [line for line in text.splitlines() if line.endswith("...") and not line.startswith("Usage")] == []


def test_commands_are_listed_in_groups_each_once(call):
    text = call("--help")[1]
    listed = [name for names in GROUPS.values() for name in names]
    assert len(set(listed)) == len(listed)
    top = typer.main.get_command(app).commands
    assert sorted(top) == sorted(listed), "put a new command into one of the groups of llmseg/cli/help.py"
    assert all(f"  {name} " in text for name in top)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_of_its_own(name):
    assert EXAMPLES[name].startswith(f"llmseg {name}")


def test_every_out_is_also_o():
    options = [parameter for command in COMMANDS.values() for parameter in command.params if "--out" in parameter.opts]
    assert len(options) > 20
    assert [option for option in options if "-o" not in option.opts] == []


def test_further_options_are_options_and_explained_in_full(call):
    names = {parameter.name: parameter for command in COMMANDS.values() for parameter in command.params}
    assert [name for name in FURTHER if name not in names] == []
    short, full = call("train", "--help")[1], call("help", "train")[1]
    assert "'llmseg help train' explains" in short
    assert "Patience" not in short
    for parameter in COMMANDS["train"].params:
        assert parameter.opts[0] in short
        assert any(f"{option} " in full for option in parameter.opts)
    assert call("help", "data", "split")[1].startswith("Usage: ")
    assert "Usage:" in call("help")[1]
    code, out, err = call("help", "trian")
    assert (code, out) == (2, "")
    assert "no command 'trian'; did you mean 'train'?" in err


def test_an_example_is_shown_so_that_it_can_be_copied(call):
    text = call("compare", "--help")[1]
    shown = text.partition("Example: ")[2].partition("\n\n")[0]
    assert shlex.split(shown.replace("\\\n", " ")) == shlex.split(EXAMPLES["compare"])


@pytest.mark.slow
def test_the_examples_work(make_folder, call, tmp_path, monkeypatch):
    folders = make_folder({f"{index:02}": (40, 36) for index in range(12)})
    (tmp_path / "work" / "brain").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    for folder in folders:
        shutil.move(folder, tmp_path / "work" / "brain" / folder.name)
    Path("brain.toml").write_text(
        'pipelines = ["llama-3.1-405b", "gpt-o3"]\nseeds = 1\nepochs = 1\nchanges = ["images.size=64,64"]\n'
        '[test]\nfraction = 0.4\n[datasets.fundus]\nsynthetic = "fundus"\ncases = 24\n'
    )
    first = [name for name in ORDER if name in EXAMPLES]
    for name in [*first, *(name for name in EXAMPLES if name not in (*first, *ELSEWHERE))]:
        code, _, err = call(*shlex.split(EXAMPLES[name])[1:])
        assert code in ((0, 1) if name == "data doctor" else (0,)), (name, err)
