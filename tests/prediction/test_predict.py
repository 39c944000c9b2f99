from __future__ import annotations

import itertools
import json
import threading
import weakref

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from llmseg import UserError, load_model, predict, train, zoo
from llmseg.data.folder import FolderStore
from llmseg.data.pixels import read_image
from llmseg.data.reading import Reading
from llmseg.prediction import load_original_model, predict_image
from llmseg.prediction import predict as inference


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
    values = predict_image(Echo(), echo_recipe, image)
    shifted = predict_image(Echo(), echo_recipe, np.roll(image, 16, axis=1))
    assert values.shape == (64, 64)
    assert values.dtype == np.float32
    np.testing.assert_array_equal(np.roll(values, 16, axis=1), shifted)


def test_logits_become_probabilities(tiny_recipe):
    values = predict_image(Echo(), tiny_recipe, np.full((40, 40), 255, np.uint8))
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
    assert predict_image(net, recipe, np.zeros((50, 60, 3), np.uint8)).shape == (50, 60)


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


@pytest.fixture
def net(tiny_recipe):
    """A network whose probabilities differ from pixel to pixel."""
    torch.manual_seed(0)
    net = tiny_recipe.net.build(1)
    with torch.no_grad():
        net.head.weight *= 20
    return net


@pytest.fixture
def predicted(monkeypatch):
    """The probabilities that would be written, by file name, and the sizes of the batches that gave them."""
    values, batches = {}, []

    def write(out, image, probabilities):
        values[image.name] = probabilities
        return out / "masks" / image.name

    def compute(forward, recipe, images):
        batches.append(len(images))
        return original(forward, recipe, images)

    original = inference._compute_maps
    monkeypatch.setattr(inference, "_write", write)
    monkeypatch.setattr(inference, "_compute_maps", compute)
    return values, batches


SIZES = {"a": (40, 36), "b": (40, 36), "c": (21, 64), "d": (90, 33), "e": (40, 36), "f": (32, 32), "g": (33, 31)}


