from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from llmseg import train, zoo
from llmseg.errors import UserError
from llmseg.training.memory import Needs, check_memory, has_batch_norm, measure_needs, split_forward
from llmseg.training.numerics import EXACT_NUMERICS


@pytest.fixture
def divisible(tiny_recipe):
    """A recipe that can be trained in parts: it has no batch norm. Its Dice is over the whole batch, to be strict."""
    net = replace(tiny_recipe.net, norm="none", dropout=0.2)
    return tiny_recipe.change("net", net).change("loss", replace(tiny_recipe.loss, dice=1.0, dice_over="batch"))


def gradients(recipe, at_once):
    torch.manual_seed(0)
    net = recipe.net.build(1)
    image, mask = torch.rand(5, 1, 32, 32), (torch.rand(5, 1, 32, 32) > 0.5).float()
    loss = recipe.loss(split_forward(EXACT_NUMERICS.build_forward(net), at_once)(image), mask)
    loss.backward()
    return loss.detach(), [p.grad for p in net.parameters()]


@pytest.mark.parametrize("at_once", [1, 2, 9])
def test_parts_give_the_loss_and_gradients_of_the_batch(divisible, at_once):
    recipe = divisible.change("net.dropout", 0.0)
    loss, whole = gradients(recipe, None)
    found, parts = gradients(recipe, at_once)
    assert torch.allclose(found, loss, rtol=1e-6)
    for ours, theirs in zip(parts, whole, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-7)


def test_dropout_is_the_same_when_maps_are_computed_again(divisible):
    """Otherwise gradients would belong to another network than the loss."""
    torch.manual_seed(0)
    net = divisible.net.build(1)
    image = torch.rand(4, 1, 32, 32)
    forward = EXACT_NUMERICS.build_forward(net)
    torch.manual_seed(1)
    by_hand = torch.cat([forward(part) for part in image.split(2)])
    expected = torch.autograd.grad(by_hand.sum(), list(net.parameters()))
    torch.manual_seed(1)
    found = torch.autograd.grad(split_forward(forward, 2)(image).sum(), list(net.parameters()))
    for ours, theirs in zip(found, expected, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_a_training_in_parts_is_the_training(divisible, phantoms, tmp_path):
    recipe = divisible.change("net.dropout", 0.0)
    whole, parts = (
        train(recipe, phantoms, tmp_path / str(n), at_once=n, precision="fp32", progress=False) for n in (None, 3)
    )
    for column in ("train_loss", "validation_loss"):
        assert parts.history[column].tolist() == pytest.approx(whole.history[column].tolist(), rel=1e-4)
    assert parts.record["how"]["at_once"] == 3


def test_a_case_leaves_what_the_backward_pass_reads():
    """The convolution keeps its input, the sigmoid its output, the loss the same output and the mask."""
    recipe = zoo.get("llama-3.1-405b").recipe
    net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Sigmoid())
    batch = (torch.rand(1, 1, 8, 8), torch.zeros(1, 1, 8, 8))
    needs = measure_needs(recipe, net, EXACT_NUMERICS, batch)
    assert needs.per_case == 3 * 8 * 8 * 4, "input, probability, mask"
    assert needs.fixed == 2 * 16, "one weight and one bias: value, gradient and two moments"


def test_measuring_changes_nothing(tiny_recipe):
    net = tiny_recipe.net.build(1)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    batch = (torch.rand(1, 1, 32, 32), torch.zeros(1, 1, 32, 32))
    generator = torch.get_rng_state()
    measure_needs(tiny_recipe, net, EXACT_NUMERICS, batch)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(p.grad is None for p in net.parameters())


def test_the_number_of_cases_that_fit():
    needs = Needs(fixed=100, per_case=30)
    assert [needs.count_fitting(limit) for limit in (90, 129, 130, 200)] == [0, 0, 1, 3]
    assert needs.of_batch(needs.count_fitting(200)) <= 200 < needs.of_batch(needs.count_fitting(200) + 1)


def test_messages():
    needs = Needs(10**9, 10**9)
    check_memory(needs, 9 * 10**9, 8, 8, statistics=False)
    with pytest.raises(UserError, match=r"need about 9\.00 GB and 4\.00 GB are there; use --at-once 3 "):
        check_memory(needs, 4 * 10**9, 8, 8, statistics=False)
    with pytest.raises(UserError, match="batch statistics of the parts"):
        check_memory(needs, 4 * 10**9, 8, 8, statistics=True)
    with pytest.raises(UserError, match=r"one case alone needs 2\.00 GB: choose a smaller images.size"):
        check_memory(needs, 10**9, 8, 8, statistics=True)


def test_a_training_that_does_not_fit_leaves_no_folder(tiny_recipe, phantoms, tmp_path):
    with pytest.raises(UserError, match=r"--set fit\.batch_size=\d"):
        train(tiny_recipe, phantoms, tmp_path / "out", max_memory=0.001, precision="fp32", progress=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("id", zoo.names())
def test_batch_norm_is_what_has_running_means(id):
    with torch.device("meta"):
        net = zoo.get(id).recipe.net.build(1)
    assert has_batch_norm(net) == any("running_mean" in name for name in net.state_dict())
