"""How help is written: commands in groups, an example each, and options that few need apart.

An example stands in the docstring of its command, in a last paragraph that begins with ``Example:``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from llmseg import UserError
from llmseg.errors import nearest

GROUPS = {
    "Pipelines": ("list", "show", "diff", "fields", "quirks", "prompt", "admit"),
    "Data": ("data", "cache"),
    "Train": ("train", "replay", "predict", "export"),
    "Compare": ("evaluate", "conventions", "compare", "ablate", "gap", "price", "nnunet"),
    "Study": ("study", "status"),
    "Report": ("report", "figure", "published", "errors"),
    "Help": ("doctor", "help"),
}
"""The commands as ``llmseg --help`` lists them; others come last."""

UsageError: Any = typer.BadParameter.__base__
"""What typer raises for all that is typed wrong; it has no public name."""

FURTHER = (
    *("mask_suffix", "group", "groups", "depth", "exif", "pages", "foreground", "alpha", "several_masks"),
    *("predicted_foreground", "precision", "exact", "compile", "tf32", "at_once", "max_memory", "no_cache"),
    *("checkpoint_every", "leave_out_failing", "retry", "verify_all", "level", "bookkeeping_images"),
    *("bookkeeping_masks", "artefacts", "allow_overlap", "tolerance", "label", "orders", "profile", "log"),
    *("batch_size", "textbook", "leave_out", "page", "kind", "predictions", "crossed", "measure", "folds", "cases"),
    *("equal", "budget", "iterations", "images_seen", "seconds", "validation", "minutes", "sandbox"),
)
"""Parameters that ``--help`` names only; ``llmseg help COMMAND`` explains them."""

_FULL = "llmseg.full"


def split_example(text: str) -> tuple[str, str]:
    """Return the help of a command without its example, and the example."""
    before, _, example = text.partition("Example:")
    return before.strip(), re.sub(r"\s*\\\s*|\s+", " ", example).strip()


class Command(TyperCommand):
    """A command whose help has an example, and options that few need apart."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Read what was typed after the command."""
        with _name_in_errors(ctx):
            return super().parse_args(ctx, args)

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write what the command does, and its example."""
        _write_help(self.help or "", formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options; of those that few need, only the names."""
        shown: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        further = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            if parameter.name in FURTHER and not ctx.meta.get(_FULL):
                further.append(parameter.opts[0])
            else:
                kind = "Arguments" if parameter.param_type_name == "argument" else "Options"
                shown[kind].append((_shorten(record[0]), record[1]))
        for title, records in shown.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
        if further:
            with formatter.section(f"More options, which 'llmseg help{name_command(ctx)}' explains"):
                formatter.write_text(" ".join(further))


class Group(TyperGroup):
    """Commands in groups, each with the first sentence of its help."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Read what was typed before the name of a command."""
        with _name_in_errors(ctx):
            return super().parse_args(ctx, args)

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write what the commands are for."""
        _write_help(self.help or "", formatter)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that is meant; say which may be meant if there is none."""
        if not ctx.resilient_parsing and args[0] not in self.commands and not args[0].startswith("-"):
            raise UserError(_explain_unknown_command(args[0], self.commands, ctx))
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, and the options of all of them on one line, so that a screen holds everything."""
        self.format_commands(ctx, formatter)
        names = [_shorten(record[0]) for each in self.get_params(ctx) if (record := each.get_help_record(ctx))]
        formatter.write_paragraph()
        formatter.write_text(f"Options: {', '.join(names)}. All of a command: llmseg help{name_command(ctx)} COMMAND")

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands of every group, a line each."""
        listed = {name for names in GROUPS.values() for name in names}
        rest = tuple(name for name in self.commands if name not in listed)
        groups = {**GROUPS, "Others": rest} if ctx.parent is None else {"Commands": tuple(self.commands)}
        shown = {title: [name for name in names if name in self.commands] for title, names in groups.items()}
        width, margin = max(map(len, self.commands)), max(map(len, groups))
        formatter.write_paragraph()
        for title, names in shown.items():
            for name in names:
                head = f"{title if name == names[0] else '':<{margin}}  {name:<{width}}  "
                formatter.write(head + _summary(self.commands[name], formatter.width - len(head)) + "\n")


@contextmanager
def _name_in_errors(ctx: Any) -> Iterator[None]:
    """Let errors of what was typed know their command: an option without its value does not."""
    try:
        yield
    except UsageError as error:
        error.ctx = error.ctx or ctx
        raise


def help_command(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[COMMAND]...", help="The command.")] = None,
) -> None:
    """Explain a command with all its options.

    Example: llmseg help train
    """
    root = context.find_root()
    command: Any = root.command
    parent: Any = root
    for name in names or ():
        commands = getattr(command, "commands", {})
        if name not in commands:
            raise UserError(_explain_unknown_command(name, commands, parent))
        command = commands[name]
        parent = typer.Context(command, info_name=name, parent=parent)
    parent.meta[_FULL] = True
    print(command.get_help(parent))


def _explain_unknown_command(name: str, commands: Any, ctx: Any) -> str:
    """Say which command may be meant: one of a group may have been typed without its group, or in another one."""
    elsewhere = [" ".join(words) for words, _ in list_commands(ctx.find_root().command) if words[-1] == name]
    meant = f"; did you mean 'llmseg {elsewhere[0]}'?" if elsewhere else nearest(name, commands)
    listed = f"; there are {', '.join(commands)}" if 0 < len(commands) < 10 else ""
    return f"no command '{name_command(ctx)} {name}'{meant}{listed}; llmseg --help lists all".replace("' ", "'", 1)


def list_commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command below one, with the words that lead to it."""
    for name, each in getattr(command, "commands", {}).items():
        if hasattr(each, "commands"):
            yield from list_commands(each, (*words, name))
        else:
            yield (*words, name), each


def _write_help(text: str, formatter: Any) -> None:
    before, example = split_example(text)
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(before)
    if example:
        formatter.write_paragraph()
        formatter.write("\n".join(_fold(f"Example: {example}", formatter.width)) + "\n")


def _fold(command: str, width: int) -> list[str]:
    """Return a command on lines that end in a backslash, so that it can be copied into a shell."""
    lines = [""]
    for word in command.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width - 2:
            lines[-1] += " \\"
            lines.append(f"  {word}")
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return lines


def _summary(command: Any, width: int) -> str:
    """Return the first sentence of the help of a command; of a long one, what stands before its first comma."""
    text = " ".join(split_example(command.help or "")[0].split("\n\n")[0].split())
    sentence = re.split(r"[:;.](?:\s|$)", text, maxsplit=1)[0]
    return sentence if len(sentence) <= width else sentence.partition(",")[0]


def name_command(ctx: Any) -> str:
    """Return the words that lead to a command, with a blank before each; the program is none of them."""
    return "" if ctx.parent is None else f"{name_command(ctx.parent)} {ctx.info_name}"


def _shorten(usage: str) -> str:
    """Return an option and its value without words that only Python needs."""
    return re.sub(r"<(?:list\[)?(\w+)\]?(?: range)?>", lambda found: f"<{found[1].lower()}>", usage)
