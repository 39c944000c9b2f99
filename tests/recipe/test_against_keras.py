"""Networks, loss and optimiser against Keras itself, on its torch backend."""

from __future__ import annotations

import dataclasses
import importlib.util
import math

import numpy as np
import pytest
import torch

from llmseg import zoo
from llmseg.recipe.scores import MeanIoU
from llmseg.training.optimizer import KerasAdam
from llmseg.zoo.tensorflow.common import BCE

COMPARED = [
    "gpt-4o",
    "gpt-o1-preview",
    "claude-3.5-sonnet",
    "github-copilot",
    "bing-copilot",
    "llama-3.1-405b",
    "gemini-1.5-pro",
]


@pytest.fixture(scope="module")
def keras():
    if importlib.util.find_spec("keras") is None:
        pytest.skip("keras is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        module = importlib.import_module("keras")
    if module.backend.backend() != "torch":
        pytest.skip("keras was imported with another backend")
    with module.device("cpu"):
        yield module


def build(keras, id, widths, size):
    """Write a network as the fact sheet of its pipeline describes it, layer by layer, with Keras's defaults."""
    layers = keras.layers
    norm = id in ("gpt-4o", "claude-3.5-sonnet", "bing-copilot")
    *encoder, bottleneck = widths

    def conv(x, width, kernel=3):
        x = layers.Conv2D(width, kernel, padding="same")(x)
        return layers.ReLU()(layers.BatchNormalization()(x) if norm else x)

    def block(x, width):
        x = conv(conv(x, width), width)
        return layers.MaxPooling2D(2)(x) if id == "gpt-4o" else x

    def raised(x, width):
        if id == "llama-3.1-405b":
            return layers.UpSampling2D(2)(x)
        if id == "gpt-o1-preview":
            return layers.Conv2D(width, 2, padding="same", activation="relu")(layers.UpSampling2D(2)(x))
        if id == "gpt-4o":
            x = layers.BatchNormalization()(layers.Conv2DTranspose(width, 3, strides=2, padding="same")(x))
            return conv(layers.ReLU()(x), width)
        return layers.Conv2DTranspose(width, 2, strides=2, padding="same")(x)

    x = inputs = keras.Input((*size, 1))
    skips = []
    for width in encoder:
        x = block(x, width)
        if id == "gpt-o1-preview" and width == encoder[-1]:
            x = layers.Dropout(0.5)(x)
        skips.append(x)
        x = x if id == "gpt-4o" else layers.MaxPooling2D(2)(x)
    x = block(x, bottleneck)
    if id == "gpt-o1-preview":
        x = layers.Dropout(0.5)(x)
    for width, skip in zip(reversed(encoder), reversed(skips), strict=True):
        pair = [raised(x, width), skip]
        if id in ("gpt-o1-preview", "claude-3.5-sonnet", "llama-3.1-405b"):
            pair.reverse()
        x = layers.Concatenate()(pair)
        x = x if id == "gpt-4o" else block(x, width)
    if id == "gpt-o1-preview":
        x = layers.Conv2D(2, 3, padding="same", activation="relu")(x)
    return keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))


def parts_in_order(net):
    """Our layers with weights in the order in which they are used, which is that of Keras's list."""
    stages = [layer for pair in zip(net.up, net.decoder, strict=True) for layer in pair]
    for part in (*net.encoder, net.bottleneck, *stages, net.head):
        for module in part.modules():
            if isinstance(module, (torch.nn.Conv2d, torch.nn.ConvTranspose2d, torch.nn.BatchNorm2d)):
                yield module


@torch.no_grad()
def copy_weights(model, net):
    theirs = [layer for layer in model.layers if layer.weights]
    for ours, layer in zip(parts_in_order(net), theirs, strict=True):
        values = [torch.tensor(np.asarray(w)) for w in layer.get_weights()]
        if isinstance(ours, torch.nn.BatchNorm2d):
            assert layer.epsilon == pytest.approx(ours.eps)
            assert layer.momentum == pytest.approx(1 - ours.momentum)
            for tensor, value in zip(
                (ours.weight, ours.bias, ours.running_mean, ours.running_var), values, strict=True
            ):
                tensor.copy_(value)
            continue
        # Rows, columns, in, out; for a transposed convolution out, in: torch has them the other way round both times.
        ours.weight.copy_(values[0].permute(3, 2, 0, 1))
        ours.bias.copy_(values[1])


