from __future__ import annotations

import threading
import time

import pytest

from llmseg.data.read_ahead import map_ahead


def test_results_come_in_order_whatever_takes_long():
    def work(number):
        time.sleep(0.01 * (number % 3 == 0))
        return -number

    assert list(map_ahead(work, range(20))) == [-number for number in range(20)]


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_no_more_is_taken_than_is_worked_on(limit):
    taken = []

    def items():
        for number in range(30):
            taken.append(number)
            yield number

    for done, _ in enumerate(map_ahead(abs, items(), limit)):
        assert len(taken) <= done + limit


def test_several_threads_work():
    both = threading.Barrier(2, timeout=20)
    assert len(list(map_ahead(lambda _: both.wait(), range(2)))) == 2


def test_a_mistake_reaches_the_caller_in_its_place():
    results = map_ahead(lambda number: 10 // number, [5, 2, 0, 1])
    assert [next(results), next(results)] == [2, 5]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_nothing_gives_nothing():
    assert list(map_ahead(abs, [])) == []
