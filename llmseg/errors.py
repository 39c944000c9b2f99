"""What a user sees when something they gave cannot be used."""

from __future__ import annotations

import difflib
import re
import signal
from collections.abc import Iterable

# Those that move the cursor, colour or rename a terminal, break a line, or turn the direction of writing around.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def escape_controls(text: str, keep: str = "") -> str:
    """Return a text whose control characters are written out, as names from elsewhere may hold what moves a terminal.

    Args:
        text: Any text.
        keep: Control characters that stay, such as a tab.

    Example:
        >>> escape_controls("a" + chr(27) + "[2Jb") == "a" + chr(92) + "x1b[2Jb"
        True
    """

    def write_out(found: re.Match[str]) -> str:
        return found[0] if found[0] in keep else found[0].encode("unicode_escape").decode()

    return _CONTROLS.sub(write_out, text)


class UserError(ValueError):
    """A mistake the user can mend.

    The message is one line: what was given, what is allowed, the nearest match, what to do next. The command
    line prints it without a traceback and ends with exit code 2.

    Example:
        >>> raise UserError("batch size 0: must be at least 1")
        Traceback (most recent call last):
        llmseg.errors.UserError: batch size 0: must be at least 1
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(escape_controls(str(message)))


class Terminated(Exception):
    """A training was told to stop and has stored where it stands; the same call continues it.

    Attributes:
        signum: The signal that told it. The command line ends with exit code 128 + signal.

    Example:
        >>> try:
        ...     raise Terminated("stopped after step 24")
        ... except Terminated as stopped:
        ...     print(stopped, 128 + stopped.signum)
        stopped after step 24 143
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


def shorten_list(values: Iterable[object], most: int = 8) -> str:
    """Return values with commas between them; of many, the first few and how many more there are.

    Example:
        >>> shorten_list(range(10), most=3)
        '0, 1, 2 and 7 more'
    """
    texts = [str(value) for value in values]
    return ", ".join(texts) if len(texts) <= most else f"{', '.join(texts[:most])} and {len(texts) - most} more"


def name_first(names: Iterable[object]) -> str:
    """Return the first three of some names, and how many more there are.

    Example:
        >>> name_first(["a.png", "b.png", "c.png", "d.png"])
        'a.png, b.png, c.png and 1 more'
    """
    return shorten_list(names, most=3)
