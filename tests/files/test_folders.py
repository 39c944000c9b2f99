from __future__ import annotations

import pytest

from llmseg import UserError
from llmseg.files import (
    check_files,
    check_kind,
    check_writable,
    temporary_path,
)


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
