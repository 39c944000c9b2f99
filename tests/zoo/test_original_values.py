"""Weights of original scripts that a network cannot use are refused by the name of the tensor."""

from __future__ import annotations

import pytest
import torch

from llmseg import UserError, zoo

PIPELINE = zoo.get("llama-3.1-405b")
NAN, HUGE = float("nan"), (10**6, 10**6, 1, 1)
CHANGES = {
    "nan": (lambda tensor: torch.full_like(tensor, NAN), "that are not finite"),
    "complex": (lambda tensor: tensor.to(torch.complex64), "has complex numbers"),
    "sparse": (lambda tensor: tensor.to_sparse(), "is no plain tensor"),
    "quantised": (lambda tensor: torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8), "is no plain tensor"),
    "meta": (lambda tensor: tensor.to("meta"), "has a shape and no values"),
    "claim": (lambda tensor: torch.zeros(1).expand(HUGE), "fewer values than that"),
    "channels": (lambda tensor: tensor[:, :1].repeat(1, 50, 1, 1), "of shape"),
}


@pytest.fixture(scope="module")
def original():
    return PIPELINE.to_original(PIPELINE.build().state_dict())


@pytest.mark.parametrize("kind", CHANGES)
def test_the_message_names_the_tensor(original, tmp_path, kind):
    change, message = CHANGES[kind]
    name = next(name for name, tensor in original.items() if tensor.ndim == 4)
    torch.save({**original, name: change(original[name])}, tmp_path / "w.pth")
    with pytest.raises(UserError, match=f"'{name}'.*{message}"):
        PIPELINE.load_original(tmp_path / "w.pth")


@pytest.mark.parametrize("cut", [0, 1, 100, 0.5])
def test_a_file_that_was_cut(original, tmp_path, cut):
    torch.save(original, tmp_path / "w.pth")
    content = (tmp_path / "w.pth").read_bytes()
    (tmp_path / "w.pth").write_bytes(content[: int(cut * len(content)) if cut == 0.5 else cut])
    with pytest.raises(UserError, match=r"w\.pth is") as refused:
        PIPELINE.load_original(tmp_path / "w.pth")
    assert "\n" not in str(refused.value)
