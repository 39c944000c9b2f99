"""The way through a network, cut into pieces with maps of one size, and the stage that each piece makes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from llmseg.figures.network import words
from llmseg.figures.network.path import Branch
from llmseg.figures.network.stages import SLIGHT, Direction, Joined, Layer, Size, Stage
from llmseg.figures.network.trace import Step


def cut_into_pieces(
    steps: Sequence[Step], path: Sequence[int], branches: Sequence[Branch]
) -> tuple[list[list[int]], set[int]]:
    """Cut the way where maps become smaller or larger, and behind maps that leave for a later piece.

    Returns:
        The pieces, and the indices of those that continue the one before with maps of the same size.
    """
    sizes = sizes_along(steps, path)
    pieces: list[list[int]] = [[path[0]]]
    piece_of = {path[0]: 0}
    for before, number in pairwise(path):
        step = steps[number]
        fits = words.resizes(step) and not any(_is_content(steps[other]) for other in pieces[-1])
        if direction_of(step, sizes[before]) != "same" and not (fits and len(pieces) > 1):
            pieces.append([])
        pieces[-1].append(number)
        piece_of[number] = len(pieces) - 1
    leaving = {
        branch.source
        for branch in branches
        if piece_of.get(branch.target, -1) > piece_of.get(branch.source, len(pieces))
        and not is_inner(steps, branch, piece_of[branch.source], piece_of[branch.target])
    }
    parts: list[list[int]] = []
    continued: set[int] = set()
    for piece in pieces:
        first, *others = _split_behind(steps, piece, leaving)
        continued |= set(range(len(parts) + 1, len(parts) + 1 + len(others)))
        parts += [first, *others]
    return parts, continued


def sizes_along(steps: Sequence[Step], path: Sequence[int]) -> dict[int, Size]:
    """Return the size of the maps at every step on the way; at a step without maps, that of the last ones before it."""
    sizes: dict[int, Size] = {}
    size = (1, 1)
    for number in path:
        size = words.map_size(steps[number]) if steps[number].is_map else size
        sizes[number] = size
    return sizes


def _is_content(step: Step) -> bool:
    """Whether a step is what a stage is made of: a layer that keeps the size of maps, or a join."""
    return (step.name in words.LAYERS and words.stride(step) == 1) or (
        step.name in words.JOINS and len(step.inputs) > 1
    )


def _split_behind(steps: Sequence[Step], piece: Sequence[int], leaving: set[int]) -> list[list[int]]:
    """Split a piece behind steps whose maps leave, where layers stand on both sides."""
    parts: list[list[int]] = [[]]
    for number in piece:
        rest = piece[piece.index(number) :]
        if (
            parts[-1]
            and parts[-1][-1] in leaving
            and all(any(steps[other].name in words.LAYERS for other in side) for side in (parts[-1], rest))
        ):
            parts.append([])
        parts[-1].append(number)
    return parts


def direction_of(step: Step, before: Size) -> Direction:
    """Return whether a step makes maps smaller or larger; a cut, a margin or a missing padding does not count."""
    if not step.is_map or words.cuts(step) or words.map_size(step) == before:
        return "same"
    size = words.map_size(step)
    if step.name in words.CONVOLUTIONS and words.stride(step) == 1:
        return "same"
    return "down" if size[0] * size[1] < before[0] * before[1] else "up"


def is_inner(steps: Sequence[Step], branch: Branch, source: int, target: int) -> bool:
    """Whether maps join others of their own level, also around the layer that reduces the maps to that level."""
    reduced = any(words.stride(steps[number]) > 1 or "pool" in steps[number].name for number in branch.steps)
    return source == target or (target == source + 1 and reduced)


def make_stage(
    steps: Sequence[Step], path: Sequence[int], piece: Sequence[int], inner: tuple[str, ...], skip_targets: set[int]
) -> Stage:
    before = _step_before(steps, path, piece[0])
    first, sizes = steps[piece[0]], sizes_along(steps, path)
    size_before = sizes[path[max(0, path.index(piece[0]) - 1)]]
    direction = direction_of(first, size_before)
    entry, rest, entering = "", list(piece), before.channels if before else first.channels
    if direction != "same":
        entry = words.change_name(first, size_before)
        if first.name not in words.CONVOLUTIONS:
            entering = first.channels
            followers, rest = _take_followers(steps, piece[1:])
            entry = ", ".join([entry, *followers])
    elif before is None:
        rest = list(piece[1:])
    maps = [steps[number] for number in piece if steps[number].is_map]
    fitted, by_cut = _size_before_fit(maps)
    return Stage(
        direction=direction,
        entry=entry,
        entering=entering,
        parts=_make_parts(steps, path, rest, skip_targets),
        size=sizes[piece[-1]],
        fitted=fitted,
        fitted_by_cut=by_cut,
        inner=inner,
        dropout=max((words.dropped_share(steps[n]) for n in piece if words.is_dropout(steps[n])), default=0.0),
        channels=steps[piece[-1]].channels,
    )


def _step_before(steps: Sequence[Step], path: Sequence[int], number: int) -> Step | None:
    place = path.index(number)
    return steps[path[place - 1]] if place else None


def _size_before_fit(maps: Sequence[Step]) -> tuple[Size | None, bool]:
    """Return the size of maps before they were cut or resized within a stage, and whether they were cut.

    A few rows and columns that a layer adds or takes, as for images with odd sides, are no change of size.
    """
    for before, after in pairwise(maps):
        old, new = words.map_size(before), words.map_size(after)
        if max(abs(old[0] - new[0]), abs(old[1] - new[1])) > SLIGHT and (words.cuts(after) or words.resizes(after)):
            return old, words.cuts(after)
    return None, False


def _make_parts(
    steps: Sequence[Step], path: Sequence[int], numbers: Sequence[int], skip_targets: set[int]
) -> tuple[Layer | Joined, ...]:
    parts: list[Layer | Joined] = []
    for place, number in enumerate(numbers):
        step = steps[number]
        if step.name in words.LAYERS:
            followers, _ = _take_followers(steps, numbers[place + 1 :])
            parts.append(Layer(", ".join([words.layer_name(step), *followers]), step.channels))
        elif number in skip_targets:
            before = _step_before(steps, path, number)
            how = words.JOINS.get(step.name, "joined")
            more = step.channels - before.channels if before and how == "concatenated" else 0
            parts.append(Joined(how, more, step.inputs[0] != path[path.index(number) - 1]))
    return tuple(parts)


def _take_followers(steps: Sequence[Step], numbers: Sequence[int]) -> tuple[list[str], list[int]]:
    """Return the norms and activations behind a layer, in words, and the steps from the next layer or join on."""
    followers: list[str] = []
    for place, number in enumerate(numbers):
        step = steps[number]
        if step.name in words.LAYERS or step.name == "cat":
            return followers, list(numbers[place:])
        if words.follows(step):
            followers.append(words.follower_name(step))
    return followers, []
