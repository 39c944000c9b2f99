"""Largest numbers that an environment variable can raise."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

from llmseg.errors import UserError
from llmseg.files import read_bytes, read_json
from llmseg.files.limits import FILE_BYTES, Limit

PAGES = Limit("LLMSEG_MAX_PAGES", 20, "pages of a book")


def test_a_number_above_is_refused_and_the_advice_helps(monkeypatch):
    PAGES.check(20, "b has")
    with pytest.raises(UserError, match=r"^b has 21 pages of a book, allowed are 20; set LLMSEG_MAX_PAGES=21 ") as told:
        PAGES.check(21, "b has")
    monkeypatch.setenv(*re.search(r"set (\w+)=(\d+)", str(told.value)).groups())
    PAGES.check(21, "b has")
    assert PAGES.value == 21
    assert PAGES.is_chosen


@pytest.mark.parametrize("chosen", ["many", "-1", "0", "1.5", "1e9", " 5", "9" * 5000])
def test_other_values_are_refused(monkeypatch, chosen):
    monkeypatch.setenv(PAGES.variable, chosen)
    with pytest.raises(UserError, match=r"LLMSEG_MAX_PAGES=.*: give the largest number of pages of a book, such as 20"):
        PAGES.check(1, "b has")


def test_a_file_of_many_bytes_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    path.write_bytes(b"content")
    monkeypatch.setenv(FILE_BYTES.variable, "6")
    with pytest.raises(UserError, match=r"a\.bin has 7 bytes of a file, allowed are 6; set LLMSEG_MAX_FILE=7"):
        read_bytes(path)
    monkeypatch.setenv(FILE_BYTES.variable, "7")
    assert read_bytes(path) == b"content"


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_what_may_have_no_end_is_not_read(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    if kind == "pipe":
        os.mkfifo("x")
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind("x")
    else:
        Path("x").symlink_to("/dev/zero")
    with pytest.raises(UserError, match=r"^x is no file but a pipe or a device; replace it"):
        read_bytes("x")
    with pytest.raises(UserError, match=r"^x is no file but a pipe or a device; put it back"):
        read_json(Path("x"))
