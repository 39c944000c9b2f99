"""Records of options: a command takes one record per kind, the command line has one option per field."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, cast, get_type_hints


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command whose signature has the fields of its records of options in place of the records.

    typer makes the options from the signature and calls the command with a value for each of them; the records are
    filled from these values. A parameter whose type is no dataclass stays as it is.

    Args:
        command: A function with parameters that are annotated with dataclasses; the fields of these are annotated with
            ``Annotated[..., typer.Option(...)]`` and have defaults.
    """
    types = get_type_hints(command, include_extras=True)
    records: dict[str, Any] = {}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        if is_dataclass(types[name]):
            records[name] = types[name]
            parameters += _fields_as_parameters(records[name])
        else:
            # A parameter without default may then stand after one with a default.
            parameters.append(parameter.replace(annotation=types[name], kind=inspect.Parameter.KEYWORD_ONLY))

    @functools.wraps(command)
    def filling(**values: Any) -> None:
        for name, record in records.items():
            values[name] = record(**{field.name: values.pop(field.name) for field in fields(record)})
        command(**values)

    cast(Any, filling).__signature__ = inspect.Signature(parameters)
    return filling


def _fields_as_parameters(record: type[Any]) -> list[inspect.Parameter]:
    types, keyword = get_type_hints(record, include_extras=True), inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(field.name, keyword, default=field.default, annotation=types[field.name])
        for field in fields(record)
    ]
