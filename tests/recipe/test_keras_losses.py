from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.nn import functional

from llmseg import zoo
from llmseg.errors import UserError
from llmseg.recipe.losses import KerasBCEDice
from llmseg.zoo.tensorflow.common import BCE

LOGITS = torch.tensor([[[[-40.0, -3.0], [0.5, 40.0]]]])
MASK = torch.tensor([[[[1.0, 0.0], [1.0, 0.0]]]])


def gradient(loss: KerasBCEDice, logits: torch.Tensor) -> torch.Tensor:
    logits = logits.clone().requires_grad_()
    loss(logits, MASK).backward()
    return logits.grad


def test_remembered_logits_are_bcewithlogits():
    assert torch.equal(BCE(LOGITS, MASK), functional.binary_cross_entropy_with_logits(LOGITS, MASK))


def test_clipped_probabilities_end_at_minus_the_logarithm_of_1e_7_and_have_no_gradient():
    clipped = dataclasses.replace(BCE, clipped="always")
    worst = clipped(LOGITS[..., :1, :1], MASK[..., :1, :1])
    assert worst.item() == pytest.approx(16.118, abs=1e-3)
    found = gradient(clipped, LOGITS)[0, 0]
    assert found[0, 0] == found[1, 1] == 0
    expected = gradient(BCE, LOGITS)[0, 0]
    torch.testing.assert_close(found[[0, 1], [1, 0]], expected[[0, 1], [1, 0]])
    assert (expected != 0).all()


def test_clipping_in_validation_only():
    loss = dataclasses.replace(BCE, clipped="in-validation")
    always = dataclasses.replace(BCE, clipped="always")
    assert torch.equal(loss(LOGITS, MASK), BCE(LOGITS, MASK))
    assert torch.equal(loss(LOGITS, MASK, validating=True), always(LOGITS, MASK))


def test_probabilities_and_logits_agree():
    clipped = dataclasses.replace(BCE, clipped="always", dice=1.0)
    probability = dataclasses.replace(clipped, reads="probability")
    assert torch.equal(clipped(LOGITS, MASK), probability(LOGITS.sigmoid(), MASK))


def test_the_coefficient_has_the_other_sign():
    """Better overlap makes the loss smaller, or larger if the coefficient is added."""
    loss = dataclasses.replace(BCE, bce=0.0, dice=1.0)
    added = dataclasses.replace(loss, dice_term="coefficient")
    assert (loss(LOGITS, MASK) + added(LOGITS, MASK)).item() == pytest.approx(1.0)
    torch.testing.assert_close(gradient(loss, LOGITS), -gradient(added, LOGITS))
    p = LOGITS.sigmoid()
    dice = (2 * (p * MASK).sum() + 1) / (p.sum() + MASK.sum() + 1)
    assert added(LOGITS, MASK).item() == pytest.approx(dice.item())


def test_validation_by_cross_entropy_alone():
    loss = zoo.get("gpt-4o@tensorflow").recipe.loss
    p = LOGITS.sigmoid()
    expected = functional.binary_cross_entropy(p.clamp(1e-7, 1 - 1e-7), MASK)
    assert torch.equal(loss(p, MASK, validating=True), expected)
    assert loss(p, MASK) > expected


@pytest.mark.parametrize("weights", [{"bce": 0.0, "dice": 0.0}, {"bce": -1.0, "dice": 2.0}])
def test_senseless_weights(weights):
    with pytest.raises(UserError, match=r"loss\.bce is"):
        dataclasses.replace(BCE, **weights)
