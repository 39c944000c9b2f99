"""predict and evaluate read files as those that the run was trained on, and say so."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image

from llmseg import FolderStore, Run, train
from llmseg.data.reading import Reading

Y, X = np.mgrid[:32, :32]


def write(folder, label=1, bits=12):
    """Images of some bits, and masks whose foreground has a value; every ellipse lies elsewhere."""
    for k in range(12):
        inside = ((Y - 10 - k % 3) / 5) ** 2 + ((X - 11) / (6 + k % 2)) ** 2 <= 1
        image = (0.2 + 0.6 * inside + 0.01 * (k + X % 7)) * (2**bits - 1)
        for kind, pixels in (
            ("images", image.astype(np.uint16 if bits > 8 else np.uint8)),
            ("masks", inside * np.uint8(label)),
        ):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / kind / f"{k:02}.png")
    return folder


def named(folder):
    return "--images", folder / "images", "--masks", folder / "masks"


@pytest.fixture(scope="module")
def trained(tiny_recipe, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    data, run = write(folder / "data"), folder / "run"
    store = FolderStore(data / "images", data / "masks", reading=Reading(foreground=1, depth=12))
    train(tiny_recipe, store, run, epochs=1, cache=False, progress=False)
    return data, run


def flat(text):
    return re.sub(r"\s+", " ", text)


def test_the_run_says_how_it_read(trained):
    _, run = trained
    assert Run.open(run).reading == Reading(foreground=1, depth=12)


@pytest.mark.parametrize(
    ("source", "reading"),
    [
        (None, Reading()),
        ({"kind": "FolderStore", "foreground": 3}, Reading(3)),
        ({"kind": "FolderStore", "foreground": 3, "reading": {"foreground": 3, "alpha": "drop"}}, Reading(3, "drop")),
    ],
)
def test_runs_of_earlier_versions_say_it_elsewhere(trained, tmp_path, source, reading):
    record = json.loads((trained[1] / "run.json").read_text())
    del record["reading"]
    (tmp_path / "run.json").write_text(json.dumps(record | {"source": source}))
    assert Run(tmp_path).reading == reading


def test_predict_reads_as_the_run(call, trained, tmp_path):
    data, run = trained
    for name, options in (("taken", ()), ("said", ("--depth", "12")), ("other", ("--depth", "13"))):
        code, _, err = call("predict", run, "--images", data / "images", "--out", tmp_path / name, *options)
        assert code == 0, err
        assert ("images are read as those of the run: --depth 12" in flat(err)) == (name == "taken")
        assert ("with --depth 13 instead of 12" in flat(err)) == (name == "other")
    maps = [
        [path.read_bytes() for path in sorted((tmp_path / n / "probabilities").iterdir())]
        for n in ("taken", "said", "other")
    ]
    assert maps[0] == maps[1] != maps[2]


def test_predict_takes_images_of_8_bits_as_they_are(call, trained, tmp_path):
    images = write(tmp_path / "eight", bits=8) / "images"
    assert call("predict", trained[1], "--images", images, "--out", tmp_path / "out")[0] == 0


def test_predict_asks_where_the_run_says_nothing(call, trained, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for path in trained[1].iterdir():
        if path.is_file():
            (run / path.name).write_bytes(path.read_bytes())
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"reading": {}}))
    arguments = ("predict", run, "--images", trained[0] / "images", "--out", tmp_path / "out")
    code, _, err = call(*arguments)
    assert (code, "--depth 12" in flat(err)) == (2, True)
    assert not (tmp_path / "out").exists()
    assert call(*arguments, "--depth", "12")[0] == 0


def test_evaluate_reads_as_the_run(call, trained, tmp_path):
    data, run = trained
    code, out, err = call("evaluate", run, *named(data), "--out", tmp_path / "taken", "--json")
    assert code == 0, err
    assert "files are read as those of the run: --foreground 1 --depth 12" in flat(err)
    assert json.loads(out)["cases"] == len(Run.open(run).split.test)


def test_evaluate_says_what_it_cannot_read_as_the_run(call, trained, tmp_path):
    other = write(tmp_path / "other", label=255)
    code, _, err = call("evaluate", trained[1], *named(other), "--out", tmp_path / "e", "--allow-overlap")
    assert code == 0, err
    assert "files are not read as those of the run, with --foreground 1 --depth 12: no mask has the value 1" in flat(
        err
    )
    assert "files are read as those of the run: --depth 12" in flat(err)


def test_evaluate_says_where_options_contradict_the_run(call, trained, tmp_path):
    data, run = trained
    code, _, err = call("evaluate", run, *named(data), "--depth", "13", "--out", tmp_path / "e", "--allow-overlap")
    assert code == 0, err
    assert "read otherwise than those the run was trained on: with --depth 13 instead of 12" in flat(err)


def test_a_prepared_store_says_how_it_was_read(call, trained, tmp_path):
    data, run = trained
    store = tmp_path / "set.h5"
    options = ("--foreground", "1", "--depth", "13")
    assert call("data", "prepare", "folder", "--root", data, "--out", store, *options)[0] == 0
    code, _, err = call("evaluate", run, "--data", store, "--out", tmp_path / "e", "--allow-overlap")
    assert code == 0, err
    assert "with --depth 13 instead of 12" in flat(err)
