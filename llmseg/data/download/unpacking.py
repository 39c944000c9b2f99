"""How much archives may unpack to: counted while they are opened, for headers may say anything."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from llmseg.errors import UserError
from llmseg.files.limits import Limit

RATIO = Limit("LLMSEG_MAX_RATIO", 200, "times the size of an archive")
"""An archive that unpacks to more may be a bomb, made to fill the disk.

Images hardly shrink, as PNG and JPEG are compressed already. A raw volume of labels, nearly all zeros, may shrink by
several hundred, but comes together with its image. A bomb reaches 1,000 in a zip, and far more in bz2.
"""

ALLOWANCE = 2**29
"""Bytes above that ratio which all archives of a download may have together: so much can do no harm."""

UNPACKED = Limit("LLMSEG_MAX_UNPACKED", 2**40, "bytes, unpacked")
MEMBERS = Limit("LLMSEG_MAX_MEMBERS", 1_000_000, "files")
DEPTH = Limit("LLMSEG_MAX_DEPTH", 3, "levels of archives within archives")
"""There is a limit because an archive may even contain itself."""


@dataclass
class Download:
    """What all archives of a download hold so far.

    Attributes:
        members: Number of files.
        nbytes: Their bytes, unpacked.
        excess: Bytes of each archive above the ratio that is allowed, together.
    """

    members: int = 0
    nbytes: int = 0
    excess: int = 0


@dataclass
class Unpacked:
    """What an archive unpacks to so far.

    Attributes:
        label: What messages call the archive.
        packed: Its size in bytes. Of an archive within another, the size of the outermost one if that is smaller: the
            inner one may be large because it is filled up with zeros.
        download: The archives with which it is counted.
        nbytes: Bytes that it unpacks to.
    """

    label: str
    packed: int
    download: Download = field(default_factory=Download)
    nbytes: int = 0

    def open_inner(self, label: str, size: int) -> Unpacked:
        """Return the count of an archive within this one, which has the size ``size``."""
        return Unpacked(label, min(size, self.packed), self.download)

    def add_members(self, number: int) -> None:
        """Count files.

        Raises:
            UserError: There are too many.
        """
        self.download.members += number
        MEMBERS.check(self.download.members, f"archive {self.label}, with those before it, holds")

    def add_bytes(self, number: int) -> None:
        """Count bytes that were unpacked, or are going to be.

        Raises:
            UserError: There are too many.
        """
        allowed = RATIO.value * self.packed
        before, self.nbytes = max(self.nbytes - allowed, 0), self.nbytes + number
        self.download.excess += max(self.nbytes - allowed, 0) - before
        self.download.nbytes += number
        UNPACKED.check(self.download.nbytes, f"archive {self.label}, with those before it, holds")
        if self.nbytes > allowed and self.download.excess > ALLOWANCE:
            raise UserError(
                f"archive {self.label} unpacks to {self.nbytes / 2**30:.1f} GiB or more, over {RATIO.value} times its "
                "size, and may be a bomb; if you trust it, unpack it first, or set "
                f"{RATIO.variable}={math.ceil(2 * self.nbytes / max(self.packed, 1))}"
            )
