"""What is seen of a training with Keras: with a small stand-in for it, with Keras on torch, and with TensorFlow."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from llmseg.admission.observing import Phantoms, read_facts, read_observation
from llmseg.admission.observing.keras import find_keras_reached, read_keras_facts, read_keras_weights
from llmseg.admission.observing.record import Event, Record
from tests.admission.observing.conftest import run_observed

STAND_IN = """
import numpy as np

class Variable:
    def __init__(self, value):
        self._value = np.asarray(value, np.float32)
        self.shape = self._value.shape
    def numpy(self):
        return self._value
    def assign_add(self, other):
        self._value = self._value + np.float32(other)

class callbacks:
    class Callback:
        pass
    class ReduceLROnPlateau(Callback):
        pass

class losses:
    class Loss:
        def __call__(self, masks, output):
            return self.call(masks, output)
    class BinaryCrossentropy(Loss):
        def call(self, masks, output):
            return float(np.abs(masks - output).mean())

class optimizers:
    class Optimizer:
        weight_decay = None
        def __init__(self, learning_rate):
            self.learning_rate = Variable(learning_rate)
            self.iterations = Variable(0)
        def apply_gradients(self, pairs):
            for gradient, variable in pairs:
                variable.assign_add(-self.learning_rate.numpy() * gradient)
            self.trainable_variables = [variable for _, variable in pairs]
            self.iterations.assign_add(1)
    class Adam(Optimizer):
        pass

class Model:
    input_shape = (None, 8, 6, 1)
    def __init__(self):
        self.weights = [Variable(np.zeros((3, 2))), Variable([1.0])]
    def compile(self, optimizer, loss=None):
        self.optimizer, self.loss = optimizer, loss
    def __call__(self, images, training=False):
        return images * self.weights[1].numpy()
    def fit(self, x=None, y=None, batch_size=None, epochs=1, callbacks=None, validation_data=None):
        for each in callbacks:
            each.model = self
        for epoch in range(epochs):
            for start in range(0, len(x), batch_size or 32):
                self(x[start : start + (batch_size or 32)], training=True)
                self.optimizer.apply_gradients([(1.0, each) for each in self.weights])
                for each in callbacks:
                    getattr(each, "on_train_batch_end", print)(start, {"loss": 1.0 / (epoch + 1)})
            for name in ("on_test_begin", "on_epoch_end"):
                for each in callbacks:
                    if hasattr(each, name):
                        getattr(each, name)(*([epoch] if name == "on_epoch_end" else []), {})
    def evaluate(self, x):
        return self(x)
    predict = test_on_batch = predict_on_batch = train_on_batch = evaluate
    def load_weights(self, path):
        self.weights[1].assign_add(1.0)
    def set_weights(self, weights):
        pass
"""
"""As much of Keras as is watched."""

FITTED = """
import importlib.util
assert importlib.util.find_spec("keras") is not None  # some libraries ask before they import
import numpy as np
import keras

images = np.ones((10, 8, 6, 1), np.float32)
net = keras.Model()
net.compile(keras.optimizers.Adam(0.001), loss="binary_crossentropy")
net.fit(images, images, batch_size=4, epochs=3, callbacks=[keras.callbacks.ReduceLROnPlateau()], validation_data=images)
net.load_weights("best.h5")
net.predict(images)
"""

OWN_LOOP = """
import numpy as np
import keras

images = np.ones((7, 8, 6, 1), np.float32)
net, optimizer, loss = keras.Model(), keras.optimizers.Adam(0.01), keras.losses.BinaryCrossentropy()

def score(images):
    return net(images)

for epoch in range(2):
    for start in (0, 4):
        loss(images[start : start + 4], net(images[start : start + 4], training=True))
        optimizer.apply_gradients([(1.0, each) for each in net.weights])
    score(images)
