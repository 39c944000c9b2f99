from __future__ import annotations

import pytest

from llmseg import UserError
from llmseg.files import check_files, check_kind, check_writable, clean_name, read_bytes, read_json, read_json_if_any


class TestCleanName:
    def test_what_is_kept_is_stated(self):
        assert clean_name("a/b: é=1.5_2-x", also="-_.=") == "a_b__é=1.5_2-x"
        assert clean_name("a/b: é=1.5_2-x", also="-_") == "a_b__é_1_5_2-x"

    def test_nothing_may_stand_instead(self):
        assert clean_name("gpt-4o@run 1", also="@", instead="") == "gpt4o@run1"


class TestCheckKind:
    def test_an_empty_folder_and_none_are_free(self, tmp_path):
        check_kind(tmp_path, "run", holds=False)
        check_kind(tmp_path / "new", "run", holds=False)

    def test_what_is_of_the_kind_may_be_continued(self, tmp_path):
        (tmp_path / "run.json").touch()
        check_kind(tmp_path, "run", holds=True)

    def test_something_else_is_refused(self, tmp_path):
        (tmp_path / "thesis.txt").touch()
        with pytest.raises(UserError, match=rf"^{tmp_path} is not empty and holds no run; choose another --out$"):
            check_kind(tmp_path, "run", holds=False)
        with pytest.raises(UserError, match=r"thesis\.txt is a file; choose another --out$"):
            check_kind(tmp_path / "thesis.txt", "run", holds=False)


class TestCheckFiles:
    def test_own_files_may_be_replaced(self, tmp_path):
        (tmp_path / "pages").mkdir()
        (tmp_path / "pages" / "a.html").touch()
        check_files(tmp_path, "a report", ["pages/a.html", "pages/b.html"])
        check_files(tmp_path / "new", "a report", [])

    def test_another_file_is_named(self, tmp_path):
        (tmp_path / "pages").mkdir()
        (tmp_path / "pages" / "a.html").touch()
        (tmp_path / "pages" / "mine.html").touch()
        with pytest.raises(UserError, match=r" holds pages/mine\.html, which is no part of a report; choose another"):
            check_files(tmp_path, "a report", ["pages/a.html"])
        with pytest.raises(UserError, match=r"a\.html is a file; choose another --out$"):
            check_files(tmp_path / "pages" / "a.html", "a report", ["pages/a.html"])


class TestCheckWritable:
    def test_the_nearest_folder_above_decides(self, tmp_path, monkeypatch):
        check_writable(tmp_path / "a" / "b")
        monkeypatch.setattr("os.access", lambda path, _: path != tmp_path)  # the superuser may write anywhere
        with pytest.raises(UserError, match=f"^cannot write in {tmp_path}; choose another --out$"):
            check_writable(tmp_path / "a" / "b")


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
