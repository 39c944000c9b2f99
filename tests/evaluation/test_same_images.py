"""Images that a run was trained on are known again under other names and in other formats."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from llmseg import FolderStore, Run, UserError, evaluate_run, train
from llmseg.cli.main import main
from llmseg.data import store_images
from llmseg.data.store_images import digest_images

QUIET = {"device": "cpu", "progress": False}


def save_copies(store, folder, name, convert=lambda image: image):
    for kind in ("image", "mask"):
        (folder / f"{kind}s").mkdir(parents=True)
        for id in store.ids:
            pixels = getattr(store.read(id), kind)
            changed = convert(pixels) if kind == "image" else pixels
            Image.fromarray(changed).save(folder / f"{kind}s" / name(id))
    return FolderStore(folder / "images", folder / "masks")


@pytest.fixture(scope="module")
def own(phantoms, tmp_path_factory):
    return save_copies(phantoms, tmp_path_factory.mktemp("own"), str)


@pytest.fixture(scope="module")
def run(own, tiny_recipe, tmp_path_factory):
    return train(tiny_recipe.change("fit.epochs", 1), own, tmp_path_factory.mktemp("runs") / "a", **QUIET)


COPIES = {
    "as bmp": (lambda id: id.replace(".png", ".bmp"), lambda image: image),
    "renamed": (lambda id: f"new_{id}", lambda image: image),
    "as tiff and grey as RGB": (
        lambda id: f"x{id}".replace(".png", ".tif"),
        lambda image: np.stack([image] * 3, axis=-1) if image.ndim == 2 else image,
    ),
}


@pytest.mark.parametrize("kind", COPIES)
def test_copies_are_refused(kind, run, own, tmp_path):
    copies = save_copies(own, tmp_path / "copies", *COPIES[kind])
    count = len(run.split.train) + len(run.split.validation)
    with pytest.raises(UserError, match=f"trained or selected on {count} of these {len(own.ids)} images, under these"):
        evaluate_run(run, copies, tmp_path / "e", **QUIET)
    assert not (tmp_path / "e").exists()
    told = evaluate_run(run, copies, tmp_path / "e", allow_overlap=True, **QUIET)
    assert f"on {count} of these" in told.record["overlap"]


def test_the_command_says_so_in_one_line(run, own, tmp_path, capsys):
    save_copies(own, tmp_path / "copies", *COPIES["as bmp"])
    folders = [f"--{kind}={tmp_path}/copies/{kind}" for kind in ("images", "masks")]
    command = ["evaluate", str(run.folder), *folders, "--out", str(tmp_path / "e")]
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert ended.value.code == 2
    assert "--allow-overlap" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main([*command, "--allow-overlap", "--device", "cpu"])  # what the message advises
    assert not ended.value.code
    assert json.loads((tmp_path / "e" / "evaluation.json").read_text())["overlap"]


def test_other_images_are_scored(run, own, tmp_path):
    others = save_copies(own, tmp_path / "others", lambda id: f"new_{id}", lambda image: 255 - image)
    assert evaluate_run(run, others, tmp_path / "e", **QUIET).record["overlap"] is None


def test_copies_of_its_test_images_are_scored(run, own, tmp_path):
    copies = save_copies(own, tmp_path / "copies", lambda id: f"new_{id}")
    for id in {*own.ids} - {*run.split.test}:
        (copies.images / f"new_{id}").unlink()
    assert (
        evaluate_run(run, FolderStore(copies.images, copies.masks), tmp_path / "e", **QUIET).record["overlap"] is None
    )


def test_a_run_without_digests_is_read_as_before(run, own, tmp_path):
    copies = save_copies(own, tmp_path / "copies", *COPIES["renamed"])
    old = Run(shutil.copytree(run.folder, tmp_path / "old"))
    (old.folder / "run.json").write_text(json.dumps({k: v for k, v in run.record.items() if k != "seen_images"}))
    assert evaluate_run(old, copies, tmp_path / "e", **QUIET).record["overlap"] is None


def test_a_second_run_does_not_decode_again(own, tmp_path, monkeypatch):
    monkeypatch.setenv("LLMSEG_CACHE", str(tmp_path))
    first = digest_images(own, own.ids, cache=True)
    monkeypatch.setattr(store_images, "digest_image", lambda image: pytest.fail("decoded"))
    assert digest_images(own, own.ids[:3], cache=True) == {id: first[id] for id in own.ids[:3]}


def test_a_damaged_file_of_digests_is_made_anew(own, tmp_path, monkeypatch):
    monkeypatch.setenv("LLMSEG_CACHE", str(tmp_path))
    first = digest_images(own, own.ids, cache=True)
    (path,) = tmp_path.glob("*.images.json")
    path.write_bytes(b"\xff{")
    assert digest_images(own, own.ids, cache=True) == first
