"""What the Tab key offers: names of pipelines, quirks, fields, measures and phantoms."""

from __future__ import annotations

import pytest
import typer.main

from llmseg import recipe, zoo
from llmseg.cli.help import list_commands
from llmseg.cli.main import app
from llmseg.data import MODALITIES
from llmseg.evaluation import MEASURES

COMMANDS = {" ".join(words): command for words, command in list_commands(typer.main.get_command(app))}


def offered(command, parameter, typed=""):
    (found,) = (one for one in COMMANDS[command].params if parameter in (one.name, *one.opts))
    return [item.value for item in found.shell_complete(None, typed)]


@pytest.mark.parametrize("command", ["show", "train", "replay", "ablate", "price", "predict", "export"])
def test_pipelines(command):
    (name,) = (one.name for one in COMMANDS[command].params if one.param_type_name == "argument")
    assert offered(command, name) == list(zoo.all_names())
    assert offered(command, name, "gpt-4o@run-0")[0] == "gpt-4o@run-01"
    assert offered(command, name, "zzz") == []


@pytest.mark.parametrize(
    ("command", "parameter", "typed", "words"),
    [
        ("compare", "names", "ref", ["references"]),
        ("gap", "right", "2", ["2024", "2025"]),
        ("diff", "left", "grok-3-m", ["grok-3-mini"]),
        ("quirks", "name", "double", [name for name in recipe.quirk_names() if name.startswith("double")]),
        ("ablate", "--repair", "ea", ["each"]),
        ("ablate", "--from", "bing-copilot@", ["bing-copilot@tensorflow"]),
        ("ablate", "--field", "fit.b", ["fit.batch_size="]),
        ("train", "--set", "net.mis", ["net.mismatch="]),
        ("fields", "path", "net.mis", ["net.mismatch"]),
        ("compare", "--synthetic", "", list(MODALITIES)),
        ("compare", "--measure", "", list(MEASURES)),
    ],
)
def test_words(command, parameter, typed, words):
    assert words
    assert offered(command, parameter, typed) == words


def test_every_field_is_offered_once_and_can_be_changed():
    changes = offered("train", "--set")
    assert len(set(changes)) == len(changes)
    assert {f"{path}=" for path, _ in zoo.TEXTBOOK.items() if "." in path and not path.endswith(".kind")} <= set(
        changes
    )
