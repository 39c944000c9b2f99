"""Pages, read as a browser would."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pandas as pd
import pytest

from llmseg import stats, write_report, zoo
from llmseg.report.names import name_for_readers


def test_a_page_per_contender_and_dataset_and_every_link_leads_somewhere(pages, report, scores):
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


def test_ids_are_unique_and_references_hold(pages, report):
    for page in pages(report.folder).values():
        ids = page.values("id")
        assert len(ids) == len(set(ids))
        references = [*page.values("aria-labelledby"), *page.values("data-plot"), *page.values("for")]
        assert set(references) <= set(ids)
        page.check_headings()


def find_ids(pages, report, ids):
    """Where the text of a page has an id of a pipeline, outside of what is code or data for scripts."""
    for path, page in pages(report.folder).items():
        text = re.sub(r"<(script|code)\b.*?</\1>", " ", page.text, flags=re.DOTALL)
        said = type(page)(text).said
        yield from (f"{path.name}: {said[max(0, found.start() - 60) : found.end()]}" for id in ids
                    for found in re.finditer(rf"(?<![\w-]){re.escape(id)}(?![\w@-])", said))  # fmt: skip


def test_a_pipeline_has_one_name_for_readers(pages, report, scores):
    ids = [name for name in scores["pipeline"].unique() if name in zoo.names(reference=None)]
    assert len(ids) == 5
    assert list(find_ids(pages, report, ids)) == []
    found = pages(report.folder)
    assert "BasicUNet" in found[report.folder / "index.html"].said
    assert "<code>monai-basic-unet</code>" in (report.folder / "pipelines" / "monai-basic-unet.html").read_text()


@pytest.mark.slow
def test_remarks_reasons_and_questions_have_that_name_too(pages, written, scores, call, tmp_path):
    second = scores["dataset"].unique()[1]
    lacking = (scores["pipeline"] == "gpt-o3") & (scores["case"] == "case-02") & (scores["seed"] == 0)
    absent = (scores["pipeline"] == "deepseek-r1") & (scores["dataset"] == second)
    frame = scores[~lacking & ~absent].copy()
    frame.loc[frame["pipeline"] == "gpt-4o", "value"] = 0.0
    frame.loc[frame["pipeline"] == "claude-3.5-sonnet", "variant"] = "textbook"
    report = written(frame, reference="deepseek-r1", margin=0.05, figures="svg")
    ids = [*zoo.names(reference=None), "claude-3.5-sonnet textbook"]
    assert list(find_ids(pages, report, ids)) == []
    index = pages(report.folder)[report.folder / "index.html"].said
    assert "GPT-4o has learnt next to nothing" in index
    assert "Who is as good as DeepSeek R1?" in index
    table = tmp_path / "scores.csv"
    frame.to_csv(table, index=False)
    code, out, _ = call("report", table, "-o", tmp_path / "typed")
    assert code == 0
    assert not re.search("|".join(rf"(?<![\w-]){re.escape(id)}(?![\w@-])" for id in ids), out)


def test_hostile_names_stay_text(pages, report, hostile):
    found = pages(report.folder)
    assert any(hostile in page.said for page in found.values())
    for path, page in found.items():
        assert [name for _, attributes in page.tags for name in attributes if name.startswith("on")] == []
        images = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
        assert all(src.endswith("/network.svg") for src in images)
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


def test_the_leaderboard_holds_what_stats_says(pages, report, scores):
    page = pages(report.folder)[report.index]
    means = stats.means(stats.Table.from_frame(scores), each_dataset=False).set_index("contender")
    ranking = stats.rank(stats.Table.from_frame(scores))
    shown = [float(a["data-value"]) for tag, a in page.tags if a.get("data-cell") == "mean"]
    assert shown == pytest.approx([means.loc[name, "mean"] for name in ranking.frame["contender"]])
    assert name_for_readers(ranking.sentence, report.labels) in page.said
    assert page.said.index(report.headline) < page.said.index(name_for_readers(report.analysis.verdict, report.labels))
    for family in report.analysis.families:
        for claim in family.claims:
            said = pages(report.folder)[report.folder / "claims.html"].said
            assert name_for_readers(claim.sentence, report.labels) in said
    assert {family.id for family in report.analysis.families} == {"cohorts", "reasoning", "reference", "pairs"}


def test_pages_without_runs_say_so(pages, report, scores):
    page = pages(report.folder)[report.folder / "pipelines/gpt-o3.html"]
    assert "Curves need runs" in page.said
    assert "Overlays need runs" in page.said
    assert set(report.notes) == set(scores["dataset"])


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_few_seeds_are_said_where_claims_stand_and_no_share_is_taken_from_them(seeds, pages, tmp_path):
    scores = tmp_path / "scores.csv"
    stats.simulate(pipelines=[0.0, 0.1, 0.3], seeds=seeds, datasets=2, cases=12).frame.to_csv(scores, index=False)
    report = write_report(scores, tmp_path / "report")
    found = pages(report.folder)
    for path, page in found.items():
        claims = path.name in ("index.html", "claims.html") or path.parent.name == "pipelines"
        assert ("with one seed" in page.said.lower()) == (claims and seeds == 1), path
        assert seeds > 2 or "100 %" not in page.said, path
        if path.name == "index.html" or path.parent.name == "datasets":
            assert ("100 %" in page.said) == (seeds > 2), path
            assert ("cannot be told from" in page.said) == (seeds < 3), path
    shares = pd.read_csv(report.folder / "data" / "leaderboard.csv")["first"]
    assert shares.isna().all() == (seeds < 3)
