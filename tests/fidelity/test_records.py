from __future__ import annotations

import json

import pytest

from llmseg.errors import UserError
from llmseg.fidelity.records import get_entry, read_record
from llmseg.fidelity.verify import verify


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


def test_what_a_record_lacks_is_named(golden, tmp_path):
    record = read_record(golden / "llama-3.1-405b.json")
    for part, name in (("eval", "std"), ("input", "seed")):
        damaged = json.loads(json.dumps(record))
        del damaged["forward"][part][name]
        (tmp_path / "record.json").write_text(json.dumps(damaged))
        with pytest.raises(UserError, match=f"the record has no '{name}' where one should be"):
            list(verify("llama-3.1-405b", read_record(tmp_path / "record.json"), only=("F1",)))
