"""Checks of the options that callers choose."""

from __future__ import annotations

from collections.abc import Collection

from llmseg.errors import UserError, nearest


def check_choice(option: str, given: str, allowed: Collection[str]) -> None:
    """Refuse a word that is not among those allowed.

    Args:
        option: What the message calls the option.
        given: The word.
        allowed: All words the option can take.

    Raises:
        UserError: The word is none of them; the message names the nearest one.

    Example:
        >>> check_choice("method", "studnet", ["student", "bootstrap"])
        Traceback (most recent call last):
        llmseg.errors.UserError: no method 'studnet'; did you mean 'student'?; there are student, bootstrap
    """
    if given not in allowed:
        raise UserError(f"no {option} '{given}'{nearest(given, allowed)}; there are {', '.join(allowed)}")


def check_fraction(option: str, given: float) -> None:
    """Refuse a level or a chance that is not between 0 and 1, both excluded.

    Args:
        option: What the message calls the option.
        given: The number.

    Raises:
        UserError: It is 0 or below, 1 or above, or not a number.

    Example:
        >>> check_fraction("alpha", 1.5)
        Traceback (most recent call last):
        llmseg.errors.UserError: alpha is 1.5; it must be above 0 and below 1
    """
    if not 0 < given < 1:
        raise UserError(f"{option} is {given}; it must be above 0 and below 1")


def check_margin(margin: float | None) -> None:
    """Refuse a margin of equivalence that is not above 0; ``None`` stands for no margin and is allowed.

    Raises:
        UserError: The margin is 0 or below, or not a number.

    Example:
        >>> check_margin(0.0)
        Traceback (most recent call last):
        llmseg.errors.UserError: margin is 0.0; give the smallest difference that matters, above 0
    """
    if margin is not None and not margin > 0:
        raise UserError(f"margin is {margin}; give the smallest difference that matters, above 0")
