"""What scripts set: the constants behind names such as ``batch_size``, however they are written down."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from llmseg.admission.scripts import Script, Scripts

_OPERATORS: dict[type[ast.operator], Any] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
}


_LINE = re.compile(
    r"""\s*["']?(?P<name>[A-Za-z][\w.-]*)["']?\s*[:=]\s*"""
    r"""(?P<quote>["']?)(?P<value>[^"'#,]+?)(?P=quote),?\s*(#.*)?"""
)
"""A line of a text with settings, such as ``epochs: 60`` or ``"lr": 1e-3,``."""


@dataclass(frozen=True)
class Setting:
    """A name that is given a value.

    Attributes:
        name: The name in small letters: of a variable, an attribute, a key, an option, a parameter.
        value: The expression.
        script: The script.
        is_default: Whether it is the default of a function's parameter, which a call may replace.
    """

    name: str
    value: ast.expr
    script: Script
    is_default: bool = False

    @property
    def place(self) -> str:
        """Where it stands, as ``file:line``."""
        return self.script.place(self.value)


@dataclass(frozen=True)
class Settings:
    """All settings of some scripts.

    Attributes:
        scripts: The scripts.
    """

    scripts: Scripts

    @cached_property
    def all(self) -> tuple[Setting, ...]:
        """Every setting, script by script."""
        return tuple(setting for script in self.scripts for setting in _settings(script))

    @cached_property
    def _by_name(self) -> dict[str, list[Setting]]:
        names: dict[str, list[Setting]] = {}
        for setting in self.all:
            names.setdefault(setting.name, []).append(setting)
        return names

    def constant(self, node: ast.AST | None, depth: int = 8) -> Any:
        """Return the number, text or tuple that an expression has, ``None`` if that cannot be read.

        A name counts if it is given one value only in all scripts.

        Args:
            node: The expression.
            depth: How many names are followed one after the other.
        """
        if depth == 0:
            return None
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            values = tuple(self.constant(each, depth - 1) for each in node.elts)
            return None if None in values else values
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            value = self.constant(node.operand, depth - 1)
            return -value if isinstance(value, int | float) else None
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            sides = [self.constant(side, depth - 1) for side in (node.left, node.right)]
            return _combine(node.op, sides)
        name = last_name(node)
        return self._value(name, depth - 1) if name else None

    def _value(self, name: str, depth: int) -> Any:
        settings = self._by_name.get(name.lower(), [])
        # What a call or an assignment says counts more than a default.
        stated = [each for each in settings if not each.is_default and last_name(each.value) != name] or settings
        values = {repr(value): value for each in stated if (value := self.constant(each.value, depth)) is not None}
        return next(iter(values.values())) if len(values) == 1 else None


def _combine(operator: ast.operator, sides: list[Any]) -> Any:
    if not all(isinstance(side, int | float) for side in sides):
        return None
    if isinstance(operator, ast.Div) and sides[1] == 0:
        return None
    return _OPERATORS[type(operator)](*sides)


def last_name(node: ast.AST | None) -> str:
    """Return the word by which a value is known: of a variable, an attribute, or a key that is a text."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        return node.slice.value
    return ""


def _settings(script: Script) -> Iterator[Setting]:
    for text in _list_texts(script):
        yield from _written(text, script)
    for node in script.nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _assigned(target, node.value, script)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield from _assigned(node.target, node.value, script)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield Setting(key.value.lower(), value, script)
        elif isinstance(node, ast.Call):
            yield from _passed(node, script)
        elif isinstance(node, ast.arguments):
            yield from _defaults(node, script)


def _list_texts(script: Script) -> Iterator[ast.Constant]:
    """Yield the texts of several lines that are values, which docstrings are not."""
    passed = {node.value for node in script.nodes if isinstance(node, ast.Expr)}
    passed |= {piece for node in script.nodes if isinstance(node, ast.JoinedStr) for piece in node.values}
    for node in script.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" in node.value and node not in passed:
            yield node


def _written(text: ast.Constant, script: Script) -> Iterator[Setting]:
    """Yield the settings in the lines of a text, as YAML, JSON and files of the INI kind have them.

    Each value has the place at which it stands, so that it can be replaced there.
    """
    lines = script.text.splitlines()
    for number in range(text.lineno, (text.end_lineno or text.lineno) + 1):
        found = _LINE.fullmatch(lines[number - 1]) if number <= len(lines) else None
        if found is None or number == text.lineno:
            continue
        try:
            value = ast.literal_eval(found["value"])
        except (ValueError, SyntaxError):
            value = found["value"]
        value = str(found["value"]) if found["quote"] or not isinstance(value, int | float) else value
        start, end = (len(lines[number - 1][: found.span("value")[side]].encode()) for side in range(2))
        constant = ast.Constant(value, lineno=number, end_lineno=number, col_offset=start, end_col_offset=end)
        yield Setting(found["name"].lower().replace("-", "_"), constant, script)


def _assigned(target: ast.expr, value: ast.expr, script: Script) -> Iterator[Setting]:
    if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        for each, part in zip(target.elts, value.elts, strict=False):
            yield from _assigned(each, part, script)
    elif name := last_name(target):
        yield Setting(name.lower(), value, script)


def _passed(call: ast.Call, script: Script) -> Iterator[Setting]:
    if isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument":
        flags = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        defaults = [each.value for each in call.keywords if each.arg == "default"]
        for value in defaults:
            yield from (Setting(flag.lstrip("-").replace("-", "_").lower(), value, script) for flag in flags)
        return
    for keyword in call.keywords:
        # ``lr=lr`` says nothing of the value, and would hide that the name has one value only.
        if keyword.arg and not last_name(keyword.value):
            yield Setting(keyword.arg.lower(), keyword.value, script)


def _defaults(arguments: ast.arguments, script: Script) -> Iterator[Setting]:
    positional = [*arguments.posonlyargs, *arguments.args]
    given = zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True)
    for parameter, value in [*given, *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]:
        if value is not None:
            yield Setting(parameter.arg.lower(), value, script, is_default=True)
