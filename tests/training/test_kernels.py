"""Convolutions by Winograd's algorithm are convolutions, and nothing else is touched."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from llmseg.training.kernels import Kernels, Layer, has_kernels, read_call
from llmseg.training.memory import split_forward
from llmseg.training.numerics import Numerics

pytestmark = pytest.mark.skipif(not has_kernels(), reason="this build of torch has no NNPACK")

BOTH = ("5-7 at 16", "5-7 at 16, backward")


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def call(kernels, cases, height, width, *, bias=True):
    """Return output and gradients of a convolution: to maps, weight and, if there is one, bias."""
    maps, weight = random(cases, 5, height, width).requires_grad_(), random(7, 5, 3, 3).requires_grad_()
    leaves = [maps, weight, *([random(7).requires_grad_()] if bias else [])]
    with Kernels(kernels):
        output = functional.conv2d(*leaves, padding=1)
    return [output.detach(), *torch.autograd.grad(output, leaves, random(*output.shape))]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("cases", "height", "width"), [(1, 16, 16), (3, 12, 21), (2, 17, 13)])
def test_values_and_gradients_are_those_of_torch_but_for_rounding(cases, height, width, bias):
    exact, found = (call(kernels, cases, height, width, bias=bias) for kernels in ((), BOTH))
    assert not torch.equal(found[0], exact[0])
    assert not torch.equal(found[1], exact[1])
    for ours, theirs in zip(found, exact, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4 * theirs.abs().max().item(), rtol=0)


def test_the_gradient_may_stay_with_torch():
    exact, forward, both = (call(kernels, 2, 16, 16) for kernels in ((), BOTH[:1], BOTH))
    assert torch.equal(forward[0], both[0])
    assert torch.equal(forward[1], exact[1])
    assert not torch.equal(both[1], exact[1])


def test_the_same_bits_come_out_again():
    for first, second in zip(call(BOTH, 2, 16, 16), call(BOTH, 2, 16, 16), strict=True):
        assert torch.equal(first, second)


def test_only_gradients_that_are_wanted_are_computed():
    maps, weight = random(1, 5, 16, 16), random(7, 5, 3, 3).requires_grad_()
    with Kernels(BOTH):
        functional.conv2d(maps, weight, padding=1).sum().backward()
    assert maps.grad is None
    assert weight.grad is not None


@pytest.mark.parametrize(
    "options",
    [
        {"padding": 0},
        {"padding": 1, "stride": 2},
        {"padding": (1, 0)},
        {"padding": 2, "dilation": 2},
        {"padding": 1, "groups": 5},
        {"padding": 1, "dtype": torch.float64},
        {"padding": 1, "size": 1},
        {"padding": 1, "channels": 9},
    ],
)
def test_other_convolutions_stay_with_torch(options):
    dtype, size = options.pop("dtype", torch.float32), options.pop("size", 3)
    inputs = options.pop("channels", 5)
    layer = nn.Conv2d(inputs, 5, size, **options).to(dtype)
    maps = random(2, inputs, 16, 16).to(dtype)
    with Kernels(["5-5 at 16", "1-5 at 16", "9-5 at 32"]):
        found = layer(maps)
    assert torch.equal(found, layer(maps))


@pytest.mark.parametrize(("padding", "is_read"), [(1, True), ((1, 1), True), ("same", True), ("valid", False)])
def test_padding_is_read_as_torch_reads_it(padding, is_read):
    assert (read_call(random(1, 5, 16, 16), random(7, 5, 3, 3), padding=padding) is not None) == is_read


@pytest.mark.parametrize(
    ("height", "width", "side"),
    [(1, 1, 1), (11, 11, 8), (12, 12, 16), (16, 16, 16), (22, 22, 16), (23, 23, 32), (64, 256, 128), (999, 999, 256)],
)
def test_layers_are_alike_if_their_maps_are_about_as_large(height, width, side):
    call = read_call(torch.empty(1, 5, height, width), torch.empty(7, 5, 3, 3), padding=1)
    assert call is not None
    assert call.layer == Layer(5, 7, side)


@pytest.mark.parametrize("size", [(8, 8), (9, 7), (2, 2)])
def test_pooling_without_gradients_gives_the_values_of_torch(size):
    maps = random(2, 3, *size)
    maps[0, 0, 0, 0], maps[1, 0, 1, 1] = float("nan"), float("inf")
    exact = functional.max_pool2d(maps, 2)
    with Kernels(()), torch.no_grad():
        for options in ({"kernel_size": 2}, {"kernel_size": (2, 2), "stride": 2}):
            torch.testing.assert_close(functional.max_pool2d(maps, **options), exact, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize(
    "options", [{"stride": 1}, {"padding": 1}, {"ceil_mode": True}, {"dilation": 2}, {"kernel_size": 3}]
)
def test_other_pooling_stays_with_torch(options):
    options, maps = {"kernel_size": 2, **options}, random(1, 3, 9, 9)
    with Kernels(()), torch.no_grad():
        found = functional.max_pool2d(maps, **options)
    assert torch.equal(found, functional.max_pool2d(maps, **options))


def test_maps_that_are_computed_a_second_time_take_the_same_way():
    """In parts, the maps of a batch are computed again in the backward pass."""
    numerics = Numerics(precision="fp32", channels_last=False, fused=True, compile=False, tf32=False, winograd=BOTH)
    net = nn.Sequential(nn.Conv2d(5, 7, 3, padding=1), nn.ReLU(), nn.Conv2d(7, 1, 3, padding=1))
    images = random(4, 5, 16, 16)
    gradients = []
    for at_once in (None, 1):
        net.zero_grad()
        split_forward(numerics.build_forward(net), at_once)(images).square().sum().backward()
        gradients.append(net[0].weight.grad.clone())
    torch.testing.assert_close(*gradients)
