"""Names: of pages and files, which are safe and differ, and of contenders, as readers know them."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping

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


def name_for_readers(text: str, labels: Mapping[str, str]) -> str:
    """Return a sentence in which contenders have the names that readers know, as headings and tables have them.

    Tables, claims and remarks name contenders by their ids, which is what one types.

    Args:
        text: A sentence.
        labels: Names for readers, by ids.

    Example:
        >>> labels = {"gpt-4": "GPT-4", "gpt-4 textbook": "GPT-4, textbook", "gpt-4o": "GPT-4o"}
        >>> name_for_readers("gpt-4 textbook is better than gpt-4 and gpt-4o.", labels)
        'GPT-4, textbook is better than GPT-4 and GPT-4o.'
    """
    # A label such as "ours" is the id: what is no pipeline of the zoo may be called like any word of the sentence.
    others = sorted((name for name, label in labels.items() if name != label), key=len, reverse=True)
    # What goes on after the id is another id, as gpt-4o or gpt-4@tensorflow are; a full stop is not.
    found = re.compile(rf"(?<![\w@.-])(?:{'|'.join(map(re.escape, others))})(?![\w@-]|\.\w)") if others else None
    return found.sub(lambda match: labels[match[0]], text) if found else text


def _digest(name: str) -> str:
    # surrogatepass: names from file systems may hold bytes that are not UTF-8.
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
