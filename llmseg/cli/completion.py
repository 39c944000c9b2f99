"""What the Tab key offers in a shell, besides commands, options and files.

Each name is given to an argument or option as its ``autocompletion``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import llmseg


def offer(list_words: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Return a function that returns the words that begin as what was typed so far, each once.

    Example:
        >>> offer(lambda: ("gpt-4", "gpt-4o", "grok-3"))("gpt")
        ['gpt-4', 'gpt-4o']
    """

    def complete(incomplete: str) -> list[str]:
        return [word for word in dict.fromkeys(list_words()) if word.startswith(incomplete)]

    return complete


def _list_paths() -> list[str]:
    return [field.path for field in llmseg.recipe.list_fields()]


_GROUPS = ("study", "2024", "2025", "references", "nnunet")

PIPELINES = offer(lambda: llmseg.zoo.all_names())
CONTENDERS = offer(lambda: (*llmseg.zoo.all_names(), *_GROUPS))
QUIRKS = offer(lambda: ("each", "all", *llmseg.recipe.quirk_names()))
QUIRKS_AND_PIPELINES = offer(lambda: (*llmseg.recipe.quirk_names(), *llmseg.zoo.all_names()))
FIELDS = offer(_list_paths)
CHANGES = offer(lambda: (f"{path}=" for path in _list_paths() if "." in path))
MODALITIES = offer(lambda: llmseg.data.MODALITIES)
MEASURES = offer(lambda: llmseg.evaluation.MEASURES)
