from __future__ import annotations

import pytest
import torch

from llmseg.training.case_order import make_loader

IDS = tuple(f"case-{number}" for number in range(20))
BATCHES = [list(IDS[first : first + 4]) for first in range(0, 20, 4)]


def test_without_shuffling_cases_stay_in_their_order():
    assert list(make_loader(IDS, 8, shuffle=False, drop_last=False)) == [list(IDS[:8]), list(IDS[8:16]), list(IDS[16:])]
    assert list(make_loader(IDS, 8, shuffle=False, drop_last=True)) == [list(IDS[:8]), list(IDS[8:16])]


@pytest.mark.parametrize(("shuffle", "numbers"), [(False, 1), (True, 2)])
def test_a_pass_takes_as_many_numbers_as_in_the_scripts(shuffle, numbers):
    torch.manual_seed(0)
    list(make_loader(IDS, 4, shuffle=shuffle, drop_last=False))
    following = torch.empty((), dtype=torch.int64).random_()
    torch.manual_seed(0)
    for _ in range(numbers):
        torch.empty((), dtype=torch.int64).random_()
    assert torch.empty((), dtype=torch.int64).random_() == following


def draw_orders(shuffle_buffer, epochs):
    torch.manual_seed(0)
    loader = make_loader(IDS, 4, shuffle=True, drop_last=False, shuffle_buffer=shuffle_buffer)
    return [list(loader) for _ in range(epochs)]


class TestShuffleBuffer:
    def test_a_buffer_of_one_keeps_the_order(self):
        assert draw_orders(1, epochs=2) == [BATCHES, BATCHES]

    def test_a_large_buffer_changes_the_order_of_batches_only(self):
        orders = draw_orders(100, epochs=4)
        assert len({str(order) for order in orders}) > 1
        assert all(sorted(order) == sorted(BATCHES) for order in orders)

    def test_a_small_buffer_lets_no_batch_come_early(self):
        orders = draw_orders(2, epochs=8)
        assert len({str(order) for order in orders}) > 1
        for order in orders:
            assert sorted(order) == sorted(BATCHES)
            assert all(BATCHES.index(batch) <= index + 1 for index, batch in enumerate(order))

    def test_the_order_is_drawn_before_the_first_batch(self):
        """The steps between two batches seed the generator anew; the order must not depend on that."""
        torch.manual_seed(0)
        disturbed = []
        for batch in make_loader(IDS, 4, shuffle=True, drop_last=False, shuffle_buffer=3):
            disturbed.append(batch)
            torch.manual_seed(9)
        assert disturbed == draw_orders(3, epochs=1)[0]
