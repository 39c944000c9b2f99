"""How much of a file from elsewhere is read: largest numbers, each of which an environment variable can raise."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from llmseg.errors import UserError


@dataclass(frozen=True)
class Limit:
    """A largest number that users can raise.

    Attributes:
        variable: The environment variable that sets another one.
        default: The number without it.
        meaning: What it is a number of, for messages.

    Example:
        >>> Limit("LLMSEG_MAX_PAGES", 20, "pages of a book").value
        20
    """

    variable: str
    default: int
    meaning: str

    @property
    def is_chosen(self) -> bool:
        """Whether the variable is set."""
        return bool(os.environ.get(self.variable))

    @property
    def value(self) -> int:
        """The number that holds now.

        Raises:
            UserError: The variable holds something else than a whole number above 0.
        """
        chosen = os.environ.get(self.variable, "")
        if not chosen:
            return self.default
        if not re.fullmatch(r"0*[1-9][0-9]{0,17}", chosen):
            raise UserError(
                f"{self.variable}={chosen[:40]}: give the largest number of {self.meaning}, such as {self.default}"
            )
        return int(chosen)

    def check(self, number: int, what: str) -> None:
        """Refuse a number above the limit.

        Args:
            number: The number.
            what: What has so many, with its verb, such as ``"x.zip has"``.

        Raises:
            UserError: It is above; the message says how to allow it.
        """
        if number > self.value:
            raise UserError(
                f"{what} {number} {self.meaning}, allowed are {self.value}; set {self.variable}={number} if that is "
                "right and the machine can hold it"
            )


FILE_BYTES = Limit("LLMSEG_MAX_FILE", 4 * 2**30, "bytes of a file")
"""Of one file, unpacked. No image or volume comes near; a bomb would."""
