"""Names of pages and files, which are safe and differ, whatever contenders and datasets are called."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

_LONGEST = 60
"""Letters of a name; with a digest and an extension, a file name stays far below the 255 bytes of file systems."""


def page_names(names: Iterable[str]) -> dict[str, str]:
    """Return a file name without extension for every name.

    A file name keeps what is allowed in any file name. Where two names would become the same, or nothing is left, a
    part of the digest of the name is added.

    Example:
        >>> page_names(["gpt-4o", "Skin", "../<b>"])
        {'gpt-4o': 'gpt-4o', 'Skin': 'skin', '../<b>': 'b'}
        >>> page_names(["skin", "Skin"])
        {'skin': 'skin-2a0070d0', 'Skin': 'skin-1fc91201'}
    """
    # In lower case, because some file systems do not distinguish capitals; without dots at the ends, which would make
    # "..", hidden files, and names that Windows refuses.
    short = {name: re.sub(r"[^a-z0-9.@_-]+", "-", name.lower()).strip("-.")[:_LONGEST] for name in names}
    unique = Counter(short.values())
    pages = {
        name: text if text and unique[text] == 1 else f"{text}-{_digest(name)[:8]}".strip("-")
        for name, text in short.items()
    }
    # A name may look like another with its digest; then all pages are called by their digests.
    return pages if len(set(pages.values())) == len(pages) else {name: _digest(name) for name in pages}


def _digest(name: str) -> str:
    # surrogatepass: names from file systems may hold bytes that are not UTF-8.
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
