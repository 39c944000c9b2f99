"""What a study says of itself in ``study.json``, and the cells that follow from it; nothing heavy is imported."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmseg.files import read_json
from llmseg.files.fields import read_named_texts
from llmseg.files.folders import find_folders
from llmseg.study.launching.cells import Cell, number_folds
from llmseg.study.launching.failures import read_failures

PRIMARY = "dice"
"""The measure in which contenders are compared if none is named."""

RECORD_KEYS = {
    **{"label": (str, type(None)), "variants": dict, "store": dict, "store.name": str, "store.digest": str},
    **dict.fromkeys(("holdout", "epochs"), object),
    "seeds": int,
    **{"folds?": list, "measures?": list},
}
"""What every ``study.json`` says; ``tolerance`` and ``precision`` are not in the oldest ones.

``folds`` has the digest of each fold, and is there in a cross-validation only. ``measures`` is there if other ones were
named than :data:`PRIMARY` alone.
"""


def read_record(study: Path) -> dict[str, Any]:
    """Return the content of ``study.json``.

    Raises:
        UserError: There is none, or it is damaged.
    """
    path = study / "study.json"
    record = read_json(path, RECORD_KEYS)
    read_named_texts(path, record, "variants")
    return record


def list_cells(study: Path, *, with_failed: bool = False) -> tuple[Cell, ...]:
    """Return all cells of a study, finished or not, those of the base first.

    Args:
        study: Folder of the study.
        with_failed: Whether variants that were left out are listed, too: they may have failed with another seed.
    """
    record = read_record(study)
    failures = () if with_failed else read_failures(study)
    failed = {failure.variant for failure in failures if failure.kind != "killed"}
    named = [(name, digest) for name, digest in record["variants"].items() if name not in failed]
    cells = itertools.product(named, range(record["seeds"]), number_folds(len(record.get("folds", ()))))
    return tuple(Cell(study, name, digest, seed, fold) for (name, digest), seed, fold in cells)


def is_study(folder: Path) -> bool:
    """Return whether a folder is a study."""
    return (folder / "study.json").is_file()


def find_studies(folder: Path, depth: int = 3) -> Iterator[Path]:
    """Yield the studies in a folder: the folder itself, or those some levels down, by name."""
    return find_folders(folder, is_study, depth)
