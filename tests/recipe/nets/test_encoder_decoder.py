from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.nn import functional

from llmseg.recipe.nets.encoder_decoder import EncoderDecoder, UnpaddedEncoderDecoder

SMALL = EncoderDecoder(
    encoder=(4, 6, 8, 10), decoder=(8, 6, 4, 1), norm="none", skips="add", head=True, output="probability"
)
UNPADDED = UnpaddedEncoderDecoder(encoder=(4, 6, 8), decoder=(6, 4, 1), output="probability")


@pytest.mark.parametrize("norm", ["batch", "none"])
@pytest.mark.parametrize("skips", ["add", "none"])
@pytest.mark.parametrize("head", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
def test_keeps_the_size(norm, skips, head, channels):
    net = dataclasses.replace(SMALL, norm=norm, skips=skips, head=head).build(channels)
    output = net(torch.rand(2, channels, 32, 48))
    assert output.shape == (2, 1, 32, 48)
    assert any(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules()) == (norm == "batch")
    output.square().mean().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_without_a_head_no_output_is_below_one_half():
    torch.manual_seed(0)
    image = torch.rand(4, 1, 32, 32)
    outputs = {head: dataclasses.replace(SMALL, head=head, norm="batch").build(1)(image) for head in (True, False)}
    assert outputs[False].min() >= 0.5
    assert outputs[True].min() < 0.5


def test_equals_functional_code_with_and_without_skips():
    torch.manual_seed(0)
    image = torch.rand(2, 1, 32, 32)
    for skips in ("add", "none"):
        net = dataclasses.replace(SMALL, skips=skips).build(1)
        weights = dict(net.named_parameters())
        x, pooled = image, []

        def conv(x, name, weights=weights):
            return functional.relu(functional.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1))

        for level in range(4):
            x = functional.max_pool2d(conv(conv(x, f"encoder.{level}.0"), f"encoder.{level}.2"), 2)
            pooled.append(x)
        for level in range(4):
            up = f"decoder.{level}.0"
            x = functional.relu(
                functional.conv_transpose2d(x, weights[f"{up}.weight"], weights[f"{up}.bias"], stride=2)
            )
            x = conv(x, f"decoder.{level}.2")
            if skips == "add" and level < 3:
                x = x + pooled[2 - level]
        x = torch.sigmoid(functional.conv2d(x, weights["head.weight"], weights["head.bias"]))
        assert torch.equal(net(image), x)


@pytest.mark.parametrize("side", [32, 48, 57])
def test_unpadded_is_as_small_as_its_convolutions_make_it(side):
    expected = side
    for _ in UNPADDED.encoder:
        expected = (expected - 2) // 2
    output = UNPADDED.build(1)(torch.rand(1, 1, side, side))
    assert output.shape == (1, 1, expected * 8, expected * 8)
    assert expected * 8 < side


def test_unpadded_equals_functional_code():
    torch.manual_seed(0)
    net, image = UNPADDED.build(3), torch.rand(2, 3, 40, 40)
    weights, x = dict(net.named_parameters()), image
    for layer in (0, 3, 6):
        x = functional.conv2d(x, weights[f"encoder.{layer}.weight"], weights[f"encoder.{layer}.bias"])
        x = functional.max_pool2d(functional.relu(x), 2)
    for layer in (0, 2, 4):
        x = functional.conv_transpose2d(
            x, weights[f"decoder.{layer}.weight"], weights[f"decoder.{layer}.bias"], stride=2
        )
        x = functional.relu(x) if layer < 4 else torch.sigmoid(x)
    output = net(image)
    assert torch.equal(output, x)
    output.square().mean().backward()
    assert all(p.grad is not None for p in net.parameters())
