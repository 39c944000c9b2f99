from __future__ import annotations

import dataclasses
import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split
from torch.utils.data import random_split

from llmseg import zoo
from llmseg.errors import UserError
from llmseg.recipe.splits import RandomSplit, Split, TwoStepSplit, WholeSplit
from llmseg.zoo.common import SPLIT_80_10_10

EVERY_ID = zoo.all_names(reference=False)
SPLITS = {id: zoo.get(id).recipe.split for id in EVERY_ID}
# One script has no split, which every number of cases allows; see TestWholeSplit.
DIVIDING = {split: id for id, split in SPLITS.items() if not isinstance(split, WholeSplit)}
ONCE = RandomSplit(calls="once", train=0.8, validation=0.1)
TWICE = RandomSplit(calls="twice", train=0.7, validation=0.15)


def ids(count: int) -> list[str]:
    return [f"{number}.png" for number in range(count)]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(st.integers(20, 200), st.integers(0, 2**31), st.sampled_from([0.1, 0.2, 0.3]), st.sampled_from([0.25, 0.5]))
@settings(max_examples=20, deadline=None)
def test_held_out_is_scikit_learn_by_hand(count, seed, first, second):
    split = dataclasses.replace(SPLIT_80_10_10, seed=seed, first_size=first, second_size=second)
    divided = split(ids(count), seeded())
    train, rest = train_test_split(ids(count), test_size=first, random_state=seed)
    validation, test = train_test_split(rest, test_size=second, random_state=seed)
    assert divided == Split(tuple(train), tuple(validation), tuple(test))


@pytest.mark.parametrize("sizes_are", ["test_size", "train_size"])
@pytest.mark.parametrize("order", ["drawn", "sorted"])
def test_test_first_is_scikit_learn_by_hand(sizes_are, order):
    split = TwoStepSplit(
        first="test", first_size=0.3, second_size=0.4, sizes_are=sizes_are, seed=7, order=order, shuffled=False
    )
    rest, test = train_test_split(ids(31), random_state=7, **{sizes_are: 0.3})
    train, validation = train_test_split(rest, random_state=7, **{sizes_are: 0.4})
    arrange = sorted if order == "sorted" else list
    assert split(ids(31), seeded()) == Split(*(tuple(arrange(part)) for part in (train, validation, test)))


def test_scikit_learn_split_leaves_the_generators_alone():
    """Weights are drawn after it from the same torch stream."""
    generator, before = seeded(), torch.get_rng_state()
    SPLIT_80_10_10(ids(30), generator)
    assert torch.equal(generator.get_state(), seeded().get_state())
    assert torch.equal(torch.get_rng_state(), before)


@given(st.integers(20, 200), st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_once_is_random_split_by_hand(count, seed):
    train, validation = int(0.8 * count), int(0.1 * count)
    parts = random_split(ids(count), [train, validation, count - train - validation], generator=seeded(seed))
    assert ONCE(ids(count), seeded(seed)) == Split(*(tuple(part) for part in parts))


@given(st.integers(20, 200), st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_twice_is_random_split_by_hand(count, seed):
    generator = seeded(seed)
    together = int((TWICE.train + TWICE.validation) * count)
    rest, test = random_split(ids(count), [together, count - together], generator=generator)
    train = int(TWICE.train * count)
    first, second = random_split(rest, [train, together - train], generator=generator)
    found_generator = seeded(seed)
    assert TWICE(ids(count), found_generator) == Split(tuple(first), tuple(second), tuple(test))
    assert torch.equal(found_generator.get_state(), generator.get_state())


@pytest.mark.parametrize("split", [ONCE, TWICE])
def test_random_splits_follow_the_generator(split):
    assert split(ids(40), seeded(1)) == split(ids(40), seeded(1))
    assert split(ids(40), seeded(1)) != split(ids(40), seeded(2))


@given(st.sampled_from(list(DIVIDING)), st.integers(1, 60), st.integers(0, 99))
@settings(max_examples=80, deadline=None)
def test_every_split_of_the_zoo_divides_all_cases_or_refuses(split, count, seed):
    try:
        divided = split(ids(count), seeded(seed))
    except UserError:
        assert count < 20
        return
    assert sorted(divided.train + divided.validation + divided.test) == sorted(ids(count))
    assert min(len(divided.train), len(divided.validation), len(divided.test)) >= 1
    assert len(divided.train) >= max(len(divided.validation), len(divided.test))


@pytest.mark.parametrize("split", DIVIDING, ids=DIVIDING.values())
@pytest.mark.parametrize("count", [1, 2])
def test_two_cases_are_too_few_for_every_split_of_the_zoo(split, count):
    with pytest.raises(UserError, match=f"{count} cases are too few .*give more cases"):
        split(ids(count), seeded())


def test_a_case_twice_in_a_split():
    with pytest.raises(UserError, match="case 'b' is in the split more than once"):
        Split(("a", "b"), ("b",), ("c",))


def test_digest_depends_on_members_and_order():
    split = Split(("a", "b"), ("c",), ("d",))
    others = [
        Split(("b", "a"), ("c",), ("d",)),
        Split(("a",), ("b", "c"), ("d",)),
        Split(("a", "b"), ("d",), ("c",)),
        Split(("ab",), ("c",), ("d",)),
    ]
    assert split.digest == Split(("a", "b"), ("c",), ("d",)).digest
    assert len({split.digest, *(other.digest for other in others)}) == 5


def test_a_shuffle_comes_before_the_split_and_follows_the_seed():
    """Python's own generator shuffles; the split of the shuffled list is that of scikit-learn with its fixed seed."""
    settings = {"first": "held-out", "first_size": 0.2, "second_size": 0.5, "sizes_are": "test_size", "seed": 42}
    unshuffled, shuffled = (TwoStepSplit(**settings, order="drawn", shuffled=s) for s in (False, True))
    generators = [torch.Generator().manual_seed(seed) for seed in (3, 3, 4)]
    splits = [shuffled(ids(40), generator) for generator in generators]
    listed = ids(40)
    random.Random(3).shuffle(listed)
    assert splits[0] == splits[1] == unshuffled(listed, torch.Generator())
    assert splits[0] != splits[2]
    assert splits[0] != unshuffled(ids(40), torch.Generator())


class TestWholeSplit:
    def test_no_split(self):
        split = WholeSplit(held_out=0.0, seed=42)(ids(7), seeded())
        assert (split.train, split.validation, split.test) == (tuple(ids(7)), tuple(ids(7)), ())

    def test_mended_it_is_the_usual_one(self):
        assert WholeSplit(held_out=0.2, seed=42)(ids(50), seeded()) == SPLIT_80_10_10(ids(50), seeded())

    def test_it_is_the_only_one_that_does_not_divide(self):
        assert [id for id, split in SPLITS.items() if split not in DIVIDING] == ["gpt-4@tensorflow"]

    @pytest.mark.parametrize("held_out", [-0.1, 1.0])
    def test_senseless(self, held_out):
        with pytest.raises(UserError, match=r"split\.held_out"):
            WholeSplit(held_out=held_out, seed=42)

    @pytest.mark.parametrize("parts", [(("a", "b"), ("b", "a"), ()), (("a",), ("a",), ("a",)), (("a", "a"), (), ())])
    def test_validation_is_all_of_the_training_part_or_none_of_it(self, parts):
        with pytest.raises(UserError, match="more than once"):
            Split(*parts)
