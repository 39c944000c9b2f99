"""The Python of the page on exported files: it needs no llmseg, and gives the masks that llmseg gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from llmseg import export_model, predict, zoo

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "export.md"


def write_images(folder):
    """Write grey and coloured images, larger and smaller than those of the recipe."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number, shape in enumerate([(90, 70, 3), (20, 30), (64, 64), (31, 100, 3)]):
        Image.fromarray(rng.integers(0, 256, shape, np.uint8)).save(folder / f"{number}.png")


@pytest.mark.slow
@pytest.mark.parametrize("changes", [[], [("images.mean", 0.5), ("images.std", 0.5)]])
def test_an_exported_file_gives_the_masks_that_predict_gives(read_blocks, tiny, tmp_path, changes):
    recipe = zoo.get(tiny).recipe
    for path, value in changes:
        recipe = recipe.change(path, value)
    write_images(tmp_path / "images")
    torch.manual_seed(0)
    net = recipe.net.build(1).eval()
    weight, bias = list(net.parameters())[-2:]
    output = net(recipe.images.image(np.asarray(Image.open(tmp_path / "images" / "0.png")))[None]).detach()
    scale = 1 / float(output.std())
    weight.data *= scale
    bias.data = (bias.data - output.mean()) * scale  # some pixels are foreground, most by a clear margin
    export_model(net, recipe, tmp_path / "net.onnx")
    predict((net, recipe), tmp_path / "images", tmp_path / "predicted", precision="fp32", progress=False)
    (code,) = (block.code for block in read_blocks(PAGE) if block.file == "run_export.py")
    shares = []
    for image in (tmp_path / "images").iterdir():
        mask = tmp_path / f"{image.stem}-mask.png"
        subprocess.run([sys.executable, "-c", code, tmp_path / "net.onnx", image, mask], check=True, timeout=120)
        expected = np.asarray(Image.open(tmp_path / "predicted" / "masks" / image.name))
        # Another runtime adds up in another order, so a probability of one half may fall to either side.
        assert (np.asarray(Image.open(mask)) != expected).mean() < 0.001, image
        shares.append((expected > 0).mean())
    assert 0.1 < np.mean(shares) < 0.9


@pytest.mark.slow
def test_an_exported_file_takes_images_of_their_own_size(read_blocks, tiny, tmp_path):
    recipe = zoo.get(tiny).recipe
    write_images(tmp_path / "images")
    torch.manual_seed(0)
    net = recipe.net.build(1).eval()
    export_model(net, recipe, tmp_path / "net.onnx", free_size=True)
    blocks = {block.file: block.code for block in read_blocks(PAGE)}
    line = 'height, width = images["size"]\n'
    assert line in blocks["run_export.py"]
    code = blocks["run_export.py"].replace(line, line + blocks["any_size.py"])
    for number, size in enumerate([(88, 72), (20, 32), (64, 64), (32, 100)]):  # multiples of 4 near those of the images
        path = tmp_path / "images" / f"{number}.png"
        mask = tmp_path / f"{number}-mask.png"
        subprocess.run([sys.executable, "-c", code, tmp_path / "net.onnx", path, mask], check=True, timeout=120)
        resized = recipe.change("images.size", size)
        predict((net, resized), path, tmp_path / f"predicted-{number}", precision="fp32", progress=False)
        expected = np.asarray(Image.open(tmp_path / f"predicted-{number}" / "masks" / path.name))
        assert (np.asarray(Image.open(mask)) != expected).mean() < 0.01


@pytest.mark.slow
def test_an_exported_file_that_is_prepared_in_another_way_is_refused(read_blocks, tiny, tmp_path):
    recipe = zoo.get(tiny).recipe.change("images.image_resize", "opencv-bilinear")
    export_model(recipe.net.build(1).eval(), recipe, tmp_path / "net.onnx")
    write_images(tmp_path / "images")
    (code,) = (block.code for block in read_blocks(PAGE) if block.file == "run_export.py")
    command = [sys.executable, "-c", code, tmp_path / "net.onnx", tmp_path / "images" / "0.png", tmp_path / "mask.png"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith("this recipe prepares images in another way")
