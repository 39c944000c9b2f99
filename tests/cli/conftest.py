"""What tests of the command line share: a recipe in a file, folders of cases, and how a mistake ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from llmseg.recipe import Recipe


@pytest.fixture
def folders(make_folder: Callable[..., tuple[Path, Path]]) -> tuple[Path, Path]:
    """Folders of images and masks: twelve cases of 40 x 36 pixels."""
    return make_folder({f"{index:02}": (40, 36) for index in range(12)})


@pytest.fixture
def tiny_json(tiny_recipe: Recipe, tmp_path: Path) -> Path:
    """The tiny recipe as a file."""
    path = tmp_path / "tiny.json"
    path.write_text(tiny_recipe.to_json())
    return path


@pytest.fixture
def check_mistake(
    call: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """A function that calls a command with a mistake: one line says it, the exit code is 2, and nothing is written."""

    def check(words: str, *arguments: object) -> None:
        empty = tmp_path / "empty"
        empty.mkdir()
        monkeypatch.chdir(empty)
        code, text, err = call(*arguments)
        assert (code, text) == (2, "")
        assert err.startswith("llmseg: ")
        assert err.count("\n") == 1
        assert words in err
        assert list(empty.iterdir()) == []

    return check
