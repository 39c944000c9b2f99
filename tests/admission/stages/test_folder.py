from __future__ import annotations

import json

import pytest

from llmseg import UserError
from llmseg.admission.stages.folder import open_folder

ASKED = {"scripts": "abc", "name": "mine", "minutes": 10}


def test_what_was_decided_is_not_decided_again(tmp_path):
    decisions = []

    def decide():
        decisions.append(1)
        return {"number": len(decisions)}

    for _ in range(2):
        with open_folder(tmp_path / "out", ASKED) as kept:
            assert kept.keep("stages/x", decide)["number"] == 1
    assert json.loads((tmp_path / "out" / "stages" / "x.json").read_text()) == {"scripts": "abc", "number": 1}


def test_what_the_harness_spoiled_is_decided_again(tmp_path):
    with open_folder(tmp_path / "out", ASKED) as kept:
        kept.keep("run", lambda: {"is_final": False})
    with open_folder(tmp_path / "out", ASKED) as kept:
        assert kept.keep("run", lambda: {"is_final": True})["is_final"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scripts": "def"}, "holds an admission of other scripts; choose another --out"),
        ({"minutes": 5}, "holds an admission with minutes 10; choose another --out"),
    ],
)
def test_another_admission(tmp_path, change, words):
    with open_folder(tmp_path / "out", ASKED):
        pass
    with pytest.raises(UserError, match=words), open_folder(tmp_path / "out", {**ASKED, **change}):
        pass


def test_a_folder_with_something_else(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="holds no admission"), open_folder(tmp_path, ASKED):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_two_at_once(tmp_path):
    with (
        open_folder(tmp_path / "out", ASKED),
        pytest.raises(UserError, match="another process works on this"),
        open_folder(tmp_path / "out", ASKED),
    ):
        pass
