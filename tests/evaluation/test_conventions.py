from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

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
    compute_stability,
    derive_convention,
)
from llmseg.evaluation.measures import Counts
from llmseg.study.conventions import all_conventions

DOCS = (Path(__file__).parents[2] / "docs" / "explanation" / "evaluate.md").read_text(encoding="utf-8")
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


@pytest.fixture(scope="session")
def long(every_pair):
    """Predictions and references ``[77, 1, H, W]`` that fill several batches, the first with nothing in it."""
    empty = (np.zeros_like(every_pair[0][0]),) * 2
    pairs = [*[empty] * 32, *every_pair * 3]
    return [torch.from_numpy(np.stack(masks))[:, None].float() for masks in zip(*pairs, strict=True)]


@pytest.mark.parametrize("name", zoo.names())
def test_scripts(name, long):
    """A network that is sure of these masks gets from the script's own score what the rule says."""
    recipe = zoo.get(name).recipe
    score = recipe.score if recipe.test is None else recipe.test
    prediction, reference = long
    output = 40 * prediction - 20 if recipe.net.output == "logits" else prediction
    batches = zip(output.split(recipe.fit.batch_size), reference.split(recipe.fit.batch_size), strict=True)
    listed = score.collect([score(*batch) for batch in batches])
    rule = derive_convention(name, recipe)
    rows = [Counts.of(*(mask[0].bool().numpy() for mask in pair)) for pair in zip(*long, strict=True)]
    assert rule.values(rows) == pytest.approx(np.array(listed), rel=1e-5, nan_ok=True)
    assert rule.mean(rows) == pytest.approx(np.mean(listed), rel=1e-5, nan_ok=True)
    assert math.isnan(rule.mean(rows)) == (score.smooth == 0)


@pytest.mark.parametrize("rule", [rule for rule in PACKAGES if rule.over == "case"], ids=lambda rule: rule.name)
def test_rules_for_empty_masks_are_those_of_the_docs(rule):
    label = f"`{rule.name}`" if rule.measure == "dice" else f"`{rule.name}` (IoU)"
    values = rule.values([Counts(0, 0, 0, 9), Counts(0, 3, 0, 6), Counts(0, 0, 3, 6)])
    words = ["left out" if math.isnan(value) else f"{value:g}" for value in values]
    assert f"| {label} | case | {' | '.join(words)} |" in DOCS
    assert rule.skip_nan == ("left out" in words)


def test_scripts_are_those_of_the_docs():
    for name in zoo.names():
        recipe = zoo.get(name).recipe
        score = recipe.score if recipe.test is None else recipe.test
        reads = "logit" if (score.reads, recipe.net.output) == ("output", "logits") else "probability"
        compared = "nothing" if score.threshold is None else f"{reads} > {score.threshold}"
        row = (name, score.over, recipe.fit.batch_size, score.lists, f"{score.smooth:g}", compared)
        assert f"| {' | '.join(map(str, row))} |\n" in DOCS


def test_a_script_that_runs_no_test_lists_its_validation_scores():
    recipe = zoo.get("gpt-4").recipe.change("test", None).change("score.smooth", 0.25)
    assert derive_convention("x", recipe).smooth == 0.25


def test_a_script_that_lists_cases_has_the_mean_of_cases():
    recipe = zoo.get("qwen-3-235b").recipe
    rule = derive_convention("x", replace(recipe, test=recipe.score))
    assert recipe.score.lists == "case"
    assert rule.mean_of == "values"


@given(st.lists(counts, min_size=1, max_size=12))
def test_no_rule_leaves_zero_to_one(rows):
    for rule in all_conventions():
        values = rule.values(rows)
        assert np.isnan(values).sum() + ((values >= 0) & (values <= 1)).sum() == len(values)


@given(st.lists(counts.filter(lambda c: c.tp), min_size=1, max_size=12))
def test_without_empty_masks_packages_agree(rows):
    means = {rule.mean(rows) for rule in (OURS, NNUNET, MONAI, SMP_IMAGES)}
    assert len(means) == 1


