"""Pipelines of files and installed packages."""

from __future__ import annotations

import sys
from importlib import metadata

import pytest

from llmseg import zoo
from llmseg.zoo import outside, registry

REGISTERING = """
from dataclasses import replace
from llmseg import zoo
import {beside}
PIPELINE = zoo.register(replace(zoo.get("gpt-4"), id="{id}"))
"""


@pytest.fixture(autouse=True)
def zoo_as_it_was(monkeypatch):
    """Whatever a test registers or imports is gone after it."""
    monkeypatch.setattr(registry, "_PIPELINES", dict(registry._PIPELINES))
    monkeypatch.setattr(sys, "path", list(sys.path))
    modules = set(sys.modules)
    yield
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def write(folder, name, text):
    path = folder / f"{name}.py"
    path.write_text(text)
    return path


def test_a_file_registers_its_pipelines_once_and_sees_its_neighbours(tmp_path, call):
    write(tmp_path, "lying_beside", "")
    path = write(tmp_path, "outside_mine", REGISTERING.format(beside="lying_beside", id="mine"))
    for position in ([f"--import={path}", "show", "mine"], ["show", "mine", "--import", path]):
        code, out, err = call(*position)
        assert (code, err) == (0, "")
        assert "mine" in out
    assert zoo.import_file(path) is zoo.import_file(str(path))
    code, out, err = call("list", "--all", "--import", path)
    assert "mine" in out


def test_several_files(tmp_path, call):
    paths = [write(tmp_path, f"outside_{id}", REGISTERING.format(beside="os", id=id)) for id in ("one", "two")]
    assert call("diff", "one", "--import", paths[0], "two", "--import", paths[1])[0] == 0


def test_a_file_that_is_called_as_a_module_replaces_none(tmp_path):
    path = write(tmp_path, "json", REGISTERING.format(beside="os", id="mine"))
    before = sys.modules["json"]
    zoo.import_file(path)
    assert sys.modules["json"] is before
    assert zoo.get("mine").id == "mine"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1\nraise RuntimeError('two\\nlines')", "line 2: RuntimeError: two lines"),
        ("def broken(:", "SyntaxError"),
        ("import no_such_module_anywhere", "No module named 'no_such_module_anywhere'"),
        (REGISTERING.format(beside="os", id="gpt-4o"), "the id 'gpt-4o' is taken"),
    ],
)
def test_a_broken_file_is_one_line(text, words, tmp_path, call):
    code, out, err = call("--import", write(tmp_path, "outside_broken", text), "list")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err
    assert "outside_broken.py cannot be imported" in err


@pytest.mark.parametrize("name", ["nowhere.py", "folder", "notes.txt"])
def test_what_is_no_python_file_is_refused(name, tmp_path, call):
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").write_text("")
    code, _, err = call("--import", tmp_path / name, "list")
    assert code == 2
    assert err == f"llmseg: no Python file {tmp_path / name} to import\n"


def test_installed_packages_announce_theirs_and_broken_ones_cost_a_warning(tmp_path, monkeypatch, call):
    text = REGISTERING.format(beside="os", id="theirs") + "PIPELINES = [replace(PIPELINE, id='fourth')]\n"
    write(tmp_path, "outside_theirs", text)
    monkeypatch.syspath_prepend(tmp_path)
    values = ("outside_theirs", "outside_theirs:PIPELINE", "outside_theirs:PIPELINES", "outside_theirs:zoo", "os:sep")
    values += ("no_such_module_anywhere",)
    entries = [metadata.EntryPoint(f"e{i}", value, outside.GROUP) for i, value in enumerate(values)]
    monkeypatch.setattr(outside.metadata, "entry_points", lambda group: entries if group == outside.GROUP else [])
    for _ in range(2):
        code, out, err = call("list", "--all")
        assert code == 0
        assert {"theirs", "fourth"} <= set(out.split())
        assert [line.split(":")[1].strip() for line in err.splitlines()] == ["warning", "warning"]
        assert "str is no llmseg.zoo.Pipeline" in err
        assert "no_such_module_anywhere" in err
