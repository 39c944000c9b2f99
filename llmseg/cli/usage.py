"""What is said of a command that was typed wrong: one line with the mistake, what may be meant, and what to do.

typer prints the usage on three lines instead, and it looks for what is meant among the options of one command.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile, zip_longest
from pathlib import Path
from typing import Any

from llmseg.cli.help import GROUPS, UsageError, list_commands, name_command, split_example
from llmseg.errors import name_first
from llmseg.recipe.fields import list_fields
from llmseg.recipe.recipe import TEXTBOOK


def explain_usage(error: Any, arguments: Sequence[str]) -> str:
    """Return a line that says what is wrong with a command, and what to do.

    Args:
        error: A :data:`UsageError`.
        arguments: What was typed after ``llmseg``, options of all commands first.
    """
    typed = _read_typed(error.ctx, arguments)
    if hasattr(error, "possibilities"):
        return _explain_unknown_option(error.option_name, error.ctx, typed)
    if hasattr(error, "param_type"):
        return _explain_missing(error, typed)
    what = _lower(error.message)
    if (extra := re.search(r"unexpected extra argument\S* \((\S+)", what)) and "--data" in _list_options(
        error.ctx.command
    ):
        # Cases are typed after an option, as there are several ways to name them.
        place = extra[1].removesuffix(")")
        what += f"; did you mean --data {shlex.quote(place)}?" if Path(place).exists() else ""
    if getattr(error, "param", None) is not None:
        what = f"{_name_with_value(error.param, typed)}: {what}"
    return f"{what.rstrip('.')}; llmseg help{name_command(error.ctx)} explains it"


@dataclass(frozen=True)
class _Typed:
    """A command as it was typed.

    Attributes:
        common: The options of all commands, which come first.
        words: The words that lead to the command.
        rest: What follows them.
    """

    common: tuple[str, ...]
    words: tuple[str, ...]
    rest: tuple[str, ...]

    @property
    def options(self) -> dict[str, str | None]:
        """The options that were typed, with what follows each."""
        pairs: dict[str, str | None] = {}
        for argument, following in zip_longest(self.rest, self.rest[1:]):
            name, sign, value = argument.partition("=")
            if name.startswith("-"):
                pairs[name] = value if sign else following
        return pairs

    def __str__(self) -> str:
        return shlex.join(("llmseg", *self.common, *self.words, *self.rest))


def _read_typed(context: Any, arguments: Sequence[str]) -> _Typed:
    words = tuple(name_command(context).split())
    for start in range(len(arguments) - len(words) + 1):
        if tuple(arguments[start : start + len(words)]) == words:
            return _Typed(tuple(arguments[:start]), words, tuple(arguments[start + len(words) :]))
    return _Typed((), words, tuple(arguments))


_OTHER_WORDS = {"lr": "rate", "learning_rate": "rate", "weight_decay": "decay", "image_size": "size"}
"""What other libraries call fields of recipes."""

_Named = tuple[tuple[str, ...], Any]
"""A command, after the words that lead to it."""


def _explain_unknown_option(option: str, context: Any, typed: _Typed) -> str:
    wrong = f"llmseg{name_command(context)} has no option '{option}'"
    own = _list_options(context.command)
    others = _list_neighbours(context.find_root().command, typed.words)
    near = _find_near(option, own, 0.8)
    instead = None if near else _type_as_field(option, typed)
    if instead is not None:
        for words, command in ((typed.words, context.command), *others):
            if _sets_fields(command) and _fits(replace(instead, words=words), command, context):
                return f"{wrong}; it is a field of recipes, so type: {replace(instead, words=words)}"
    elsewhere = _find_near(option, [name for each in others for name in _list_options(each[1])], 0.8)
    near = near or ("" if elsewhere else _find_near(option, own, 0.5))
    meant = f"; did you mean '{near}'?" if near else ""
    # What other commands have is said if it is this very option, or if this command has nothing like it.
    having = [each for each in others if elsewhere in _list_options(each[1])]
    if having and (option == elsewhere or not near):
        pieces = [argument.partition("=") for argument in typed.rest]
        corrected = tuple("".join((elsewhere if name == option else name, *value)) for name, *value in pieces)
        others_have = _name_others(elsewhere, having, replace(typed, rest=corrected), context, example=not near)
        return f"{wrong}{meant}; {others_have}"
    return f"{wrong}{meant}; llmseg help{name_command(context)} lists all that it has"


def _name_others(option: str, having: list[_Named], typed: _Typed, context: Any, *, example: bool) -> str:
    """Say which other commands have an option; those that take the rest of what was typed, if there are any."""
    meanings = Counter(_find_name(option, command) for _, command in having)
    ((usual, _),) = meanings.most_common(1)
    having = [each for each in having if _find_name(option, each[1]) == usual]
    fitting = [each for each in having if _fits(replace(typed, words=each[0]), each[1], context)]
    named = [f"llmseg {' '.join(words)}" for words, _ in fitting or having]
    said = f"{name_first(named)} {'has' if len(named) == 1 else 'have'} {option}"
    for words, command in fitting[:1] if example else ():
        instead = replace(typed, words=words)
        if _fits(instead, command, context, complete=True) and not _needs_more(instead, command, context):
            return f"{said}; for example: {instead}"
    return said


def _needs_more(typed: _Typed, command: Any, context: Any) -> bool:
    """Return whether a command needs names or options that were not typed, by what its example has.

    ``ablate`` needs to know what to change, and ``compare`` two names, which no type of an option says.
    """
    example = _read_typed_line(split_example(command.help or "")[1], typed.words)
    known = {*typed.options, *_list_options(context.command)}
    return len(_list_names(example)) > len(_list_names(typed)) or not {*example.options} <= known


def _read_typed_line(line: str, words: tuple[str, ...]) -> _Typed:
    return _Typed((), words, tuple(shlex.split(line)[1 + len(words) :]))


def _list_names(typed: _Typed) -> list[str]:
    """Return what stands before the first option."""
    return list(takewhile(lambda argument: not argument.startswith("-"), typed.rest))


def _list_neighbours(root: Any, words: tuple[str, ...]) -> list[_Named]:
    """Return the other commands: those of the same group first, then those of the next groups of the help."""
    ranks = {name: rank for rank, names in enumerate(GROUPS.values()) for name in names}
    here = ranks.get(words[0] if words else "", 0)
    others = [each for each in list_commands(root) if each[0] != words]
    return sorted(others, key=lambda each: abs(ranks.get(each[0][0], len(ranks)) - here - 0.1))


def _list_options(command: Any) -> list[str]:
    return [str(name) for each in command.params for name in (*each.opts, *each.secondary_opts) if name.startswith("-")]


def _find_name(option: str, command: Any) -> str:
    """Return the Python name of an option: two options that mean different things have different ones."""
    return str(next(each.name for each in command.params if option in (*each.opts, *each.secondary_opts)))


def _sets_fields(command: Any) -> bool:
    return any("--set" in each.opts and each.name == "changes" for each in command.params)


def _type_as_field(option: str, typed: _Typed) -> _Typed | None:
    """Return what was typed with ``--set PATH=VALUE`` for an option that has the name of a field of recipes."""
    value = typed.options.get(option)
    name = option.lstrip("-").replace("-", "_")
    name = _OTHER_WORDS.get(name, name)
    # A part as a whole, such as ``images``, is nothing that one would give an option for.
    split = [each.path.rpartition(".") for each in list_fields(recipe=TEXTBOOK)]
    paths = ["".join(pieces) for pieces in split if pieces[0] and pieces[2] == name]
    if value is None or len(paths) != 1:
        return None
    place = next(i for i, argument in enumerate(typed.rest) if argument.partition("=")[0] == option)
    after = typed.rest[place + (1 if "=" in typed.rest[place] else 2) :]
    return replace(typed, rest=(*typed.rest[:place], "--set", f"{paths[0]}={value}", *after))


def _fits(typed: _Typed, command: Any, context: Any, *, complete: bool = False) -> bool:
    """Return whether a command takes all that was typed; if ``complete``, also whether it needs no more."""
    if "--help" in typed.rest or _name_arguments(command) != _name_arguments(context.command):
        return False
    try:
        command.make_context(typed.words[-1], list(typed.rest), parent=context.find_root())
    except UsageError as error:
        return hasattr(error, "param_type") and not complete  # it is one of what is missing
    return True


def _name_arguments(command: Any) -> list[str]:
    """Return what a command is given without an option: ``replay`` and ``train`` take a name, ``predict`` a model."""
    return [each.name.removesuffix("s") for each in command.params if each.param_type_name == "argument"]


def _find_near(option: str, allowed: Iterable[str], cutoff: float) -> str:
    """Return the option whose name is closest, or an empty text."""
    names = {name.lstrip("-"): name for name in allowed if name.startswith("--")}
    found = difflib.get_close_matches(option.lstrip("-").lower(), names, n=1, cutoff=cutoff)
    return str(names[found[0]]) if found else ""


def _explain_missing(error: Any, typed: _Typed) -> str:
    """Say what a command needs that was not typed, and give its example."""
    command = error.ctx.command
    needed = [error.param, *(each for each in command.params if each.required and each.param_type_name == "option")]
    missing = dict.fromkeys(_name_parameter(each) for each in needed if not {*each.opts} & {*typed.options})
    example = split_example(command.help or "")[1]
    return f"llmseg{name_command(error.ctx)} needs {' and '.join(missing)}; for example: {example}"


def _name_parameter(parameter: Any) -> str:
    return str(parameter.opts[0] if parameter.param_type_name == "option" else parameter.name.upper())


def _name_with_value(parameter: Any, typed: _Typed) -> str:
    """Return the name of an option and what was given for it."""
    values = [value for name, value in typed.options.items() if name in parameter.opts and value is not None]
    return " ".join([_name_parameter(parameter), *values])


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
