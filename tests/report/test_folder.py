"""The folder of a report: nothing else is lost, and no half of a report is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmseg import UserError
from llmseg.report import site
from llmseg.report.folder import check_free, new_folder


def test_another_folder_is_left_alone_and_an_earlier_report_stays_until_the_new_is_whole(
    written, scores, tmp_path, monkeypatch
):
    few = scores[scores["dataset"] == "Skin"]
    first = written(few, title="first")
    monkeypatch.setattr(site, "render", lambda content: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(UserError, match="No space left on device; what was there before is kept"):
        written(few, title="second")
    assert "first" in first.index.read_text()
    monkeypatch.undo()
    assert "second" in written(few, title="second").index.read_text()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    (tmp_path / "site/thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match=r"holds thesis\.tex, which is no part of a report"):
        written(few)
    assert (tmp_path / "site/thesis.tex").read_text() == "years of work"


def write(out, **files):
    with new_folder(out) as folder:
        for name, text in files.items():
            (folder / f"{name}.html").write_text(text)


def content(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.suffix == ".html"}


def test_a_new_report_replaces_all_of_an_earlier_one(tmp_path):
    write(tmp_path / "site", index="first", gone="first")
    write(tmp_path / "site", index="second")
    assert content(tmp_path / "site") == {"index.html": "second"}
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_an_earlier_report_comes_back_if_the_new_one_cannot_be_moved(tmp_path, monkeypatch):
    write(tmp_path / "site", index="first")
    rename = Path.rename

    def refuse(path, target):
        if path.suffix == ".part":
            raise OSError(1, "Operation not permitted")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(UserError, match="Operation not permitted; what was there before is kept"):
        write(tmp_path / "site", index="second")
    assert content(tmp_path / "site") == {"index.html": "first"}
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_file_that_appears_while_a_report_is_made_is_kept(tmp_path):
    out = tmp_path / "site"
    write(out, index="first")

    def write_while_somebody_else_does():
        with new_folder(out) as folder:
            (folder / "index.html").write_text("second")
            (out / "thesis.tex").write_text("years of work")

    with pytest.raises(UserError, match=r"holds thesis\.tex"):
        write_while_somebody_else_does()
    assert content(out) == {"index.html": "first"}
    assert (out / "thesis.tex").read_text() == "years of work"


def test_an_empty_folder_is_free_and_a_link_is_not(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    check_free(tmp_path / "empty")
    with pytest.raises(UserError, match="link"):
        check_free(tmp_path / "link")
