from __future__ import annotations

import copy
import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from llmseg.recipe.fit import Cosine, Fit, Plateau
from llmseg.training.optimizer import KerasAdam, build_average, build_optimizer, build_schedule


@pytest.fixture
def fit(tiny_recipe) -> Fit:
    return replace(tiny_recipe.fit, rate=0.02, decay=0.001, epochs=7)


def follow_formula(start: torch.Tensor, gradients: list[torch.Tensor], rate: float) -> torch.Tensor:
    """The update as Keras documents it, in double precision."""
    weight, m, v = start.double().clone(), torch.zeros_like(start).double(), torch.zeros_like(start).double()
    for t, gradient in enumerate(gradients, start=1):
        m += (gradient.double() - m) * (1 - 0.9)
        v += (gradient.double() ** 2 - v) * (1 - 0.999)
        weight -= rate * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t) * m / (v.sqrt() + 1e-7)
    return weight


def draw(scale: float) -> tuple[torch.Tensor, list[torch.Tensor]]:
    torch.manual_seed(0)
    return torch.randn(50), [scale * torch.randn(50) for _ in range(6)]


def step(optimizer: torch.optim.Optimizer, weight: torch.nn.Parameter, gradients: list[torch.Tensor]) -> None:
    for gradient in gradients:
        weight.grad = gradient.clone()
        optimizer.step()


@pytest.mark.parametrize("scale", [1e-8, 1e-6, 1.0])
@pytest.mark.parametrize("fused", [None, True])
def test_keras_adam_is_the_formula(scale, fused):
    start, gradients = draw(scale)
    weight = torch.nn.Parameter(start.clone())
    step(KerasAdam([weight], lr=1e-3, fused=fused), weight, gradients)
    torch.testing.assert_close(weight.detach().double(), follow_formula(start, gradients, 1e-3), rtol=0, atol=1e-6)


def test_keras_adam_goes_on_from_a_stored_state():
    start, gradients = draw(1e-7)
    whole, first = (torch.nn.Parameter(start.clone()) for _ in range(2))
    step(KerasAdam([whole], lr=1e-3), whole, gradients)
    before = KerasAdam([first], lr=1e-3)
    step(before, first, gradients[:3])
    stored = copy.deepcopy(before.state_dict())
    second = torch.nn.Parameter(first.detach().clone())
    after = KerasAdam([second], lr=1e-3)
    after.load_state_dict(stored)
    step(after, second, gradients[3:])
    assert torch.equal(second, whole)


class TestBuildOptimizer:
    @pytest.mark.parametrize(
        ("name", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("keras-adam", KerasAdam)]
    )
    def test_it_is_what_fit_names(self, fit, name, kind):
        net = nn.Linear(2, 2)
        optimizer = build_optimizer(replace(fit, optimizer=name), net.parameters(), fused=False)
        assert type(optimizer) is kind
        (group,) = optimizer.param_groups
        assert (group["lr"], group["weight_decay"], group["fused"]) == (0.02, 0.001, None)
        assert group["params"] == list(net.parameters())

    def test_fused_takes_the_same_steps_but_for_rounding(self, fit):
        nets = [nn.Linear(3, 3) for _ in range(2)]
        nets[1].load_state_dict(nets[0].state_dict())
        for net, fused in zip(nets, (False, True), strict=True):
            optimizer = build_optimizer(fit, net.parameters(), fused=fused)
            net(torch.ones(1, 3)).square().sum().backward()
            optimizer.step()
            assert bool(optimizer.param_groups[0]["fused"]) == fused
        torch.testing.assert_close(*(net.weight for net in nets))


class TestBuildSchedule:
    @pytest.fixture
    def optimizer(self, fit):
        return build_optimizer(fit, nn.Linear(1, 1).parameters(), fused=False)

    def test_a_constant_rate_needs_none(self, fit, optimizer):
        assert build_schedule(replace(fit, schedule=None), optimizer) is None

    @pytest.mark.parametrize(("warmup", "final"), [(0, 0.0), (2, 0.1), (9, 0.5)])
    def test_cosine_is_the_formula(self, fit, optimizer, warmup, final):
        schedule = build_schedule(replace(fit, schedule=Cosine(warmup=warmup, final=final)), optimizer)
        rates = [optimizer.param_groups[0]["lr"]]
        for _ in range(fit.epochs):
            optimizer.step()
            schedule.step()
            rates.append(optimizer.param_groups[0]["lr"])
        rising = [0.02 * (epoch + 1) / (warmup + 1) for epoch in range(min(warmup, 8))]
        falling = [
            0.02 * (final + (1 - final) * 0.5 * (1 + math.cos(math.pi * epoch / (7 - warmup))))
            for epoch in range(8 - warmup)
        ]
        assert rates == pytest.approx([*rising, *falling])

    def test_a_plateau_lowers_the_rate(self, fit, optimizer):
        schedule = build_schedule(replace(fit, schedule=Plateau(factor=0.5, patience=1)), optimizer)
        rates = []
        for loss in (3.0, 2.0, 2.5, 2.0, 1.0):
            schedule.step(loss)
            rates.append(optimizer.param_groups[0]["lr"])
        assert rates == [0.02, 0.02, 0.02, 0.01, 0.01]


class TestBuildAverage:
    def test_it_is_the_mean_computed_by_hand(self):
        net = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))
        average = build_average(net, decay=0.3)
        expected = None
        for update, value in enumerate((1.0, 5.0, 2.0, 8.0, 3.0, 4.0, 9.0)):
            with torch.no_grad():
                net[0].weight.fill_(value)
                net[1].running_mean.fill_(-value)
                net[1].num_batches_tracked.fill_(update)
            average.update_parameters(net)
            # The first average is the first value; after that the start counts no more than (1 + n) / (10 + n).
            share = min(0.3, (1 + update) / (10 + update)) if update else 0.0
            expected = value if expected is None else share * expected + (1 - share) * value
            assert average.module[0].weight.item() == pytest.approx(expected)
            assert average.module[1].running_mean.item() == pytest.approx(-expected)
            assert average.module[1].num_batches_tracked == update

    def test_it_is_a_copy_without_gradients(self):
        net = nn.Linear(1, 1)
        average = build_average(net, decay=0.9)
        assert not any(weight.requires_grad for weight in average.parameters())
        assert all(weight.requires_grad for weight in net.parameters())
        assert average.module.weight is not net.weight
