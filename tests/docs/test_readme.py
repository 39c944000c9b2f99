"""The first pages: the README is short and its example prints what it shows; what other first pages name is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import llmseg
from llmseg.stats import published

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
FIRST_PAGES = [README, *(ROOT / f"{name}.md" for name in ("CONTRIBUTING", "SECURITY"))]


def test_it_is_short():
    assert README.read_text(encoding="utf-8").count("\n") < 150


@pytest.mark.parametrize("page", FIRST_PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)(#[^)]+)?\)", page.read_text(encoding="utf-8"))
    assert links
    assert [path for path, _ in links if not (ROOT / path).exists()] == []
    for path, place in links:
        headings = re.findall(r"^#+ (.*)$", (ROOT / path).read_text("utf-8"), re.MULTILINE) if place else []
        assert not place or place[1:] in [heading.lower().replace(" ", "-") for heading in headings]


def test_targets_of_make_are_there():
    made = set(re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        name for page in FIRST_PAGES for name in re.findall(r"(?:^|`)make ([\w-]+)", page.read_text(), re.MULTILINE)
    }
    assert len(named) > 4
    assert named <= made


@pytest.mark.slow
def test_its_example_prints_what_it_shows(read_blocks, tmp_path):
    example, output = (
        next(block.code for block in read_blocks(README) if block.language == word) for word in ("python", "text")
    )
    assert len([line for line in example.splitlines() if line]) <= 10
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=500
    )
    # Scores depend on the processor: what stands before them does not.
    printed, shown = ([re.sub(r"[\d.]+", "0", line) for line in text.splitlines()] for text in (done.stdout, output))
    assert printed[:2] == shown[:2]
    assert [line.split() for line in printed[2:]] == [line.split() for line in shown[2:]]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_forms_for_issues_can_be_read(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.stem != "config":
        assert {"name", "description", "body"} <= set(form)
        ids = [part["id"] for part in form["body"]]
        assert len(set(ids)) == len(ids)


def test_the_citation_is_of_this_version_and_of_the_study():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == llmseg.__version__
    (study,) = citation["references"]
    assert (study["title"], study["url"]) == (published.TITLE, published.REPOSITORY)
    page = (ROOT / "docs" / "explanation" / "published.md").read_text(encoding="utf-8")
    assert all(text in page for text in (published.TITLE, published.REPOSITORY, *published.PROMPTS.values()))
