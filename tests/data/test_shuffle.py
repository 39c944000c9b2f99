from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from llmseg.data.shuffle import shuffle_names

NAMES = st.lists(st.text(st.characters(codec="utf-8"), max_size=5), unique=True, max_size=12)


@given(NAMES, st.randoms(use_true_random=False), st.integers(0, 9))
def test_order_does_not_depend_on_that_of_the_names(names, random, seed):
    shuffled = random.sample(names, len(names))
    assert shuffle_names(shuffled, seed) == shuffle_names(names, seed)
    assert sorted(shuffle_names(names, seed)) == sorted(names)


@given(NAMES.filter(bool), st.integers(0, 9))
def test_a_name_more_leaves_the_others_in_their_order(names, seed):
    with_all = shuffle_names(names, seed)
    assert shuffle_names(names[1:], seed) == [name for name in with_all if name != names[0]]


def test_every_name_may_come_first():
    first = Counter(shuffle_names("abcd", seed)[0] for seed in range(400))
    assert set(first) == set("abcd")
    assert all(60 < count < 140 for count in first.values())


def test_orders_of_today_are_those_of_tomorrow():
    assert shuffle_names([f"{number}.png" for number in range(6)], 1) == [
        "0.png", "3.png", "2.png", "4.png", "1.png", "5.png",
    ]  # fmt: skip
