from __future__ import annotations

import time

import pytest

SHARES = {"a": 1.0, "b": 2.0, "c": 1.0}


def test_stages_divide_the_time_by_their_shares(gpu):
    share_out = gpu("budget").share_out
    assert share_out(80, SHARES, ["a", "b", "c"]) == 20
    assert share_out(60, SHARES, ["b", "c"]) == 40
    assert share_out(33, SHARES, ["c"]) == 33
    assert share_out(-1, SHARES, ["a"]) == 0


def test_what_a_stage_leaves_over_goes_to_those_behind_it(gpu):
    share_out = gpu("budget").share_out
    left, given = 80.0, []
    for index, stage in enumerate(SHARES):
        given.append(share_out(left, SHARES, list(SHARES)[index:]))
        left -= 1 if stage == "a" else given[-1]  # the first one needs a second only
    assert given == pytest.approx([20, 2 / 3 * 79, 1 / 3 * 79])
    assert left == pytest.approx(0)


def test_the_shares_of_the_stages_are_all_there(gpu):
    sitting = gpu("sitting")
    assert list(sitting.SHARES) == ["device", "fidelity", "throughput", "equivalence", "processes", "study"]
    assert list(sitting.QUESTIONS) == list(sitting.SHARES)
    assert sum(sitting.SHARES.values()) == 100


def test_an_item_fits_if_it_ends_in_time(gpu):
    now = time.monotonic()
    span = gpu("budget").Span(now + 10, now + 20)
    assert span.fits(5)
    assert not span.fits(11)
    assert 9 < span.left <= 10
    assert gpu("budget").Span(now - 1, now).left == 0
