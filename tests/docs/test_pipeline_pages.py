"""The pages of the pipelines are what their module makes now, and so are the drawings."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from llmseg import zoo
from llmseg.figures import draw_network, save

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "reference" / "pipelines"
ADVICE = "make them again: python docs/pipeline_pages.py"


@pytest.fixture(scope="module")
def maker(load_maker) -> ModuleType:
    """The module that makes the page, which lies outside the package."""
    return load_maker("pipeline_pages")


def test_every_pipeline_has_a_page_and_a_drawing():
    names = zoo.all_names()
    assert {path.stem for path in FOLDER.glob("*.svg")} == set(names), ADVICE
    assert {path.stem for path in FOLDER.glob("*.md")} == {*names, "index"}, ADVICE
    index = (FOLDER / "index.md").read_text(encoding="utf-8")
    assert [name for name in names if f"[{name}]({name}.md)" not in index] == [], ADVICE


@pytest.mark.slow
def test_pages_are_what_is_made_now(maker):
    for file, text in maker.render_pages().items():
        assert (FOLDER / file).read_text(encoding="utf-8") == text, f"{file} is old; {ADVICE}"


@pytest.mark.slow
def test_the_table_of_the_readme_is_what_is_made_now(maker):
    text = maker.README.read_text(encoding="utf-8")
    assert maker.fill_readme(text) == text, ADVICE
    assert all(f"| [{name}](docs/reference/pipelines/{name}.md) |" in text for name in zoo.names())


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.all_names())
def test_drawings_are_what_is_drawn_now(name, tmp_path):
    """Text and size of a drawing; other versions of matplotlib may write the same drawing in other bytes."""
    drawn = save(draw_network(name), tmp_path / "net.svg", keep_text=True)
    assert read_drawing(FOLDER / f"{name}.svg") == read_drawing(drawn), ADVICE


def read_drawing(path: Path) -> tuple[str | None, list[str | None]]:
    root = ElementTree.parse(path).getroot()
    return root.get("viewBox"), [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]


def test_old_pages_are_removed_and_other_files_kept(maker, tmp_path, monkeypatch):
    for file in ("gone.md", "gone.svg", "notes.txt"):
        (tmp_path / file).write_text("")
    monkeypatch.setattr(maker, "FOLDER", tmp_path)
    monkeypatch.setattr(maker, "README", tmp_path / "notes.txt")
    monkeypatch.setattr(maker, "fill_readme", lambda text: "filled\n")
    monkeypatch.setattr(maker, "render_pages", lambda: {"index.md": "all\n"})
    monkeypatch.setattr(maker, "file_names", dict)
    maker.main()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.md", "notes.txt"]
    assert (tmp_path / "notes.txt").read_text() == "filled\n"
