"""The pages of the documentation, and the code blocks in them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))


@dataclass(frozen=True)
class Block:
    """A block of code in a page.

    Attributes:
        page: The page.
        line: Line of the page at which it begins.
        language: What stands behind the three backticks, such as ``python``.
        code: Its lines.
    """

    page: Path
    line: int
    language: str
    code: str

    @property
    def file(self) -> str:
        """The file that a block is, by the comment in its first line; empty if it is none."""
        named = re.match(r"# (\S+\.py)\n", self.code)
        return named[1] if named else ""


def read_blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text[: block.start()].count("\n") + 1, block[1], block[2])
        for block in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


@pytest.fixture(scope="session")
def blocks() -> Callable[[str], dict[str, str]]:
    """A function that gives the blocks of a page of ``docs/`` that are whole files: their code by file name."""

    def read(name: str) -> dict[str, str]:
        return {block.file: block.code for block in read_blocks(ROOT / "docs" / name) if block.file}

    return read
