from __future__ import annotations

import pytest

from llmseg.errors import UserError
from llmseg.fidelity.records import get_entry, read_record


def test_read_record(golden, open_golden):
    assert read_record(golden / "gpt-4.json") == open_golden("gpt-4").record


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "3", "\x00"])
def test_no_record(tmp_path, content):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(UserError, match="is no record"):
        read_record(tmp_path / "x.json")


def test_missing_record(tmp_path):
    with pytest.raises(UserError, match="no record"):
        read_record(tmp_path / "x.json")


def test_bytes_and_folders_are_no_record(tmp_path):
    (tmp_path / "x.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="is no record"):
        read_record(tmp_path)
    with pytest.raises(UserError, match="is no record"):
        read_record(tmp_path / "x.json")


def test_get_entry():
    record = {"a": {"b": [1]}, "c": None}
    assert get_entry(record, "a.b") == [1]
    assert get_entry(record, "c") is None
    for path in ("d", "a.d", "c.d", "a.b.c"):
        with pytest.raises(UserError, match=f"the record has no '{path}'"):
            get_entry(record, path)
