from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.losses import DiceLoss
from torch.nn import functional

from llmseg import zoo
from llmseg.errors import UserError
from llmseg.recipe.losses import BCEDice
from llmseg.zoo.common import BCE_ON_LOGITS, BCE_ON_PROBABILITY
from llmseg.zoo.tensorflow.common import BCE

DICE_ONLY = dataclasses.replace(BCE_ON_PROBABILITY, bce=0, dice=1)


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Probabilities, the logits that belong to them, and a binary mask whose last case is empty."""
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 1, 8, 8, generator=random)
    mask = (torch.rand(4, 1, 8, 8, generator=random) > 0.7).float()
    mask[-1] = 0
    return logits.sigmoid(), logits, mask


def gradient(loss, output: torch.Tensor, *rest) -> tuple[torch.Tensor, torch.Tensor]:
    output = output.clone().requires_grad_()
    value = loss(output, *rest)
    return value.detach(), torch.autograd.grad(value, output)[0]


def assert_same(values, expected, exactly: bool = True) -> None:
    for value, reference in zip(values, expected, strict=True):
        torch.testing.assert_close(value, reference, rtol=0 if exactly else 1e-5, atol=0 if exactly else 1e-7)


def test_cross_entropy_on_probabilities_is_bceloss(batch):
    probability, _, mask = batch
    assert_same(gradient(BCE_ON_PROBABILITY, probability, mask), gradient(torch.nn.BCELoss(), probability, mask))


def test_cross_entropy_on_logits_is_bcewithlogitsloss(batch):
    _, logits, mask = batch
    assert_same(gradient(BCE_ON_LOGITS, logits, mask), gradient(torch.nn.BCEWithLogitsLoss(), logits, mask))


def test_logits_and_probabilities_agree(batch):
    probability, logits, mask = batch
    for bce, dice in ((1, 0), (0, 1), (1, 1)):
        of_logits = dataclasses.replace(BCE_ON_LOGITS, bce=bce, dice=dice)(logits, mask)
        of_probabilities = dataclasses.replace(BCE_ON_PROBABILITY, bce=bce, dice=dice)(probability, mask)
        torch.testing.assert_close(of_logits, of_probabilities)


def test_probabilities_read_as_logits_get_a_second_sigmoid(batch):
    probability, _, mask = batch
    doubled = BCE_ON_LOGITS(probability, mask)
    torch.testing.assert_close(doubled, BCE_ON_PROBABILITY(probability.sigmoid(), mask))
    assert doubled != BCE_ON_PROBABILITY(probability, mask)


@pytest.mark.parametrize("over", ["batch", "case"])
@pytest.mark.parametrize("reads", ["logits", "probability"])
def test_dice_loss_is_monais(batch, over, reads):
    probability, logits, mask = batch
    output = logits if reads == "logits" else probability
    monai = DiceLoss(sigmoid=reads == "logits", batch=over == "batch", smooth_nr=0.5, smooth_dr=0.5)
    loss = dataclasses.replace(DICE_ONLY, reads=reads, dice_over=over, dice_smooth=0.5)
    assert_same(gradient(loss, output, mask), gradient(monai, output, mask), exactly=False)


@given(st.floats(0.01, 10), st.floats(0.01, 10))
@settings(max_examples=20, deadline=None)
def test_weights_are_linear(bce, dice):
    random = torch.Generator().manual_seed(1)
    output = torch.rand(2, 1, 4, 4, generator=random)
    mask = (torch.rand(2, 1, 4, 4, generator=random) > 0.5).float()
    both = dataclasses.replace(BCE_ON_PROBABILITY, bce=bce, dice=dice)(output, mask)
    expected = bce * BCE_ON_PROBABILITY(output, mask) + dice * DICE_ONLY(output, mask)
    torch.testing.assert_close(both, expected)


def test_grey_masks_are_used_as_they_are(batch):
    probability, _, mask = batch
    grey = mask * 0.6
    torch.testing.assert_close(
        BCE_ON_PROBABILITY(probability, grey),
        -(grey * probability.log() + (1 - grey) * (1 - probability).log()).mean(),
    )


def test_validation_threshold_applies_in_validation_only(batch):
    probability, _, mask = batch
    grey = mask * 0.6 + 0.1
    loss = dataclasses.replace(BCE_ON_PROBABILITY, validation_threshold=0.5)
    assert loss(probability, grey) == BCE_ON_PROBABILITY(probability, grey)
    assert loss(probability, grey, validating=True) == BCE_ON_PROBABILITY(probability, mask)
    at_threshold = torch.full_like(mask, 0.5)
    assert loss(probability, at_threshold, validating=True) == BCE_ON_PROBABILITY(probability, 0 * mask)


def test_validation_threshold_comes_after_the_sizes_are_matched():
    loss = dataclasses.replace(BCE_ON_PROBABILITY, validation_threshold=0.5, sizes="mask-to-output")
    mask = torch.tensor([[[[1.0, 0, 0.2, 0], [0, 0, 0, 0]]]])
    output = torch.tensor([[[[0.9, 0.3]]]])
    expected = BCE_ON_PROBABILITY(output, torch.tensor([[[[1.0, 0]]]]))
    assert loss(output, mask, validating=True) == expected


@pytest.mark.parametrize("sizes", ["mask-to-output", "output-to-mask"])
def test_sizes(batch, sizes):
    probability, _, mask = batch
    small = torch.nn.functional.avg_pool2d(probability, 2)
    loss = dataclasses.replace(BCE_ON_PROBABILITY, sizes=sizes)
    if sizes == "mask-to-output":
        expected = BCE_ON_PROBABILITY(small, mask[..., ::2, ::2])
    else:
        enlarged = torch.nn.functional.interpolate(small, size=mask.shape[-2:], mode="bilinear")
        expected = BCE_ON_PROBABILITY(enlarged, mask)
    assert loss(small, mask) == expected
    with pytest.raises(UserError, match="mask-to-output or output-to-mask"):
        BCE_ON_PROBABILITY(small, mask)


def test_nothing_on_nothing_has_a_finite_loss_and_gradient():
    nothing = torch.zeros(2, 1, 4, 4)
    loss = dataclasses.replace(BCE_ON_PROBABILITY, dice=1)
    value, slope = gradient(loss, nothing, nothing)
    assert value == 0
    assert torch.isfinite(slope).all()


def test_a_loss_of_nothing_is_refused():
    with pytest.raises(UserError, match=r"loss\.bce is 0\.0 and loss\.dice 0\.0"):
        BCEDice(**{**dataclasses.asdict(BCE_ON_PROBABILITY), "bce": 0, "dice": 0})


LOGITS = torch.tensor([[[[-40.0, -3.0], [0.5, 40.0]]]])
MASK = torch.tensor([[[[1.0, 0.0], [1.0, 0.0]]]])


class TestKerasBCEDice:
    def test_remembered_logits_are_bcewithlogits(self):
        assert torch.equal(BCE(LOGITS, MASK), functional.binary_cross_entropy_with_logits(LOGITS, MASK))

    def test_clipped_probabilities_end_at_minus_the_logarithm_of_1e_7_and_have_no_gradient(self):
        clipped = dataclasses.replace(BCE, clipped="always")
        worst = clipped(LOGITS[..., :1, :1], MASK[..., :1, :1])
        assert worst.item() == pytest.approx(16.118, abs=1e-3)
        slope = gradient(clipped, LOGITS, MASK)[1][0, 0]
        assert slope[0, 0] == slope[1, 1] == 0
        expected = gradient(BCE, LOGITS, MASK)[1][0, 0]
        torch.testing.assert_close(slope[[0, 1], [1, 0]], expected[[0, 1], [1, 0]])
        assert (expected != 0).all()

    def test_clipping_in_validation_only(self):
        loss = dataclasses.replace(BCE, clipped="in-validation")
        always = dataclasses.replace(BCE, clipped="always")
        assert torch.equal(loss(LOGITS, MASK), BCE(LOGITS, MASK))
        assert torch.equal(loss(LOGITS, MASK, validating=True), always(LOGITS, MASK))

    def test_probabilities_and_logits_agree(self):
        clipped = dataclasses.replace(BCE, clipped="always", dice=1.0)
        probability = dataclasses.replace(clipped, reads="probability")
        assert torch.equal(clipped(LOGITS, MASK), probability(LOGITS.sigmoid(), MASK))

    def test_the_coefficient_has_the_other_sign(self):
        """Better overlap makes the loss smaller, or larger if the coefficient is added."""
        loss = dataclasses.replace(BCE, bce=0.0, dice=1.0)
        added = dataclasses.replace(loss, dice_term="coefficient")
        assert (loss(LOGITS, MASK) + added(LOGITS, MASK)).item() == pytest.approx(1.0)
        torch.testing.assert_close(gradient(loss, LOGITS, MASK)[1], -gradient(added, LOGITS, MASK)[1])
        p = LOGITS.sigmoid()
        dice = (2 * (p * MASK).sum() + 1) / (p.sum() + MASK.sum() + 1)
        assert added(LOGITS, MASK).item() == pytest.approx(dice.item())

    def test_validation_by_cross_entropy_alone(self):
        loss = zoo.get("gpt-4o@tensorflow").recipe.loss
        p = LOGITS.sigmoid()
        expected = functional.binary_cross_entropy(p.clamp(1e-7, 1 - 1e-7), MASK)
        assert torch.equal(loss(p, MASK, validating=True), expected)
        assert loss(p, MASK) > expected

    @pytest.mark.parametrize("weights", [{"bce": 0.0, "dice": 0.0}, {"bce": -1.0, "dice": 2.0}])
    def test_senseless_weights(self, weights):
        with pytest.raises(UserError, match=r"loss\.bce is"):
            dataclasses.replace(BCE, **weights)


@pytest.mark.parametrize("broken", [torch.nan, torch.inf, -0.1, 1.5])
@pytest.mark.parametrize("loss", [BCE_ON_PROBABILITY, BCE, dataclasses.replace(BCE_ON_PROBABILITY, dice=0.5)])
def test_what_is_no_probability_gives_not_a_number_and_no_error(batch, loss, broken):
    probability, _, mask = batch
    if loss is BCE:
        loss = dataclasses.replace(loss, reads="probability", clipped="never")
    probability[1, 0, 2, 3] = broken
    value, slope = gradient(loss, probability, mask)
    assert value.isnan()
    assert slope.isnan().any()


def test_other_errors_of_the_cross_entropy_stay_errors(batch):
    probability, _, mask = batch
    with pytest.raises((RuntimeError, ValueError)):
        BCE_ON_PROBABILITY(probability, mask + 2)
