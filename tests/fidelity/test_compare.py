from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmseg.fidelity.compare import ComparedValue, Comparison, Divergence

NUMBERS = st.floats(-1e6, 1e6)


@pytest.fixture
def comparison() -> Comparison:
    return Comparison()


class TestRequireEqual:
    @pytest.mark.parametrize("value", [3, "a", None, [1, 2], ("a",), True, {"a": 1}])
    def test_equal(self, comparison, value):
        comparison.require_equal("it", value, value)
        assert (comparison.count, comparison.worst) == (1, 0)

    def test_list_and_tuple_with_equal_entries(self, comparison):
        comparison.require_equal("it", [1, 2], (1, 2))
        assert comparison.count == 1

    @pytest.mark.parametrize(
        ("expected", "measured", "message"),
        [
            (3, 4, "it: expected 3, found 4"),
            ("ab", "ac", "it: expected 'ab', found 'ac'"),
            ([1, 2], [1, 3], "it, entry 1: expected 2, found 3"),
            ([1, 2], [1], "it, number of entries: expected 2, found 1"),
            ([], [1], "it, number of entries: expected 0, found 1"),
            ([1], None, "it: expected [1], found None"),
        ],
    )
    def test_different(self, comparison, expected, measured, message):
        with pytest.raises(Divergence) as diverged:
            comparison.require_equal("it", expected, measured)
        assert str(diverged.value) == message


class TestRequireClose:
    @given(NUMBERS, NUMBERS, st.floats(0, 0.1), st.floats(0, 10))
    @settings(max_examples=50, deadline=None)
    def test_holds_exactly_within_the_tolerance(self, expected, measured, rel, abs):
        comparison = Comparison()
        allowed = rel * math.fabs(expected) + abs
        if math.fabs(measured - expected) <= allowed:
            comparison.require_close("it", expected, measured, rel=rel, abs=abs)
            assert 0 <= comparison.worst <= 1
        else:
            with pytest.raises(Divergence, match=r"it: expected .*, found .*, distance .*, allowed "):
                comparison.require_close("it", expected, measured, rel=rel, abs=abs)

    @given(NUMBERS)
    @settings(max_examples=20, deadline=None)
    def test_without_tolerance_only_itself(self, value):
        Comparison().require_close("it", value, value)
        with pytest.raises(Divergence):
            Comparison().require_close("it", value, math.nextafter(value, math.inf))

    def test_not_a_number(self, comparison):
        comparison.require_close("it", "nan", float("nan"))
        for expected, measured in (("nan", 1.0), (1.0, float("nan")), (1.0, float("inf"))):
            with pytest.raises(Divergence):
                comparison.require_close("it", expected, measured, rel=1, abs=1)

    def test_remembers_the_worst(self, comparison):
        for where, measured in (("first", 1.1), ("second", 1.5), ("third", 1.2)):
            comparison.require_close(where, 1.0, measured, abs=1.0)
        assert comparison.count == 3
        assert comparison.worst == pytest.approx(0.5)
        assert comparison.worst_at == "second"


def test_to_the_end_notes_what_is_beyond():
    comparison = Comparison(to_the_end=True)
    for where, measured in (("first", 1.05), ("second", 1.3), ("third", 0.8)):
        comparison.require_close(where, 1.0, measured, abs=0.1)
    assert (comparison.count, comparison.worst_at) == (3, "second")
    assert comparison.worst == pytest.approx(3)
    assert [why.partition(":")[0] for why in comparison.beyond] == ["second", "third"]
    comparison.require_close("nothing", 1.0, float("nan"), abs=0.1)
    assert (comparison.worst, comparison.worst_at) == (math.inf, "nothing")
    with pytest.raises(Divergence, match="it: expected 1, found 2"):
        comparison.require_equal("it", 1, 2)


def test_require_all_close(comparison):
    comparison.require_all_close("it", [1.0, 2.0], [1.0, 2.05], abs=0.1)
    with pytest.raises(Divergence, match="it, figure 1: expected 2, found 3"):
        comparison.require_all_close("it", [1.0, 2.0], [1.0, 3.0], abs=0.1)
    with pytest.raises(Divergence, match="it, number of figures: expected 2, found 1"):
        comparison.require_all_close("it", [1.0, 2.0], [1.0], abs=0.1)


def test_begin_again(comparison):
    comparison.require_close("a", 1.0, 1.05, abs=0.1)
    comparison.begin_again("b: expected 1, found 2")
    assert comparison == Comparison(diverged_before=("b: expected 1, found 2",))
    comparison.require_close("a", 1.0, 1.02, abs=0.1)
    assert (comparison.count, comparison.worst_at) == (1, "a")
    assert comparison.worst == pytest.approx(0.2)


def test_require(comparison):
    comparison.require(ComparedValue("cases", ["a"], ("a",)))
    comparison.require(ComparedValue("loss", 2.0, 2.1, rel=0.1))
    comparison.require(ComparedValue("score", 2.0, 2.1, abs=0.2))
    with pytest.raises(Divergence, match="cases, entry 0: expected 'a', found 'b'"):
        comparison.require(ComparedValue("cases", ["a"], ["b"]))
    with pytest.raises(Divergence, match=r"loss: expected 2, found 2\.3, distance 0\.3, allowed 0\.2"):
        comparison.require(ComparedValue("loss", 2.0, 2.3, rel=0.1))
