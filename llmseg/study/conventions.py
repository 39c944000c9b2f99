"""The rules of the nineteen scripts, for evaluations and for the comparison of rules."""

from __future__ import annotations

from llmseg import zoo
from llmseg.evaluation.conventions import PACKAGES, Convention, derive_convention


def all_conventions() -> tuple[Convention, ...]:
    """Return the rules of packages, ours first, and those of the nineteen scripts of the study.

    Example:
        >>> len(all_conventions())
        25
    """
    scripts = (derive_convention(name, zoo.get(name).recipe) for name in zoo.names())
    return (*PACKAGES, *scripts)
