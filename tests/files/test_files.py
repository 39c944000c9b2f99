from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from llmseg import UserError, files
from llmseg.files import (
    check_files,
    check_kind,
    check_writable,
    clean_name,
    clear_leftovers,
    read_bytes,
    read_json,
    read_json_if_any,
    replace_file,
    temporary_path,
    write_bytes,
)


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

    def test_locks_and_halves_of_killed_processes_and_empty_folders_are_nothing(self, tmp_path):
        (tmp_path / ".lock").touch()
        (tmp_path / "checkpoint").mkdir()
        for folder in (tmp_path, tmp_path / "checkpoint"):
            temporary_path(folder).touch()
        check_kind(tmp_path, "run", holds=False)
        (tmp_path / "checkpoint" / "thesis.txt").touch()
        with pytest.raises(UserError, match="is not empty and holds no run"):
            check_kind(tmp_path, "run", holds=False)

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

    def test_halves_of_own_files_are_passed_over_and_those_of_others_are_not(self, tmp_path):
        for path in (temporary_path(tmp_path), tmp_path / ".a.html-x1y2_z3a.part"):
            path.touch()
        check_files(tmp_path, "a report", ["pages/a.html"])
        (tmp_path / ".thesis.html-x1y2_z3a.part").touch()
        with pytest.raises(UserError, match=r"holds \.thesis\.html"):
            check_files(tmp_path, "a report", ["pages/a.html"])

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


@pytest.fixture
def ended():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


class TestClearLeftovers:
    def leave(self, folder, monkeypatch, process):
        with monkeypatch.context() as patch:
            patch.setattr(os, "getpid", lambda: process)
            path = temporary_path(folder)
        path.write_bytes(b"half")
        return path

    def test_what_a_process_that_ended_left_goes(self, tmp_path, monkeypatch, ended):
        file, folder = (self.leave(tmp_path, monkeypatch, ended) for _ in range(2))
        folder.unlink()
        (folder / "images").mkdir(parents=True)
        (folder / "images" / "a.png").touch()
        clear_leftovers(tmp_path)
        assert not file.exists()
        assert list(tmp_path.iterdir()) == []

    def test_what_a_process_writes_that_runs_stays(self, tmp_path, monkeypatch):
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
            paths = [temporary_path(tmp_path), self.leave(tmp_path, monkeypatch, other.pid)]
            paths[0].touch()
            clear_leftovers(tmp_path)
            assert sorted(tmp_path.iterdir()) == sorted(paths)
            other.communicate(b"\n")
        clear_leftovers(tmp_path)
        assert list(tmp_path.iterdir()) == paths[:1]

    def test_a_later_process_of_the_same_number_is_another(self, tmp_path, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(files, "_read_start", lambda process: 1)
            path = temporary_path(tmp_path)
        path.touch()
        clear_leftovers(tmp_path)
        assert not path.exists()

    def test_of_another_machine_what_is_a_day_old_goes(self, tmp_path, monkeypatch, ended):
        with monkeypatch.context() as patch:
            patch.setattr(files, "_machine", lambda: "abcdef")
            new, old = (self.leave(tmp_path, monkeypatch, ended) for _ in range(2))
        os.utime(old, (time.time() - 90_000,) * 2)
        clear_leftovers(tmp_path)
        assert list(tmp_path.iterdir()) == [new]

    def test_files_of_users_stay(self, tmp_path):
        names = (
            "notes.part",
            ".llmseg-notes.part",
            ".thesis.csv-x1.part",
            ".scores.csv",
            "scores.csv-x1.part",
            ".lock",
        )
        for name in names:
            (tmp_path / name).touch()
        (tmp_path / ".scores.csv-x1y2_z3a.part").touch()
        clear_leftovers(tmp_path, "scores.csv")
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)

    def test_a_folder_that_is_not_there(self, tmp_path):
        clear_leftovers(tmp_path / "new", "scores.csv")
        assert not (tmp_path / "new").exists()


class TestReplaceFile:
    def test_a_name_may_be_as_long_as_the_file_system_takes(self, tmp_path):
        write_bytes(tmp_path / ("n" * 255), b"whole")
        assert (tmp_path / ("n" * 255)).read_bytes() == b"whole"

    def test_the_first_write_in_a_folder_clears_it(self, tmp_path, monkeypatch, ended):
        TestClearLeftovers().leave(tmp_path, monkeypatch, ended)
        write_bytes(tmp_path / "a", b"whole")
        assert [path.name for path in tmp_path.iterdir()] == ["a"]

    @pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
    def test_permissions_follow_the_umask_which_stays(self, mask, mode, tmp_path):
        before = os.umask(mask)
        try:
            with replace_file(tmp_path / "a") as temporary:
                temporary.write_bytes(b"whole")
                assert temporary.stat().st_mode & 0o777 == mode
            assert (tmp_path / "a").stat().st_mode & 0o777 == mode
        finally:
            assert os.umask(before) == mask

    def test_threads_never_see_another_umask(self, tmp_path, monkeypatch):
        monkeypatch.setattr(os, "umask", None)
        writers = [threading.Thread(target=write_bytes, args=(tmp_path / str(k), b"whole")) for k in range(8)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert len(list(tmp_path.iterdir())) == 8

    def test_a_folder_that_is_missing_is_one_line(self, tmp_path):
        with pytest.raises(UserError, match="No such file or directory; what was there before is kept"):
            write_bytes(tmp_path / "missing" / "a", b"whole")
