from __future__ import annotations

import os
import subprocess
import sys
import time

from llmseg.files import clear_leftovers, temporary, temporary_path


class TestClearLeftovers:
    def test_what_a_process_that_ended_left_goes(self, tmp_path, leave, ended):
        file, folder = (leave(tmp_path, ended) for _ in range(2))
        folder.unlink()
        (folder / "images").mkdir(parents=True)
        (folder / "images" / "a.png").touch()
        clear_leftovers(tmp_path)
        assert not file.exists()
        assert list(tmp_path.iterdir()) == []

    def test_what_a_process_writes_that_runs_stays(self, tmp_path, leave):
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
            paths = [temporary_path(tmp_path), leave(tmp_path, other.pid)]
            paths[0].touch()
            clear_leftovers(tmp_path)
            assert sorted(tmp_path.iterdir()) == sorted(paths)
            other.communicate(b"\n")
        clear_leftovers(tmp_path)
        assert list(tmp_path.iterdir()) == paths[:1]

    def test_a_later_process_of_the_same_number_is_another(self, tmp_path, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(temporary, "_read_start", lambda process: 1)
            path = temporary_path(tmp_path)
        path.touch()
        clear_leftovers(tmp_path)
        assert not path.exists()

    def test_of_another_machine_what_is_a_day_old_goes(self, tmp_path, leave, monkeypatch, ended):
        with monkeypatch.context() as patch:
            patch.setattr(temporary, "_machine", lambda: "abcdef")
            new, old = (leave(tmp_path, ended) for _ in range(2))
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
