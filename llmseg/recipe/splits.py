"""How the scripts divide the cases into training, validation and test."""

from __future__ import annotations

import hashlib
import json
import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from llmseg.errors import UserError
from llmseg.recipe.part import Part

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Split:
    """Case ids of training, validation and test, each in the order in which they are used.

    No case is in two parts, with one exception: validation may be the training part itself, as in a script that does
    not split.

    Raises:
        UserError: A case is in the split more than once.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        # A script that does not split validates the very cases it trains on; these may stand twice.
        ids = self.train + (() if self.validation == self.train else self.validation) + self.test
        if len(set(ids)) != len(ids):
            twice = next(id for id in ids if ids.count(id) > 1)
            raise UserError(f"case '{twice}' is in the split more than once")

    @property
    def digest(self) -> str:
        """SHA-256 over the ids in order, 64 hexadecimal digits."""
        return hashlib.sha256(json.dumps([self.train, self.validation, self.test]).encode()).hexdigest()


class Splitter(Part, ABC):
    """Base of every split procedure.

    Example:
        >>> from llmseg import zoo
        >>> isinstance(zoo.TEXTBOOK.split, Splitter)
        True
    """

    @abstractmethod
    def __call__(self, ids: Sequence[str], generator: torch.Generator) -> Split:
        """Divide the cases into three parts.

        Args:
            ids: Case ids in the order of the store.
            generator: The random generator from which the weights are drawn afterwards. A split that is random draws
                from it, too.
        """

    def arrange(self, ids: Sequence[str], generator: torch.Generator) -> list[str]:
        """Return the ids in the order in which they are divided: as listed, unless they are shuffled first."""
        return list(ids)


@dataclass(frozen=True, kw_only=True)
class TwoStepSplit(Splitter):
    """scikit-learn's ``train_test_split``, called twice.

    Attributes:
        first: What the first call sets apart. ``held-out``: cases that the second call divides into validation and
            test. ``test``: the test; the second call divides the rest into training and validation.
        first_size: Size asked for in the first call, a fraction.
        second_size: Size asked for in the second call, a fraction of what it divides.
        sizes_are: Whether the sizes are given to the calls as ``test_size`` or as ``train_size``.
        seed: ``random_state`` of both calls.
        order: Each part in the order ``drawn``, or ``sorted`` by name.
        shuffled: Whether Python's random generator shuffles the ids first. The scripts that do so do not seed it. Here
            it takes the seed of the run.

    Example:
        >>> import torch
        >>> split = TwoStepSplit(
        ...     first="held-out",
        ...     first_size=0.2,
        ...     second_size=0.5,
        ...     sizes_are="test_size",
        ...     seed=42,
        ...     order="drawn",
        ...     shuffled=False,
        ... )([str(i) for i in range(20)], torch.Generator())
        >>> split.test
        ('17', '1')
    """

    first: Literal["held-out", "test"]
    first_size: float
    second_size: float
    sizes_are: Literal["test_size", "train_size"]
    seed: int
    order: Literal["drawn", "sorted"]
    shuffled: bool

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("first_size", "second_size"):
            _check_fraction(name, getattr(self, name))

    def __call__(self, ids: Sequence[str], generator: torch.Generator) -> Split:
        """Split the ids. Of the generator only the seed is used, and only if they are shuffled first.

        Raises:
            UserError: There are too few cases for three parts.
        """
        from sklearn.model_selection import train_test_split

        listed = self.arrange(ids, generator)
        try:
            kept, set_apart = train_test_split(listed, random_state=self.seed, **{self.sizes_are: self.first_size})
            divided = set_apart if self.first == "held-out" else kept
            first, second = train_test_split(divided, random_state=self.seed, **{self.sizes_are: self.second_size})
        except ValueError as error:
            raise _too_few(ids) from error
        parts = (kept, first, second) if self.first == "held-out" else (first, second, set_apart)
        return Split(*(tuple(sorted(part) if self.order == "sorted" else part) for part in parts))

    def arrange(self, ids: Sequence[str], generator: torch.Generator) -> list[str]:
        """Return the ids in the order in which they are split."""
        listed = super().arrange(ids, generator)
        if self.shuffled:
            # Only the seed of torch's generator is used: the shuffle is Python's, as in the scripts.
            random.Random(generator.initial_seed()).shuffle(listed)
        return listed


@dataclass(frozen=True, kw_only=True)
class RandomSplit(Splitter):
    """torch's ``random_split``: the generator that also draws the weights permutes the cases.

    Attributes:
        calls: ``once`` cuts one permutation into training, validation and test. ``twice`` first sets the test apart,
            then permutes the rest again for training and validation.
        train: Fraction of all cases for training; the number of cases is rounded down.
        validation: Fraction of all cases for validation. With ``once`` the number is rounded down, and the test takes
            the remainder. With ``twice`` the sum of training and validation is rounded down; validation takes what
            training leaves of it, and the test takes the remainder.

    Example:
        >>> import torch
        >>> split = RandomSplit(calls="once", train=0.7, validation=0.15)
        >>> parts = split(tuple("abcdefghij"), torch.Generator().manual_seed(0))
        >>> len(parts.train), len(parts.validation), len(parts.test)
        (7, 1, 2)
    """

    calls: Literal["once", "twice"]
    train: float
    validation: float

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("train", "validation"):
            _check_fraction(name, getattr(self, name))
        _check_fraction("train + validation", self.train + self.validation)

    def __call__(self, ids: Sequence[str], generator: torch.Generator) -> Split:
        """Split the ids with numbers from the generator.

        Raises:
            UserError: There are too few cases for three parts.
        """
        # int() cuts, as in the scripts. int(0.29 * 100) is 28, as the product is a hair below 29.
        if self.calls == "once":
            train, validation = int(self.train * len(ids)), int(self.validation * len(ids))
            drawn = _permuted(ids, generator)
        else:
            train, without_test = int(self.train * len(ids)), int((self.train + self.validation) * len(ids))
            validation = without_test - train
            drawn = _permuted(ids, generator)
            drawn = _permuted(drawn[:without_test], generator) + drawn[without_test:]
        split = Split(drawn[:train], drawn[train : train + validation], drawn[train + validation :])
        if not (split.train and split.validation and split.test):
            raise _too_few(ids)
        return split


@dataclass(frozen=True, kw_only=True)
class WholeSplit(Splitter):
    """No split: all cases are trained on in listing order, the same cases are validated, and none is left for a test.

    Attributes:
        held_out: 0 for no split. Otherwise the fraction that is set apart, half for validation and half for the test,
            by scikit-learn's ``train_test_split`` called twice; the repair of the quirk ``no-split`` sets it.
        seed: ``random_state`` of both calls.

    Example:
        >>> import torch
        >>> split = WholeSplit(held_out=0.0, seed=42)(["a", "b"], torch.Generator())
        >>> split.train, split.validation, split.test
        (('a', 'b'), ('a', 'b'), ())
    """

    held_out: float
    seed: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.held_out:
            _check_fraction("held_out", self.held_out)

    def __call__(self, ids: Sequence[str], generator: torch.Generator) -> Split:
        """Split the ids if a fraction is held out, else use all of them twice. The generator is not used.

        Raises:
            UserError: There are too few cases for three parts.
        """
        if not self.held_out:
            return Split(tuple(ids), tuple(ids), ())
        divided = TwoStepSplit(
            first="held-out",
            first_size=self.held_out,
            second_size=0.5,
            sizes_are="test_size",
            seed=self.seed,
            order="drawn",
            shuffled=False,
        )
        return divided(ids, generator)


def _check_fraction(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise UserError(f"split.{name} is {value}; it must be a fraction above 0 and below 1")


def _permuted(ids: Sequence[str], generator: torch.Generator) -> tuple[str, ...]:
    import torch

    return tuple(ids[i] for i in torch.randperm(len(ids), generator=generator).tolist())


def _too_few(ids: Sequence[str]) -> UserError:
    return UserError(
        f"{len(ids)} cases are too few for this recipe's split into training, validation and test; give more cases"
    )
