from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from llmseg import UserError, load_model, load_original_model, predict, probability, train, zoo
from llmseg.data.store import FolderStore


class Echo(nn.Module):
    """Gives back the first channel as a probability, so that the prediction must look like the image."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return x[:, :1]


@pytest.fixture
def echo_recipe(tiny_recipe):
    return tiny_recipe.change("net.output", "probability")


@pytest.fixture
def images(tmp_path):
    """A bright square in a dark image, once grey, once RGB as JPEG, once RGBA."""
    folder = tmp_path / "images"
    folder.mkdir()
    pixels = np.zeros((90, 130), np.uint8)
    pixels[20:60, 70:120] = 255
    grey = Image.fromarray(pixels)
    grey.save(folder / "grey.png")
    grey.convert("RGB").save(folder / "colour.jpg", quality=95)
    grey.convert("RGBA").save(folder / "alpha.png")
    return folder


def test_predictions_lie_on_the_grid_of_the_image(images, echo_recipe, tmp_path):
    masks = predict(Echo(), echo_recipe, images, tmp_path / "out", progress=False)
    assert [m.name for m in masks] == ["alpha.png", "colour.png", "grey.png"]
    truth = np.asarray(Image.open(images / "grey.png")) > 127
    for mask in masks:
        with Image.open(mask) as file:
            assert (file.mode, file.size) == ("L", (130, 90))
            found = np.asarray(file)
        assert set(np.unique(found)) == {0, 255}
        # Through 32 x 32 pixels and back a straight edge may move by about two pixels of the image.
        overlap = 2 * (truth & (found > 0)).sum() / (truth.sum() + (found > 0).sum())
        assert overlap > 0.93
        with Image.open(tmp_path / "out" / "probabilities" / mask.name) as file:
            values = np.asarray(file)
        # The mask is decided before the probability is rounded to 8 bits.
        assert (values[found == 255] >= 127).all()
        assert (values[found == 0] <= 128).all()


def test_a_shift_of_the_image_shifts_the_prediction(echo_recipe):
    """Corners are not aligned: the same content 16 pixels further right is predicted 16 pixels further right."""
    image = np.zeros((64, 64), np.uint8)
    image[16:32, 16:32] = 255
    one = probability(Echo(), echo_recipe, image)
    other = probability(Echo(), echo_recipe, np.roll(image, 16, axis=1))
    assert one.shape == (64, 64)
    assert one.dtype == np.float32
    np.testing.assert_array_equal(np.roll(one, 16, axis=1), other)


def test_logits_become_probabilities(tiny_recipe):
    values = probability(Echo(), tiny_recipe, np.full((40, 40), 255, np.uint8))
    np.testing.assert_allclose(values, torch.sigmoid(torch.tensor(1.0)).item(), rtol=1e-6)


def test_a_run_predicts(tiny_recipe, phantoms, images, tmp_path):
    run = train(tiny_recipe, phantoms, tmp_path / "run", epochs=1, progress=False)
    net, recipe = load_model(run.folder)
    assert len(predict(net, recipe, images, tmp_path / "out", progress=False)) == 3
    with pytest.raises(UserError, match="no run folder"):
        load_model(tmp_path / "nothing")


@pytest.mark.parametrize("channels", [1, 3])
def test_original_weights_predict_in_their_colours(channels, tmp_path):
    pipeline = zoo.get("llama-3.1-405b")
    torch.save(pipeline.to_original(pipeline.build(channels).state_dict()), tmp_path / "weights.pth")
    net, recipe = load_original_model(pipeline, tmp_path / "weights.pth")
    assert recipe.images.channels == channels
    assert probability(net, recipe, np.zeros((50, 60, 3), np.uint8)).shape == (50, 60)


@pytest.mark.parametrize("broken", ["truncated", "text", "twice", "empty"])
def test_what_cannot_be_predicted_leaves_nothing(broken, images, echo_recipe, tmp_path):
    if broken == "truncated":
        data = (images / "grey.png").read_bytes()
        (images / "grey.png").write_bytes(data[: len(data) // 2])
    elif broken == "text":
        (images / "notes.png").write_text("no image")
    elif broken == "twice":
        Image.new("L", (5, 5)).save(images / "grey.jpg")
    else:
        for path in images.iterdir():
            path.unlink()
    with pytest.raises(UserError) as error:
        predict(Echo(), echo_recipe, images, tmp_path / "out", progress=False)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_predicted_masks_are_a_store_of_their_own(images, echo_recipe, tmp_path):
    predict(Echo(), echo_recipe, images, tmp_path / "out", progress=False)
    store = FolderStore(images, tmp_path / "out" / "masks")
    assert store.ids == ("alpha.png", "colour.jpg", "grey.png")
    assert store.read("grey.png").mask.shape == (90, 130)
