from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.metrics import DiceMetric
from nnunetv2.evaluation.evaluate_predictions import compute_metrics
from segmentation_models_pytorch.metrics import f1_score, get_stats

from llmseg import UserError, zoo
from llmseg.evaluation.conventions import (
    MONAI,
    NNUNET,
    OURS,
    PACKAGES,
    SMP_IMAGES,
    SMP_POOLED,
    UBENCH,
    Convention,
    compare_conventions,
    conventions,
    script_convention,
    stability_index,
)
from llmseg.evaluation.measures import Counts
from llmseg.overlap import soft_dice

counts = st.builds(Counts, *[st.integers(0, 50)] * 4)


@pytest.fixture(scope="session")
def counted(every_pair):
    return [Counts.of(*pair) for pair in every_pair]


@pytest.fixture(scope="session")
def stacks(every_pair):
    """Predictions and references ``[N, 1, H, W]``."""
    return [torch.from_numpy(np.stack(masks))[:, None] for masks in zip(*every_pair, strict=True)]


def close(one, other):
    return one == pytest.approx(other, rel=1e-6, nan_ok=True)


def test_monai(counted, stacks):
    metric = DiceMetric()
    values = metric(*(masks.float() for masks in stacks))
    assert close(MONAI.values(counted), values[:, 0].numpy())
    assert close(MONAI.mean(counted), metric.aggregate().item())


def test_monai_with_empty_references_is_ours(counted, stacks):
    metric = DiceMetric(ignore_empty=False)
    values = metric(*(masks.float() for masks in stacks))
    assert close(OURS.values(counted), values[:, 0].numpy())


class Reader:
    """Gives nnU-Net the masks by the names of their files."""

    def __init__(self, masks):
        self.masks = masks

    def read_seg(self, name):
        return self.masks[name].astype(np.int16)[None, None], {}


def test_nnunet(counted, every_pair):
    values = [
        compute_metrics("reference", "prediction", Reader({"prediction": one, "reference": other}), [1])["metrics"][1]
        for one, other in every_pair
    ]
    dice = [value["Dice"] for value in values]
    assert close(NNUNET.values(counted), np.array(dice))
    assert close(NNUNET.mean(counted), np.nanmean(dice))


@pytest.mark.parametrize(("rule", "reduction"), [(SMP_IMAGES, "micro-imagewise"), (SMP_POOLED, "micro")])
def test_smp(rule, reduction, counted, stacks):
    stats = get_stats(*(masks.long() for masks in stacks), mode="binary", threshold=None)
    assert close(rule.mean(counted), f1_score(*stats, reduction=reduction).item())


def hard_output(score, mask):
    """Return an output whose prediction under a score is exactly the mask, or ``None`` if there is none."""
    for low, high in ((0.0, 1.0), (-120.0, 120.0)):
        output = torch.where(mask > 0, high, low)
        read = output.sigmoid() if score.reads == "sigmoid" else output
        if score.threshold is not None:
            read = (read > score.threshold).float()
        if torch.equal(read, mask):
            return output
    return None


@pytest.mark.parametrize("name", zoo.names())
def test_scripts(name, counted, stacks):
    recipe = zoo.get(name).recipe
    rule = script_convention(name, recipe)
    score = recipe.score if recipe.test is None else recipe.test
    prediction, reference = (masks.float() for masks in stacks)
    batches = list(zip(*(masks.split(recipe.fit.batch_size) for masks in (prediction, reference)), strict=True))
    outputs = [hard_output(score, one) for one, _ in batches]
    if all(output is not None for output in outputs):
        listed = score.collected([score(output, mask) for output, (_, mask) in zip(outputs, batches, strict=True)])
    else:  # it compares something that no output makes a mask of; its formula is the same
        values = [soft_dice(one, mask, over=score.over, smooth=score.smooth) for one, mask in batches]
        listed = [v for value in values for v in (value.tolist() if score.lists == "case" else [value.mean().item()])]
    assert rule.mean(counted) == pytest.approx(np.mean(listed), rel=1e-5, nan_ok=True)


def test_most_scripts_can_be_asked_themselves(stacks):
    """The test above falls back on the formula for few."""
    scores = [zoo.get(name).recipe.test or zoo.get(name).recipe.score for name in zoo.names()]
    asked = [score for score in scores if hard_output(score, stacks[0].float()) is not None]
    assert len(asked) >= 15


