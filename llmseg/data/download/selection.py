"""Which cases of a dataset the study took, as far as that is known. The rules are in the catalogue."""

from __future__ import annotations

from collections.abc import Sequence

from llmseg.data.catalog.dataset import Dataset
from llmseg.data.download.layouts.case_files import CaseFiles
from llmseg.data.shuffle import shuffle_names
from llmseg.errors import UserError


def select_study_cases(
    dataset: Dataset, case_files: Sequence[CaseFiles], seed: int
) -> tuple[tuple[CaseFiles, ...], str]:
    """Return what the study took of a dataset, and a sentence that says how sure that is.

    Args:
        dataset: Facts of the dataset, with the rule.
        case_files: All of its cases and volumes, sorted by key.
        seed: Seed of the draw, if the study's choice is not known.

    Raises:
        UserError: The study took no selection of this dataset.
    """
    use = dataset.study
    if use is None:
        raise UserError(f"the study took {dataset.title} as a part of retina; select all, or prepare retina")
    chosen = set(_select_keys(dataset, case_files, seed))
    kept = tuple(case for case in case_files if case.key in chosen)
    if not kept:
        raise UserError(f"nothing of {dataset.title} is here that the study took ({use.rule}); select all")
    drawn = "" if use.known or use.take == "all" else f", drawn with seed {seed}"
    return kept, f"the study's selection: {use.rule}{drawn}"


def _select_keys(dataset: Dataset, case_files: Sequence[CaseFiles], seed: int) -> list[str]:
    use = dataset.study
    assert use is not None
    keys = [case.key for case in case_files]
    if use.take == "first":
        return keys[: use.cases]
    if use.take == "training":
        return [case.key for case in case_files if case.part in ("training", "")]
    if use.take == "cases":
        return shuffle_names(keys, seed)[: use.cases]
    if use.take == "groups":
        groups = set(shuffle_names({case.group for case in case_files}, seed)[: use.groups])
        return [case.key for case in case_files if case.group in groups]
    return keys