def careless_and_careful():
    """A careful system, and one that is better on objects but sees them in most empty images, too."""

    def found(pixels):
        return Counts(pixels, 950 - pixels, 950 - pixels, 8100 + pixels)

    alarm, silence = Counts(0, 50, 0, 9950), Counts(0, 0, 0, 10000)
    return {
        "careless": [found(836)] * 425 + [alarm] * 45 + [silence] * 30,
        "careful": [found(817)] * 425 + [alarm] * 4 + [silence] * 71,
    }


def spread(systems):
    """The same cases in an order that puts empty ones into every batch."""
    return {name: [rows[309 * i % len(rows)] for i in range(len(rows))] for name, rows in systems.items()}


def test_the_winner_depends_on_the_rule_for_empty_masks():
    frame = compare_conventions(careless_and_careful(), PACKAGES)
    winners = frame.groupby("convention")["winner"].first()
    assert winners[[OURS.name, NNUNET.name, SMP_IMAGES.name]].tolist() == ["careful"] * 3
    assert winners[[MONAI.name, SMP_POOLED.name, UBENCH.name]].tolist() == ["careless"] * 3
    assert compute_stability(frame) == 0


def test_the_winner_depends_on_the_order_of_cases_where_batches_share_a_fraction():
    rules = [derive_convention(name, zoo.get(name).recipe) for name in zoo.names()]
    in_blocks, mixed = (compare_conventions(s, rules) for s in (careless_and_careful(), spread(careless_and_careful())))
    for rule in rules:
        first, second = (frame[frame["convention"] == rule.name]["winner"].iloc[0] for frame in (in_blocks, mixed))
        if rule.over == "case":
            assert (first, second) == ("careful", "careful")
        else:
            assert first == ("careful" if rule.smooth else "")
            assert second == "careless"


@pytest.mark.parametrize("order", ["in blocks", "spread"])
def test_the_example_is_that_of_the_docs(order):
    systems = careless_and_careful() if order == "in blocks" else spread(careless_and_careful())
    rules = PACKAGES if order == "in blocks" else ()
    rules = [*rules, *(derive_convention(name, zoo.get(name).recipe) for name in ("gpt-4", "deepseek-r1"))]
    for name, rows in compare_conventions(systems, rules).groupby("convention"):
        careless, careful = rows["value"]
        label = name if name not in zoo.names() else f"{name}, empty cases {order}"
        assert f"| {label} | {careless:.3f} | {careful:.3f} | {rows['winner'].iloc[0]} |\n" in DOCS


def test_an_order_that_all_rules_keep_is_stable():
    systems = {"best": [Counts(9, 0, 1, 90)], "middle": [Counts(8, 1, 2, 89)], "worst": [Counts(5, 5, 5, 85)]}
    frame = compare_conventions(systems, all_conventions())
    assert compute_stability(frame) == 1
    assert frame[frame["system"] == "best"]["rank"].eq(1).all()
    assert set(frame["winner"]) == {"best"}


def frame_of(**rules):
    """Values of the systems a, b and c by rules."""
    rows = [(rule, system, v) for rule, values in rules.items() for system, v in zip("abc", values, strict=False)]
    return pd.DataFrame(rows, columns=["convention", "system", "value"])


@pytest.mark.parametrize(
    ("rules", "stable"),
    [
        ({"one": [0.9, 0.8, 0.1], "two": [0.7, 0.8, 0.1]}, 2 / 3),
        ({"one": [0.9, 0.8, 0.1], "two": [math.nan, 0.8, 0.1]}, 1),
        ({"one": [0.9, 0.8, 0.1], "two": [math.nan, 0.1, 0.8]}, 2 / 3),
        ({"one": [0.9, 0.8, math.nan], "two": [0.8, 0.9, math.nan]}, 0),
        ({"one": [0.9, 0.8], "two": [0.8, 0.8]}, 0),
        ({"one": [0.9, 0.9], "two": [0.8, 0.8 + 1e-15]}, 1),
        ({"one": [math.nan, math.nan]}, math.nan),
        ({"one": [math.nan, 0.5], "two": [0.5, math.nan]}, math.nan),
        ({"one": [0.9], "two": [math.nan]}, 1),
    ],
)
def test_stability_is_the_share_of_pairs_that_keep_their_order(rules, stable):
    assert compute_stability(frame_of(**rules)) == pytest.approx(stable, nan_ok=True)


