"""The comparison on which a line of a script depends, such as ``val_loss < best_loss``."""

from __future__ import annotations

import ast
import numbers
from pathlib import Path
from types import FrameType
from typing import Any


class Conditions:
    """The ``if`` statements of a file whose condition is one comparison of two values."""

    def __init__(self, file: str) -> None:
        self._found: list[tuple[int, int, ast.Compare]] = []
        try:
            tree = ast.parse(Path(file).read_text(encoding="utf-8", errors="replace"))
        except (OSError, SyntaxError, ValueError):
            return
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and isinstance(node.test, ast.Compare) and len(node.test.ops) == 1:
                self._found.append((node.body[0].lineno, node.body[-1].end_lineno or 0, node.test))

    def find(self, line: int) -> dict[str, Any] | None:
        """Return the innermost comparison that a line depends on: its text, operator and sides."""
        inside = [(first, test) for first, last, test in self._found if first <= line <= last]
        if not inside:
            return None
        test = max(inside, key=lambda each: each[0])[1]
        sides = [test.left, test.comparators[0]]
        return {
            "text": ast.unparse(test),
            "operator": type(test.ops[0]).__name__,
            "sides": [ast.unparse(side) for side in sides],
            "line": test.lineno,
        }


def evaluate(comparison: dict[str, Any], frame: FrameType) -> dict[str, Any]:
    """Return the numbers of both sides now; names, attributes and keys are looked up, and nothing is called."""
    return {"values": [_look_up(ast.parse(side, mode="eval").body, frame) for side in comparison["sides"]]}


def _look_up(node: ast.expr, frame: FrameType) -> float | None:
    value = _find(node, frame)
    return float(value) if isinstance(value, numbers.Real) else None


def _find(node: ast.expr, frame: FrameType) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return frame.f_locals.get(node.id, frame.f_globals.get(node.id))
    if isinstance(node, ast.Attribute):
        return getattr(_find(node.value, frame), "__dict__", {}).get(node.attr)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant | ast.UnaryOp):
        owner, key = _find(node.value, frame), ast.literal_eval(node.slice)
        if isinstance(owner, dict):
            return owner.get(key)
        if isinstance(owner, list) and isinstance(key, int) and -len(owner) <= key < len(owner):
            return owner[key]
    return None
