"""The folder of predictions: references, images and masks of somebody else are never replaced."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from llmseg import UserError, predict


class Flat(nn.Module):
    def __init__(self):
        super().__init__()
        self.level = nn.Parameter(torch.tensor(0.75))

    def forward(self, x):
        return x[:, :1] * 0 + self.level


@pytest.fixture
def run(tiny_recipe):
    recipe = tiny_recipe.change("net.output", "probability")
    return lambda images, out: predict(Flat(), recipe, images, out, progress=False)


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "data/images"
    folder.mkdir(parents=True)
    for name in ("a", "b"):
        Image.fromarray(np.zeros((20, 30), np.uint8)).save(folder / f"{name}.png")
    return folder


def read_files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def write_masks(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("a", "b"):
        Image.fromarray(np.eye(20, 30, dtype=np.uint8) * 255).save(folder / f"{name}.png")


class TestWhatIsRefused:
    def check(self, run, images, out, match):
        before = read_files(images.parents[1])
        with pytest.raises(UserError, match=match) as error:
            run(images, out)
        assert "\n" not in str(error.value)
        assert read_files(images.parents[1]) == before

    def test_references_beside_the_images(self, run, images):
        write_masks(images.with_name("masks"))
        self.check(run, images, images.parent, "has the images that are read; choose an --out beside")
        run(images, images.with_name("predicted"))

    def test_references_behind_a_link(self, run, images, tmp_path):
        write_masks(tmp_path / "references")
        (tmp_path / "out").mkdir()
        (tmp_path / "out/masks").symlink_to(tmp_path / "references")
        self.check(run, images, tmp_path / "out", "holds masks, which is no part of predictions")

    def test_a_mask_that_was_corrected_by_hand(self, run, images, tmp_path):
        run(images, tmp_path / "out")
        write_masks(tmp_path / "out/masks")
        self.check(run, images, tmp_path / "out", r"holds masks/a\.png, which was changed by hand; choose another")

    @pytest.mark.parametrize("place", ["masks", "probabilities", "."])
    def test_masks_in_another_folder(self, place, run, images, tmp_path):
        write_masks(tmp_path / "out" / place)
        self.check(run, images, tmp_path / "out", "which is no part of predictions of llmseg; choose another --out")

    def test_masks_and_probabilities_of_another_tool(self, run, images, tmp_path):
        write_masks(tmp_path / "out/masks")
        write_masks(tmp_path / "out/probabilities")
        for path in (tmp_path / "out/probabilities").iterdir():
            Image.fromarray(np.full((20, 30), 200, np.uint8)).save(path)
        self.check(run, images, tmp_path / "out", "no part of predictions")

    def test_the_images_themselves(self, run, images):
        self.check(run, images, images, "has the images that are read")
        self.check(run, images, images / "out", "which is read; choose an --out beside that")

    def test_the_images_by_a_link(self, run, images, tmp_path):
        (tmp_path / "link").symlink_to(images)
        self.check(run, images, tmp_path / "link", "has the images that are read")

    def test_a_file_that_was_added_to_predictions(self, run, images, tmp_path):
        run(images, tmp_path / "out")
        (tmp_path / "out/masks/thesis.png").write_text("years of work")
        self.check(run, images, tmp_path / "out", r"holds masks/thesis\.png")

    def test_predictions_of_other_images(self, run, images, tmp_path):
        run(images, tmp_path / "out")
        (images / "a.png").unlink()
        self.check(run, images, tmp_path / "out", "predictions of other images, such as a; choose another --out")

    def test_a_record_of_somebody_else(self, run, images, tmp_path):
        write_masks(tmp_path / "out/masks")
        (tmp_path / "out/predictions.json").write_text(json.dumps({"images": ["a", "b"]}))
        self.check(run, images, tmp_path / "out", "no part of predictions")


class TestWhatIsReplaced:
    def test_predictions_of_the_same_images(self, run, images, tmp_path):
        run(images, tmp_path / "out")
        before = read_files(tmp_path / "out")
        (tmp_path / "out/masks/a.png").unlink()
        run(images, tmp_path / "out")
        assert read_files(tmp_path / "out") == before
        assert sorted(before) == [
            *("masks/a.png", "masks/b.png", "predictions.json"),
            *("probabilities/a.png", "probabilities/b.png"),
        ]

    def test_those_of_an_earlier_version_which_wrote_no_record(self, run, images, tmp_path):
        run(images, tmp_path / "out")
        before = read_files(tmp_path / "out")
        (tmp_path / "out/predictions.json").unlink()
        (tmp_path / "out/masks/.b.png-x7_ab12z.part").write_text("half")
        (tmp_path / "out/masks/b.png").unlink()
        run(images, tmp_path / "out")
        assert read_files(tmp_path / "out") == before


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes that it forks")
def test_a_process_killed_at_any_change_leaves_nothing_after_the_next_one(run, images, tmp_path, kill_at_every_change):
    run(images, tmp_path / "out")
    whole = read_files(tmp_path / "out")

    def predict_otherwise(folder):
        """As another network did: all is foreground here and was not there."""
        shutil.copytree(tmp_path / "out", folder / "out")
        for path in folder.glob("out/*/*.png"):
            Image.fromarray(np.zeros((20, 30), np.uint8)).save(path)

    def predict_again(folder):
        run(images, folder / "out")

    for folder in (*kill_at_every_change(predict_again), *kill_at_every_change(predict_again, predict_otherwise)):
        run(images, folder / "out")
        assert read_files(folder) == {f"out/{name}": content for name, content in whole.items()}
        shutil.rmtree(folder)


def test_names_may_be_as_long_as_the_file_system_takes(run, images, tmp_path):
    name = "n" * 251
    (images / "a.png").rename(images / f"{name}.png")
    assert f"masks/{name}.png" in read_files(run(images, tmp_path / "out")[0].parents[1])
