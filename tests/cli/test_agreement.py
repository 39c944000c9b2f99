"""The commands agree about the same folder: a row for each kind of folder, a column for each command.

What one command refuses, all refuse with the same words; what one warns of, all warn of.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from llmseg.data import reading_check

pytestmark = pytest.mark.slow

Y, X = np.mgrid[:32, :32]
CASES = range(12)


def inside(k):
    return ((Y - 10 - k % 3) / 5) ** 2 + ((X - 11) / (6 + k % 2)) ** 2 <= 1


def grey(k):
    return (60 + 110 * inside(k) + (7 * X + 13 * Y + 5 * k) % 40).astype(np.uint8)


def white(k):
    return inside(k) * np.uint8(255)


def save(pixels, path, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(np.ascontiguousarray(pixels))
    image.save(path, **options)


def palette(numbers, colours):
    image = Image.fromarray(numbers.astype(np.uint8)).convert("P")
    image.putpalette([*np.ravel(colours), *[0] * (768 - 3 * len(colours))])
    return image


def write(folder, image=grey, mask=white, name="{k:02}", ending=".png", mask_name="{k:02}.png", **options):
    """Write images and masks, of functions of the number of the case."""
    for k in CASES:
        save(image(k), folder / "images" / f"{name.format(k=k)}{ending}", **options)
        save(mask(k), folder / "masks" / mask_name.format(k=k))


def write_stacks(folder, kind):
    write(folder)
    for k in CASES:
        pages = [Image.fromarray(np.roll(grey(k) if kind == "images" else white(k), page)) for page in range(3)]
        path = folder / kind / f"{k:02}.png"
        path.unlink()
        pages[0].save(path.with_suffix(".tif"), save_all=True, append_images=pages[1:])


def write_turned(folder, kind):
    exif = Image.Exif()
    exif[0x0112] = 3
    write(folder)
    for k in CASES:
        path = folder / kind / f"{k:02}.png"
        Image.open(path).copy().save(path, exif=exif)


def write_and(change):
    def run(folder):
        write(folder)
        change(folder)

    return run


def alpha(k):
    return np.dstack([np.zeros((32, 32, 3), np.uint8), white(k)])


def border(k):
    values = inside(k).astype(np.uint8)
    values[np.roll(inside(k), 3, axis=0) & ~inside(k)] = 255
    return values


def second_mask(folder):
    save(np.roll(white(0), 12, axis=1), folder / "masks" / "00_1.png")


def one_smaller(folder):
    save(white(0)[:24], folder / "masks" / "00.png")


def damage(kind):
    def run(folder):
        path = folder / kind / "03.png"
        path.write_bytes(path.read_bytes()[:60])

    return run


def empty_some(folder):
    save(0 * white(0), folder / "masks" / "04.png")


def nest(folder):
    for kind in ("images", "masks"):
        for patient in range(2):
            place = folder / kind / f"p{patient}"
            place.mkdir()
            for k in CASES:
                if k % 2 == patient:
                    (folder / kind / f"{k:02}.png").rename(place / f"{k // 2}.png")


def name_in_latin1(folder):
    for kind in ("images", "masks"):
        (folder / kind / "05.png").rename(folder / kind / os.fsdecode(b"caf\xe9.png"))


def other_format(folder):
    (folder / "images" / "scan.dcm").write_bytes(b"\0" * 200)


@dataclass(frozen=True)
class Row:
    """A kind of folder.

    Attributes:
        write: Writes it.
        refused: What every command says that refuses it; empty if it is accepted.
        told: What every command says that accepts it; empty if there is nothing to say.
        images: Whether it is about images, so that ``predict`` agrees; otherwise ``predict`` accepts it in silence.
        predict: Why ``predict`` alone refuses it: masks are written into one folder.
    """

    write: Callable[[Path], None]
    refused: str = ""
    told: str = ""
    images: bool = False
    predict: str = ""


ROWS = {
    "sound": Row(write),
    "masks in alpha": Row(lambda f: write(f, mask=alpha)),
    "ones": Row(lambda f: write(f, mask=lambda k: inside(k) * np.uint8(1)), refused="--foreground 1"),
    "palette": Row(
        lambda f: write(f, mask=lambda k: palette(inside(k), [[0, 0, 0], [128, 0, 0]])), refused="--foreground 1"
    ),
    "labels": Row(lambda f: write(f, mask=lambda k: inside(k) * np.uint8(1 + k % 2)), refused="--foreground"),
    "numbers of objects": Row(
        lambda f: write(f, mask=lambda k: (np.cumsum(inside(k), axis=0) * inside(k)).astype(np.uint16)),
        refused="all-but-0",
    ),
    "border of 255": Row(lambda f: write(f, mask=border), refused="--foreground 1"),
    "probabilities": Row(lambda f: write(f, mask=lambda k: inside(k).astype(np.float32) * 0.9, mask_name="{k:02}.tif")),
    "all empty": Row(lambda f: write(f, mask=lambda k: 0 * white(k)), refused="empty"),
    "all full": Row(lambda f: write(f, mask=lambda k: 0 * white(k) + 255), refused="foreground everywhere"),
    "some empty": Row(write_and(empty_some)),
    "twelve bits": Row(
        lambda f: write(f, image=lambda k: grey(k).astype(np.uint16) * 16), refused="--depth 12", images=True
    ),
    "floats to 1": Row(
        lambda f: write(f, image=lambda k: grey(k).astype(np.float32) / 255, ending=".tif"),
        refused="--depth unit",
        images=True,
    ),
    "negative numbers": Row(
        lambda f: write(f, image=lambda k: grey(k).astype(np.int32) * 8 - 1024, ending=".tif"),
        refused="--depth window",
        images=True,
    ),
    "turned images": Row(lambda f: write_turned(f, "images"), told="EXIF orientation flag", images=True),
    "turned masks": Row(lambda f: write_turned(f, "masks"), told="EXIF orientation flag"),
    "stacks of images": Row(lambda f: write_stacks(f, "images"), refused="pages", images=True),
    "stacks of masks": Row(lambda f: write_stacks(f, "masks"), refused="pages"),
    "two masks of one image": Row(write_and(second_mask), refused="--several-masks=join"),
    "one of another size": Row(write_and(one_smaller), refused="24"),
    "a damaged image": Row(write_and(damage("images")), refused="03.png", images=True),
    "a damaged mask": Row(write_and(damage("masks")), refused="03.png"),
    "nested": Row(write_and(nest), predict="give one of these folders"),
    "a name in Latin 1": Row(write_and(name_in_latin1), refused="UTF-8", images=True),
    "another format": Row(write_and(other_format), told="scan.dcm", images=True),
    "webp": Row(lambda f: write(f, ending=".webp", lossless=True), images=True),
}


@pytest.fixture(scope="module")
def run(tiny_recipe, tmp_path_factory):
    from llmseg import FolderStore, train

    folder = tmp_path_factory.mktemp("run")
    write(folder / "data", image=lambda k: 255 - grey(k), name="t{k:02}", mask_name="t{k:02}.png")
    store = FolderStore(folder / "data" / "images", folder / "data" / "masks")
    (folder / "tiny.json").write_text(tiny_recipe.to_json())
    train(tiny_recipe, store, folder / "run", epochs=1, cache=False, progress=False)
    return folder


def commands(run, root, out):
    """The arguments of every command that reads a folder."""
    files = ("--images", root / "images", "--masks", root / "masks")
    tiny = run / "tiny.json"
    return {
        "doctor": ("data", "doctor", *files),
        "split": ("data", "split", *files, "--out", out / "test.json"),
        "prepare": ("data", "prepare", "folder", "--root", root, "--out", out / "set.h5"),
        "train": ("train", tiny, *files, "--epochs", "1", "--out", out / "run"),
        "evaluate": ("evaluate", run / "run", *files, "--out", out / "evaluated"),
        "predict": ("predict", run / "run", "--images", root / "images", "--out", out / "predicted"),
    }


@pytest.mark.parametrize("kind", ROWS)
def test_every_command_says_the_same(call, run, kind, tmp_path, monkeypatch):
    row, root = ROWS[kind], tmp_path / "set"
    row.write(root)
    wrong = []
    for name, arguments in commands(run, root, tmp_path).items():
        monkeypatch.setattr(reading_check, "_told", set())  # as in a process of its own
        code, out, err = call(*arguments, "-q")
        text = re.sub(r"\s+", " ", out + err)
        silent = name == "predict" and not row.images
        refused, told = (row.predict, "") if silent else (row.refused, row.told)
        # The doctor counts what it can among its findings, and goes on.
        expected = ((1, 2) if name == "doctor" else (2,)) if refused else (0,)
        if code not in expected or refused not in text or told not in text or (silent and "warning" in err):
            wrong.append(f"{name}: exit {code}: {text}")
    assert not wrong
