from __future__ import annotations

import pytest
import torch
from torch import nn

from llmseg.errors import UserError
from llmseg.fidelity.place import CPU, Place, draw_dropout_on_cpu
from llmseg.training.numerics import EXACT_NUMERICS, SCRIPT_NUMERICS


def test_places():
    assert Place.of("cpu") == CPU
    assert Place.of("cpu").numerics == EXACT_NUMERICS
    assert Place.of("cpu", tf32=True).numerics == SCRIPT_NUMERICS
    with pytest.raises(UserError, match="no device 'gpu'"):
        Place.of("gpu")


@pytest.mark.parametrize("p", [0.0, 0.3])
def test_dropout_draws_what_the_layer_itself_draws_on_a_cpu(p):
    image = torch.rand(4, 8, 5, 5, requires_grad=True)
    net = nn.Sequential(nn.Conv2d(8, 16, 1), nn.Dropout2d(p), nn.Conv2d(16, 2, 1))

    def run():
        torch.manual_seed(3)
        output = net(image)
        (gradient,) = torch.autograd.grad(output.square().sum(), image)
        return output, gradient, torch.rand(2)

    plain, evaluated = run(), net.eval()(image)
    draw_dropout_on_cpu(net.train())
    assert all(torch.equal(*pair) for pair in zip(run(), plain, strict=True))
    assert torch.equal(net.eval()(image), evaluated)
    assert (p == 0) == torch.equal(plain[0], evaluated)
