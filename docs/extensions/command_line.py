"""The reference of the command line: what every command prints with ``--help``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer.main
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from typer.core import TyperGroup

from llmseg.cli.main import app as command_line

COLUMNS = 100


class CommandHelp(SphinxDirective):
    """``command-help``: a section for every command, with its help."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        return [self._make_section(title, text) for title, text in read_help()]

    def _make_section(self, title: str, text: str) -> nodes.section:
        section = nodes.section(ids=[title.replace(" ", "-")], names=[title])
        section += [nodes.title(title, title), nodes.literal_block(text, text, language="text")]
        self.state.document.note_implicit_target(section)
        return section


def read_help() -> Iterator[tuple[str, str]]:
    """Yield (command as it is typed, its help) for every command, groups before what is in them."""
    command = typer.main.get_command(command_line)
    yield from _read_help(command, typer.Context(command, info_name="llmseg", max_content_width=COLUMNS))


def _read_help(command: Any, context: typer.Context) -> Iterator[tuple[str, str]]:
    context.terminal_width = COLUMNS
    yield context.command_path, command.get_help(context)
    if isinstance(command, TyperGroup):
        for name in command.list_commands(context):
            inner = command.commands[name]
            yield from _read_help(inner, typer.Context(inner, info_name=name, parent=context))


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect with Sphinx."""
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
