from __future__ import annotations

import dataclasses
import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional

from llmseg.errors import UserError
from llmseg.zoo.tensorflow.common import KERAS_UNET

SMALL = dataclasses.replace(KERAS_UNET, encoder=(4, 6), bottleneck=8, decoder=(7, 5))
UPS = ("transposed", "transposed-3x3", "nearest", "nearest-2x2")


@pytest.mark.parametrize(
    ("up", "join", "skip_from"), list(itertools.product(UPS, ("before-block", "after-stage"), ("block", "pooling")))
)
def test_every_combination_builds_and_learns(up, join, skip_from):
    for norm, narrow, channels in (("batch", None, 1), ("none", 2, 3)):
        record = dataclasses.replace(SMALL, up=up, join=join, skip_from=skip_from, norm=norm, narrow=narrow)
        net = record.build(channels)
        output = net(torch.rand(2, channels, 16, 24))
        assert output.shape == ((2, 1, 16, 24) if skip_from == "block" else (2, 1, 8, 12))
        output.square().mean().backward()
        assert [name for name, p in net.named_parameters() if p.grad is None] == []


class TestDialect:
    def test_keras(self):
        torch.manual_seed(0)
        net = dataclasses.replace(SMALL, norm="batch", narrow=2, encoder=(32, 64)).build(1)
        for layer in net.modules():
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                area = layer.kernel_size[0] * layer.kernel_size[1]
                limit = (6 / (area * (layer.in_channels + layer.out_channels))) ** 0.5
                assert layer.weight.abs().max() <= limit
                assert layer.weight.abs().max() > 0.8 * limit or layer.weight.numel() < 10
                assert torch.equal(layer.bias, torch.zeros_like(layer.bias))
            if isinstance(layer, nn.BatchNorm2d):
                assert (layer.eps, layer.momentum) == (1e-3, 0.01)

    def test_torch(self):
        torch.manual_seed(0)
        net = dataclasses.replace(SMALL, norm="batch", dialect="torch").build(1)
        torch.manual_seed(0)
        assert torch.equal(net.encoder[0][0].weight, nn.Conv2d(1, 4, 3).weight)
        assert {(m.eps, m.momentum) for m in net.modules() if isinstance(m, nn.BatchNorm2d)} == {(1e-5, 0.1)}


def test_dropout_is_at_the_two_deepest_blocks_and_drops_single_values():
    net = dataclasses.replace(SMALL, dropout=0.5).build(1)
    seen = []
    net.dropout.register_forward_hook(lambda _, inputs, output: seen.append((inputs[0], output)))
    net(torch.rand(1, 1, 32, 32))
    assert [before.shape[1] for before, _ in seen] == [6, 8]
    for before, after in seen:
        kept = after != 0
        assert torch.equal(after[kept], 2 * before[kept])
        mixed = [plane for plane in (kept == (before != 0))[0] if 0 < plane.sum() < plane.numel()]
        assert mixed, "single values, not whole channels"
    seen.clear()
    net.eval()(torch.rand(1, 1, 32, 32))
    assert all(torch.equal(before, after) for before, after in seen)


def test_what_same_padding_means():
    """One row and column after the last of a 2x2 convolution; none of what a 3x3 transposed one has too much."""
    x = torch.rand(1, 8, 3, 4)
    nearest = dataclasses.replace(SMALL, up="nearest-2x2").build(1).up[0]
    raised = functional.pad(x.repeat_interleave(2, 2).repeat_interleave(2, 3), (0, 1, 0, 1))
    expected = functional.conv2d(raised, nearest[1].layer.weight, nearest[1].layer.bias).relu()
    torch.testing.assert_close(nearest(x), expected)
    transposed = dataclasses.replace(SMALL, up="transposed-3x3").build(1).up[0]
    layer = transposed.layer
    expected = functional.conv_transpose2d(x, layer.weight, layer.bias, stride=2)[..., :6, :8]
    assert torch.equal(transposed(x), expected)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"encoder": (1, 2, 3)}, "net.encoder has 3 blocks"),
        ({"dropout": 1.0}, "net.dropout"),
        ({"narrow": 0}, "net.narrow"),
    ],
)
def test_senseless_fields(fields, word):
    with pytest.raises(UserError, match=word):
        dataclasses.replace(SMALL, **fields)


def test_sizes_that_do_not_halve():
    with pytest.raises(UserError, match=r"meets a skip of .*images\.size"):
        SMALL.build(1)(torch.rand(1, 1, 18, 16))
