"""What the label files of a raw dataset of nnU-Net say together, read before any case is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from llmseg.data.download.layouts.case_files import CaseFiles
from llmseg.data.download.layouts.nnunet_labels import Labels
from llmseg.data.download.layouts.volumes import read_volume
from llmseg.data.mask_check import list_counts
from llmseg.data.pixels import decode_labels
from llmseg.errors import UserError, shorten_list

_BORDER = 255


@dataclass(frozen=True)
class LabelFacts:
    """What is kept of a file of labels.

    Attributes:
        values: Different labels in it, in ascending order.
        empty: Whether nothing is foreground.
        full: Whether everything is.
    """

    values: tuple[int, ...]
    empty: bool
    full: bool


def measure_labels(case_files: CaseFiles, meanings: Labels) -> LabelFacts:
    """Return what is kept of the labels of a picture or a volume.

    Raises:
        UserError: The file is damaged.
    """
    file = case_files.files[1]
    labels = read_volume(file)[0] if file.extension == ".nii" else decode_labels(file.read_unpacked(), file.path)
    rounded = np.rint(labels)
    inside = meanings.is_foreground(rounded)
    return LabelFacts(tuple(int(value) for value in np.unique(rounded)), not inside.any(), bool(inside.all()))


def judge_labels(facts: Sequence[LabelFacts], meanings: Labels) -> list[str]:
    """Return what should be known of all label files.

    Raises:
        UserError: Labels could mean several things, or there is nothing to learn.
    """
    occurring = Counter(value for file in facts for value in file.values)
    found = f"of {len(facts)} files, labels are {list_counts(occurring)} (label, in how many files)"
    if meanings.chosen is not None:
        wanted = meanings.values[meanings.chosen]
        if not any(number in occurring for number in wanted):
            raise UserError(
                f"no file has the label {meanings.chosen} ({shorten_list(wanted)}): {found}; choose another --label"
            )
    else:
        _refuse_unknown(occurring, meanings, found)
    for word, every in (("empty", all(file.empty for file in facts)), ("full", all(file.full for file in facts))):
        if every:
            raise UserError(f"all label files are {word}, so nothing can be learnt: {found}")
    others = [value for value in occurring if value != 0]
    if meanings.chosen is None and not meanings.values and len(others) > 1:
        return [
            f"the labels {shorten_list(sorted(others))} are joined as one foreground; --label={max(others)} reads one"
        ]
    return []


def _refuse_unknown(occurring: Mapping[int, int], meanings: Labels, found: str) -> None:
    """Refuse labels of which nothing says whether they are foreground."""
    named = {number for numbers in meanings.values.values() for number in numbers}
    strange = sorted(value for value in occurring if value != 0 and value not in named)
    if named and strange:
        raise UserError(
            f"labels have {shorten_list(strange)}, which dataset.json does not name: {found}; name it there, as "
            "'ignore' if nobody has annotated these pixels, or read one label by --label"
        )
    low = [value for value in strange if value < _BORDER]
    if not named and _BORDER in strange and low:
        raise UserError(
            f"label {_BORDER} beside smaller ones is a border, or ignored, in many datasets, and nothing says so here: "
            f"{found}; read one label, such as --label={low[-1]}, or write a dataset.json that names all"
        )
