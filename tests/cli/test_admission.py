from __future__ import annotations

import json
from pathlib import Path

import pytest

PIPELINES = Path(__file__).parents[1] / "admission" / "pipelines"


@pytest.fixture
def scripts(tmp_path):
    """A function that writes scripts into a folder, by name and text."""

    def write(folder="my-llm", **texts):
        (tmp_path / folder).mkdir()
        for name, text in texts.items():
            (tmp_path / folder / f"{name}.py").write_text(text)
        return tmp_path / folder

    return write


class TestMistakes:
    @pytest.mark.parametrize(
        ("make", "words"),
        [
            (lambda path: path / "none", "does not exist; give the folder that holds main.py"),
            (lambda path: path, "holds no Python file; give the folder that holds main.py"),
        ],
    )
    def test_no_scripts(self, check_mistake, tmp_path, make, words):
        check_mistake(words, "admit", make(tmp_path), "-o", tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_a_folder_that_holds_something_else(self, check_mistake, scripts, tmp_path):
        (tmp_path / "notes").mkdir()
        (tmp_path / "notes" / "notes.txt").write_text("mine")
        check_mistake("holds no admission; choose another --out", "admit", scripts(main=""), "-o", tmp_path / "notes")

    def test_another_admission(self, check_mistake, call, scripts, tmp_path):
        call("admit", scripts(main="x = (\n"), "-o", tmp_path / "out")
        other = scripts("other", main="y = (\n")
        check_mistake("holds an admission of other scripts; choose", "admit", other, "-o", tmp_path / "out")

    @pytest.mark.parametrize(
        ("start", "words"), [("trian.py", "did you mean 'train.py'?"), ("train.py 'a", "close every quotation mark")]
    )
    def test_a_command_that_starts_nothing(self, check_mistake, scripts, tmp_path, start, words):
        check_mistake(words, "admit", scripts(train="", model=""), "--start", start, "-o", tmp_path / "out")

    def test_an_admission_that_was_started_otherwise(self, check_mistake, call, scripts, tmp_path):
        folder = scripts(main="x = (\n")
        call("admit", folder, "-o", tmp_path / "out")
        words = "holds an admission that was started otherwise; choose"
        check_mistake(words, "admit", folder, "--start", "main.py --fast", "-o", tmp_path / "out")

    def test_two_ways_to_tell_of_repairs(self, check_mistake, scripts, tmp_path):
        folders = scripts("one", main=""), scripts("two", main="")
        check_mistake("give one of them", "admit", *folders, "--chat", tmp_path / "one" / "main.py")

    @pytest.mark.parametrize("name", ["../evil", "", "a\x1b[2J", "x" * 200])
    def test_a_name_that_no_folder_can_have(self, check_mistake, scripts, tmp_path, name):
        check_mistake("give letters, digits, '-', '_' and '.'", "admit", scripts(main=""), "--name", name)
        assert [path.name for path in tmp_path.iterdir() if path.name not in ("my-llm", "empty")] == []

    def test_a_sandbox_that_is_not_there(self, check_mistake, scripts, tmp_path):
        check_mistake("no sandbox is called", "admit", scripts(main=""), "--sandbox", "bubble", "-o", tmp_path / "out")


def test_scripts_that_do_not_parse(call, scripts, tmp_path):
    folder = scripts(main="import model\n", model="class Net(:\n")
    code, out, err = call("admit", folder, "-o", tmp_path / "out")
    assert code == 1
    assert out.splitlines()[0] == "my-llm: reached no stage; it was not looked for silent mistakes"
    assert "static  failed  model.py:1  SyntaxError" in out
    assert err.startswith("llmseg: static: failed, SyntaxError: model.py:1: ")
    kept = json.loads((tmp_path / "out" / "stages" / "static.json").read_text())
    assert (kept["state"], len(kept["scripts"])) == ("failed", 64)
    assert json.loads(call("admit", folder, "-o", tmp_path / "out", "--json")[1])["stage_reached"] == ""


def test_where_it_is_kept_by_default(call, scripts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = scripts(main="x = (\n")
    call("admit", folder)
    call("admit", folder, "--name", "gpt-7")
    assert sorted(path.name for path in (tmp_path / "admissions").iterdir()) == ["gpt-7", "my-llm"]


def test_what_to_tell_the_language_model(call, scripts, tmp_path):
    folder = scripts(main="from model import Net\n", model="")
    code, out, _ = call("admit", folder, "-o", tmp_path / "out", "--explain")
    assert code == 1
    assert "1. It does not get as far as this: the scripts are Python" in out
    assert "(main.py:1): ImportError: no script defines Net." in out
    assert (tmp_path / "out" / "repair-sheet.md").read_text() == out


def test_errors_are_a_table_for_the_command_that_shows_them(call, scripts, tmp_path):
    chat = tmp_path / "chat.txt"
    chat.write_text("NameError: name 'nn' is not defined\n")
    call("admit", scripts(main="from model import Net\n", model=""), "--chat", chat, "-o", tmp_path / "out")
    shown = json.loads(call("errors", tmp_path / "out" / "errors.csv", "--json")[1])
    assert [error["phase"] for error in shown["sets"]["Yours"]["errors"]] == ["import", "import"]


class TestRanking:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (("--epochs", 1), "--epochs without cases to rank on; give --data STORE, too"),
            (("--data", "none.h5"), "none.h5"),
            (("--data", "CASES", "--against", "gpt-o33"), "did you mean 'gpt-o3'"),
            (("--data", "CASES", "--against", "gpt-4", "--name", "gpt-4"), "give the admitted pipeline another --name"),
            (("--data", "CASES", "--holdout", "none.json"), "none.json"),
            (("--data", "CASES", "--device", "gpu"), "no device 'gpu'"),
            (("--data", "CASES", "--precision", "fp8"), "fp8"),
            (("--data", "CASES", "--retry", "divergd"), "did you mean 'diverged'"),
        ],
    )
    def test_what_cannot_be_ranked_is_refused_before_anything_runs(
        self, check_mistake, scripts, make_folder, options, words
    ):
        folder = make_folder({f"{number:02}": (6, 5) for number in range(30)})[0].parent
        given = [folder if option == "CASES" else option for option in options]
        check_mistake(words, "admit", scripts(main="x = 1\n"), "-q", *given)

    def test_scripts_that_end_before_are_not_ranked(self, call, scripts, folders, tmp_path):
        options = ("--data", folders[0].parent, "--against", "gpt-4", "-q")
        code, out, _ = call("admit", scripts(main="x = (\n"), "-o", tmp_path / "out", *options)
        assert code == 1
        rows = [
            line.split(maxsplit=3) for line in out.splitlines() if "they had ended before, at the stage static" in line
        ]
        assert [row[:3] for row in rows] == [["full", "run", "not"], ["rank", "not", "reached"]]
