"""What the command line says while it works: notes, more and fewer of them; no colours; completion; Ctrl-C."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from llmseg import SyntheticStore, train
from llmseg.files import notes


class TestLogger:
    def test_python_hears_nothing_unless_it_listens(self, capfd):
        notes.warn("something")
        assert capfd.readouterr() == ("", "")
        assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("llmseg").handlers)

    def test_who_listens_hears_levels(self, caplog):
        with caplog.at_level(logging.DEBUG, logger="llmseg"):
            notes.explain("how")
            notes.note("what")
            notes.warn("beware")
        assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
            ("DEBUG", "how"),
            ("INFO", "what"),
            ("WARNING", "beware"),
        ]


class TestLevels:
    """``llmseg report`` notes its steps; the note that cases are independent is told by ``llmseg data split``."""

    @pytest.fixture
    def split(self, call, folders, tmp_path):
        images, masks = folders
        return lambda *more: call("data", "split", "--images", images, "--masks", masks, "-o", tmp_path / "h", *more)

    def test_notes_are_lines_on_standard_error(self, split):
        code, _, err = split()
        assert code == 0
        assert "llmseg: note: no groups are known" in err

    def test_quiet_leaves_out_notes_and_keeps_warnings_and_errors(self, split, call):
        code, _, err = split("-q")
        assert code == 0
        assert "note:" not in err
        assert "llmseg: warning: " in err
        code, _, err = call("report", "nowhere", "-o", "x", "-q")
        assert (code, err.count("\n")) == (2, 1)

    @pytest.mark.parametrize("place", ["before", "after"])
    def test_verbose_says_how_and_where_an_error_arose(self, call, place):
        typed = ["show", "no-such-pipeline"]
        code, _, err = call(*(["-v", *typed] if place == "before" else [*typed, "--verbose"]))
        assert code == 2
        assert err.startswith("llmseg: no pipeline 'no-such-pipeline'")
        assert "Traceback" in err
        assert "registry.py" in err
        # It holds for one call.
        assert call(*typed)[2].count("\n") == 1

    def test_what_stands_behind_two_dashes_is_no_option(self, call):
        code, _, err = call("show", "--", "-v")
        assert code == 2
        assert err.count("\n") == 1
        assert "'-v'" in err


@pytest.mark.slow
@pytest.mark.parametrize("setting", [{}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}])
def test_nothing_that_is_piped_has_colours(setting):
    environment = {**os.environ, "TERM": "xterm-256color", **setting}
    for words in (["--help"], ["list"], ["help", "train"], ["show", "nothing"], ["train", "--nothing"]):
        ended = subprocess.run([sys.executable, "-m", "llmseg", *words], capture_output=True, env=environment)
        assert b"\x1b" not in ended.stdout + ended.stderr, words


@pytest.mark.slow
class TestCompletion:
    @staticmethod
    def complete(**variables):
        program = Path(sys.executable).with_name("llmseg")
        return subprocess.run([program], capture_output=True, text=True, env={**os.environ, **variables}).stdout

    @pytest.mark.parametrize(
        ("shell", "word"), [("bash", "complete "), ("zsh", "#compdef llmseg"), ("fish", "complete ")]
    )
    def test_every_shell_gets_a_script(self, shell, word):
        script = self.complete(_LLMSEG_COMPLETE=f"source_{shell}")
        assert word in script
        assert "_LLMSEG_COMPLETE" in script

    def test_commands_and_options_are_completed(self):
        assert self.complete(_LLMSEG_COMPLETE="complete_bash", COMP_WORDS="llmseg tr", COMP_CWORD="1").split() == [
            "train"
        ]
        found = self.complete(_LLMSEG_COMPLETE="complete_bash", COMP_WORDS="llmseg data split --fr", COMP_CWORD="3")
        assert "--fraction" in found


@pytest.fixture(scope="module")
def run(tiny_recipe, tmp_path_factory):
    """A finished run."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    return train(tiny_recipe, SyntheticStore("fundus", count=16), folder, progress=False)


@pytest.mark.slow
class TestCtrlC:
    """Every command that takes long ends in one line that says what to do next, and goes on when it is given again."""

    @staticmethod
    def interrupt(command, shown):
        """Start a command, send Ctrl-C when it has shown something, and return how it ended."""
        process = subprocess.Popen(
            [sys.executable, "-m", "llmseg", *map(str, command)],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        watchdog = threading.Timer(120, process.kill)
        watchdog.start()
        try:
            while not shown():
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate()
        finally:
            watchdog.cancel()
        return process.returncode, out, err

    @pytest.mark.parametrize("kind", ["train", "compare", "predict", "report"])
    def test_it_ends_in_one_line_and_leaves_nothing_half(self, kind, run, tmp_path):
        out = tmp_path / "out"
        data = ["--synthetic", "fundus", "--cases", 16, "--set", "images.size=64,64", "--set", "fit.epochs=500"]
        commands = {
            "train": ["train", "gpt-4", *data, "-q", "-o", out],
            "compare": ["compare", "gpt-4", "gpt-o3", *data, "-q", "-o", out],
            "predict": ["predict", run.folder, "--images", self.many_images(tmp_path), "-q", "-o", out],
            "report": ["report", self.many_scores(tmp_path), "-q", "-o", out],
        }
        begun = {
            "train": lambda: (out / "history.csv").is_file(),
            "compare": lambda: any(tmp_path.glob("out/**/history.csv")),
            "predict": lambda: any(tmp_path.glob("out/**/*.png")),
            "report": lambda: any(tmp_path.glob(".*/images/**/*.svg")),
        }
        code, printed, err = self.interrupt(commands[kind], begun[kind])
        assert code == 130
        assert printed == ""
        *before, last = err.splitlines()
        assert all(line.startswith("llmseg: warning: ") for line in before)
        assert last.startswith("llmseg: stopped by Ctrl-C")
        assert "the same command" in last
        assert [*tmp_path.glob(".*")] == []

    @staticmethod
    def many_images(folder):
        from llmseg.files import encode_png

        images = folder / "images"
        images.mkdir()
        store = SyntheticStore("fundus", count=2)
        for index in range(400):
            (images / f"{index}.png").write_bytes(encode_png(store.read(store.ids[index % 2]).image))
        return images

    @staticmethod
    def many_scores(folder):
        from llmseg import zoo
        from llmseg.stats import simulate

        frame = simulate(pipelines=19, datasets=1, seeds=1, cases=40).frame
        frame["pipeline"] = frame["pipeline"].map(dict(zip(frame["pipeline"].unique(), zoo.names(), strict=True)))
        frame.to_csv(folder / "scores.csv", index=False)
        return folder / "scores.csv"
