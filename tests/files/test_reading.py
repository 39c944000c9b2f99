from __future__ import annotations

import pytest

from llmseg import UserError
from llmseg.files import (
    read_bytes,
    read_json,
    read_json_if_any,
)


class TestReadBytes:
    def test_the_content(self, tmp_path):
        (tmp_path / "image").write_bytes(b"\0\1")
        assert read_bytes(tmp_path / "image") == read_bytes(str(tmp_path / "image")) == b"\0\1"

    def test_what_cannot_be_read_is_one_line(self, tmp_path):
        with pytest.raises(UserError) as error:
            read_bytes(tmp_path / "image")
        assert (
            str(error.value)
            == f"{tmp_path}/image cannot be read (No such file or directory); replace it or move it away"
        )
        with pytest.raises(UserError, match=r"\(Is a directory\); ask its author$"):
            read_bytes(tmp_path, hint="ask its author")


class TestReadJson:
    def test_a_record(self, tmp_path):
        path = tmp_path / "run.json"
        path.write_text('{"status": "done", "name": "Füße"}', encoding="utf-8")
        assert read_json(path, ("status",)) == read_json_if_any(path) == {"status": "done", "name": "Füße"}

    def test_a_missing_file_is_refused_or_an_empty_record(self, tmp_path):
        with pytest.raises(UserError, match=rf"^no file {tmp_path}/run\.json; give a folder that has one"):
            read_json(tmp_path / "run.json")
        assert read_json_if_any(tmp_path / "run.json", ("status",)) == {}

    @pytest.mark.parametrize("read", [read_json, read_json_if_any])
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "it holds no JSON;"),
            (b'{"status": "do', "it holds no JSON;"),
            (b"\xff\xfe\x00{", "it holds no JSON;"),
            (b'{"status": "\xff"}', "it holds no JSON;"),
            (b'["status"]', "it holds no JSON object;"),
            (b'{"seed": 0}', "it does not say 'status';"),
        ],
    )
    def test_a_damaged_file_is_one_line_that_names_it_and_says_what_to_do(self, read, content, words, tmp_path):
        path = tmp_path / "run.json"
        path.write_bytes(content)
        with pytest.raises(UserError) as error:
            read(path, ("status",))
        assert str(error.value).startswith(f"{path} is damaged: {words} put it back from a copy, or move its folder")
        assert "\n" not in str(error.value)
        assert path.read_bytes() == content

    @pytest.mark.parametrize("read", [read_json, read_json_if_any])
    def test_what_cannot_be_read_is_refused(self, read, tmp_path):
        (tmp_path / "run.json").mkdir()
        with pytest.raises(UserError, match=rf"^cannot read {tmp_path}/run\.json: "):
            read(tmp_path / "run.json")
