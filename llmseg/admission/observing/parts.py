"""Telling what each pass was for: training, validation or test, and in which epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from llmseg.admission.observing.observation import Part, Pass
from llmseg.admission.observing.record import Record


@dataclass(frozen=True)
class _Block:
    """Passes of one loop over a part of the data.

    Attributes:
        passes: Where in the list of passes.
        learns: Whether the loop trains.
        cases: The cases that it shows.
        place: The line of the script.
        is_inside: Whether it lies in a loop that trains, as when a batch is scored right after its step.
        is_alone: Whether no loader gave its images although there are some, as when pictures of a few cases are drawn.
    """

    passes: tuple[int, ...]
    learns: bool
    cases: frozenset[str]
    place: str
    is_inside: bool = False
    is_alone: bool = False

    def is_like(self, other: _Block) -> bool:
        """Return whether another loop stands in the same line and shows the same cases."""
        return self.place == other.place and self.cases == other.cases


def tell_parts(record: Record, passes: Sequence[Pass]) -> tuple[Pass, ...]:
    """Return the passes with part, epoch and block.

    A loop that learns is an epoch of the training. A loop that does not is the validation if it ends before the last
    epoch begins, or is like one that does. What is left after the last epoch is the test.
    """
    blocks = list(_find_blocks(record, passes))
    trainings = [block for block in blocks if block.learns]
    if not trainings:
        return tuple(passes)
    learnt = frozenset().union(*(block.cases for block in trainings))
    last = trainings[-1].passes[0]
    left = _count_in_an_epoch(blocks, trainings)
    after = [block for block in blocks if not block.learns and not block.is_inside and block.passes[0] > last][left:]
    known = learnt.union(*(block.cases for block in blocks if block.passes[0] < last))
    if any(block.cases and not block.is_alone for block in after) or all(block.cases <= known for block in after):
        # What is scored by loaders is the test, and what is shown besides is not; nor are cases of the other parts.
        blocks = [replace(block, is_inside=block.is_inside or block.is_alone) for block in blocks]
    left = _count_in_an_epoch(blocks, trainings)
    between = [block for block in blocks if not block.learns and not block.is_inside and block.passes[0] < last]
    others = [block for block in between if block.cases and not block.cases <= learnt]
    told = list(passes)
    for number, block in enumerate(blocks):
        part: Part = "training"
        if not block.learns:
            is_after = block.passes[0] > last and not block.is_inside
            is_left = is_after and left > 0
            left -= is_left
            part = _tell(block, learnt, is_after=is_after and not is_left, has_others=bool(others))
        epoch = sum(each.passes[0] <= block.passes[0] for each in trainings)
        for each in block.passes:
            told[each] = replace(told[each], part=part, epoch=max(epoch, 1), block=number)
    return tuple(told)


def _count_in_an_epoch(blocks: Sequence[_Block], trainings: Sequence[_Block]) -> int:
    """Return how many loops after the last epoch belong to it: as many as are like those after the first epoch."""
    scoring = [block for block in blocks if not block.learns and not block.is_inside]
    after = [block for block in scoring if block.passes[0] > trainings[-1].passes[0]]
    if len(trainings) == 1:
        return int(bool(after))  # the first is taken for the validation: a script may have ended before its test
    inside = [block for block in scoring if trainings[0].passes[0] < block.passes[0] < trainings[1].passes[0]]
    count = 0
    for one, other in zip(inside, after, strict=False):
        if not one.is_like(other):
            break
        count += 1
    return count


def _tell(block: _Block, learnt: frozenset[str], *, is_after: bool, has_others: bool) -> Part:
    if not block.cases or block.is_inside:
        return "other"
    if is_after:
        return "test"
    # The training cases, or some of them, may be scored beside the validation.
    return "other" if block.cases == learnt or (block.cases < learnt and has_others) else "validation"


def _find_blocks(record: Record, passes: Sequence[Pass]) -> Iterator[_Block]:
    keys = _key_by_loader(record, passes) if record.list("batch") else _key_by_cases(passes)
    groups: dict[tuple[object, bool], list[int]] = {}
    for number, (key, each) in enumerate(zip(keys, passes, strict=True)):
        groups.setdefault((key, each.learns), []).append(number)
    for (key, learns), numbers in groups.items():
        cases = frozenset(id for number in numbers for id in passes[number].ids if id)
        is_inside = not learns and (key, True) in groups and numbers[0] < groups[key, True][-1]
        is_alone = not learns and isinstance(key, str)
        yield _Block(tuple(numbers), learns, cases, passes[numbers[0]].place, is_inside, is_alone)


def _key_by_loader(record: Record, passes: Sequence[Pass]) -> Iterator[object]:
    """Yield for each pass which loader gave its batch, and how often that loader had begun.

    A pass of other images than those of the pass before, without a new batch, has the line of the script instead.
    """
    begun: dict[int | None, int] = {}
    key: tuple[int | None, int] = (None, 0)
    events = iter(record.list("iterate", "batch"))
    event = next(events, None)
    before: Pass | None = None
    for each in passes:
        is_fed = before is not None and before.ids == each.ids
        while event is not None and event.at < each.at:
            is_fed |= event.name == "batch"
            loader = event["loader"]
            if event.name == "iterate":
                begun[loader] = begun.get(loader, 0) + 1
            else:
                key = loader, begun.get(loader, 0)
            event = next(events, None)
        yield key if is_fed else each.place
        before = each


def _key_by_cases(passes: Sequence[Pass]) -> Iterator[object]:
    """Yield for each pass the number of its loop: another one begins where learning does, and where cases come back."""
    number, seen = 0, set[tuple[str, object]]()
    for before, each in zip([None, *passes], passes, strict=False):
        shown = {(item.id, item.image.window) for item in each.items if item.id}
        if before is not None and (before.learns != each.learns or (shown & seen and before.ids != each.ids)):
            number, seen = number + 1, set()
        seen |= shown
        yield number