def small(id):
    record = zoo.get(f"{id}@tensorflow").recipe.net
    narrow = {"encoder": tuple(w // 16 for w in record.encoder), "decoder": tuple(w // 16 for w in record.decoder)}
    return dataclasses.replace(record, **narrow, bottleneck=record.bottleneck // 16)


@pytest.mark.parametrize("id", COMPARED)
def test_outputs_for_the_same_weights(keras, id):
    keras.utils.set_random_seed(0)
    record = dataclasses.replace(small(id), output="probability")
    model = build(keras, id, (*record.encoder, record.bottleneck), (64, 96))
    random = np.random.default_rng(0)
    for variable in (w for w in model.weights if len(w.shape) == 1):  # biases and norms start alike everywhere
        value = random.normal(0, 0.2, variable.shape)
        variable.assign(np.abs(value) + 0.8 if "variance" in variable.path or "gamma" in variable.path else value)
    net = record.build(1).eval()
    copy_weights(model, net)
    image = 5 * random.normal(size=(2, 64, 96, 1)).astype(np.float32)
    with torch.no_grad():
        expected = torch.as_tensor(model(image, training=False)).permute(0, 3, 1, 2)
        output = net(torch.from_numpy(image).permute(0, 3, 1, 2))
    assert output.std() > 1e-3, "an output that says nothing would agree with any other"
    torch.testing.assert_close(output, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("id", COMPARED)
def test_numbers_of_parameters(keras, id):
    """Of the full network: counted by Keras, by us, and as the card says."""
    pipeline = zoo.get(f"{id}@tensorflow")
    record = pipeline.recipe.net
    with torch.device("meta"):
        net = record.build(1)
    model = build(keras, id, (*small(id).encoder, small(id).bottleneck), (64, 64))
    ours = sum(p.numel() for p in small(id).build(1).parameters())
    assert sum(math.prod(w.shape) for w in model.trainable_weights) == ours
    assert sum(p.numel() for p in net.parameters()) == pipeline.card.parameters


@pytest.mark.parametrize("id", ["gpt-4o", "gpt-o1-preview", "github-copilot"])
def test_weights_start_alike(keras, id):
    """The same limit of a uniform spread, layer by layer, and biases at zero."""
    torch.manual_seed(0)
    keras.utils.set_random_seed(0)
    record = small(id)
    net = record.build(1)
    theirs = [
        layer for layer in build(keras, id, (*record.encoder, record.bottleneck), (64, 64)).layers if layer.weights
    ]
    for ours, layer in zip(parts_in_order(net), theirs, strict=True):
        weight, bias = (np.asarray(w) for w in layer.get_weights()[:2])
        assert np.array_equal(bias, ours.bias.detach().numpy())
        if weight.size > 500:
            assert np.abs(weight).max() == pytest.approx(ours.weight.abs().max().item(), rel=0.02)
            assert weight.std() == pytest.approx(ours.weight.std().item(), rel=0.1)


@pytest.mark.parametrize("scale", [1e-8, 1e-6, 1.0])
def test_steps_of_adam(keras, scale):
    """Gradients near epsilon tell where it is added."""
    random = np.random.default_rng(0)
    start = random.normal(size=50).astype(np.float32)
    gradients = (random.normal(size=(5, 50)) * scale).astype(np.float32)
    variable = keras.Variable(start)
    theirs = keras.optimizers.Adam(learning_rate=1e-3)
    weight = torch.nn.Parameter(torch.from_numpy(start.copy()))
    plain = torch.nn.Parameter(torch.from_numpy(start.copy()))
    ours, textbook = KerasAdam([weight], lr=1e-3), torch.optim.Adam([plain], lr=1e-3)
    for gradient in gradients:
        theirs.apply([torch.from_numpy(gradient)], [variable])
        weight.grad, plain.grad = torch.from_numpy(gradient.copy()), torch.from_numpy(gradient.copy())
        ours.step()
        textbook.step()
    expected = torch.as_tensor(np.array(keras.ops.convert_to_numpy(variable)))
    torch.testing.assert_close(weight.detach(), expected, rtol=0, atol=3e-7)
    if scale < 1:
        assert (plain.detach() - expected).abs().max() > 1e-4


def test_clipped_cross_entropy(keras):
    probability = torch.tensor([0.0, 1e-9, 0.2, 0.7, 1 - 1e-7, 1.0] * 2).reshape(1, 1, 2, 6)
    mask = torch.tensor([0.0] * 6 + [1.0] * 6).reshape(1, 1, 2, 6)
    loss = dataclasses.replace(BCE, reads="probability", clipped="always")
    expected = keras.losses.BinaryCrossentropy()(mask, probability)
    assert loss(probability, mask).item() == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize("prediction", ["rounded", "truncated"])
def test_mean_iou(keras, prediction):
    torch.manual_seed(0)
    values = torch.tensor([0.0, 0.4, 0.5, 0.6, 1.0])
    output, mask = values[torch.randint(5, (2, 1, 8, 8))], values[torch.randint(5, (2, 1, 8, 8))]
    score = MeanIoU(
        measure="mean-iou", reads="output", prediction=prediction, mask="truncated", over="batch", lists="batch"
    )
    metric = keras.metrics.MeanIoU(num_classes=2)
    metric.update_state(mask, output.round() if prediction == "rounded" else output)
    assert score(output, mask).item() == pytest.approx(float(metric.result()), rel=1e-6)
