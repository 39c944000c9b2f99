"""The limits of the checks; what they find in whole datasets is tested in test_doctor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from llmseg.data.doctor import checks
from llmseg.data.doctor.facts import measure_case
from llmseg.data.store import Case

CLEAN = measure_case(Case("a", np.eye(40, dtype=np.uint8) * 200, np.pad(np.full((4, 4), 255, np.uint8), 18)))


def test_a_clean_case_has_nothing():
    predicates = (
        checks.has_labels,
        checks.is_empty,
        checks.is_full,
        checks.is_inverted,
        checks.is_noisy,
        checks.is_soft,
        checks.is_blank,
    )
    assert not any(predicate(CLEAN) for predicate in predicates)


@pytest.mark.parametrize(
    ("border", "share", "inverted"),
    [(checks.INVERTED_BORDER, 0.51, True), (checks.INVERTED_BORDER - 0.01, 0.51, False), (1.0, 0.5, False)],
)
def test_inverted(border, share, inverted):
    assert checks.is_inverted(replace(CLEAN, border=border, share=share)) is inverted


@pytest.mark.parametrize(("near", "noisy"), [(851, True), (850, False), (0, False)])
def test_noise_of_jpeg_and_soft_edges(near, noisy):
    facts = replace(CLEAN, values=bytes([0, 128, 255]), between=1000, near_ends=near)
    assert checks.is_noisy(facts) is noisy
    assert checks.is_soft(facts) is not noisy


@pytest.mark.parametrize(("values", "labels"), [([0], False), ([0, 1], True), ([0, 127], True), ([0, 128], False)])
def test_labels(values, labels):
    assert checks.has_labels(replace(CLEAN, values=bytes(values))) is labels
