from __future__ import annotations

import numpy as np
import pytest

from llmseg.errors import UserError
from llmseg.evaluation.conventions import NNUNET
from llmseg.evaluation.measures import Counts
from llmseg.nnunet.summary import Summary


def test_several_labels_are_refused(make_fold):
    fold = make_fold("(1, 2)")
    with pytest.raises(UserError, match=r"foreground labels \(1, 2\); results with a single one"):
        Summary.read(fold / "validation" / "summary.json")


def test_the_mean_is_that_of_nnunet_to_the_last_bit():
    random = np.random.default_rng(2)
    counts = [Counts(*(int(count) for count in random.integers(0, 99, 3)), 0) for _ in range(60)]
    counts[7:50:3] = [Counts(0, 0, 0, 9)] * len(counts[7:50:3])
    dice = [2 * c.tp / (2 * c.tp + c.fp + c.fn) if c.tp + c.fp + c.fn else np.nan for c in counts]
    assert NNUNET.mean(counts) == np.nanmean(dice)
    numbers = np.array([value for value in dice if not np.isnan(value)])
    assert NNUNET.mean(counts) != numbers.mean()  # what is left out changes the order of the sum
