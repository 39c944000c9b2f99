"""What tests of the admission share: the sample pipelines, which are data and no tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

# pytest would import them to look for examples in docstrings. A sample is read, or run in a folder of its own.
collect_ignore_glob = ["pipelines/*"]

PIPELINES = Path(__file__).parent / "pipelines"


@pytest.fixture
def copy_sample(tmp_path: Path) -> Callable[..., Path]:
    """A function that copies a sample and replaces texts in it, each of which must be there once."""

    def copy(name: str, *edits: tuple[str, str, str]) -> Path:
        folder = tmp_path / name
        shutil.copytree(PIPELINES / name, folder, ignore=shutil.ignore_patterns("__pycache__"))
        for file, old, new in edits:
            text = (folder / file).read_text(encoding="utf-8")
            assert text.count(old) == 1, (file, old, text.count(old))
            (folder / file).write_text(text.replace(old, new), encoding="utf-8")
        return folder

    return copy
