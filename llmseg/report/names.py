"""Names of pages and files: whatever contenders and datasets are called, they are safe and differ."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

_LONGEST = 60


def page_names(names: Iterable[str]) -> dict[str, str]:
    """Return a file name without extension for every name.

    A plain name stays; of another, what a file name may hold stays, and a piece of its digest tells it from others.

    Example:
        >>> page_names(["gpt-4o", "GPT-4o", "../<b>"])
        {'gpt-4o': 'gpt-4o', 'GPT-4o': 'gpt-4o-3ec2d86e', '../<b>': 'b-a33bfc1d'}
    """
    return {name: _page_name(name) for name in names}


def _page_name(name: str) -> str:
    plain = re.sub(r"[^a-z0-9.@_-]+", "-", name.lower()).strip("-.")[:_LONGEST]
    if plain == name and plain:
        return plain
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain}-{digest}" if plain else digest
