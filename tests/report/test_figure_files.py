"""The figures of a report as files."""

from __future__ import annotations

import pytest

from llmseg import UserError, write_report
from llmseg.figures.kinds import KINDS


@pytest.fixture
def few_kinds(monkeypatch):
    """Three kinds of figures, which are drawn at once or not at all."""
    kinds = {name: KINDS[name] for name in ("errors", "podium", "losses")}
    monkeypatch.setattr("llmseg.figures.kinds.KINDS", kinds)


def test_figures_are_files_of_the_report_with_what_they_show(few_kinds, written, scores, pages):
    report = written(scores, cases=0, figures="svg")
    names = sorted(path.name for path in (report.folder / "figures").iterdir())
    assert names[0] == "errors.svg"
    assert [name.startswith("podium-") for name in names] == [False, True, True]
    page = pages(report.folder)[report.folder / "downloads.html"]
    page.check_headings()
    assert {target for target in page.values("href") if target.startswith("figures/")} == {
        f"figures/{n}" for n in names
    }
    assert page.said.count(KINDS["podium"].shows) == 2
    assert "losses: there are no trainings" in page.said
    # It is a report like another, which the next one replaces.
    again = written(scores, cases=0)
    assert not (again.folder / "figures").exists()
    assert "Figures" not in pages(again.folder)[again.folder / "downloads.html"].said


def test_a_format_that_is_none_is_refused_before_anything_is_computed(tmp_path, monkeypatch, scores):
    scores.to_csv(tmp_path / "scores.csv", index=False)
    monkeypatch.setattr("llmseg.report.site.analyse", None)
    with pytest.raises(UserError, match=r"no format '.pfd'.*did you mean '.pdf'"):
        write_report(tmp_path / "scores.csv", tmp_path / "site", figures="pfd")
    assert not (tmp_path / "site").exists()


def test_the_command_takes_a_format(few_kinds, scores, tmp_path, call):
    scores.to_csv(tmp_path / "scores.csv", index=False)
    code, text, _ = call("report", tmp_path / "scores.csv", "-o", tmp_path / "site", "--figures", "png", "--cases", 0)
    assert code == 0
    assert (tmp_path / "site/figures/errors.png").is_file()
    assert "To tell apart two contenders that differ by 0.01" in text