net.load_weights("best.h5")
score(images)
"""


def observe(folder: Path, script: str, stand_in: bool = True):
    folder.mkdir()
    if stand_in:
        (folder / "site-packages").mkdir()
        (folder / "site-packages" / "keras.py").write_text(STAND_IN, encoding="utf-8")
        script = f"import sys; sys.path.insert(0, 'site-packages'){script}"
    (folder / "main.py").write_text(script, encoding="utf-8")
    printed = run_observed(folder, folder / "record")
    seen = read_observation(folder / "record", Phantoms(12))
    # Of Keras on torch, networks without numbers are seen, and copies that cannot be made: the observer of torch minds.
    faults = [event["text"] for event in seen.record.list("fault")]
    assert [text for text in faults if stand_in or "watching/keras" in text] == []
    return seen, printed


def test_a_fit_is_seen(tmp_path):
    seen, _ = observe(tmp_path / "fitted", FITTED)
    assert read_facts(seen) == {
        "parameters": 7,
        "channels": 1,
        "size": [8, 6],
        "batch_size": 4,
        "optimizer": "Adam",
        "rate": 0.001,
        "schedule": "ReduceLROnPlateau",
        "epochs": 3,
        "loss": {"name": "binary_crossentropy"},
    }
    assert seen.losses == (1.0,) * 3 + (0.5,) * 3 + (1 / 3,) * 3
    assert len(set(seen.weights.epochs)) == 3
    assert seen.weights.tested not in ("", *seen.weights.epochs)  # they were loaded
    places = {"data": 10, "network": 10, "first step": 10, "epoch": 10, "validation": 10, "test": 12}
    assert seen.reached == {stage: f"main.py:{line}" for stage, line in places.items()}


def test_a_loop_of_the_script_is_seen(tmp_path):
    seen, _ = observe(tmp_path / "own", OWN_LOOP)
    facts = {"optimizer": "Adam", "rate": 0.01, "batch_size": 4, "epochs": 2, "loss": {"name": "BinaryCrossentropy"}}
    assert facts.items() <= read_facts(seen).items()
    assert seen.losses == ()
    assert set(seen.reached) == {"data", "network", "first step", "epoch", "validation", "test"}
    assert len(set(seen.weights.epochs)) == 2
    assert seen.weights.tested not in ("", *seen.weights.epochs)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "size", "noted"),
    [
        ("(batch for batch in [(images[:5], images[:5]), (images[:2], images[:2])])", 5, 2),
        ("Batches()", 3, 6),
        ("images", 32, 2),
    ],
    ids=["generator", "sequence", "array"],
)
def test_the_size_of_batches(tmp_path, data, size, noted):
    script = f"""
import numpy as np
import keras
images = np.ones((7, 8, 6, 1), np.float32)
class Batches:
    def __len__(self):
        return 3
    def __getitem__(self, index):
        if index == 3:
            raise IndexError
        return images[3 * index : 3 * index + 3], images[:3]
def fit(self, x=None, y=None, batch_size=None, epochs=1, callbacks=None):
    for batch in x:
        self(np.array(batch[0]))
        self.optimizer.apply_gradients([(1.0, each) for each in self.weights])
keras.Model.fit.__wrapped__.__code__ = fit.__code__
net = keras.Model()
net.compile(keras.optimizers.Adam(0.001))
data = {data}
net.fit(data, epochs=1)
net.fit(data, epochs=1)
"""
    seen, _ = observe(tmp_path / "data", script)
    assert read_facts(seen)["batch_size"] == size
    assert len(seen.record.list("keras batch")) == noted


def test_a_model_that_refuses_its_batch(tmp_path):
    refusing = """
def call(self, images, training=False):
    raise ValueError("not these images")
keras.Model.__call__.__wrapped__.__code__ = call.__code__
try:
    net.fit(images, epochs=1, callbacks=[])
except ValueError:
    pass
