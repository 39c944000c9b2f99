"""The page on the layout: its tree and its list of layers are those of the package."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "design.md"


def layers() -> list[str]:
    """Return the rows of the test of layers, as the page writes them."""
    tree = ast.parse((ROOT / "tests" / "test_layers.py").read_text(encoding="utf-8"))
    (value,) = (
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LAYERS"
    )
    return [", ".join(row) for row in ast.literal_eval(value)]


def test_layers_are_those_of_the_test(read_blocks):
    assert "\n".join(layers()) in [block.code.rstrip("\n") for block in read_blocks(PAGE)]


def test_the_tree_has_every_folder(read_blocks):
    tree = read_blocks(PAGE)[0].code
    named = re.findall(r"^  (\w+)/ ", tree, re.MULTILINE)
    package = ROOT / "llmseg"
    assert sorted(named) == sorted(path.name for path in package.iterdir() if (path / "__init__.py").exists())


def test_the_tree_has_every_file_at_the_top(read_blocks):
    named = re.findall(r"^  (\w+\.pyi?) ", read_blocks(PAGE)[0].code, re.MULTILINE)
    assert sorted(named) == sorted(path.name for path in (ROOT / "llmseg").glob("*.py*"))


def test_no_page_is_longer_than_a_reader_bears():
    """Pages of tables only may be; the price list is written by a program."""
    pages = [page for page in (ROOT / "docs").rglob("*.md") if page.name != "price-list.md"]
    assert [page.name for page in pages if page.read_text(encoding="utf-8").count("\n") > 300] == []
