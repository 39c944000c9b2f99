"""What the command line says about test cases: that they are too few, or that others test on other cases."""

from __future__ import annotations

import llmseg
from llmseg.cli.output import print_message
from llmseg.files.notes import note
from llmseg.stats.words import count_text

_FEW_GROUPS = 2
"""With so few groups of test cases, no interval of a difference says anything; with one there is none."""


def warn_of_few_test_cases(holdout: llmseg.Holdout, how: str = "llmseg data split --fraction") -> None:
    """Say that there are one or two groups of test cases, before hours of training show it.

    Args:
        holdout: The test cases.
        how: The command or option that holds out more, before the share.
    """
    held = [case for case in holdout.cases if case.held]
    groups = len({case.group for case in held})
    if groups > _FEW_GROUPS:
        return
    said = count_text(len(held), "test case")
    if groups < len(held):
        said += f" in {count_text(groups, 'group')}"
    share = min(0.9, max(0.3, 2 * holdout.fraction))
    print_message(
        f"warning: {said} of {len(holdout.cases)} cases: no difference can be established, and intervals are wide or "
        f"unknown; hold out more by {how} {share:g}, or add cases"
    )


def note_official_test_cases(store: llmseg.Store) -> None:
    """Say that folds also divide the test cases of a dataset that was published with some."""
    official = sum(part == "test" for part in store.parts.values()) if isinstance(store, llmseg.Hdf5Store) else 0
    if official:
        note(
            f"note: {official} of the {len(store.ids)} cases of {store.name} were published as its test part; folds "
            "divide all cases, so scores are not those of that part"
        )


def warn_of_few_groups(store: llmseg.Store) -> None:
    """Say that a cross-validation has one or two groups of cases in all, before hours of training show it."""
    groups = len(set(store.groups.values()))
    if groups <= _FEW_GROUPS:
        print_message(
            f"warning: {count_text(groups, 'group')} of cases: no difference can be established, and intervals are "
            "wide or unknown; add cases of other groups"
        )
