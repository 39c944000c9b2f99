"""Several measures: the primary one pays nothing for the others, and these are corrected together."""

from __future__ import annotations

import pandas as pd
import pytest

from llmseg import UserError
from llmseg.stats import Table, compare_all, compare_secondary, simulate


@pytest.fixture(scope="module")
def tables():
    """Scores of three contenders in three measures."""
    frame = simulate(pipelines=[0.0, 0.02, 0.03], cases=30, datasets=1).frame
    shuffled = frame["value"].sample(frac=1, random_state=0).to_numpy()
    distances = frame.assign(measure="hd95", value=100 * (1 - frame["value"]))
    return {
        "iou": Table.from_frame(frame.assign(measure="iou")),
        "nsd": Table.from_frame(frame.assign(measure="nsd", value=shuffled)),
        "hd95": Table.from_frame(distances),
    }


def test_all_comparisons_in_secondary_measures_are_one_family(tables):
    claims = compare_secondary(tables)
    assert [claim.measure for claim in claims] == ["iou"] * 3 + ["nsd"] * 3 + ["hd95"] * 3
    assert {claim.family_size for claim in claims} == {9}
    raw = sorted(claim.p_difference for claim in claims)
    running, wanted = 0.0, []
    for place, p in enumerate(raw):  # Holm, step by step
        running = max(running, min(1.0, (9 - place) * p))
        wanted.append(running)
    assert sorted(claim.p_difference_adjusted for claim in claims) == pytest.approx(wanted)


def test_one_measure_alone_is_corrected_for_its_own_pairs(tables):
    alone = compare_secondary({"iou": tables["iou"]})
    usual = compare_all(tables["iou"], measure="iou")
    assert [claim.p_difference_adjusted for claim in alone] == [claim.p_difference_adjusted for claim in usual]
    assert alone[0].family == "all pairs in the secondary measure iou"


def test_less_is_better_for_distances(tables):
    claims = compare_secondary({name: tables[name] for name in ("iou", "hd95")})
    iou, hd95 = claims[:3], claims[3:]
    assert [claim.verdict for claim in iou] == [claim.verdict for claim in hd95]
    assert all(claim.p_equivalence is None for claim in claims)


def test_scores_that_are_missing(tables):
    frame: pd.DataFrame = tables["iou"].frame
    with pytest.raises(UserError, match="missing"):
        compare_secondary({"iou": Table(frame.iloc[1:])})
