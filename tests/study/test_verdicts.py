"""Verdicts of the variants of a study, corrected for all pairs."""

from __future__ import annotations

import numpy as np
import pytest

from llmseg.stats import adjust, compare_all, simulate
from llmseg.study.verdicts import find_verdicts

pytestmark = pytest.mark.quick


def pair(shifts):
    table = simulate(pipelines=shifts, datasets=1, seeds=2, cases=12)
    wide = table.frame.pivot(index=["case", "group", "seed"], columns="pipeline", values="value")
    return table, wide


def test_p_values_are_corrected_for_all_pairs():
    table, wide = pair([0.0, 0.02, 0.1, -0.3])
    claims = compare_all(table)
    found = find_verdicts(wide, "dice", 0.05)
    against_base = [claim for claim in claims if "llm-01" in (claim.first, claim.second)]
    np.testing.assert_allclose(found["p"], [claim.p_difference for claim in against_base])
    corrected = adjust([claim.p_difference for claim in claims])
    expected = [p for p, claim in zip(corrected, claims, strict=True) if claim in against_base]
    np.testing.assert_allclose(found["p_corrected"], expected)
    assert found["variant"].tolist() == ["llm-02", "llm-03", "llm-04"]
    assert found["verdict"].tolist()[2] == "worse"


def test_of_a_distance_the_smaller_is_better():
    _, wide = pair([0.0, 0.3])
    assert find_verdicts(wide, "dice", 0.05)["verdict"].tolist() == ["better"]
    assert find_verdicts(10 * wide, "hd95", 0.05)["verdict"].tolist() == ["worse"]


def test_one_case_decides_nothing():
    _, wide = pair([0.0, 0.3])
    (row,) = find_verdicts(wide[wide.index.get_level_values("case") == wide.index[0][0]], "dice", 0.05).to_dict(
        "records"
    )
    assert row["verdict"] == "undecided"


def test_without_variants_there_is_no_verdict():
    _, wide = pair([0.0, 0.3])
    assert find_verdicts(wide[["llm-01"]], "dice", 0.05).empty
