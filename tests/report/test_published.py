"""The page of published figures: there where the study has some, with names as text, and the same numbers."""

from __future__ import annotations

import csv

import pytest

from llmseg import write_report
from llmseg.report.names import name_for_readers
from llmseg.stats import Table
from llmseg.study import Results, compare_with_published


@pytest.fixture(scope="module")
def results(scores, hostile) -> Results:
    """Scores of two datasets, of which one says that it was prepared as BAGLS; its name is hostile."""
    table = Table.from_frame(scores)
    return Results(table, (), ((table.datasets[1], "bagls"), (table.datasets[0], None)))


@pytest.fixture(scope="module")
def report(results, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("llmseg.report.site.read_sources", lambda _: results)
        return write_report([], tmp_path_factory.mktemp("published") / "site")


@pytest.fixture(scope="module")
def page(report, pages):
    return next(page for path, page in pages(report.folder).items() if path.name == "published.html")


def test_every_page_leads_to_it_and_it_leads_to_the_pipelines(report, pages):
    for path, page in pages(report.folder).items():
        root = "../" * (len(path.relative_to(report.folder).parts) - 1)
        assert f"{root}published.html" in page.values("href")
    page = pages(report.folder)[report.folder / "published.html"]
    page.check_headings()
    for target in page.values("href") + page.values("src"):
        if target.startswith("#"):
            assert target[1:] in page.values("id")
        elif not target.startswith("data:"):
            assert (report.folder / target).is_file(), target


def test_it_says_what_the_comparison_says(page, results, report):
    comparison = compare_with_published(results)
    sentence = name_for_readers(comparison.datasets[0].sentence, report.labels)
    assert " ".join(sentence.split()) in page.said
    assert all(" ".join(text.split()) in page.said for text in comparison.explanations.values())
    assert all(text in page.said for text in comparison.limits)
    row = comparison.frame.set_index("pipeline").loc["gpt-4o"]
    assert f"{row['published_mean']:.3f}" in page.said
    assert "not prepared as a dataset of the study: Skin" in page.said.replace("Not prepared", "not prepared")


def test_names_are_text_on_it(page, hostile):
    assert hostile in page.said
    assert not any(tag == "b" or attributes.get("src") == "x" for tag, attributes in page.tags)


def test_rows_can_be_downloaded(report):
    with (report.folder / "data/published.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["published_as"] for row in rows} == {"BAGLS"}
    assert {row["pipeline"] for row in rows} == {"gpt-4o", "gpt-o3", "claude-3.5-sonnet", "deepseek-r1"}


def test_the_figure_is_as_large_as_the_page_says(report, page):
    from PIL import Image

    (image,) = [attributes for tag, attributes in page.tags if tag == "img"]
    with Image.open(report.folder / image["src"]) as picture:
        assert picture.size == (int(image["width"]), int(image["height"]))


def test_a_report_without_published_figures_has_no_such_page(written, scores):
    report = written(scores)
    assert not (report.folder / "published.html").exists()
    assert "published.html" not in report.index.read_text(encoding="utf-8")


def test_another_measure_has_none_either(results, monkeypatch, tmp_path):
    other = Results(Table.from_frame(results.table.frame.assign(measure="iou")), (), results.prepared_as)
    monkeypatch.setattr("llmseg.report.site.read_sources", lambda _: other)
    assert not (write_report([], tmp_path / "site", measure="iou").folder / "published.html").exists()


def test_the_leaderboard_says_first_what_is_decided_and_what_would_decide_the_rest(report, pages):
    said = pages(report.folder)[report.index].said
    texts = report.analysis.verdict, report.analysis.needs, report.analysis.overall.sentence
    verdict, needs, order = (name_for_readers(text, report.labels) for text in texts)
    assert needs.startswith("Of 15 pairs, ")
    assert "To tell apart two contenders that differ by 0.01" in needs
    assert said.index(verdict) < said.index(" ".join(needs.split())) < said.index(order)
