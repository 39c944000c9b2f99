from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from llmseg.errors import UserError
from llmseg.recipe.nets.unet import UNet
from llmseg.zoo.common import STANDARD_UNET

SMALL = dataclasses.replace(STANDARD_UNET, encoder=(4, 6, 8), bottleneck=10, decoder=(9, 7, 5))


def build(record: UNet, in_channels: int = 1):
    torch.manual_seed(0)
    return record.build(in_channels)


class TestShapes:
    @pytest.mark.parametrize("mismatch", ["pad", "resize"])
    @pytest.mark.parametrize("size", [(16, 16), (17, 16), (23, 31), (8, 15)])
    def test_odd_sizes_are_kept(self, mismatch, size):
        net = build(dataclasses.replace(SMALL, mismatch=mismatch))
        assert net(torch.rand(2, 1, *size)).shape == (2, 1, *size)

    @pytest.mark.parametrize("size", [(17, 16), (23, 31), (8, 15)])
    def test_crop_gives_the_largest_multiple_of_eight(self, size):
        net = build(dataclasses.replace(SMALL, mismatch="crop"))
        assert net(torch.rand(2, 1, *size)).shape[-2:] == tuple(side // 8 * 8 for side in size)

    @pytest.mark.parametrize("size", [(17, 16), (16, 20)])
    def test_error_names_both_sizes_and_the_field_to_change(self, size):
        with pytest.raises(UserError, match=r"a map of \d+x\d+ meets a skip of \d+x\d+.*images\.size"):
            build(SMALL)(torch.rand(1, 1, *size))

    @pytest.mark.parametrize("mismatch", ["error", "pad", "resize", "crop"])
    def test_the_rule_makes_no_difference_for_even_sizes(self, mismatch):
        image = torch.rand(1, 1, 16, 24)
        net = build(dataclasses.replace(SMALL, mismatch=mismatch)).eval()
        assert torch.equal(net(image), build(SMALL).eval()(image))

    @pytest.mark.parametrize(
        "change", [{"pool_bottleneck": True, "mismatch": "crop"}, {"skip_from": "pooling", "mismatch": "resize"}]
    )
    def test_half_the_size(self, change):
        net = build(dataclasses.replace(SMALL, **change))
        assert net(torch.rand(1, 1, 32, 48)).shape == (1, 1, 16, 24)

    @given(
        up=st.sampled_from(["transposed", "bilinear"]),
        hidden=st.sampled_from(["block", "half"]),
        norm=st.sampled_from(["batch", "none"]),
        concat=st.sampled_from(["skip-first", "up-first"]),
        bias=st.booleans(),
        depth=st.integers(1, 3),
        channels=st.sampled_from([1, 3]),
    )
    @settings(max_examples=25, deadline=None)
    def test_every_combination_builds(self, up, hidden, norm, concat, bias, depth, channels):
        record = dataclasses.replace(
            SMALL, up=up, hidden=hidden, norm=norm, concat=concat, bias=bias, encoder=(4,) * depth, decoder=(5,) * depth
        )
        net = build(record, channels)
        assert net(torch.rand(2, channels, 8, 16)).shape == (2, 1, 8, 16)
        convolutions = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d) and m.kernel_size == (3, 3)]
        assert len(convolutions) == 4 * depth + 2
        assert all((m.bias is not None) == bias for m in convolutions)
        norms = [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        assert len(norms) == (len(convolutions) if norm == "batch" else 0)

    def test_encoder_and_decoder_of_different_length(self):
        with pytest.raises(UserError, match=r"net\.encoder has 2 blocks and net\.decoder 1"):
            dataclasses.replace(SMALL, encoder=(1, 2), decoder=(1,))

    def test_no_blocks_at_all(self):
        with pytest.raises(UserError, match="at least one"):
            dataclasses.replace(SMALL, encoder=(), decoder=())


class TestOutput:
    def test_probability_is_the_sigmoid_of_the_logits(self):
        image = torch.rand(1, 1, 16, 16)
        logits = build(dataclasses.replace(SMALL, output="logits")).eval()(image)
        assert torch.equal(build(SMALL).eval()(image), torch.sigmoid(logits))
        assert logits.min() < 0 or logits.max() > 1

    def test_dropout_is_active_only_in_training(self):
        net = build(dataclasses.replace(SMALL, dropout=0.5, norm="none"))
        image = torch.rand(1, 1, 16, 16)
        assert torch.equal(net.eval()(image), net(image))
        assert torch.equal(net(image), build(dataclasses.replace(SMALL, norm="none")).eval()(image))
        net.train()
        outputs = [net(image) for _ in range(4)]
        assert any(not torch.equal(outputs[0], other) for other in outputs[1:])

    def test_dropout_drops_whole_channels_of_the_bottleneck(self):
        net = build(dataclasses.replace(SMALL, dropout=0.5))
        seen = []
        net.dropout.register_forward_hook(lambda _, inputs, output: seen.append((inputs[0], output)))
        net(torch.rand(3, 1, 16, 16))
        ((before, after),) = seen
        assert before.shape[1] == SMALL.bottleneck
        for values, kept in zip(before.flatten(0, 1), after.flatten(0, 1), strict=True):
            assert torch.equal(kept, torch.zeros_like(kept)) or torch.equal(kept, 2 * values)

    @pytest.mark.parametrize(
        "change",
        [
            {},
            {"norm": "none"},
            {"up": "bilinear", "hidden": "half"},
            {"skip_from": "pooling", "mismatch": "resize"},
            {"pool_bottleneck": True, "mismatch": "crop"},
            {"dropout": 0.2, "output": "logits"},
        ],
    )
    def test_gradients_reach_every_parameter(self, change):
        net = build(dataclasses.replace(SMALL, **change))
        net(torch.rand(2, 1, 32, 32)).square().mean().backward()
        assert [name for name, p in net.named_parameters() if p.grad is None] == []
        assert all(torch.isfinite(p.grad).all() for p in net.parameters())
        assert any(p.grad.abs().max() > 0 for p in net.encoder[0].parameters())


@pytest.mark.parametrize(
    ("drawn", "middle"),
    [
        ("stages", ["bottleneck", "up.0", "decoder.0", "up.1", "decoder.1"]),
        ("ups-first", ["bottleneck", "up.0", "up.1", "decoder.0", "decoder.1"]),
        ("blocks-first", ["bottleneck", "decoder.0", "decoder.1", "up.0", "up.1"]),
        ("bottleneck-last", ["up.0", "decoder.0", "up.1", "decoder.1", "bottleneck"]),
    ],
)
def test_weights_are_drawn_in_the_order_asked_for(drawn, middle):
    net = build(dataclasses.replace(SMALL, encoder=(4, 6), bottleneck=8, decoder=(6, 4), drawn=drawn))
    torch.manual_seed(0)
    for name in ["encoder.0", "encoder.1", *middle, "head"]:
        for module in net.get_submodule(name).modules():
            if isinstance(module, (torch.nn.Conv2d, torch.nn.ConvTranspose2d)):
                before = {key: tensor.clone() for key, tensor in module.state_dict().items()}
                module.reset_parameters()
                assert all(torch.equal(before[key], tensor) for key, tensor in module.state_dict().items()), name


def by_hand(x: torch.Tensor, weights: dict[str, torch.Tensor], depth: int, concat: str) -> torch.Tensor:
    """The standard U-Net in training mode, written with functions only."""

    def block(x, name):
        for layer in (0, 3):
            x = functional.conv2d(x, weights[f"{name}.{layer}.weight"], weights[f"{name}.{layer}.bias"], padding=1)
            norm = f"{name}.{layer + 1}"
            x = functional.batch_norm(x, None, None, weights[f"{norm}.weight"], weights[f"{norm}.bias"], training=True)
            x = functional.relu(x)
        return x

    skips = []
    for level in range(depth):
        skips.append(block(x, f"encoder.{level}"))
        x = functional.max_pool2d(skips[-1], 2)
    x = block(x, "bottleneck")
    for level in range(depth):
        x = functional.conv_transpose2d(x, weights[f"up.{level}.weight"], weights[f"up.{level}.bias"], stride=2)
        skip = skips[depth - 1 - level]
        x = block(torch.cat([x, skip] if concat == "up-first" else [skip, x], dim=1), f"decoder.{level}")
    return torch.sigmoid(functional.conv2d(x, weights["head.weight"], weights["head.bias"]))


@pytest.mark.parametrize("concat", ["up-first", "skip-first"])
def test_equals_functional_code_in_output_and_gradient(concat):
    record = dataclasses.replace(SMALL, concat=concat)
    net = build(record).train()
    image, target = torch.rand(2, 1, 16, 24), torch.rand(2, 1, 16, 24)
    weights = {name: p.detach().clone().requires_grad_() for name, p in net.named_parameters()}
    expected, output = by_hand(image, weights, len(record.encoder), concat), net(image)
    assert torch.equal(output, expected)
    functional.binary_cross_entropy(expected, target).backward()
    functional.binary_cross_entropy(output, target).backward()
    for name, parameter in net.named_parameters():
        assert torch.equal(parameter.grad, weights[name].grad), name
