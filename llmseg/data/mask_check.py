"""What the masks of a whole store say together: a rule that no mask knows, labels, masks that are empty or full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from llmseg.data.mask_values import MaskValues, count_labels, make_mask
from llmseg.data.reading import Reading, list_labels
from llmseg.data.store import SizesDiffer
from llmseg.errors import name_first, shorten_list

_KEPT = 64
"""How many different values of a mask are kept; more are no labels that anybody could list."""


@dataclass(frozen=True)
class MaskFacts:
    """What is kept of a mask for the check of its store.

    Attributes:
        name: Name of the file.
        values: Different numbers that it stores, in ascending order, at most 64.
        labels: Those that are labels, see :func:`llmseg.data.mask_values.count_labels`.
        palette: Whether numbers are indices of a palette.
        source: ``"colours"`` or ``"alpha"``.
        undecided: Whether the other of the two would give another mask.
        empty: Whether no pixel is foreground.
        full: Whether every pixel is.
    """

    name: str
    values: tuple[float, ...]
    labels: tuple[int, ...]
    palette: bool
    source: str
    undecided: bool
    empty: bool
    full: bool


def measure_mask(
    values: MaskValues, name: str, reading: Reading, option: str = "--foreground", further: Sequence[MaskValues] = ()
) -> MaskFacts:
    """Return what is kept of the mask of a case.

    Args:
        values: The mask.
        name: What messages call it.
        reading: How it is read.
        option: The option that messages name for the foreground.
        further: Other masks of the same size that are joined with it.

    Raises:
        LabelValues: As :func:`llmseg.data.mask_values.make_mask`.
        SizesDiffer: The masks are of different sizes.
    """
    masks = [values, *further]
    sizes = {f"{mask.numbers.shape[1]}x{mask.numbers.shape[0]}" for mask in masks}
    if len(sizes) > 1:
        raise SizesDiffer(f"the masks of {name} are {', '.join(sorted(sizes))} (width x height); make them equal")
    inside = np.logical_or.reduce([make_mask(mask, name, reading, option) > 127 for mask in masks])
    numbers = {float(value) for mask in masks for value in np.unique(mask.numbers)[:_KEPT]}
    labels = {label for mask in masks for label in count_labels(mask)} if reading.foreground is None else set()
    return MaskFacts(
        name,
        tuple(sorted(numbers)[:_KEPT]),
        tuple(sorted(labels)),
        any(mask.palette for mask in masks),
        "alpha" if any(mask.source == "alpha" for mask in masks) else values.source,
        any(mask.undecided for mask in masks),
        empty=not inside.any(),
        full=bool(inside.all()),
    )


def judge_masks(
    facts: Sequence[MaskFacts], reading: Reading, option: str = "--foreground", *, predicted: bool = False
) -> str | None:
    """Return why masks cannot be used as they are read, or ``None``.

    Args:
        facts: Of all masks of a store.
        reading: How they were read.
        option: The option that the sentence names for the foreground.
        predicted: Whether they are predictions, which may all be empty or full.
    """
    occurring = Counter(value for mask in facts for value in mask.values)
    if predicted and set(occurring) <= {0}:
        return None
    for label in list_labels(reading.foreground):
        if label not in occurring and all(len(mask.values) < _KEPT for mask in facts):
            what = "palette indices" if any(mask.palette for mask in facts) else "values"
            return (
                f"no mask has the value {label} that {option} names: of {len(facts)} masks, {what} are "
                f"{list_counts(occurring)} (value, in how many masks); name one of these"
            )
    found = [mask.name for mask in facts if mask.source == "alpha"]
    doubtful = [mask.name for mask in facts if mask.undecided and mask.source == "colours"]
    if found and doubtful:
        return (
            f"masks are in the alpha channel (transparency) of {name_first(found)}, but {name_first(doubtful)} may be "
            "meant by colours; say which: --alpha mask, or --alpha drop for the colours"
        )
    labels = Counter(label for mask in facts for label in mask.labels)
    if len(labels) > 1:
        first = sorted(labels)[0]
        return (
            f"masks have several labels: {list_counts(labels)} (value, in how many masks); choose {option} all-but-0 "
            f"for all of them, {option} above-127 for those that are bright, or one, such as {option} {first}"
        )
    if predicted:
        return None
    if all(mask.empty for mask in facts):
        return (
            f"all {len(facts)} masks are empty: nothing can be learnt and nothing scored; is this the folder of the "
            f"masks, and is {option} right? Values are {list_counts(occurring)} (value, in how many masks)"
        )
    if all(mask.full for mask in facts):
        return (
            f"all {len(facts)} masks are foreground everywhere: nothing can be learnt; is this the folder of the "
            f"masks, and is {option} right? Values are {list_counts(occurring)} (value, in how many masks)"
        )
    return None


def warn_of_masks(facts: Sequence[MaskFacts]) -> list[str]:
    """Return a sentence for each thing that is odd in masks that can be used."""
    full = [mask.name for mask in facts if mask.full]
    blank = [mask.name for mask in facts if mask.empty and len(mask.values) > 1]
    return [
        *([f"{len(full)} of {len(facts)} masks are foreground everywhere: {name_first(full)}"] if full else []),
        *([f"{len(blank)} of {len(facts)} masks have values, but no foreground: {name_first(blank)}"] if blank else []),
    ]


def list_counts(counts: Mapping[float, int] | Mapping[int, int]) -> str:
    """Return values and how often they occur, in ascending order; of many, the first eight.

    Example:
        >>> list_counts({255.0: 3, 0.0: 12}), list_counts({7: 1})
        ('0 (12), 255 (3)', '7 (1)')
    """
    return shorten_list(
        f"{value:g} ({count})" if isinstance(value, float) else f"{value} ({count})"
        for value, count in sorted(counts.items())
    )
