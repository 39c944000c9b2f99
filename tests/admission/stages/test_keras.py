"""Scripts that train with Keras go through all stages, and are ranked by the masks that they write."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from llmseg.admission import admit
from llmseg.admission.stages import driver
from llmseg.data.synthetic import SyntheticStore
from llmseg.recipe.given import write_recipe

MAIN = """
import os
os.environ["KERAS_BACKEND"] = "CHOSEN"
import keras
import numpy as np
from PIL import Image

from model import build

image_dir, mask_dir, out_dir = "data/images", "data/masks", "results"
EPOCHS = 20


def read(folder, names, ending):
    files = [Image.open(os.path.join(folder, name + ending)).convert("L").resize((32, 32)) for name in names]
    return np.stack([np.asarray(file, "float32")[..., None] / 255 for file in files])


if __name__ == "__main__":
    keras.utils.set_random_seed(1)
    os.makedirs(os.path.join(out_dir, "masks"), exist_ok=True)
    names = sorted(os.path.splitext(name)[0] for name in os.listdir(image_dir))
    images, masks = read(image_dir, names, ".png"), read(mask_dir, names, "_seg.png") > 0.5
    masks = masks.astype("float32")
    first, second = int(0.7 * len(names)), int(0.85 * len(names))
    net = build()
    net.compile(optimizer=keras.optimizers.Adam(1e-2), loss="binary_crossentropy")
    net.fit(
        images[:first], masks[:first], batch_size=4, epochs=EPOCHS, verbose=0,
        validation_data=(images[first:second], masks[first:second]),
        callbacks=[
            keras.callbacks.ModelCheckpoint(os.path.join(out_dir, "best.weights.h5"), save_weights_only=True),
            keras.callbacks.CSVLogger(os.path.join(out_dir, "log.csv")),
        ],
    )
    output = net.predict(images[second:], verbose=0)[..., 0]
    for name, each in zip(names[second:], output > 0.5):
        Image.fromarray(each.astype("uint8") * 255).save(os.path.join(out_dir, "masks", name + "_pred.png"))
"""
MODEL = """
import keras
from keras import layers


def build():
    inputs = layers.Input((32, 32, 1))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    return keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "tensorflow"])
def test_keras_is_admitted_and_ranked(backend, tmp_path, sandbox, tiny_recipe, write_cases, monkeypatch):
    for package in ("keras", backend):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    # MONAI would import TensorFlow into this process, too, where it ends with the compiler of torch.
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    # That this computer runs what is known to be good is tested elsewhere.
    monkeypatch.setattr(driver, "_check_known_good", lambda room: {"sandbox": ""})
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "main.py").write_text(MAIN.replace("CHOSEN", backend), encoding="utf-8")
    (scripts / "model.py").write_text(MODEL, encoding="utf-8")
    write_cases(SyntheticStore("fundus", count=24), tmp_path / "cases")
    given = {"data": tmp_path / "cases", "against": write_recipe(tiny_recipe, tmp_path / "tiny.json")}
    asked = {**given, "epochs": 1, "seeds": 1, "progress": False} if backend == "tensorflow" else {}
    admission = admit(scripts, tmp_path / "out", probes=False, rung=sandbox, **asked)
    states = {each.stage: each.state for each in admission.verdicts}
    assert states.pop("extraction") == "not decidable"
    assert set(states.values()) == {"reached"}, admission.verdicts
    assert admission.facts == {
        "parameters": 45,
        "channels": 1,
        "size": 32,
        "batch_size": 4,
        "optimizer": "Adam",
        "rate": 0.01,
        "epochs": 20,
        "loss": {"name": "binary_crossentropy"},
    }
    assert (admission.recipe, admission.findings) == (None, ())
    if asked:
        full_run = next(each for each in admission.verdicts if each.stage == "full run")
        assert full_run.reason.startswith("masks from files that they wrote")
        assert {row["contender"] for row in admission.leaderboard} == {"scripts", "tiny"}
