"""What people publish of a run says nothing of the machine or its user."""

from __future__ import annotations

import getpass
import json
import platform
import shutil
import sys
from pathlib import Path

import pytest

from llmseg import Run, UserError, train
from llmseg.data.store_source import open_source
from llmseg.training.places import PRIVATE


@pytest.fixture(scope="module")
def run(tiny_recipe, phantoms, write_cases, tmp_path_factory):
    home = tmp_path_factory.mktemp("home-of-ada")
    store = write_cases(phantoms, home / "skin")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [f"{home}/venv/bin/llmseg", "train", "x.json", "--images", f"{home}/skin/images"])
        return train(tiny_recipe.change("fit.epochs", 1), store, home / "run", progress=False, cache=False)


def test_only_the_private_file_names_places(run):
    home = str(run.folder.parent)
    for path in run.folder.iterdir():
        content = path.read_bytes()
        assert (home.encode() in content) == (path.name == PRIVATE), path.name
    text = (run.folder / "run.json").read_text()
    for word in (str(Path.home()), platform.node(), sys.prefix, f'"{getpass.getuser()}"'):
        assert word not in text
    assert run.record["command"] == ["llmseg", "train", "x.json", "--images", ".../images"]
    assert run.record["source"] | {"images": "images", "masks": "masks"} == run.record["source"]


def test_the_images_are_found_on_the_machine_that_trained(run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert open_source(run.source).digest == run.record["store"]["digest"]


def test_a_published_run_says_nothing_and_opens(run, tmp_path, monkeypatch):
    published = Run.open(shutil.copytree(run.folder, tmp_path / "run", ignore=shutil.ignore_patterns(PRIVATE)))
    # Folders that happen to have these names are not where the run had its images.
    monkeypatch.chdir(run.folder.parent / "skin")
    assert published.source is None
    assert published.load_net() is not None


def test_runs_of_earlier_versions_have_the_places_in_their_record(run, tmp_path):
    earlier = Run(shutil.copytree(run.folder, tmp_path / "run"))
    source = json.loads((earlier.folder / PRIVATE).read_text())["source"]
    (earlier.folder / PRIVATE).unlink()
    (earlier.folder / "run.json").write_text(json.dumps(earlier.record | {"source": source}))
    assert open_source(earlier.source).digest == run.record["store"]["digest"]


@pytest.mark.parametrize("name", [PRIVATE, "run.json"])
def test_a_damaged_place_is_one_line(name, run, tmp_path):
    damaged = Run(shutil.copytree(run.folder, tmp_path / "run"))
    if name == "run.json":
        (damaged.folder / PRIVATE).unlink()
    content = damaged.record if name == "run.json" else {}
    (damaged.folder / name).write_text(json.dumps(content | {"source": ["/home"]}))
    with pytest.raises(UserError, match=rf"{name} is damaged: 'source' is \['/home'\], not an object or null"):
        _ = damaged.source
    (damaged.folder / name).write_text(json.dumps({key: content[key] for key in content if key != "source"}))
    assert damaged.source is None