"""
    seen, _ = observe(tmp_path / "refusing", FITTED[: FITTED.index("net.fit")] + refusing)
    assert seen.reached == {"data": "main.py:15"}


def test_a_training_that_ended_at_once(tmp_path):
    record = Record((Event(0, "keras call", {"shape": [4, 8, 8, 1], "place": "train.py:3"}),), (), tmp_path)
    assert read_keras_facts(record) == {}
    assert find_keras_reached(record) == {"data": "train.py:3", "network": "train.py:3"}
    assert read_keras_weights(record) == ((), "")


REAL = """
import os, sys
import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(3)
images = np.random.rand(10, 16, 16, 1).astype("float32")
masks = (images > 0.5).astype("float32")
inputs = layers.Input((16, 16, 1))
x = layers.Dropout(0.2)(layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(inputs)))
net = keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))
net.compile(keras.optimizers.AdamW(0.01, weight_decay=0.1), loss="binary_crossentropy")
DATA
callbacks = [keras.callbacks.ModelCheckpoint("best.keras", save_best_only=True)]
net.fit(*data, epochs=3, validation_data=(images[8:], masks[8:]), callbacks=callbacks, verbose=0)
best = keras.models.load_model("best.keras")
print(repr(float(best.predict(images[8:], verbose=0).sum())), repr(float(sum(w.sum() for w in net.get_weights()))))
"""
DATASET = """
import tensorflow as tf
from dataclasses import dataclass
dataset = tf.data.Dataset.from_tensor_slices((images[:8], masks[:8])).shuffle(8).batch(3)
data = [dataset.map(lambda x, y: (x, y)).prefetch(2)]
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "data", "size"),
    [("torch", "data = [images[:8], masks[:8], 3]", 3), ("tensorflow", DATASET, 3)],
    ids=["arrays, on torch", "a dataset, on TensorFlow"],
)
def test_real_keras_computes_the_same_when_it_is_observed(tmp_path, monkeypatch, backend, data, size):
    for package in ("keras", backend):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    monkeypatch.setenv("KERAS_BACKEND", backend)
    script = REAL.replace("DATA", data)
    seen, printed = observe(tmp_path / "observed", script, stand_in=False)
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "main.py").write_text(script, encoding="utf-8")
    assert printed == run_observed(tmp_path / "alone", None)
    assert read_facts(seen) == {
        "parameters": 40 + 8 + 5,
        "channels": 1,
        "size": 16,
        "batch_size": size,
        "optimizer": "AdamW",
        "rate": 0.01,
        "decay": 0.1,
        "epochs": 3,
        "loss": {"name": "binary_crossentropy"},
    }
    assert len(seen.losses) == 9
    assert len(set(seen.weights.epochs)) == 3
    assert seen.weights.tested in seen.weights.epochs
    assert set(seen.reached) == {"data", "network", "first step", "epoch", "validation", "test"}


TAPE = """
import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(3)
images = np.random.rand(10, 16, 16, 1).astype("float32")
net = tf.keras.Sequential([tf.keras.layers.Conv2D(4, 3, padding="same"), tf.keras.layers.Conv2D(1, 1)])
optimizer = tf.keras.optimizers.SGD(0.1)
compare = tf.keras.losses.MeanSquaredError()

FUNCTION
def step(x):
    with tf.GradientTape() as tape:
        loss = compare(x, net(x))
    optimizer.apply_gradients(zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables))
    return loss

for epoch in range(2):
    for start in (0, 3, 6):
        step(tf.constant(images[start : start + 3]))
    for start in (6, 8):
        net(images[start : start + 2])
net(images[9:])
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "place"), [("", "main.py:15"), ("@tf.function", "main.py:20")], ids=["step by step", "in a graph"]
)
def test_a_loop_with_a_tape(tmp_path, function, place):
    pytest.importorskip("tensorflow", reason="tensorflow is not installed")
    seen, _ = observe(tmp_path / "tape", TAPE.replace("FUNCTION", function), stand_in=False)
    facts = {"parameters": 45, "batch_size": 3, "optimizer": "SGD", "rate": 0.1, "epochs": 2}
    assert facts.items() <= read_facts(seen).items()
    assert len(set(seen.weights.epochs)) == 2
    assert seen.weights.tested == seen.weights.epochs[-1]
    assert seen.reached["first step"] == place
    assert (seen.reached["validation"], seen.reached["test"]) == ("main.py:22", "main.py:23")
