"""What a user sees when something they gave cannot be used."""

from __future__ import annotations

import difflib
import signal
from collections.abc import Iterable


class UserError(ValueError):
    """A mistake the user can mend.

    The message is one line: what was given, what is allowed, the nearest match, what to do next. The command
    line prints it without a traceback and ends with exit code 2.

    Example:
        >>> raise UserError("batch size 0: must be at least 1")
        Traceback (most recent call last):
        llmseg.errors.UserError: batch size 0: must be at least 1
    """


class Terminated(Exception):
    """A training was told to stop and has stored where it stands; the same call continues it.

    Attributes:
        signum: The signal that told it. The command line ends with exit code 128 + signal.
    """

    def __init__(self, message: str, signum: int = signal.SIGTERM) -> None:
        super().__init__(message)
        self.signum = int(signum)


def nearest(word: str, allowed: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest allowed word, or an empty string.

    Example:
        >>> nearest("gpt-4p", ["gpt-4o", "grok-3"])
        "; did you mean 'gpt-4o'?"
        >>> nearest("zzz", ["gpt-4o"])
        ''
    """
    # What was typed is there in another sense than was meant: to propose it again would help nobody.
    lowered = {option.lower(): option for option in allowed if option != word}
    matches = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.5)
    return f"; did you mean '{lowered[matches[0]]}'?" if matches else ""
