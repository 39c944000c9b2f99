"""Names of pages and files: whatever contenders and datasets are called, they are safe and differ."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

_LONGEST = 60


def page_names(names: Iterable[str]) -> dict[str, str]:
    """Return a file name without extension for every name.

    Of a name stays what any file name may hold. Names of which the same stays are told apart by a piece of their
    digest.

    Example:
        >>> page_names(["gpt-4o", "Skin", "../<b>"])
        {'gpt-4o': 'gpt-4o', 'Skin': 'skin', '../<b>': 'b'}
        >>> page_names(["skin", "Skin"])
        {'skin': 'skin-2a0070d0', 'Skin': 'skin-1fc91201'}
    """
    plain = {name: re.sub(r"[^a-z0-9.@_-]+", "-", name.lower()).strip("-.")[:_LONGEST] for name in names}
    found = {
        name: short if short and list(plain.values()).count(short) == 1 else f"{short}-{_digest(name)[:8]}".strip("-")
        for name, short in plain.items()
    }
    return found if len(set(found.values())) == len(found) else {name: _digest(name) for name in found}


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
