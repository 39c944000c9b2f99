"""Cases worth showing, and the masks that runs predict of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from llmseg import UserError
from llmseg.data.store import FOREGROUND
from llmseg.figures.predictions import chosen_cases, predict_cases, predict_worst, typical_cases
from llmseg.study.results import Results


@pytest.fixture(scope="module")
def dice(results):
    """Dice scores of the evaluation."""
    return results.scores.frame.query("measure == 'dice'")


def test_the_typical_case_is_the_one_in_the_middle(results, dice, phantoms):
    (case,) = typical_cases(results)[phantoms.name]
    means = dice.groupby("case")["value"].mean()
    assert (means < means[case]).sum() <= (len(means) - 1) / 2
    assert (means > means[case]).sum() <= len(means) / 2


def test_chosen_cases_are_found_in_their_dataset(results, dice, phantoms):
    ids = sorted(set(dice["case"]))[:2]
    assert {name: sorted(cases) for name, cases in chosen_cases(results, ids).items()} == {phantoms.name: ids}
    with pytest.raises(UserError, match="no case 'nowhere'; there are"):
        chosen_cases(results, ["nowhere"])


def test_predictions_have_the_dice_of_the_evaluation_and_the_masks_of_the_store(results, dice, phantoms):
    expected = dice.set_index(["pipeline", "case"])["value"]
    cases = typical_cases(results)
    predicted = predict_cases(results, [phantoms], cases)
    assert [(one.contender, one.case) for one in predicted] == [
        (name, case) for name in ("gpt-4", "gpt-o3") for case in cases[phantoms.name]
    ]
    for one in predicted:
        assert one.dice == pytest.approx(expected[one.contender, one.case], abs=1e-6)
        np.testing.assert_array_equal(one.truth, phantoms.read(one.case).mask > FOREGROUND)


def test_the_worst_is_every_contenders_smallest_dice_and_masks_without_a_run_are_left_out(results, dice, phantoms):
    smallest = dice.groupby("pipeline")["value"].min()
    worst = {one.contender: one.dice for one in predict_worst(results, [phantoms])}
    assert worst == pytest.approx(smallest[["gpt-4", "gpt-o3"]].to_dict(), abs=1e-6)


def test_what_cannot_be_predicted_is_told(results, phantoms):
    cases = {phantoms.name: [phantoms.ids[0]]}
    with pytest.raises(UserError, match="the folders hold no runs"):
        predict_cases(Results(results.table, ()), [phantoms], cases)
    with pytest.raises(UserError, match="the folders hold no runs"):
        predict_worst(Results(results.table, ()), [phantoms])
    other = replace(results.runs[0], digest="0" * 64)
    with pytest.raises(UserError, match="is not in the state in which gpt-4 was trained"):
        predict_cases(Results(None, (other,)), [phantoms], cases)
