from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from llmseg.cli.main import app
from llmseg.cli.options import Cases
from llmseg.cli.spread import spread


@dataclass(frozen=True)
class Oven:
    heat: Annotated[int, typer.Option(help="Degrees.", max=250)] = 180
    fan: Annotated[bool, typer.Option("--fan", help="With fan.")] = False


@dataclass(frozen=True)
class LargeOven(Oven):
    trays: Annotated[list[str] | None, typer.Option("--tray", help="What lies on it; repeatable.")] = None


@pytest.fixture
def bake():
    """A function that runs a command with two plain parameters around a record; what it was given, or its exit code."""
    given = {}

    @spread
    def command(oven: LargeOven, name: Annotated[str, typer.Argument()], times: int = 1) -> None:
        """Bake a cake."""
        given.update(oven=oven, name=name, times=times)

    bakery = typer.Typer(rich_markup_mode=None)
    bakery.command()(command)

    def run(*arguments):
        given.clear()
        result = CliRunner().invoke(bakery, arguments)
        return dict(given) if result.exit_code == 0 and given else (result.exit_code, result.output)

    return run


def test_a_record_is_filled_from_options_and_defaults(bake):
    assert bake("cake") == {"oven": LargeOven(heat=180, fan=False, trays=None), "name": "cake", "times": 1}
    options = ("--heat", "200", "--fan", "--tray", "a", "--tray", "b", "--times", "2")
    assert bake(*options, "cake") == {"oven": LargeOven(200, True, ["a", "b"]), "name": "cake", "times": 2}


def test_fields_keep_their_checks_and_help(bake):
    code, output = bake("cake", "--heat", "300")
    assert code == 2
    assert "less than or equal to 250" in output
    _, output = bake("--help")
    for text in ("Bake a cake.", "Degrees.", "--fan", "With fan.", "--tray", "What lies on it; repeatable.", "--times"):
        assert text in output


def test_a_field_of_cases_is_an_option_of_all_commands_that_read_cases():
    commands = dict(_commands(typer.main.get_command(app)))
    options = {
        name: {option for parameter in command.params for option in parameter.opts}
        for name, command in commands.items()
    }
    readers = [name for name in options if "--synthetic" in options[name]]
    assert {"train", "replay", "evaluate", "compare", "data split", "nnunet run"} <= set(readers)
    fields = {f"--{name.replace('_', '-')}" for name in Cases.__dataclass_fields__}
    assert {name: fields - options[name] for name in readers if not fields <= options[name]} == {}


def _commands(group, *path):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, *path, name)
        else:
            yield " ".join([*path, name]), command
