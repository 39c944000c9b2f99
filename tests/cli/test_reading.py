"""Commands agree about how the files of a folder are read, and their advice can be followed."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from llmseg.data import Hdf5Store

Y, X = np.mgrid[:32, :32]


def ellipse(k):
    return ((Y - 10 - k % 3) / 5) ** 2 + ((X - 11) / (6 + k % 2)) ** 2 <= 1


def palette(numbers, colours):
    image = Image.fromarray(numbers.astype(np.uint8)).convert("P")
    image.putpalette([*np.ravel(colours), *[0] * (768 - 3 * len(colours))])
    return image


def alpha(inside, k):
    colours = np.zeros((32, 32, 4), np.uint8)
    colours[..., 3] = inside * 255
    return colours


def opaque(inside):
    white = inside * np.uint8(255)
    return np.dstack([white, white, white, 0 * white + 255])


RED = [[0, 0, 0], [128, 0, 0], [0, 255, 0]]
MASKS = {
    "white": lambda inside, k: inside * np.uint8(255),
    "ones": lambda inside, k: inside.astype(np.uint8),
    "palette": lambda inside, k: palette(inside, RED),
    "alpha": alpha,
    "some in alpha": lambda inside, k: alpha(inside, k) if k % 2 else opaque(inside),
    "labels of several files": lambda inside, k: inside * np.uint8(160 if k % 2 else 255),
    "empty": lambda inside, k: 0 * inside.astype(np.uint8),
    "full": lambda inside, k: 255 + 0 * inside.astype(np.uint8),
}
REFUSED = {
    "ones": "--foreground 1",
    "palette": "--foreground 1",
    "some in alpha": "--alpha mask",
    "labels of several files": "--foreground above-127",
    "empty": "",
    "full": "",
}


@pytest.fixture
def folder(tmp_path):
    def write(kind):
        random = np.random.default_rng(0)
        for name in ("images", "masks"):
            (tmp_path / "set" / name).mkdir(parents=True, exist_ok=True)
        for k in range(12):
            image = random.integers(0, 256, (32, 32), dtype=np.uint8)
            mask = MASKS[kind](ellipse(k), k)
            mask = mask if isinstance(mask, Image.Image) else Image.fromarray(mask)
            Image.fromarray(image).save(tmp_path / "set" / "images" / f"{k:02}.png")
            mask.save(tmp_path / "set" / "masks" / f"{k:02}.png")
        return tmp_path / "set"

    return write


def commands(folder):
    """The arguments of each command that reads the folder."""
    files = ("--images", folder / "images", "--masks", folder / "masks")
    return {
        "doctor": ("data", "doctor", *files),
        "split": ("data", "split", *files, "--out", folder.parent / "test.json"),
        "prepare": ("data", "prepare", "folder", "--root", folder, "--out", folder.parent / "set.h5"),
        "train": (
            "train",
            "gpt-o3",
            *files,
            "--out",
            folder.parent / "run",
            "--set",
            "images.size=32,32",
            "--epochs",
            "1",
        ),
        "evaluate": ("evaluate", folder.parent / "white", *files, "--out", folder.parent / "evaluated"),
    }


@pytest.mark.parametrize("kind", MASKS)
def test_all_commands_agree(call, folder, kind):
    root = folder(kind)
    white = root.parent / "white"
    white.mkdir()
    for k in range(12):
        Image.fromarray(ellipse(k) * np.uint8(255)).save(white / f"{k:02}.png")
    for name, arguments in commands(root).items():
        code, out, err = call(*arguments)
        if name == "train" and kind not in REFUSED:
            continue  # that would take its time
        assert (code != 0) == (kind in REFUSED), (name, out, err)
        if kind in REFUSED:
            assert re.sub(r"\s+", " ", REFUSED[kind]) in re.sub(r"\s+", " ", out + err), name


@pytest.mark.parametrize("kind", ["ones", "palette", "labels of several files"])
def test_the_advice_can_be_followed(call, folder, kind):
    root = folder(kind)
    for name, arguments in commands(root).items():
        if name in ("train", "evaluate"):
            continue
        code, out, err = call(*arguments, *REFUSED[kind].split())
        assert code == 0, (name, out, err)
    store = Hdf5Store(root.parent / "set.h5")
    assert all((store.read(f"{k:02}.png").mask > 127).sum() == ellipse(k).sum() for k in range(12))
    assert store.provenance["options"]["reading"]["foreground"] is not None


@pytest.mark.parametrize("rule", ["38", "labels:1,7"])
def test_a_value_that_no_mask_has_is_refused(call, folder, rule):
    root = folder("palette")
    for name, arguments in commands(root).items():
        code, out, err = call(*arguments, "--foreground", rule)
        assert code != 0, name
        assert "0 (12), 1 (12)" in re.sub(r"\s+", " ", out + err), name


def test_options_that_do_not_apply_are_refused(call, folder):
    root = folder("white")
    assert call(*commands(root)["prepare"])[0] == 0
    for option in (("--foreground", "1"), ("--mask-suffix", "_m"), ("--masks", root / "masks"), ("--alpha", "drop")):
        code, _, err = call("data", "split", "--data", root.parent / "set.h5", *option)
        assert code == 2
        assert f"{option[0]} is for folders of images" in err
    code, _, err = call("data", "prepare", "hrf", "--root", root, "--foreground", "1")
    assert code == 2
    assert "data prepare folder" in err


def test_predictions_have_an_option_of_their_own(call, folder):
    root = folder("white")
    arguments = list(commands(root)["evaluate"])
    predicted = root.parent / "white"
    predicted.mkdir()
    for k in range(12):
        palette(ellipse(k), RED).save(predicted / f"{k:02}.png")
    assert "--predicted-foreground 1" in call(*arguments)[2]
    assert "38 that --predicted-foreground" in call(*arguments, "--predicted-foreground", "38")[2]
    code, out, _ = call(*arguments, "--predicted-foreground", "1")
    assert (code, "1.0000" in out) == (0, True)
