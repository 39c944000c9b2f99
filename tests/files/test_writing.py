from __future__ import annotations

import os
import threading

import pytest

from llmseg import UserError
from llmseg.files import (
    replace_file,
    write_bytes,
    write_first,
)


class TestReplaceFile:
    def test_a_name_may_be_as_long_as_the_file_system_takes(self, tmp_path):
        write_bytes(tmp_path / ("n" * 255), b"whole")
        assert (tmp_path / ("n" * 255)).read_bytes() == b"whole"

    def test_the_first_write_in_a_folder_clears_it(self, tmp_path, leave, ended):
        leave(tmp_path, ended)
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


class TestWriteFirst:
    def test_the_first_one_wins(self, tmp_path):
        for text in ("first", "second"):
            write_first(tmp_path / "a", text)
            assert (tmp_path / "a").read_text() == "first"
        assert [path.name for path in tmp_path.iterdir()] == ["a"]

    def test_of_many_at_once_one_is_whole(self, tmp_path):
        writers = [threading.Thread(target=write_first, args=(tmp_path / "a", str(k) * 5000)) for k in range(8)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        text = (tmp_path / "a").read_text()
        assert len(text) == 5000
        assert len(set(text)) == 1
        assert [path.name for path in tmp_path.iterdir()] == ["a"]

    def test_where_there_are_no_links(self, tmp_path, monkeypatch):
        def refuse(*_):
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
        write_first(tmp_path / "a", "first")
        assert (tmp_path / "a").read_text() == "first"

    def test_a_folder_that_is_not_there(self, tmp_path):
        with pytest.raises(UserError, match="cannot write"):
            write_first(tmp_path / "none" / "a", "first")
