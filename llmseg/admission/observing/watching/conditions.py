"""The comparison on which a line of a script depends, such as ``val_loss < best_loss``.

It may stand in the ``if`` itself, beside a test for ``None``, in a variable, or in a function that the ``if`` calls, as
classes for early stopping have it. Which way they compare is often decided by a setting such as ``mode == "min"``.
Names, attributes and keys are looked up in the frame of the script. Nothing of the script is called.
"""

from __future__ import annotations

import ast
import copy
import numbers
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

_ORDERS = {ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt}
"""What compares sizes, and what holds otherwise."""

_DEEPEST = 4
"""So many variables and calls are followed at most."""

_UNKNOWN = object()
"""What a name stands for that is not found without calling something."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Conditions:
    """The comparisons of a file on which its lines depend."""

    def __init__(self, file: str) -> None:
        try:
            self._tree = ast.parse(Path(file).read_text(encoding="utf-8", errors="replace"))
        except (OSError, SyntaxError, ValueError):
            self._tree = ast.Module([], [])
        self._functions = [node for node in ast.walk(self._tree) if isinstance(node, Function)]

    def find(self, frame: FrameType) -> dict[str, Any] | None:
        """Return the innermost comparison that the line of a frame depends on: text, operator, sides and numbers."""
        for node, is_met in self._list_tests(frame.f_lineno):
            compared = self._pick(node.test, frame, _DEEPEST)
            if compared is None:
                continue
            operator = type(compared.ops[0])
            sides = [compared.left, compared.comparators[0]]
            return {
                "text": ast.unparse(compared),
                "operator": (operator if is_met else _ORDERS[operator]).__name__,
                "sides": [ast.unparse(side) for side in sides],
                "line": node.test.lineno,
                "values": [_look_up(side, frame) for side in sides],
            }
        return None

    def find_given(self, frame: FrameType, function: str, name: str, position: int) -> str | None:
        """Return the text of what the line of a frame gives a function that it calls.

        Args:
            frame: The frame.
            function: The name of the function or method.
            name: The parameter.
            position: Its number, from 0, without that for the object.
        """
        for node in ast.walk(self._tree):
            if not isinstance(node, ast.Call) or not _has([node], frame.f_lineno):
                continue
            if function in ("__call__", _name_of(node.func)):
                named = [each.value for each in node.keywords if each.arg == name]
                given = [*named, *node.args[position : position + 1]]
                if given:
                    return ast.unparse(given[0])
        return None

    def _list_tests(self, line: int) -> list[tuple[ast.If, bool]]:
        """Return each ``if`` that a line is inside of, and whether its test was met; the innermost first."""
        nodes = [node for node in ast.walk(self._tree) if isinstance(node, ast.If)]
        met = [(node, True) for node in nodes if _has(node.body, line)]
        others = [(node, False) for node in nodes if _has(node.orelse, line)]
        return sorted([*met, *others], key=lambda each: -each[0].lineno)

    def _pick(self, test: ast.expr, frame: FrameType, depth: int) -> ast.Compare | None:
        """Return what a test compares by size; ``None`` if it does not, or if that depends on what is not known."""
        if isinstance(test, ast.Compare):
            return test if len(test.ops) == 1 and type(test.ops[0]) in _ORDERS else None
        if isinstance(test, ast.IfExp):
            truth = _is_true(test.test, frame)
            return None if truth is None else self._pick(test.body if truth else test.orelse, frame, depth)
        if isinstance(test, ast.BoolOp):
            if isinstance(test.op, ast.And) and any(_is_true(each, frame) is False for each in test.values):
                return None
            found = (self._pick(each, frame, depth) for each in test.values)
            return next((each for each in found if each is not None), None)
        if isinstance(test, ast.Name) and depth:
            return self._pick_variable(test, frame, depth)
        if isinstance(test, ast.Call) and depth:
            return self._pick_call(test, frame, depth)
        return None

    def _pick_variable(self, name: ast.Name, frame: FrameType, depth: int) -> ast.Compare | None:
        """Return what the last assignment of a variable above the line compares."""
        around = [function for function in self._functions if _has([function], frame.f_lineno)]
        inside = max(around, key=lambda function: function.lineno, default=self._tree)
        values = [
            node
            for node in ast.walk(inside)
            if isinstance(node, ast.Assign)
            and node.lineno < frame.f_lineno
            and any(isinstance(target, ast.Name) and target.id == name.id for target in node.targets)
        ]
        last = max(values, key=lambda node: node.lineno, default=None)
        return None if last is None else self._pick(last.value, frame, depth - 1)

    def _pick_call(self, call: ast.Call, frame: FrameType, depth: int) -> ast.Compare | None:
        """Return what decides the value of a function of the file, with what it was given for its parameters."""
        called = [function for function in self._functions if function.name == _name_of(call.func)]
        if len(called) != 1:
            return None
        (function,) = called
        owner = [call.func.value] if isinstance(call.func, ast.Attribute) else []
        given = dict(zip((each.arg for each in function.args.args), [*owner, *call.args], strict=False))
        given |= {each.arg: each.value for each in call.keywords if each.arg}
        body = [_Given(given).visit(copy.deepcopy(statement)) for statement in function.body]
        returned = next(_follow(body, frame), None)
        return None if returned is None else self._pick(returned, frame, depth - 1)


class _Given(ast.NodeTransformer):
    """Puts what a function was given in the place of its parameters."""

    def __init__(self, given: dict[str, ast.expr]) -> None:
        self._given = given

    def visit_Name(self, node: ast.Name) -> ast.expr:  # the name is that of the class of nodes
        return self._given.get(node.id, node)


def _follow(body: Sequence[ast.stmt], frame: FrameType) -> Iterator[ast.expr]:
    """Yield what a function returns, as far as its tests are known; nothing after a test that is not known."""
    for statement in body:
        if isinstance(statement, ast.Return):
            if statement.value is not None:
                yield statement.value
            return
        if isinstance(statement, ast.If):
            truth = _is_true(statement.test, frame)
            if truth is None:
                return
            yield from _follow(statement.body if truth else statement.orelse, frame)


def _is_true(test: ast.expr, frame: FrameType) -> bool | None:
    """Return whether a test of settings holds, such as ``self.mode == "min"``; ``None`` if that is not known."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        truth = _is_true(test.operand, frame)
        return None if truth is None else not truth
    if isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq | ast.NotEq | ast.Is | ast.IsNot):
        one, other = (_find(side, frame) for side in (test.left, test.comparators[0]))
        is_setting = isinstance(one, str | bool) and isinstance(other, str | bool)
        if len(test.ops) > 1 or one is _UNKNOWN or not (is_setting or other is None):
            return None
        is_same = one is None if other is None else one == other
        return is_same == isinstance(test.ops[0], ast.Eq | ast.Is)
    value = _find(test, frame)
    return value if isinstance(value, bool) else None


def _has(body: Sequence[ast.stmt | ast.expr], line: int) -> bool:
    return bool(body) and body[0].lineno <= line <= (body[-1].end_lineno or 0)


def _name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _look_up(node: ast.expr, frame: FrameType) -> float | None:
    value = _find(node, frame)
    return float(value) if isinstance(value, numbers.Real) else None


def _find(node: ast.expr, frame: FrameType) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return frame.f_locals.get(node.id, frame.f_globals.get(node.id, _UNKNOWN))
    if isinstance(node, ast.Attribute):
        return getattr(_find(node.value, frame), "__dict__", {}).get(node.attr, _UNKNOWN)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant | ast.UnaryOp):
        owner, key = _find(node.value, frame), ast.literal_eval(node.slice)
        if isinstance(owner, dict):
            return owner.get(key, _UNKNOWN)
        if isinstance(owner, list) and isinstance(key, int) and -len(owner) <= key < len(owner):
            return owner[key]
    return _UNKNOWN
