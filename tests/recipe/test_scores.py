from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.metrics import DiceMetric
from sklearn.metrics import f1_score

from llmseg import zoo
from llmseg.errors import UserError
from llmseg.recipe.scores import Dice, MeanIoU
from llmseg.zoo.common import TEXTBOOK

CASES = Dice(
    reads="output",
    threshold=0.5,
    over="case",
    lists="case",
    smooth=1e-6,
    smoothed="both",
    sizes="equal",
    mask_threshold=None,
)
BATCH = dataclasses.replace(CASES, over="batch", lists="batch")


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    return torch.rand(4, 1, 8, 8, generator=random), (torch.rand(4, 1, 8, 8, generator=random) > 0.7).float()


@given(st.integers(0, 2**31), st.floats(0.05, 0.95))
@settings(max_examples=20, deadline=None)
def test_is_the_f1_score_of_scikit_learn(seed, threshold):
    random = torch.Generator().manual_seed(seed)
    output, mask = torch.rand(3, 1, 5, 4, generator=random), torch.rand(3, 1, 5, 4, generator=random) > 0.4
    score = dataclasses.replace(CASES, threshold=threshold, smooth=0.0)
    values = score(output, mask.float())
    expected = [
        f1_score(t.flatten(), (p > score.threshold).flatten(), zero_division=float("nan"))
        for p, t in zip(output, mask, strict=True)
    ]
    assert values.tolist() == pytest.approx(expected, nan_ok=True)


def test_per_case_is_monais(batch):
    output, mask = batch
    expected = DiceMetric(include_background=True)((output > 0.5).float(), mask).flatten()
    torch.testing.assert_close(dataclasses.replace(CASES, smooth=0.0)(output, mask), expected)


def test_over_the_batch_is_one_dice_of_all_pixels(batch):
    output, mask = batch
    dice = dataclasses.replace(BATCH, smooth=0.0)(output, mask)
    assert dice.shape == (1,)
    assert dice.item() == pytest.approx(f1_score(mask.flatten(), output.flatten() > 0.5))
    assert dice.item() != pytest.approx(CASES(output, mask).mean().item())


def test_what_is_listed(batch):
    output, mask = batch
    cases = CASES(output, mask)
    assert cases.shape == (4,)
    per_batch = dataclasses.replace(CASES, lists="batch")(output, mask)
    assert per_batch.tolist() == [cases.mean().item()]
    per_epoch = dataclasses.replace(CASES, lists="epoch")
    assert torch.equal(per_epoch(output, mask), per_batch)


def test_collect_over_a_pass(batch):
    output, mask = batch
    parts = [(output[:3], mask[:3]), (output[3:], mask[3:])]
    listed = {what: dataclasses.replace(CASES, lists=what) for what in ("case", "batch", "epoch")}
    collected = {what: score.collect([score(*part) for part in parts]) for what, score in listed.items()}
    assert collected["case"] == tuple(CASES(output, mask).tolist())
    assert collected["batch"] == pytest.approx((sum(collected["case"][:3]) / 3, collected["case"][3]))
    # The mean of batches: a short last batch counts as much as any.
    assert collected["epoch"] == pytest.approx((sum(collected["batch"]) / 2,))


def test_cases_are_each_case_alone_whatever_is_listed(batch):
    output, mask = batch
    alone = torch.cat([BATCH(output[i : i + 1], mask[i : i + 1]) for i in range(4)])
    for score in (CASES, BATCH, dataclasses.replace(CASES, lists="epoch")):
        torch.testing.assert_close(score.score_cases(output, mask), alone)


def test_sigmoid_of_logits_at_one_half_is_the_sign(batch):
    output, mask = batch
    logits = output - 0.6
    sigmoid = dataclasses.replace(CASES, reads="sigmoid")
    sign = dataclasses.replace(CASES, threshold=0.0)
    assert torch.equal(sigmoid(logits, mask), sign(logits, mask))


def test_raw_logits_against_one_half_miss_what_the_sigmoid_finds():
    logits, mask = torch.full((1, 1, 2, 2), 0.4), torch.ones(1, 1, 2, 2)
    assert CASES(logits, mask).item() == pytest.approx(0, abs=1e-6)
    assert dataclasses.replace(CASES, reads="sigmoid")(logits, mask).item() == pytest.approx(1)


def test_values_at_the_threshold_are_background():
    half = torch.full((1, 1, 2, 2), 0.5)
    assert CASES(half, torch.zeros_like(half)).item() == 1
    assert dataclasses.replace(CASES, mask_threshold=0.5)(half, half).item() == 1


def test_soft_dice_keeps_the_values(batch):
    output, mask = batch
    soft = dataclasses.replace(BATCH, threshold=None, smooth=0.0)
    expected = 2 * (output * mask).sum() / (output.sum() + mask.sum())
    assert soft(output, mask).item() == pytest.approx(expected.item())


