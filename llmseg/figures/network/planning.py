"""From the steps of a network to its stages and skips."""

from __future__ import annotations

from collections.abc import Sequence

from llmseg.figures.network import words
from llmseg.figures.network.path import Branch, find_branches, find_path
from llmseg.figures.network.pieces import cut_into_pieces, direction_of, is_inner, make_stage
from llmseg.figures.network.stages import Plan, Skip
from llmseg.figures.network.trace import Step, Trace


def plan_network(found: Trace) -> Plan:
    """Return a network as stages and skips.

    Example:
        >>> from llmseg import zoo
        >>> from llmseg.figures.network.trace import trace
        >>> plan = plan_network(trace(zoo.get("gpt-4").recipe.net, 1, (256, 256)))
        >>> [stage.size for stage in plan.stages]
        [(256, 256), (128, 128), (64, 64), (32, 32), (64, 64), (128, 128), (256, 256)]
        >>> [(skip.source, skip.target) for skip in plan.skips], plan.tail
        ([(2, 4), (1, 5), (0, 6)], ('1x1 convolution',))
    """
    steps, path = found.steps, find_path(found)
    branches = find_branches(found, path)
    end = _start_of_tail(steps, path)
    pieces, continued = cut_into_pieces(steps, path[:end], branches)
    index_of = {number: index for index, piece in enumerate(pieces) for number in piece}
    # What joins after the last stage joins its output.
    index_of |= dict.fromkeys(path[end:], len(pieces) - 1)
    # Pieces of the same level have maps of the same size, with no change between them.
    levels = [index - sum(other <= index for other in continued) for index in range(len(pieces))]
    skips: list[Skip] = []
    skip_targets: set[int] = set()
    inner: list[list[str]] = [[] for _ in pieces]
    for branch in branches:
        source, target = index_of[branch.source], index_of[branch.target]
        if is_inner(steps, branch, levels[source], levels[target]):
            inner[target].append(words.JOINS.get(steps[branch.target].name, "joined"))
        else:
            at_entry = branch.source == pieces[source][0] and len(pieces[source]) > 1
            skips.append(_make_skip(steps, branch, source, target, at_entry))
            skip_targets.add(branch.target)
    stages = [make_stage(steps, path, piece, tuple(inner[index]), skip_targets) for index, piece in enumerate(pieces)]
    output, image = steps[found.output], steps[0]
    return Plan(
        image=(image.channels, *words.map_size(image)),
        stages=tuple(stages),
        skips=tuple(dict.fromkeys(skips)),
        tail=_tail_words(steps, path, end),
        output=(output.channels, *(words.map_size(output) if output.is_map else (1, 1))),
        parameters=found.parameters,
        last_activation=_last_activation(steps, path),
    )


def _start_of_tail(steps: Sequence[Step], path: Sequence[int]) -> int:
    """Return where on the way the output begins to be made: at the last layer, unless it enlarges or reduces maps."""
    for place in reversed(range(1, len(path))):
        step = steps[path[place]]
        if step.name in words.JOINS and len(step.inputs) > 1:
            return place + 1
        if step.name in words.LAYERS:
            return place if words.stride(step) == 1 else place + 1
    return 1


def _make_skip(steps: Sequence[Step], branch: Branch, source: int, target: int, at_entry: bool) -> Skip:
    taken = steps[branch.source]
    arriving = steps[branch.steps[-1]] if branch.steps else taken
    joined = words.map_size(arriving) if arriving.is_map else (1, 1)
    return Skip(
        source=source,
        target=target,
        how=words.JOINS.get(steps[branch.target].name, "joined"),
        at_entry=at_entry,
        size=words.map_size(taken) if taken.is_map else joined,
        joined=joined,
        resized=not any(words.cuts(steps[number]) for number in branch.steps),
        layers=sum(steps[number].name in words.LAYERS for number in branch.steps),
    )


def _tail_words(steps: Sequence[Step], path: Sequence[int], end: int) -> tuple[str, ...]:
    named: list[str] = []
    for place in range(end, len(path)):
        step, before = steps[path[place]], steps[path[place - 1]]
        if step.name in words.LAYERS:
            named.append(words.layer_name(step))
        elif words.follows(step):
            named.append(words.follower_name(step))
        elif step.is_map and before.is_map and direction_of(step, words.map_size(before)) != "same":
            named.append(words.change_name(step, words.map_size(before)))
    return tuple(named)


def _last_activation(steps: Sequence[Step], path: Sequence[int]) -> str:
    """Return the activation behind the last layer; a sigmoid or softmax that ends the network does not count."""
    for number in reversed(path):
        name = steps[number].name
        if name in words.LAYERS:
            return ""
        if words.follows(steps[number]) and name not in ("sigmoid", "softmax"):
            return name
    return ""
