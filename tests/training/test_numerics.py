from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest
import torch
from torch import nn

from llmseg import zoo
from llmseg.errors import UserError
from llmseg.training import numerics as module
from llmseg.training.numerics import EXACT_NUMERICS, SCRIPT_NUMERICS, Numerics, choose_numerics
from llmseg.training.state import State

CPU = torch.device("cpu")
BF16 = Numerics(precision="bf16", channels_last=True, fused=True, compile=False, tf32=False)


def able(monkeypatch, **capabilities):
    monkeypatch.setattr(module.torch.cpu, "get_capabilities", lambda: capabilities, raising=False)


def test_a_processor_gets_the_precision_it_is_made_for(monkeypatch):
    able(monkeypatch, avx512_bf16=False, amx_bf16=False)
    assert choose_numerics(CPU).precision == "fp32"
    able(monkeypatch, avx512_bf16=True)
    assert choose_numerics(CPU).precision == "bf16"
    assert choose_numerics(CPU, "fp32").precision == "fp32"


def test_exact_is_one_thing():
    assert choose_numerics(CPU, exact=True) == choose_numerics(CPU, "fp32", exact=True) == EXACT_NUMERICS
    for options in ({"precision": "bf16"}, {"compile": True}):
        with pytest.raises(UserError, match="exact is fp32"):
            choose_numerics(CPU, exact=True, **options)


def test_an_unknown_precision_names_the_nearest():
    with pytest.raises(UserError, match="did you mean 'bf16'"):
        choose_numerics(CPU, "bf61")


@pytest.mark.slow
@pytest.mark.parametrize("id", zoo.names(in_study=None))
def test_output_is_float32_and_close(id):
    recipe = zoo.get(id).recipe
    torch.manual_seed(0)
    net = recipe.net.build(recipe.images.channels).eval()
    image = torch.rand(1, recipe.images.channels, 64, 64)
    with torch.no_grad():
        exact = EXACT_NUMERICS.build_forward(net)(image)
        found = BF16.build_forward(BF16.place(net, CPU))(image)
    assert found.dtype == torch.float32
    assert torch.allclose(found, exact, atol=0.05 * exact.abs().max().item())


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_probabilities_keep_their_digits(tiny_recipe, precision):
    """Rounded to half precision, 0.9999 and 1 are one, and a cross-entropy breaks."""
    net = dataclasses.replace(tiny_recipe.net, output="probability").build(1)
    found = dataclasses.replace(BF16, precision=precision).build_forward(net)(torch.rand(1, 1, 32, 32))
    assert found.dtype == torch.float32
    assert not torch.equal(found, found.to(BF16.dtype).float())


def test_exact_forward_is_the_network():
    torch.manual_seed(0)
    net, image = zoo.get("llama-3.1-405b").recipe.net.build(1).eval(), torch.rand(2, 1, 64, 64)
    assert torch.equal(EXACT_NUMERICS.build_forward(net)(image), net(image))


def test_the_layout_is_that_of_the_weights_too():
    net = BF16.place(nn.Conv2d(4, 4, 3), CPU)
    assert net.weight.is_contiguous(memory_format=torch.channels_last)


def test_switches_are_put_back():
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    with dataclasses.replace(BF16, tf32=True).set_switches():
        assert torch.get_float32_matmul_precision() == "high"
    assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == before


@pytest.mark.parametrize(
    ("numerics", "products", "convolutions", "search"),
    [
        (EXACT_NUMERICS, "highest", False, False),
        (SCRIPT_NUMERICS, "highest", True, False),
        (choose_numerics(CPU, "fp32", tf32=True), "high", True, True),
        (choose_numerics(CPU, "fp32"), "highest", False, True),
    ],
)
def test_tf32_is_for_all_products_or_for_convolutions(numerics, products, convolutions, search):
    with numerics.set_switches():
        cudnn = torch.backends.cudnn
        assert (torch.get_float32_matmul_precision(), cudnn.allow_tf32, cudnn.benchmark) == (
            products,
            convolutions,
            search,
        )


@pytest.mark.slow
def test_exact_with_tf32_is_what_a_script_finds_on_a_gpu():
    """Scripts set none of these switches, so torch's defaults are theirs."""
    code = (
        "import torch; c = torch.backends.cudnn; print(torch.get_float32_matmul_precision(), c.allow_tf32, c.benchmark)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert choose_numerics(CPU, exact=True, tf32=True) == SCRIPT_NUMERICS
    assert SCRIPT_NUMERICS.is_exact
    with SCRIPT_NUMERICS.set_switches():
        cudnn = torch.backends.cudnn
        assert [torch.get_float32_matmul_precision(), str(cudnn.allow_tf32), str(cudnn.benchmark)] == found


def test_half_precision_scales_its_gradients(tiny_recipe):
    net = tiny_recipe.net.build(1)
    for precision, scaled in (("fp32", False), ("bf16", False), ("fp16", True)):
        state = State.begin(tiny_recipe.fit, net, dataclasses.replace(BF16, precision=precision))
        assert state.scaler.is_enabled() == scaled


def test_inference_takes_the_layout_that_suits_it():
    assert choose_numerics(CPU, "fp32").for_inference.channels_last
    assert EXACT_NUMERICS.for_inference == EXACT_NUMERICS
    assert SCRIPT_NUMERICS.for_inference == SCRIPT_NUMERICS


def test_plain_float32_stays_in_the_plain_layout(monkeypatch):
    """Its kernels are slower in the other one; those for matrix units are faster there."""
    able(monkeypatch, avx512_bf16=False)
    assert not choose_numerics(CPU).channels_last
    assert choose_numerics(CPU, "bf16").channels_last
    assert choose_numerics(CPU, tf32=True).channels_last
