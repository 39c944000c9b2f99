from __future__ import annotations

import dataclasses

import pytest
import torch

from llmseg import zoo
from llmseg.errors import UserError
from llmseg.recipe.scores import MeanIoU
from llmseg.zoo.common import TEXTBOOK

SCORE = MeanIoU(measure="mean-iou", reads="output", prediction="rounded", mask="truncated", over="batch", lists="batch")


def by_hand(prediction: torch.Tensor, truth: torch.Tensor) -> float:
    """By sets of places, class by class."""
    found = []
    for value in (0, 1):
        p, t = ({i for i, v in enumerate(x.flatten().tolist()) if v == value} for x in (prediction, truth))
        if p | t:
            found.append(len(p & t) / len(p | t))
    return sum(found) / len(found)


@pytest.mark.parametrize("prediction", ["rounded", "truncated"])
@pytest.mark.parametrize("mask", ["rounded", "truncated"])
@pytest.mark.parametrize("over", ["batch", "case"])
def test_by_hand(prediction, mask, over):
    torch.manual_seed(0)
    values = torch.tensor([0.0, 0.3, 0.5, 0.7, 1.0])
    output, truth = (values[torch.randint(5, (3, 1, 4, 4))] for _ in range(2))
    whole = {"rounded": torch.round, "truncated": torch.trunc}
    classes = whole[prediction](output), whole[mask](truth)
    score = dataclasses.replace(SCORE, prediction=prediction, mask=mask, over=over)
    rows = [classes] if over == "batch" else list(zip(*classes, strict=True))
    assert score.compute(output, truth, over=over).tolist() == pytest.approx([by_hand(*row) for row in rows])
    assert score(output, truth).item() == pytest.approx(sum(by_hand(*row) for row in rows) / len(rows))
    assert score.score_cases(output, truth).shape == (3,)


def test_a_class_of_neither_side_is_left_out():
    nothing = torch.zeros(1, 1, 2, 2)
    assert SCORE(nothing, nothing).item() == 1
    assert dataclasses.replace(SCORE, measure="dice")(nothing, nothing).isnan().all()


def test_as_a_dice_it_is_the_dice_of_the_same_pixels():
    torch.manual_seed(1)
    output, mask = torch.rand(2, 1, 4, 4), (torch.rand(2, 1, 4, 4) > 0.5).float()
    expected = dataclasses.replace(TEXTBOOK.score, reads="output", over="batch", lists="batch", smooth=0.0)
    assert torch.equal(dataclasses.replace(SCORE, measure="dice")(output, mask), expected(output, mask))


def test_reads_and_lists():
    output, mask = torch.randn(2, 1, 4, 4), torch.ones(2, 1, 4, 4)
    sigmoid = dataclasses.replace(SCORE, reads="sigmoid")
    assert torch.equal(sigmoid(output, mask), SCORE(output.sigmoid(), mask))
    assert dataclasses.replace(SCORE, over="case", lists="case")(output, mask).shape == (2,)
    batches = [torch.tensor([0.25]), torch.tensor([0.75])]
    assert SCORE.collect(batches) == (0.25, 0.75)
    assert dataclasses.replace(SCORE, lists="epoch").collect(batches) == (0.5,)
    with pytest.raises(UserError, match="no value per case"):
        dataclasses.replace(SCORE, lists="case")


def test_only_certainty_counts_where_probabilities_are_cut():
    score = zoo.get("gpt-4@tensorflow").recipe.score
    mask = torch.ones(1, 1, 1, 2)
    assert score(torch.full((1, 1, 1, 2), 9.0), mask).item() == 0
    assert score(torch.full((1, 1, 1, 2), 99.0), mask).item() == 1
