from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest
from PIL import Image

from llmseg import SyntheticStore, UserError, stats, write_report
from llmseg.report import site


@dataclass
class Page(HTMLParser):
    """What a page is made of."""

    text: str
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def values(self, name: str) -> list[str]:
        """All values of an attribute."""
        return [attributes[name] for _, attributes in self.tags if name in attributes]

    @property
    def said(self) -> str:
        """The text, blanks made one."""
        return " ".join("".join(self.words).split())


def pages(folder: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}


def assert_headings(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_a_page_per_contender_and_dataset_and_every_link_leads_somewhere(report, scores):
    found = pages(report.folder)
    assert len(found) == 4 + scores["pipeline"].nunique() + scores["dataset"].nunique()
    for path, page in found.items():
        for link in [*page.values("href"), *page.values("src")]:
            target, _, place = unquote(link).partition("#")
            if target.startswith("data:"):
                continue
            goal = (path.parent / target).resolve() if target else path
            assert goal.is_relative_to(report.folder), link
            assert goal.is_file(), link
            if place:
                assert place in found[goal].values("id"), link


def test_ids_are_unique_and_references_hold(report):
    for page in pages(report.folder).values():
        ids = page.values("id")
        assert len(ids) == len(set(ids))
        references = [*page.values("aria-labelledby"), *page.values("data-plot"), *page.values("for")]
        assert set(references) <= set(ids)
        assert_headings(page)


def test_hostile_names_stay_text(report, hostile):
    found = pages(report.folder)
    assert any(hostile in page.said for page in found.values())
    for path, page in found.items():
        assert [name for _, attributes in page.tags for name in attributes if name.startswith("on")] == []
        assert [tag for tag, _ in page.tags if tag == "img"] == []
        for tag, attributes in page.tags:
            assert tag != "script" or "src" in attributes or attributes["type"] == "application/json"
        assert re.fullmatch(r"[a-z0-9.@_-]+", path.name)


def test_nothing_is_fetched_from_elsewhere(report):
    for path in [*report.folder.rglob("*.html"), report.folder / "assets/report.css"]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(src|href|action|poster|srcset)=[\"']?(https?:)?//", text), path
        assert not re.search(r"url\(|@import", text), path
    heavy = {p.name for p in report.folder.rglob("*.html") if "plotly.min.js" in p.read_text(encoding="utf-8")}
    assert heavy == {path.name for path in (report.folder / "datasets").iterdir()}


def test_the_leaderboard_holds_what_stats_says(report, scores):
    page = pages(report.folder)[report.index]
    means = stats.means(stats.Table.from_frame(scores), each_dataset=False).set_index("contender")
    ranking = stats.rank(stats.Table.from_frame(scores))
    shown = [float(a["data-value"]) for tag, a in page.tags if a.get("data-cell") == "mean"]
    assert shown == pytest.approx([means.loc[name, "mean"] for name in ranking.frame["contender"]])
    assert ranking.sentence in page.said
    for family in report.analysis.families:
        for claim in family.claims:
            assert claim.sentence in pages(report.folder)[report.folder / "claims.html"].said
    assert {family.id for family in report.analysis.families} == {"cohorts", "reasoning", "reference", "pairs"}


def test_downloads_can_be_reported_again_and_give_the_same_bytes(report, scores, tmp_path):
    pd.testing.assert_frame_equal(stats.Table.from_csv(report.folder / "data/scores.csv").frame, scores)
    again = write_report([report.folder / "data/scores.parquet"], tmp_path / "again")
    files = {path.relative_to(again.folder): path.read_bytes() for path in again.folder.rglob("*") if path.is_file()}
    assert files == {p.relative_to(report.folder): p.read_bytes() for p in report.folder.rglob("*") if p.is_file()}


def test_pages_without_runs_say_so(report, scores):
    page = pages(report.folder)[report.folder / "pipelines/gpt-o3.html"]
    assert "Curves need runs" in page.said
    assert "Overlays need runs" in page.said
    assert set(report.notes) == set(scores["dataset"])


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


class TestBadInput:
    def test_what_lacks_a_dataset_is_not_ranked_and_what_lacks_a_case_takes_it_from_all(self, written, scores):
        lacking = (scores["pipeline"] == "gpt-o3") & (scores["dataset"] != "Skin")
        single = (scores["pipeline"] == "gpt-4o") & (scores["dataset"] == "Skin") & (scores["case"] == "case-02")
        report = written(scores[~lacking & ~single])
        assert set(report.analysis.overall.absent) == {"gpt-o3"}
        page = pages(report.folder)[report.index]
        assert_headings(page)
        assert f"GPT o3: no scores on {scores['dataset'].iloc[-1]}" in page.said
        assert "1 of 8 cases of Skin left out: not every contender and seed has a dice" in page.said
        assert len(report.analysis.by_dataset["Skin"].places) == scores["pipeline"].nunique()

    def test_contenders_with_nothing_in_common(self, written, scores):
        first = (scores["pipeline"] == "gpt-4o") & (scores["dataset"] == "Skin")
        second = (scores["pipeline"] == "gpt-o3") & (scores["dataset"] != "Skin")
        report = written(scores[first | second])
        said = pages(report.folder)[report.index].said
        assert "Nobody can be ranked here." in said
        assert "No contender can be compared on all datasets." in said

    def test_one_contender_on_one_dataset(self, written, scores):
        report = written(scores[(scores["pipeline"] == "gpt-4o") & (scores["dataset"] == "Skin")])
        said = pages(report.folder)[report.index].said
        assert "One contender: there is nothing to rank or to compare." in said
        assert report.analysis.families[0].claims == ()

    def test_ties_everywhere(self, written, scores):
        report = written(scores.assign(value=0.5))
        page = pages(report.folder)[report.index]
        assert "All contenders have the same mean: the order of the rows says nothing." in page.said
        assert "No order of the contenders can be claimed" in page.said
        assert "How far a mean may be off is not known where scores do not differ" in page.said
        assert {claim.verdict for family in report.analysis.families for claim in family.claims} == {"undecided"}

    def test_values_that_are_no_numbers_and_other_mistakes_end_in_one_line(self, call, scores, tmp_path):
        scores.assign(value=float("nan")).to_csv(tmp_path / "nan.csv", index=False)
        scores.to_csv(tmp_path / "scores.csv", index=False)
        (tmp_path / "notes.txt").write_text("none")
        for names, options, wanted in (
            (["nan.csv"], [], "values are no numbers (NaN)"),
            (["absent"], [], "no such folder"),
            (["notes.txt"], [], "files may end in .csv or .parquet"),
            (["scores.csv"], ["--measure", "dce"], "no measure 'dce' in the table"),
            (["scores.csv"], ["--reference", "gpt-3"], "no contender 'gpt-3'"),
            (["scores.csv"], ["--margin", 0], "margin is 0.0"),
            (["scores.csv", "scores.csv"], [], "rows stand twice"),
        ):
            code, _, error = call("report", *(tmp_path / name for name in names), "-o", tmp_path / "site", *options)
            assert (code, error.count("\n")) == (2, 1)
            assert wanted in error
            assert not (tmp_path / "site").exists()


@pytest.mark.slow
class TestRuns:
    def test_pages_show_what_was_trained(self, run_report):
        found = pages(run_report.folder)
        page = found[run_report.folder / "pipelines/gpt-o3.html"]
        assert "curves-1" in page.values("id")
        assert "Its runs did not use the published recipe" in page.said
        assert "images.size" in page.said
        assert "Trained on cpu in fp32." in found[run_report.folder / "methods.html"].said

    def test_overlays_come_from_the_runs_and_the_images_they_name(self, run_report):
        page = pages(run_report.folder)[run_report.folder / "pipelines/gpt-o3.html"]
        drawn = [attributes for tag, attributes in page.tags if tag == "img"]
        assert len(drawn) == 2
        assert run_report.notes == {}
        for one in drawn:
            path = (run_report.folder / "pipelines" / one["src"]).resolve()
            assert Image.open(path).size == (int(one["width"]), int(one["height"]))
            assert one["alt"]

    def test_images_that_hold_other_cases_are_not_taken(self, study, monkeypatch, tmp_path):
        monkeypatch.setattr(site.overlays, "open_source", lambda source: SyntheticStore("mri-tumour", count=20))
        report = write_report([study.folder], tmp_path / "site", cases=1)
        page = pages(report.folder)[report.folder / "pipelines/gpt-o3.html"]
        assert "Overlays need the images; name the store by --data." in page.said
