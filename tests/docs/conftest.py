"""The code blocks in the pages of the documentation."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Block:
    """A block of code in a page.

    Attributes:
        line: Line of the page at which it begins.
        language: What stands behind the three backticks, such as ``python``; empty for commands.
        code: Its lines.
    """

    line: int
    language: str
    code: str

    @property
    def file(self) -> str:
        """The file that the block shows, named by the comment in its first line; empty if there is none."""
        name = re.match(r"# (\S+\.py)\n", self.code)
        return name[1] if name else ""


@pytest.fixture(scope="session")
def read_blocks() -> Callable[[Path], list[Block]]:
    """A function that gives the blocks of a page."""

    def read(page: Path) -> list[Block]:
        text = page.read_text(encoding="utf-8")
        return [
            Block(text[: block.start()].count("\n") + 1, block[1], block[2])
            for block in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        ]

    return read
