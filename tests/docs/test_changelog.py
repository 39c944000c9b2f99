"""The changelog says where every name went: what it calls gone is gone, and what it names instead is there."""

from __future__ import annotations

import pydoc
import re
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
MOVED = PAGE.partition("### Moved")[2].partition("\n### ")[0]
ROWS = [
    (old, re.findall(r"`([\w.]+)`", new)) for old, new in re.findall(r"^\| `([\w.]+)` \| (.+) \|$", MOVED, re.MULTILINE)
]


def test_every_row_says_where():
    assert len(ROWS) > 150
    assert [old for old, new in ROWS if not new] == []


def test_no_name_has_two_rows():
    names = [old for old, _ in ROWS]
    assert sorted(names) == sorted(set(names))


def test_new_names_are_there():
    assert [name for _, new in ROWS for name in new if not resolves(name)] == []


def test_old_names_are_gone():
    """A module may have become the folder of the same name."""
    folders = {"llmseg.cli", "llmseg.recipe", "llmseg.study", "llmseg.zoo.reruns"}
    assert [old for old, _ in ROWS if old not in folders and is_defined(old)] == []


def is_defined(name: str) -> bool:
    """Whether a name is that of a module, or of what its module defines and does not only import."""
    value = pydoc.locate(name)
    if isinstance(value, ModuleType):
        return value.__name__ == name
    home = f"{getattr(value, '__module__', None)}.{getattr(value, '__qualname__', None)}"
    return value is not None and (home == name or not callable(value))


def test_defined_names_are_seen():
    assert is_defined("llmseg.recipe.part")
    assert is_defined("llmseg.recipe.part.Part")
    assert is_defined("llmseg.evaluation.measures.MEASURES")
    assert not is_defined("llmseg.recipe.recipe.Part")
    assert not is_defined("llmseg.recipe.parts")


def test_scripts_that_moved_are_gone():
    scripts = re.findall(r"^\| `(benchmarks/\w+\.py)` \|", MOVED, re.MULTILINE)
    assert scripts
    assert [script for script in scripts if (ROOT / script).exists()] == []


def test_the_other_sections_name_what_is_there():
    names = set(re.findall(r"(?<![\w/@.-])llmseg(?:\.[A-Za-z_]\w*)+", PAGE.replace(MOVED, "")))
    assert len(names) > 10
    assert [name for name in sorted(names) if not resolves(name)] == []


def resolves(name: str) -> bool:
    """Whether a dotted name leads somewhere, also to a field of a record that has no default."""
    owner, _, last = name.rpartition(".")
    return pydoc.locate(name) is not None or last in getattr(pydoc.locate(owner), "__annotations__", ())