@given(st.lists(counts, min_size=1, max_size=12))
def test_no_rule_leaves_zero_to_one(rows):
    for rule in conventions():
        values = rule.values(rows)
        assert np.isnan(values).sum() + ((values >= 0) & (values <= 1)).sum() == len(values)


@given(st.lists(counts.filter(lambda c: c.tp), min_size=1, max_size=12))
def test_without_empty_masks_packages_agree(rows):
    means = {rule.mean(rows) for rule in (OURS, NNUNET, MONAI, SMP_IMAGES)}
    assert len(means) == 1


def careless_and_careful():
    """A careful system, and one that is better on objects but sees them in most empty images, too."""
    objects, empty = 425, 75
    careless = [Counts(800, 110, 110, 9000)] * objects + [Counts(0, 50, 0, 9950)] * 45 + [Counts(0, 0, 0, 10000)] * 30
    careful = [Counts(790, 130, 130, 8950)] * objects + [Counts(0, 50, 0, 9950)] * 4 + [Counts(0, 0, 0, 10000)] * 71
    assert len(careless) == len(careful) == objects + empty
    return {"careless": careless, "careful": careful}


def test_the_winner_depends_on_the_rule_for_empty_masks():
    frame = compare_conventions(careless_and_careful(), PACKAGES)
    winners = frame.groupby("convention")["winner"].first()
    assert winners[[OURS.name, NNUNET.name, SMP_IMAGES.name]].tolist() == ["careful"] * 3
    assert winners[[MONAI.name, UBENCH.name]].tolist() == ["careless"] * 2
    assert stability_index(frame) == 0


def test_an_order_that_all_rules_keep_is_stable():
    systems = {"best": [Counts(9, 0, 1, 90)], "middle": [Counts(8, 1, 2, 89)], "worst": [Counts(5, 5, 5, 85)]}
    frame = compare_conventions(systems, conventions())
    assert stability_index(frame) == 1
    assert frame[frame["system"] == "best"]["rank"].eq(1).all()
    assert set(frame["winner"]) == {"best"}


def test_a_rule_of_one_pair_in_three():
    frame = pd.DataFrame(
        [
            ("one", "a", 0.9),
            ("one", "b", 0.8),
            ("one", "c", 0.1),
            ("two", "a", 0.7),
            ("two", "b", 0.8),
            ("two", "c", 0.1),
            ("undefined", "a", math.nan),
            ("undefined", "b", 0.1),
            ("undefined", "c", 0.9),
        ],
        columns=["convention", "system", "value"],
    )
    assert stability_index(frame) == pytest.approx(2 / 3)


def test_ties_share_their_rank_and_the_win():
    frame = compare_conventions({"a": [Counts(1, 1, 1, 1)], "b": [Counts(1, 1, 1, 1)]}, [OURS])
    assert frame["rank"].tolist() == [1.5, 1.5]
    assert set(frame["winner"]) == {"a=b"}


def test_a_system_without_a_number_ranks_last():
    systems = {"empty": [Counts(0, 0, 0, 4)], "missed": [Counts(0, 0, 2, 2)]}
    frame = compare_conventions(systems, [MONAI])
    assert frame["rank"].tolist() == [2, 1]
    assert set(frame["winner"]) == {"missed"}
    assert set(compare_conventions({"empty": systems["empty"]}, [MONAI])["winner"]) == {""}


def test_means_of_batches_weigh_a_short_last_batch_as_much_as_any():
    rows = [Counts(1, 0, 0, 0), Counts(1, 0, 0, 0), Counts(0, 1, 0, 0)]
    rule = Convention(name="batches", batch_size=2, mean_of="batches")
    assert rule.values(rows).tolist() == [1, 0]
    assert rule.mean(rows) == 0.5


@pytest.mark.parametrize("systems", [{}, {"a": [Counts(1, 1, 1, 1)], "b": [Counts(1, 1, 1, 1)] * 2}])
def test_other_cases_cannot_be_compared(systems):
    with pytest.raises(UserError, match="same cases"):
        compare_conventions(systems, [OURS])


def test_no_cases_are_refused():
    with pytest.raises(UserError, match="no cases"):
        OURS.mean([])
