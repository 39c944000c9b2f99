from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmseg.errors import UserError
from llmseg.fidelity.compare import Comparison, Diverged, Figure, field

numbers = st.floats(-1e6, 1e6)


@pytest.fixture
def compare() -> Comparison:
    return Comparison()


class TestExact:
    @pytest.mark.parametrize("value", [3, "a", None, [1, 2], ("a",), True, {"a": 1}])
    def test_equal(self, compare, value):
        compare.exact("it", value, value)
        assert (compare.count, compare.worst) == (1, 0)

    def test_list_and_tuple_with_equal_entries(self, compare):
        compare.exact("it", [1, 2], (1, 2))
        assert compare.count == 1

    @pytest.mark.parametrize(
        ("expected", "found", "message"),
        [
            (3, 4, "it: expected 3, found 4"),
            ("ab", "ac", "it: expected 'ab', found 'ac'"),
            ([1, 2], [1, 3], "it, entry 1: expected 2, found 3"),
            ([1, 2], [1], "it, number of entries: expected 2, found 1"),
            ([], [1], "it, number of entries: expected 0, found 1"),
            ([1], None, "it: expected [1], found None"),
        ],
    )
    def test_different(self, compare, expected, found, message):
        with pytest.raises(Diverged) as diverged:
            compare.exact("it", expected, found)
        assert str(diverged.value) == message


class TestClose:
    @given(numbers, numbers, st.floats(0, 0.1), st.floats(0, 10))
    @settings(max_examples=50, deadline=None)
    def test_holds_exactly_within_the_tolerance(self, expected, found, rel, abs):
        compare = Comparison()
        allowed = rel * math.fabs(expected) + abs
        if math.fabs(found - expected) <= allowed:
            compare.close("it", expected, found, rel=rel, abs=abs)
            assert 0 <= compare.worst <= 1
        else:
            with pytest.raises(Diverged, match=r"it: expected .*, found .*, distance .*, allowed "):
                compare.close("it", expected, found, rel=rel, abs=abs)

    @given(numbers)
    @settings(max_examples=20, deadline=None)
    def test_without_tolerance_only_itself(self, value):
        Comparison().close("it", value, value)
        with pytest.raises(Diverged):
            Comparison().close("it", value, math.nextafter(value, math.inf))

    def test_not_a_number(self, compare):
        compare.close("it", "nan", float("nan"))
        for expected, found in (("nan", 1.0), (1.0, float("nan")), (1.0, float("inf"))):
            with pytest.raises(Diverged):
                compare.close("it", expected, found, rel=1, abs=1)

    def test_remembers_the_worst(self, compare):
        for where, found in (("first", 1.1), ("second", 1.5), ("third", 1.2)):
            compare.close(where, 1.0, found, abs=1.0)
        assert compare.count == 3
        assert compare.worst == pytest.approx(0.5)
        assert compare.worst_at == "second"


def test_all_close(compare):
    compare.all_close("it", [1.0, 2.0], [1.0, 2.05], abs=0.1)
    with pytest.raises(Diverged, match="it, figure 1: expected 2, found 3"):
        compare.all_close("it", [1.0, 2.0], [1.0, 3.0], abs=0.1)
    with pytest.raises(Diverged, match="it, number of figures: expected 2, found 1"):
        compare.all_close("it", [1.0, 2.0], [1.0], abs=0.1)


def test_field():
    record = {"a": {"b": [1]}, "c": None}
    assert field(record, "a.b") == [1]
    assert field(record, "c") is None
    for path in ("d", "a.d", "c.d", "a.b.c"):
        with pytest.raises(UserError, match=f"the record has no '{path}'"):
            field(record, path)


def test_begin_again(compare):
    compare.close("a", 1.0, 1.05, abs=0.1)
    compare.begin_again("b: expected 1, found 2")
    assert compare == Comparison(diverged_before=("b: expected 1, found 2",))
    compare.close("a", 1.0, 1.02, abs=0.1)
    assert (compare.count, compare.worst_at) == (1, "a")
    assert compare.worst == pytest.approx(0.2)


def test_take(compare):
    compare.take(Figure("cases", ["a"], ("a",)))
    compare.take(Figure("loss", 2.0, 2.1, rel=0.1))
    compare.take(Figure("score", 2.0, 2.1, abs=0.2))
    with pytest.raises(Diverged, match="cases, entry 0: expected 'a', found 'b'"):
        compare.take(Figure("cases", ["a"], ["b"]))
    with pytest.raises(Diverged, match=r"loss: expected 2, found 2\.3, distance 0\.3, allowed 0\.2"):
        compare.take(Figure("loss", 2.0, 2.3, rel=0.1))
