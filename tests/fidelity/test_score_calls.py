"""F3 where the script's function pools what it is given, by the calls that the script makes."""

from __future__ import annotations

import copy
import dataclasses

import pytest

from llmseg.fidelity import recorded_inputs
from llmseg.fidelity.levels import OBJECTIVE_TOLERANCE
from llmseg.fidelity.score_calls import find_calls_over_batch
from llmseg.fidelity.verify import Verdict, verify


def check(pipeline, record) -> Verdict:
    (verdict,) = verify(pipeline, record, only=["F3"])
    return verdict


def feed_single_cases(pipeline):
    """Return the pipeline with both scores per case, as a script gives it that calls its function case by case."""
    recipe = pipeline.recipe
    score = dataclasses.replace(recipe.score, over="case", lists="case")
    return dataclasses.replace(pipeline, recipe=recipe.change("score", score).change("test", score))


def list_cases(record):
    """Return the record with a value per case in the lists of the bookkeeping run, as such a script writes them."""
    record = copy.deepcopy(record)
    bookkeeping = record["bookkeeping"]
    validation, test = bookkeeping["loaders"]["val"]["n"], bookkeeping["loaders"]["test"]["n"]
    bookkeeping["epochs_result"]["val_dice"] = [[0.5] * validation] * bookkeeping["epochs"]
    bookkeeping["test_dice"] = [[0.5] * test]
    return record


@pytest.fixture(params=["gpt-4o-run-06", "gpt-4o", "deepseek-v3"])
def pooling(request, open_golden):
    """A script whose function pools the pixels of what it is given."""
    return open_golden(request.param)


def test_single_cases_given_to_a_function_that_pools(pooling):
    """Only the batch figure says that it pools; the script never makes that call."""
    pipeline, record = feed_single_cases(pooling.pipeline), list_cases(pooling.record)
    assert find_calls_over_batch(record, pipeline.recipe) == set()
    verdict = check(pipeline, record)
    assert verdict.holds, str(verdict)
    assert verdict.figures == check(pooling.pipeline, pooling.record).figures


def test_the_last_epoch_alone_says_it_too(pooling):
    pipeline, record = feed_single_cases(pooling.pipeline), list_cases(pooling.record)
    record["bookkeeping"]["epochs_result"]["val_dice"] = record["bookkeeping"]["epochs_result"]["val_dice"][-1:]
    assert check(pipeline, record).holds


def test_whole_batches_given_to_a_function_that_pools(pooling):
    """The record lists a value per batch, so a recipe that scores per case is wrong, and its F3 says so."""
    verdict = check(feed_single_cases(pooling.pipeline), pooling.record)
    assert not verdict.holds, str(verdict)
    assert "score" in verdict.divergence


@pytest.mark.parametrize("entry", ["batch", "case", "grey", "nothing"])
def test_a_wrong_value_is_found_whatever_the_calls(pooling, entry):
    pipeline, record = feed_single_cases(pooling.pipeline), list_cases(pooling.record)
    fed = record["objective"]["dice_fed_with"]
    (name,) = record["objective"]["dice"]
    dice, more = record["objective"]["dice"][name][fed], record["objective"]["more"]["dice"][name]
    if entry == "batch":
        dice["batch"] *= 1.001
    elif entry == "case":
        dice["each"][2] *= 1.001
    elif entry == "grey":
        more["soft_target"][fed] *= 1.001
    else:
        more["both_empty"][fed]["batch"] = 0.5
    verdict = check(pipeline, record)
    assert not verdict.holds, str(verdict)
    assert f"score {name}" in verdict.divergence


def test_a_grey_mask_is_scored_in_the_same_way_as_the_batch(pooling):
    """Pooled for the one and a mean of cases for the other is no function at all."""
    pipeline, record = feed_single_cases(pooling.pipeline), list_cases(pooling.record)
    fed, (name,) = record["objective"]["dice_fed_with"], record["objective"]["dice"]
    output, _, grey = recorded_inputs.draw_objective_tensors(record["objective"]["native_output"])
    over_cases = pipeline.recipe.score.compute(output, grey, over="case").mean().item()
    assert over_cases != pytest.approx(
        record["objective"]["more"]["dice"][name]["soft_target"][fed], OBJECTIVE_TOLERANCE
    )
    record["objective"]["more"]["dice"][name]["soft_target"][fed] = over_cases
    assert "on a grey mask" in check(pipeline, record).divergence


def test_the_wrong_threshold_is_found_whatever_the_calls(pooling):
    pipeline, record = feed_single_cases(pooling.pipeline), list_cases(pooling.record)
    wrong = dataclasses.replace(pipeline, recipe=pipeline.recipe.change("score.threshold", 0.25))
    assert "validation score" in check(wrong, record).divergence


def test_the_mean_of_cases_for_a_batch(open_golden):
    """A recipe that pools does not hold for a function that takes the mean of cases and is given batches."""
    case = open_golden("gpt-4o-run-08")
    assert find_calls_over_batch(case.record, case.pipeline.recipe) == {"case"}
    pools = case.pipeline.recipe.change("score.over", "batch").change("test.over", "batch")
    assert not check(dataclasses.replace(case.pipeline, recipe=pools), case.record).holds