def test_mask_threshold_binarises_after_the_sizes_are_matched(batch):
    output, mask = batch
    large = mask.repeat_interleave(2, -1).repeat_interleave(2, -2) * 0.6
    binarised = dataclasses.replace(CASES, sizes="mask-to-output", mask_threshold=0.5)(output, large)
    assert torch.equal(binarised, CASES(output, mask))
    grey = dataclasses.replace(CASES, sizes="mask-to-output")(output, large)
    assert not torch.allclose(grey, binarised)


def test_sizes_must_be_equal_if_the_rule_says_so(batch):
    output, mask = batch
    with pytest.raises(UserError, match="mask-to-output or output-to-mask"):
        CASES(output[..., ::2, ::2], mask)


@pytest.mark.parametrize(("smooth", "expected"), [(1e-6, 1.0), (1.0, 1.0), (0.0, float("nan"))])
def test_nothing_on_nothing(smooth, expected):
    nothing = torch.zeros(1, 1, 4, 4)
    dice = dataclasses.replace(CASES, smooth=smooth)(nothing, nothing).item()
    assert dice == pytest.approx(expected, nan_ok=True)


def test_a_dice_over_the_batch_has_no_value_per_case():
    with pytest.raises(UserError, match="set over=case or lists=batch"):
        dataclasses.replace(BATCH, lists="case")


MEAN_IOU = MeanIoU(
    measure="mean-iou", reads="output", prediction="rounded", mask="truncated", over="batch", lists="batch"
)


def mean_iou_by_hand(prediction: torch.Tensor, truth: torch.Tensor) -> float:
    """By sets of pixels, class by class."""
    of_classes = []
    for value in (0, 1):
        p, t = ({i for i, v in enumerate(x.flatten().tolist()) if v == value} for x in (prediction, truth))
        if p | t:
            of_classes.append(len(p & t) / len(p | t))
    return sum(of_classes) / len(of_classes)


class TestMeanIoU:
    @pytest.mark.parametrize("prediction", ["rounded", "truncated"])
    @pytest.mark.parametrize("mask", ["rounded", "truncated"])
    @pytest.mark.parametrize("over", ["batch", "case"])
    def test_by_hand(self, prediction, mask, over):
        torch.manual_seed(0)
        values = torch.tensor([0.0, 0.3, 0.5, 0.7, 1.0])
        output, truth = (values[torch.randint(5, (3, 1, 4, 4))] for _ in range(2))
        whole = {"rounded": torch.round, "truncated": torch.trunc}
        classes = whole[prediction](output), whole[mask](truth)
        score = dataclasses.replace(MEAN_IOU, prediction=prediction, mask=mask, over=over)
        rows = [classes] if over == "batch" else list(zip(*classes, strict=True))
        assert score.compute(output, truth, over=over).tolist() == pytest.approx(
            [mean_iou_by_hand(*row) for row in rows]
        )
        assert score(output, truth).item() == pytest.approx(sum(mean_iou_by_hand(*row) for row in rows) / len(rows))
        assert score.score_cases(output, truth).shape == (3,)

    def test_a_class_of_neither_side_is_left_out(self):
        nothing = torch.zeros(1, 1, 2, 2)
        assert MEAN_IOU(nothing, nothing).item() == 1
        assert dataclasses.replace(MEAN_IOU, measure="dice")(nothing, nothing).isnan().all()

    def test_as_a_dice_it_is_the_dice_of_the_same_pixels(self):
        torch.manual_seed(1)
        output, mask = torch.rand(2, 1, 4, 4), (torch.rand(2, 1, 4, 4) > 0.5).float()
        expected = dataclasses.replace(TEXTBOOK.score, reads="output", over="batch", lists="batch", smooth=0.0)
        assert torch.equal(dataclasses.replace(MEAN_IOU, measure="dice")(output, mask), expected(output, mask))

    def test_reads_and_lists(self):
        output, mask = torch.randn(2, 1, 4, 4), torch.ones(2, 1, 4, 4)
        sigmoid = dataclasses.replace(MEAN_IOU, reads="sigmoid")
        assert torch.equal(sigmoid(output, mask), MEAN_IOU(output.sigmoid(), mask))
        assert dataclasses.replace(MEAN_IOU, over="case", lists="case")(output, mask).shape == (2,)
        batches = [torch.tensor([0.25]), torch.tensor([0.75])]
        assert MEAN_IOU.collect(batches) == (0.25, 0.75)
        assert dataclasses.replace(MEAN_IOU, lists="epoch").collect(batches) == (0.5,)
        with pytest.raises(UserError, match="no value per case"):
            dataclasses.replace(MEAN_IOU, lists="case")

    def test_only_certainty_counts_where_probabilities_are_cut(self):
        score = zoo.get("gpt-4@tensorflow").recipe.score
        mask = torch.ones(1, 1, 1, 2)
        assert score(torch.full((1, 1, 1, 2), 9.0), mask).item() == 0
        assert score(torch.full((1, 1, 1, 2), 99.0), mask).item() == 1