def test_rounding_decides_no_winner():
    cases = [Counts(tp, 10 - tp, 10 - tp, 80 + tp) for tp in (1, 2, 3)]
    systems = {"a": cases, "b": cases[::-1]}
    assert OURS.mean(cases) != OURS.mean(cases[::-1])
    frame = compare_conventions(systems, [OURS])
    assert frame["rank"].tolist() == [1.5, 1.5]
    assert set(frame["winner"]) == {"a=b"}


def test_ties_share_their_rank_and_the_win():
    frame = compare_conventions({"a": [Counts(1, 1, 1, 1)], "b": [Counts(1, 1, 1, 1)]}, [OURS])
    assert frame["rank"].tolist() == [1.5, 1.5]
    assert set(frame["winner"]) == {"a=b"}


def test_a_system_without_a_number_ranks_last():
    llama = derive_convention("llama", zoo.get("llama-3.1-405b").recipe)
    frame = compare_conventions({"silent": [Counts(0, 0, 0, 4)], "alarmed": [Counts(0, 1, 0, 3)]}, [llama, MONAI])
    assert frame["value"].isna().tolist() == [True, False, True, True]
    assert frame["rank"].tolist() == [2, 1, 1.5, 1.5]
    assert frame["winner"].tolist() == ["alarmed", "alarmed", "", ""]


def test_means_of_batches_weigh_a_short_last_batch_as_much_as_any():
    rows = [Counts(1, 0, 0, 0), Counts(1, 0, 0, 0), Counts(0, 1, 0, 0)]
    rule = Convention(name="batches", batch_size=2, mean_of="batches")
    assert rule.values(rows).tolist() == [1, 0]
    assert rule.mean(rows) == 0.5


@pytest.mark.parametrize(
    "systems",
    [
        {},
        {"a": [Counts(1, 1, 1, 1)], "b": [Counts(1, 1, 1, 1)] * 2},
        {"a": [Counts(1, 0, 0, 9), Counts(5, 0, 0, 5)], "b": [Counts(5, 0, 0, 5), Counts(1, 0, 0, 9)]},
        {"a": [Counts(1, 0, 0, 9)], "b": [Counts(1, 0, 0, 8)]},
    ],
)
def test_other_cases_cannot_be_compared(systems):
    with pytest.raises(UserError, match="same cases"):
        compare_conventions(systems, [OURS])


def test_no_cases_are_refused():
    with pytest.raises(UserError, match="no cases"):
        OURS.mean([])


def test_two_rules_of_one_name_are_refused():
    with pytest.raises(UserError, match="two rules are called 'llmseg'"):
        compare_conventions({"a": [Counts(1, 1, 1, 1)]}, [OURS, OURS])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"over": "batch"}, "needs a batch size of at least 1, not None"),
        ({"mean_of": "batches", "batch_size": 0}, "needs a batch size of at least 1, not 0"),
        ({"smooth": -1.0}, "must not be negative"),
        ({"smooth": math.nan}, "must not be negative"),
    ],
)
def test_a_rule_that_cannot_be_applied_is_refused(fields, message):
    with pytest.raises(UserError, match=message):
        Convention(name="x", **fields)


@pytest.mark.parametrize("rule", all_conventions(), ids=lambda rule: rule.name)
def test_every_rule_is_defined_without_empty_masks(rule):
    rows = [Counts(3, 1, 1, 5)] * 40
    expected = 3 / 5 if rule.measure == "iou" else 3 / 4
    assert rule.mean(rows) == pytest.approx(expected, abs=0.05)


def test_smp_has_no_number_where_nothing_is_foreground():
    stats = get_stats(torch.zeros(2, 1, 4, 4).long(), torch.zeros(2, 1, 4, 4).long(), mode="binary")
    assert f1_score(*stats, reduction="micro").isnan()
    assert math.isnan(SMP_POOLED.mean([Counts(0, 0, 0, 16)] * 2))


def test_medsegbench_averages_like_nnunet(counted, stacks):
    """It asks smp for one image at a time in ``micro`` mode and leaves out what is not a number."""
    ones = zip(*(masks.long().split(1) for masks in stacks), strict=True)
    values = np.array([f1_score(*get_stats(*one, mode="binary"), reduction="micro").item() for one in ones])
    assert close(NNUNET.mean(counted), values[~np.isnan(values)].mean())
