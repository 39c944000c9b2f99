from __future__ import annotations

import copy

import pytest
import torch

from llmseg.training.optimizer import KerasAdam


def by_hand(start: torch.Tensor, gradients: list[torch.Tensor], rate: float) -> torch.Tensor:
    """The update as Keras documents it, in double precision."""
    weight, m, v = start.double().clone(), torch.zeros_like(start).double(), torch.zeros_like(start).double()
    for t, gradient in enumerate(gradients, start=1):
        m += (gradient.double() - m) * (1 - 0.9)
        v += (gradient.double() ** 2 - v) * (1 - 0.999)
        weight -= rate * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t) * m / (v.sqrt() + 1e-7)
    return weight


def drawn(scale: float) -> tuple[torch.Tensor, list[torch.Tensor]]:
    torch.manual_seed(0)
    return torch.randn(50), [scale * torch.randn(50) for _ in range(6)]


def run(optimizer: torch.optim.Optimizer, weight: torch.nn.Parameter, gradients: list[torch.Tensor]) -> None:
    for gradient in gradients:
        weight.grad = gradient.clone()
        optimizer.step()


@pytest.mark.parametrize("scale", [1e-8, 1e-6, 1.0])
@pytest.mark.parametrize("fused", [None, True])
def test_equals_the_formula(scale, fused):
    start, gradients = drawn(scale)
    weight = torch.nn.Parameter(start.clone())
    run(KerasAdam([weight], lr=1e-3, fused=fused), weight, gradients)
    torch.testing.assert_close(weight.detach().double(), by_hand(start, gradients, 1e-3), rtol=0, atol=1e-6)


def test_goes_on_from_a_stored_state():
    start, gradients = drawn(1e-7)
    whole, first = (torch.nn.Parameter(start.clone()) for _ in range(2))
    run(KerasAdam([whole], lr=1e-3), whole, gradients)
    before = KerasAdam([first], lr=1e-3)
    run(before, first, gradients[:3])
    stored = copy.deepcopy(before.state_dict())
    second = torch.nn.Parameter(first.detach().clone())
    after = KerasAdam([second], lr=1e-3)
    after.load_state_dict(stored)
    run(after, second, gradients[3:])
    assert torch.equal(second, whole)
