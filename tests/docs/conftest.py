"""The code blocks in the pages of the documentation."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def load_maker() -> Callable[[str], ModuleType]:
    """A function that gives a module of ``docs/`` that makes pages, by its name."""

    def load(name: str) -> ModuleType:
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(ROOT / "docs")
            return importlib.import_module(name)

    return load


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


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The site, as ``make docs`` builds it: a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = re.search(r"python (-m sphinx .*) docs build/docs$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert command
    built = subprocess.run(
        [sys.executable, *command[1].split(), "docs", str(folder)], cwd=ROOT, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    return folder
