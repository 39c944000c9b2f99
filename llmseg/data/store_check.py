"""What the cases of a prepared store say together: masks without foreground or all foreground, labels, few greys.

A store holds what was made of files. How these were read was decided when it was made, so a store that cannot be used
has to be made again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from llmseg.data.depth import FEW_GREYS, ROBUST
from llmseg.data.hdf5 import Hdf5Store
from llmseg.data.mask_check import list_counts
from llmseg.data.mask_values import MaskValues, count_labels
from llmseg.data.read_ahead import map_ahead
from llmseg.data.store import FOREGROUND, Case
from llmseg.errors import UserError, name_first

_LOOKED_AT = 1 << 16
"""Pixels of an image that are looked at for its grey levels, evenly spread; a large one takes less time so."""


@dataclass(frozen=True)
class StoredFacts:
    """What is kept of a case for the check of its store.

    Attributes:
        id: Id of the case.
        group: What it belongs to. Slices of a volume, which share a scale of grey levels, are a group.
        greys: Different values in the image.
        values: Different values in the mask.
        labels: Those that make areas, see :func:`llmseg.data.mask_values.count_labels`.
        empty: Whether no pixel of the mask is foreground.
        full: Whether every pixel is.
    """

    id: str
    group: str
    greys: frozenset[int]
    values: frozenset[int]
    labels: tuple[int, ...]
    empty: bool
    full: bool


def measure_store(store: Hdf5Store, *, skip: bool = False, progress: bool = False) -> list[StoredFacts]:
    """Read all cases of a store once, and return what is kept of them.

    Args:
        store: The store.
        skip: Pass over cases that are damaged.
        progress: Whether to show a progress bar.

    Raises:
        UserError: The file is damaged.
    """

    def measure(id: str) -> StoredFacts | None:
        try:
            return _measure(store.read(id), store.groups[id])
        except UserError:
            if not skip:
                raise
            return None

    ids = tqdm(store.ids, desc="check", unit="case", leave=False, disable=not progress)
    return [facts for facts in map_ahead(measure, ids) if facts is not None]


def _measure(case: Case, group: str) -> StoredFacts:
    mask = case.mask
    step = int(np.ceil(np.sqrt(case.image.shape[0] * case.image.shape[1] / _LOOKED_AT)))
    inside = mask > FOREGROUND
    return StoredFacts(
        case.id,
        group,
        frozenset(np.unique(case.image[::step, ::step]).tolist()),
        frozenset(np.unique(mask).tolist()),
        count_labels(MaskValues(mask, mask, "colours", False, False)),
        empty=not inside.any(),
        full=bool(inside.all()),
    )


def judge_store(facts: Sequence[StoredFacts]) -> str:
    """Return why the cases cannot be used, or an empty text."""
    if not facts:
        return ""
    for word, every in (("empty", all(case.empty for case in facts)), ("full", all(case.full for case in facts))):
        if every:
            values = Counter(value for case in facts for value in case.values)
            return (
                f"all {len(facts)} masks of the store are {word}: nothing can be learnt and nothing scored. Values are "
                f"{list_counts(values)} (value, in how many masks); make it again by llmseg data prepare, from the "
                "right masks, and with --foreground or --label if they hold labels"
            )
    return ""


def warn_of_store(facts: Sequence[StoredFacts]) -> list[str]:
    """Return a sentence for each thing that is odd in cases that can be used."""
    full = [case.id for case in facts if case.full]
    blank = [case.id for case in facts if case.empty and case.values != {0}]
    several = [case.id for case in facts if len(case.labels) > 1]
    found: dict[str, set[int]] = defaultdict(set)
    for case in facts:
        found[case.group] |= case.greys
    # One value alone is a blank image, which the doctor finds.
    poor = [group for group, greys in found.items() if 1 < len(greys) < FEW_GREYS]
    most = max((len(found[group]) for group in poor), default=0)
    sentences = (
        (full, f"{len(full)} of {len(facts)} masks are foreground everywhere"),
        (blank, f"{len(blank)} of {len(facts)} masks have values, but no foreground"),
        (several, f"{len(several)} of {len(facts)} masks have areas of several values, of which those above 127 count"),
        (
            poor,
            f"{len(poor)} of {len(found)} images, or volumes, have {most} grey levels or fewer, as a single bright "
            f"voxel or a wrong range of values leaves them: of volumes, llmseg data prepare nnunet --depth {ROBUST} "
            "leaves the outermost values out",
        ),
    )
    return [f"{sentence}: {name_first(names)}" for names, sentence in sentences if names]