@pytest.mark.parametrize(
    ("batch_size", "batches"), [(None, [1] * 7), (1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (100, [7])]
)
def test_batches_give_what_single_images_give(batch_size, batches, net, tiny_recipe, make_folder, predicted, tmp_path):
    folder, _ = make_folder(SIZES)
    values, seen = predicted
    options = {"device": "cpu", "precision": "fp32", "batch_size": batch_size, "progress": False}
    masks = predict(net, tiny_recipe, folder, tmp_path / "out", **options)
    assert [mask.stem for mask in masks] == sorted(SIZES)
    assert seen == batches
    for name, found in values.items():
        expected = predict_image(net, tiny_recipe, read_image(folder / name))
        assert found.shape == SIZES[name[0]]
        assert found.dtype == np.float32
        assert expected.std() > 0.01
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_native_sizes_share_a_batch_with_neighbours(net, tiny_recipe, make_folder, predicted, tmp_path):
    sizes = {"a": (32, 48), "b": (32, 48), "c": (32, 48), "d": (48, 32), "e": (32, 48), "f": (32, 48)}
    folder, _ = make_folder(sizes)
    values, seen = predicted
    recipe = tiny_recipe.change("images.size", None)
    predict(net, recipe, folder, tmp_path / "out", exact=True, batch_size=2, progress=False)
    assert seen == [2, 1, 1, 2]
    for name, found in values.items():
        expected = predict_image(net, recipe, read_image(folder / name))
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_half_precision_is_for_the_network_only(net, tiny_recipe, make_folder, predicted, tmp_path):
    folder, _ = make_folder(SIZES)
    predict(net, tiny_recipe, folder, tmp_path / "out", device="cpu", precision="bf16", progress=False)
    differences = []
    for name, found in predicted[0].items():
        assert found.dtype == np.float32
        differences.append(np.abs(found - predict_image(net, tiny_recipe, read_image(folder / name))).max())
    assert 1e-5 < max(differences) < 0.1


def test_the_network_stays_as_it_is(net, tiny_recipe, make_folder, tmp_path):
    folder, _ = make_folder()
    net.train()
    before = {name: (value.clone(), value.stride()) for name, value in net.state_dict().items()}
    predict(net, tiny_recipe, folder, tmp_path / "out", progress=False)
    assert net.training
    for name, value in net.state_dict().items():
        assert value.stride() == before[name][1]
        torch.testing.assert_close(value, before[name][0], rtol=0, atol=0)


def test_memory_does_not_grow_with_the_folder(echo_recipe, make_folder, monkeypatch, tmp_path):
    """Of sixty images, only those of a few batches are loaded ahead and in memory at any time."""
    folder, _ = make_folder({f"{number:02}": (32, 32) for number in range(60)})
    lock, begun, alive, ahead, load = threading.Lock(), itertools.count(1), set(), [], inference._load
    passed = most = 0

    def counted(*arguments):
        nonlocal most
        with lock:
            number = next(begun)
            ahead.append(number - 60 - passed)  # each is loaded twice, first to be checked
        loaded = load(*arguments)
        with lock:
            alive.add(number)
            most = max(most, len(alive))
        weakref.finalize(loaded, alive.discard, number)
        return loaded

    class Counting(Echo):
        def forward(self, x):
            nonlocal passed
            passed += len(x) if x.device.type != "meta" else 0
            return super().forward(x)

    monkeypatch.setattr(inference, "_load", counted)
    masks = predict(Counting(), echo_recipe, folder, tmp_path / "out", device="cpu", batch_size=3, progress=False)
    assert len(masks) == passed == 60
    assert len(ahead) == 120
    assert 3 <= max(ahead) <= 9
    assert 3 <= most <= 12


@pytest.mark.parametrize("damaged", ["00", "10", "19"])
def test_a_damaged_image_among_many_writes_nothing(damaged, net, tiny_recipe, make_folder, tmp_path):
    folder, _ = make_folder({f"{number:02}": (40, 36) for number in range(20)})
    data = (folder / f"{damaged}.png").read_bytes()
    (folder / f"{damaged}.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match=rf"{damaged}\.png is damaged"):
        predict(net, tiny_recipe, folder, tmp_path / "out", batch_size=2, progress=False)
    assert not (tmp_path / "out").exists()


def test_a_size_the_network_does_not_take_writes_nothing(net, tiny_recipe, make_folder, tmp_path):
    folder, _ = make_folder({"a": (32, 32), "b": (32, 32), "c": (32, 34)})
    with pytest.raises(UserError, match=r"choose images\.size"):
        predict(net, tiny_recipe.change("images.size", None), folder, tmp_path / "out", batch_size=1, progress=False)
    assert not (tmp_path / "out").exists()


def test_a_network_that_looks_at_values_predicts(images, echo_recipe, tmp_path):
    """It cannot be tried on sizes alone."""

    class Looking(Echo):
        def forward(self, x):
            return super().forward(x) if x.max().item() > 0 else x[:, :1] * 0

    assert len(predict(Looking(), echo_recipe, images, tmp_path / "out", progress=False)) == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch_size": 0}, "batch size 0: must be at least 1"),
        ({"precision": "bf61"}, "did you mean 'bf16'?"),
        ({"precision": "bf16", "exact": True}, "exact is fp32"),
        ({"device": "tpu"}, "no device 'tpu'"),
    ],
)
def test_an_option_that_is_not_allowed_writes_nothing(options, words, net, tiny_recipe, images, tmp_path):
    with pytest.raises(UserError) as error:
        predict(net, tiny_recipe, images, tmp_path / "out", progress=False, **options)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_the_command_line_passes_all_options_on(images, tmp_path, monkeypatch, call):
    given = {}

    def record_options(net, recipe, *folders, **options):
        given.update(options)
        return predict(net, recipe, *folders, **options)

    pipeline = zoo.get("llama-3.1-405b")
    torch.save(pipeline.to_original(pipeline.build(1).state_dict()), tmp_path / "weights.pth")
    monkeypatch.setattr("llmseg.predict", record_options, raising=False)
    arguments = [
        "predict",
        pipeline.id,
        "--weights",
        tmp_path / "weights.pth",
        "--images",
        images,
        "--out",
        tmp_path / "p",
    ]
    options = ["--batch-size", 2, "--exact", "--precision", "fp32", "--device", "cpu", "--exif", "turn", "--json", "-q"]
    code, out, _ = call(*arguments, *options)
    assert code == 0
    assert given.pop("reading") == Reading(exif="turn")
    assert given == {"device": "cpu", "precision": "fp32", "exact": True, "batch_size": 2, "progress": False}
    assert json.loads(out) == [str(p) for p in sorted((tmp_path / "p/masks").iterdir())]


@pytest.mark.parametrize("suffix", ["_mask", "_seg", "_m"])
def test_masks_among_the_images_are_passed_over_as_in_training(suffix, tiny_recipe, tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("a", f"a{suffix}", "b", f"b{suffix}", f"lonely{suffix}"):
        Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "images" / f"{name}.png")
    masks = predict(tiny_recipe.net.build(1), tiny_recipe, tmp_path / "images", tmp_path / "out", progress=False)
    assert [path.stem for path in masks] == ["a", "b", f"lonely{suffix}"]
