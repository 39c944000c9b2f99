"""Which code trained and scored: a digest over the source of the modules on which results depend."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

UNKNOWN = "unknown"
"""The code of a run that an earlier version wrote, which did not record it."""

_DECIDING = ("errors.py", "data", "evaluation", "files", "prediction", "recipe", "training")
"""All that training and scoring import. Reports, figures and commands may change without a change of this digest."""


@functools.cache
def digest_code() -> str:
    """Return SHA-256 over the source files that decide a result, 64 hexadecimal digits.

    The number of a version says less: between two releases many states of the code have the same number, and a
    commit says nothing of files that were changed after it. The digest is the same for a checkout and for an installed
    package. Parts and pipelines of a user's own are not in it.

    It is taken when a process first asks, for Python does not read a file again that changes later.

    Example:
        >>> len(digest_code())
        64
    """
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for name in _DECIDING:
        for path in sorted([root / name] if name.endswith(".py") else (root / name).rglob("*.py")):
            content = path.read_bytes().replace(b"\r\n", b"\n")
            digest.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def join_codes(*codes: str) -> str:
    """Return the code of a training that several versions of the code carried out, one after the other.

    Example:
        >>> join_codes("a", "b", "b"), join_codes("a+b", "b")
        ('a+b', 'a+b')
    """
    return "+".join(dict.fromkeys(code for joined in codes for code in joined.split("+")))
