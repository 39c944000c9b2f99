"""The folder of a report: nothing else is lost, and no half of a report is seen."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from llmseg import UserError
from llmseg.report import folder as folder_module
from llmseg.report import site
from llmseg.report.folder import MARK, check_free, new_folder


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


@pytest.mark.parametrize("name", ["thesis.docx", "index.html", "data/scores.csv", "images/site/d-0.png"])
@pytest.mark.parametrize("files", [list, lambda names: dict.fromkeys(names, "0" * 64)])
def test_a_list_that_llmseg_did_not_write_names_no_files_that_may_go(files, name, tmp_path):
    path = tmp_path / "site" / name
    path.parent.mkdir(parents=True)
    path.write_text("years of work")
    (tmp_path / "site" / MARK).write_text(json.dumps({"report": 1, "files": files([name])}))
    with pytest.raises(UserError, match="choose another --out"):
        write(tmp_path / "site", index="second")
    assert path.read_text() == "years of work"


def test_a_page_that_was_changed_is_kept(tmp_path):
    write(tmp_path / "site", index="first", claims="first")
    (tmp_path / "site/claims.html").write_text("with my notes")
    with pytest.raises(UserError, match=r"holds claims\.html, which was changed after llmseg wrote it"):
        write(tmp_path / "site", index="second")
    assert content(tmp_path / "site") == {"index.html": "first", "claims.html": "with my notes"}


def test_a_report_of_an_earlier_version_which_has_no_digests_is_replaced(written, scores, tmp_path):
    site = written(scores).folder
    record = json.loads((site / MARK).read_text())
    # Those had no drawings of networks.
    for drawing in site.rglob("*.svg"):
        drawing.unlink()
    files = [name for name in record["files"] if not name.endswith(".svg")]
    (site / MARK).write_text(json.dumps({"report": 1, "files": files}))
    written(scores, title="second")
    assert json.loads((site / MARK).read_text())["report"] == 2


def test_a_process_killed_at_any_change_leaves_a_whole_report_and_the_next_one_clears_up(
    tmp_path, kill_at_every_change
):
    def first(folder):
        write(folder / "site", index="first", gone="first")

    def second(folder):
        check_free(folder / "site")
        write(folder / "site", index="second")

    for folder in (*kill_at_every_change(second), *kill_at_every_change(second, first)):
        second(folder)
        assert [path.name for path in folder.iterdir()] == ["site"]
        assert content(folder / "site") == {"index.html": "second"}


def test_between_the_two_renames_the_earlier_report_is_not_lost(tmp_path, monkeypatch):
    write(tmp_path / "site", index="first")
    (tmp_path / "site").rename(folder_module._place_aside(tmp_path / "site"))

    def fail():
        with new_folder(tmp_path / "site"):
            raise UserError("no scores")

    with pytest.raises(UserError, match="no scores"):
        fail()
    assert content(tmp_path / "site") == {"index.html": "first"}
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_what_earlier_versions_left_when_they_were_killed_is_cleared(tmp_path):
    (tmp_path / ".site-x1y2_z3a.part/images").mkdir(parents=True)
    (tmp_path / ".other-x1y2_z3a.part").mkdir()
    write(tmp_path / "site", index="first")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other-x1y2_z3a.part", "site"]


def test_permissions_follow_the_umask(written, scores):
    before = os.umask(0o027)
    try:
        site = written(scores).folder
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in (site, *site.rglob("*"))}
    assert modes == {0o750, 0o640}
