"""Telling what each pass was for: training, validation or test, and in which epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from llmseg.admission.observing.observation import Part, Pass
from llmseg.admission.observing.record import Record


@dataclass
class _Block:
    """Passes of one loop over a part of the data.

    Attributes:
        passes: Where in the list of passes.
        learns: Whether the loop trains.
        cases: The cases that it shows.
        place: The line of the script.
    """

    passes: list[int]
    learns: bool
    cases: frozenset[str]
    place: str

    def is_like(self, other: _Block) -> bool:
        """Return whether another loop stands in the same line and shows the same cases."""
        return self.place == other.place and self.cases == other.cases


def tell_parts(record: Record, passes: Sequence[Pass]) -> tuple[Pass, ...]:
    """Return the passes with part, epoch and block.

    A loop that learns is an epoch of the training. A loop that does not, and that has another one like it before the
    next epoch, is the validation. What is left after the last epoch is the test.
    """
    blocks = list(_find_blocks(record, passes))
    trainings = [number for number, block in enumerate(blocks) if block.learns]
    if not trainings:
        return tuple(passes)
    learnt = frozenset().union(*(blocks[number].cases for number in trainings))
    between = [block for block in blocks[trainings[0] : trainings[-1]] if not block.learns]
    told = list(passes)
    epoch, left = 0, _count_in_an_epoch(blocks, trainings)
    for number, block in enumerate(blocks):
        epoch += block.learns
        part: Part = "training"
        if not block.learns:
            is_after = number > trainings[-1]
            part = _tell(block, between, is_after and left <= 0, learnt)
            left -= is_after
            if len(trainings) == 1 and is_after:
                part = "validation" if left == 0 else part
        for each in block.passes:
            told[each] = replace(told[each], part=part, epoch=max(epoch, 1), block=number)
    return tuple(told)


def _count_in_an_epoch(blocks: list[_Block], trainings: list[int]) -> int:
    """Return how many loops that do not learn follow an epoch before the next one begins."""
    if len(trainings) == 1:
        # With a single epoch the first of two or more is taken for the validation.
        return 1 if len(blocks) > trainings[0] + 2 else 0
    inside = blocks[trainings[0] + 1 : trainings[1]]
    after = blocks[trainings[-1] + 1 :]
    count = 0
    for one, other in zip(inside, after, strict=False):
        if not one.is_like(other):
            break
        count += 1
    return count


def _tell(block: _Block, between: list[_Block], is_last: bool, learnt: frozenset[str]) -> Part:
    if is_last:
        return "test" if any(block.cases) else "other"
    if block.cases == learnt or not block.cases:
        return "other"  # the training cases are scored, too
    return "validation" if any(block.cases == other.cases for other in between) or not between else "other"


def _find_blocks(record: Record, passes: Sequence[Pass]) -> Iterator[_Block]:
    """Divide passes where learning begins or ends, where a loader begins again, and where cases come back."""
    begins = [event.at for event in record.list("iterate")]
    block: list[int] = []
    seen: set[tuple[object, ...]] = set()
    for number, each in enumerate(passes):
        shown = {(item.id, item.image.window) for item in each.items if item.id}
        before = passes[block[-1]] if block else None
        if before is not None:
            is_loader = any(before.at < begin < each.at for begin in begins)
            comes_back = not begins and bool(shown & seen) and before.ids != each.ids
            if before.learns != each.learns or is_loader or comes_back:
                yield _close(passes, block)
                block, seen = [], set()
        block.append(number)
        seen |= shown
    if block:
        yield _close(passes, block)


def _close(passes: Sequence[Pass], block: list[int]) -> _Block:
    cases = frozenset(id for number in block for id in passes[number].ids if id)
    return _Block(list(block), passes[block[0]].learns, cases, passes[block[0]].place)
