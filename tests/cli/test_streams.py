"""Streams that are closed or not read, and terminals that know few characters."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

LLMSEG = (sys.executable, "-m", "llmseg")
OLD_LOCALE = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def shell(line, **environment):
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line.replace("LLMSEG", " ".join(LLMSEG))],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("command", ["list", "show gpt-4 --json", "quirks"])
def test_a_reader_that_stops_reading_ends_the_command_quietly(command):
    ended = shell(f"LLMSEG {command} | true")
    assert ended.returncode in (0, 128 + signal.SIGPIPE)
    assert ended.stderr == ""


@pytest.mark.parametrize(
    ("line", "code"), [("list 2>&-", 0), ("list >&-", 0), ("show nothing 2>&-", 2), ("list <&-", 0)]
)
def test_a_closed_stream_changes_no_exit_code(line, code):
    assert shell(f"LLMSEG {line}").returncode == code


def test_a_terminal_of_few_characters_gets_escapes():
    ended = shell("LLMSEG data info ham10000", **OLD_LOCALE)
    assert (ended.returncode, ended.stderr) == (0, "")
    ended.stdout.encode("ascii")


def test_names_keep_their_letters_in_an_old_locale(tmp_path):
    ended = shell(f"LLMSEG show '{tmp_path}/größe.json'", **OLD_LOCALE)
    assert ended.returncode == 2
    assert r"gr\xf6\xdfe.json" in ended.stderr


NASTY = "\x1b]0;owned\x07\x1b[2J\u202e"


@pytest.mark.parametrize("command", [("show",), ("data", "info"), ("diff", "gpt-4")])
def test_escape_codes_in_what_is_given_reach_no_terminal(call, command):
    code, text, err = call(*command, NASTY)
    assert code == 2
    assert (text + err).replace("\n", "").isprintable()
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", [f"{NASTY}.png", "a\nllmseg: all is well.png"])
def test_images_with_escape_codes_in_their_names_are_refused(call, folders, name):
    images, masks = folders
    for folder in (images, masks):
        next(folder.glob("00.*")).rename(folder / name)
    code, text, err = call("data", "doctor", "--images", images, "--masks", masks, "-q")
    assert code == 2
    assert "has control characters; rename the file" in err
    assert (text + err).replace("\n", "").isprintable()
    assert err.count("\n") == 1


def test_too_little_memory_ends_in_one_line(call, folders, monkeypatch):
    def fill(*_, **__):
        raise MemoryError("unable to allocate 9.09 TiB")

    monkeypatch.setattr("llmseg.data.examine", fill)
    images, masks = folders
    code, _, err = call("data", "doctor", "--images", images, "--masks", masks, "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert "memory" in err
