"""The order in which cases are seen: loaders of case ids, which spend random numbers as the scripts' loaders did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch.utils.data import BatchSampler, DataLoader, Sampler


def make_loader(
    ids: Sequence[str], batch_size: int, *, shuffle: bool, drop_last: bool, shuffle_buffer: int | None = None
) -> DataLoader[str]:
    """Return a loader that yields the case ids of each batch.

    The images are not loaded here. The loader is torch's own all the same, because torch's loader takes numbers from
    the default generator, also without shuffling: one whenever its iteration begins, another when the order is drawn.
    A script that seeds itself once has these numbers in its stream.

    Args:
        ids: The cases.
        batch_size: Cases in a batch.
        shuffle: Whether every iteration has an order of its own.
        drop_last: Whether a last batch that is not full is left out.
        shuffle_buffer: Batches of fixed members are shuffled in a buffer of that many, as ``Fit.fixed_batches`` says;
            ``None`` shuffles single cases.
    """
    if shuffle_buffer is None:
        return DataLoader(ids, batch_size=batch_size, shuffle=shuffle, drop_last=drop_last, collate_fn=list)  # type: ignore[arg-type]
    sampler = _ShuffleBuffer(BatchSampler(range(len(ids)), batch_size, drop_last), shuffle_buffer)
    return DataLoader(ids, batch_sampler=sampler, collate_fn=list)  # type: ignore[arg-type]


class _ShuffleBuffer(Sampler[list[int]]):
    """Batches in the order in which they leave a shuffle buffer, as ``tf.data`` shuffles: any one of it at a time."""

    def __init__(self, batches: Iterable[list[int]], size: int) -> None:
        self.batches, self.size = batches, size

    def __iter__(self) -> Iterator[list[int]]:
        # The whole order is drawn before the first batch: the steps between two batches seed the generator anew.
        waiting: list[list[int]] = []
        order: list[list[int]] = []
        for batch in self.batches:
            waiting.append(batch)
            if len(waiting) == self.size:
                order.append(_pop_random(waiting))
        while waiting:
            order.append(_pop_random(waiting))
        return iter(order)


def _pop_random(batches: list[list[int]]) -> list[int]:
    return batches.pop(int(torch.randint(len(batches), ())))
