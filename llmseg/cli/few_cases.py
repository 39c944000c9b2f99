"""A warning of test cases that are too few to compare anything on."""

from __future__ import annotations

import llmseg
from llmseg.cli.output import print_message
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
