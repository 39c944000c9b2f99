"""The split of a script as one of the library: the same cases in each part."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any, Literal

import torch

from llmseg.admission.observing.observation import Observation, Part
from llmseg.admission.scripts import Scripts
from llmseg.admission.settings import Settings, last_name
from llmseg.errors import UserError
from llmseg.recipe import textbook
from llmseg.recipe.splits import RandomSplit, Split, Splitter, TwoStepSplit

_SEEDS = (42, *(seed for seed in range(101) if seed != 42), 123, 1234, 1337, 2020, 2021, 2022, 2023, 2024, 2025)
_MOST = 3
"""Numbers of the text that are tried for one size."""


def fit_split(observation: Observation, scripts: Scripts | None) -> Splitter | str:
    """Return the split that gives the parts that were seen, or why none does.

    Of several sizes that give the same parts, one that stands in the scripts is returned, otherwise the shortest.

    Args:
        observation: The observation.
        scripts: The scripts, ``None`` if their text is not at hand.
    """
    parts = observation.parts
    sets = [set(parts.training), set(parts.validation), set(parts.test)]
    if not all(sets) or sum(map(len, sets)) != observation.phantoms.count:
        return "the three parts do not hold each case once"
    sizes = _read_sizes(scripts)
    orders = list_orders(observation)
    for split, seed in _list_splits([len(each) for each in sets], sizes):
        for order in orders:
            try:
                made = split(order, torch.Generator().manual_seed(seed))
            except UserError:
                continue
            if [set(made.train), set(made.validation), set(made.test)] == sets:
                return _choose_order(observation, split, made)
    return "no split of the library gives these parts, with none of the usual seeds"


def name_shares(split: Splitter) -> dict[str, float] | None:
    """Return the shares of all cases that a split asks for, to six digits; ``None`` if it names none."""
    if isinstance(split, RandomSplit):
        training, validation = split.train, split.validation
    elif isinstance(split, TwoStepSplit):
        apart = [size if split.sizes_are == "test_size" else 1 - size for size in (split.first_size, split.second_size)]
        if split.first == "held-out":
            training, validation = 1 - apart[0], apart[0] * (1 - apart[1])
        else:
            training, validation = (1 - apart[0]) * (1 - apart[1]), (1 - apart[0]) * apart[1]
    else:
        return None
    shares = {"training": training, "validation": validation, "test": 1 - training - validation}
    return {part: round(share, 6) for part, share in shares.items()}


@dataclass(frozen=True)
class _Sizes:
    """Sizes of parts in the text of scripts.

    Attributes:
        are: What those that are given to scikit-learn's ``train_test_split`` are called.
        given: These, in the order of the text.
        others: All other shares, and all quotients of two numbers, the shortest first.
    """

    are: Literal["test_size", "train_size"] = "test_size"
    given: tuple[float, ...] = ()
    others: tuple[float, ...] = ()

    def list_of_call(self, number: int, kept: int, set_apart: int, of: int) -> Iterator[float]:
        """Yield the sizes with which a call of ``train_test_split`` keeps so many cases and sets so many apart.

        Those that the call of this number is given in the text come first.
        """
        ordered = replace(self, given=(*self.given[number:], *self.given[:number]))
        if self.are == "train_size":
            return ordered.list_fitting(kept, of, _round_down)
        return ordered.list_fitting(set_apart, of, _round_up)

    def list_fitting(self, cases: int, of: int, count: Callable[[float, int], int]) -> Iterator[float]:
        """Yield the sizes that take so many cases of so many, and at last the shortest number that does."""
        found = (size for size in dict.fromkeys((*self.given, *self.others)) if count(size, of) == cases)
        yield from islice(found, _MOST)
        nearby = (round(cases / of + step * 10**-digits, digits) for digits in range(1, 7) for step in (0, -1, 1))
        yield next(size for size in nearby if 0 < size < 1 and count(size, of) == cases)


def _read_sizes(scripts: Scripts | None) -> _Sizes:
    if scripts is None:
        return _Sizes()
    settings = Settings(scripts)
    nodes = [node for script in scripts for node in script.nodes if isinstance(node, ast.Call)]
    calls = [node for node in nodes if last_name(node.func) == "train_test_split"]
    keywords = [keyword for call in calls for keyword in call.keywords if keyword.arg in ("test_size", "train_size")]
    given = (settings.constant(keyword.value) for keyword in keywords)
    numbers = (
        settings.constant(node)
        for script in scripts
        for node in script.nodes
        if isinstance(node, ast.Constant) or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
    )
    others = sorted({number for number in numbers if _is_share(number)}, key=lambda number: len(repr(number)))
    is_kept = bool(keywords) and all(keyword.arg == "train_size" for keyword in keywords)
    shares = tuple(number for number in given if _is_share(number))
    return _Sizes("train_size" if is_kept else "test_size", shares, tuple(others))


def _is_share(number: object) -> bool:
    return isinstance(number, float) and 0 < number < 1


def list_orders(observation: Observation) -> list[tuple[str, ...]]:
    """Return the cases by name, and in the orders in which folders listed them, which a script may not sort."""
    orders = {observation.phantoms.ids: None}
    for event in observation.record.list("list"):
        numbers = [re.findall(r"\d+", name.rsplit(".", 1)[0]) for name in event["names"]]
        ids = tuple(f"{int(found[-1]):03d}" for found in numbers if found)
        if sorted(ids) == list(observation.phantoms.ids):
            orders[ids] = None
    return list(orders)


def _list_splits(counts: list[int], sizes: _Sizes) -> Iterator[tuple[Splitter, int]]:
    total, rest, set_apart = sum(counts), counts[0] + counts[1], counts[1] + counts[2]
    # What each call of a split in two steps keeps, what it sets apart, and of how many.
    calls: dict[Literal["held-out", "test"], Any] = {
        "held-out": ((counts[0], set_apart, total), (counts[1], counts[2], set_apart)),
        "test": ((rest, counts[2], total), (counts[0], counts[1], rest)),
    }
    two_steps = [
        replace(textbook.SPLIT, first=first, sizes_are=sizes.are, first_size=one, second_size=two)
        for first, steps in calls.items()
        for one, two in product(*(list(sizes.list_of_call(number, *step)) for number, step in enumerate(steps)))
    ]
    shares = [list(sizes.list_fitting(cases, total, _round_down)) for cases in counts[:2]]
    drawn = [
        RandomSplit(calls=times, train=train, validation=validation)
        for times in ("once", "twice")
        for train, validation in product(*shares)
        if train + validation < 1
    ]
    for seed in _SEEDS:
        yield from ((replace(split, seed=seed), seed) for split in two_steps)
        yield from ((split, seed) for split in drawn)


def _round_down(size: float, of: int) -> int:
    return int(size * of)


def _round_up(size: float, of: int) -> int:
    return math.ceil(size * of)


def _choose_order(observation: Observation, split: Splitter, made: Split) -> Splitter:
    """Return the split with the order in which cases of validation and test came, if it is that of their names."""
    seen = [_list_sequence(observation, part) for part in ("validation", "test")]
    drawn = [list(made.validation), list(made.test)]
    is_by_name = seen != drawn and seen == [sorted(part) for part in drawn]
    return replace(split, order="sorted") if is_by_name and isinstance(split, TwoStepSplit) else split


def _list_sequence(observation: Observation, part: Part) -> list[str]:
    """Return the cases of the first loop over a part in the order in which they came."""
    passes = observation.of(part)
    return [id for each in passes if each.block == passes[0].block for id in each.ids]
