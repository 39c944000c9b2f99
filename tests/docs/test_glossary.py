"""The glossary: every word once, with a name of the library and a file that are there."""

from __future__ import annotations

import re
from pathlib import Path

import llmseg

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "glossary.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| word ")
]
WORDS = [word for row in ROWS for word in row[0].split(", ")]

# Words without which nobody can read these pages.
EXPECTED = """
    recipe part pipeline card case store split group held-out_test_set seed epoch step score loss run replay record
    level verdict quirk repair variant study cell gap swap contender cohort claim confidence_interval p_value
    equivalence
    convention evaluator baseline budget prepared_cases cache phantom doctor catalogue
"""


def test_every_row_has_four_cells():
    assert len(ROWS) > 60
    assert [row for row in ROWS if len(row) != 4 or not all(row)] == []


def test_every_word_has_one_row():
    assert len(set(WORDS)) == len(WORDS)
    assert [word for word in EXPECTED.split() if word.replace("_", " ") not in WORDS] == []


def test_levels_are_those_of_the_library():
    (level,) = (row[1] for row in ROWS if row[0] == "level")
    assert [name for name in llmseg.fidelity.LEVELS if name not in level] == []


def test_meanings_are_sentences():
    assert [row[0] for row in ROWS if not row[1].endswith(".") or row[1].startswith(row[0])] == []


def test_names_are_public():
    assert [row[2] for row in ROWS if not is_public(row[2])] == []


def is_public(cell: str) -> bool:
    """Whether each name of a path is in the list of names of what stands before it, as far as that has a list."""
    path = re.fullmatch(r"`llmseg\.([\w.]+)`", cell)
    owner: object = llmseg
    for name in path[1].split(".") if path else [""]:
        if name not in getattr(owner, "__all__", [name]):
            return False
        if not hasattr(owner, name) and name not in getattr(owner, "__annotations__", ()):
            return False
        owner = getattr(owner, name, None)
    return True


def test_private_names_are_found():
    assert is_public("`llmseg.recipe.Fit.batch_size`")
    cells = ("`llmseg.recipe.recipe.Recipe`", "`llmseg.recipe.Fit.none`", "`llmseg.none`", "recipe")
    assert not any(is_public(cell) for cell in cells)


def test_files_are_there():
    assert [row[3] for row in ROWS if not (ROOT / "llmseg" / row[3].strip("`")).exists()] == []
