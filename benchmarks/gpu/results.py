"""The results of a stage: one JSON file, which is written whole after every item."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import llmseg

SAME = ("device", "torch", "small")
"""What has to be the same in all sittings of a file; other figures than these cannot stand beside each other."""


@dataclass
class StageResults:
    """What is known of a stage, from this sitting and from earlier ones.

    Attributes:
        path: The file.
        facts: What holds for the whole file: question, device, versions.
        items: What was measured, by the name of the item: ``value``, ``seconds`` and ``code``.
        errors: What failed, by the name of the item: ``error``, ``seconds`` and ``code``.
        left: Names of the items that are not done.
        sittings: When the stage was worked on, and for how long.
    """

    path: Path
    facts: Mapping[str, Any]
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: dict[str, dict[str, Any]] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    sittings: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def open(cls, path: Path, facts: Mapping[str, Any]) -> StageResults:
        """Read a file and go on with it; without one, begin.

        Raises:
            UserError: The file is damaged, or its results come from another device or another torch.
        """
        if not path.exists():
            return cls(path, facts)
        content = read_results(path)
        for name in SAME:
            if content.get(name) != facts[name]:
                raise llmseg.UserError(
                    f"{path} has results with {name} {content.get(name)}, and this is {facts[name]}; give another --out"
                )
        kept = {name: content[name] for name in ("items", "errors", "left", "sittings")}
        return cls(path, {**facts, **{name: content[name] for name in content if name not in kept}}, **kept)

    def is_done(self, name: str) -> bool:
        """Return whether an item is finished. One whose value says what is ``left`` of it is not."""
        return name in self.items and not self.items[name]["value"].get("left")

    def keep(self, name: str, value: Mapping[str, Any], seconds: float, code: str) -> None:
        """Note what an item gave, and write the file."""
        self.errors.pop(name, None)
        self.items[name] = {"value": make_plain(value), "seconds": round(seconds, 2), "code": code}
        if self.is_done(name):
            self.left = [other for other in self.left if other != name]
        self.write()

    def fail(self, name: str, error: str, seconds: float, code: str) -> None:
        """Note why an item failed, and write the file."""
        self.errors[name] = {"error": error, "seconds": round(seconds, 2), "code": code}
        self.write()

    def write(self) -> None:
        """Write the file as a whole."""
        names = ("items", "errors", "left", "sittings")
        write_json(self.path, {**self.facts, **{name: getattr(self, name) for name in names}})


def read_results(path: Path) -> dict[str, Any]:
    """Read the file of a stage.

    Raises:
        UserError: It is missing or damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not isinstance(content.get("items"), dict):
            raise ValueError("it has no items")
    except (OSError, ValueError) as error:
        raise llmseg.UserError(f"{path} holds no results of a stage: {error}; move it away") from error
    return content


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file that is there as a whole or not at all, whenever the process is killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.new")
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(json.dumps(content, indent=1, allow_nan=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def make_plain(value: Any) -> Any:
    """Return a value as JSON knows it: numbers that are not finite become texts, and unknown things their text.

    Example:
        >>> make_plain({"a": (1, float("inf")), "b": None})
        {'a': [1, 'inf'], 'b': None}
    """
    if isinstance(value, Mapping):
        return {str(name): make_plain(inner) for name, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [make_plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)
