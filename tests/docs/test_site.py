"""The site: its tree is whole, every public name has a page, and it builds without a warning."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

import llmseg

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
GALLERY = DOCS / "how-to" / "gallery"  # is made of the scripts in docs/gallery


@pytest.fixture(scope="module")
def public_names():
    """The extension of the site that knows the public names."""
    sys.path.insert(0, str(DOCS / "extensions"))
    try:
        yield importlib.import_module("public_names")
    finally:
        sys.path.remove(str(DOCS / "extensions"))


def entries(page: Path) -> list[Path]:
    """Return the pages that the tables of contents of a page list."""
    blocks = re.findall(r"^```\{toctree\}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    listed = [page.parent / f"{line}.md" for line in lines if line and not line.startswith(":")]
    return [page for page in listed if page.parent != GALLERY]


class TestTree:
    def test_every_page_is_in_one_table_of_contents(self):
        listed = [entry for page in PAGES for entry in entries(page)]
        assert sorted(listed) == [page for page in PAGES if page != DOCS / "index.md"]

    def test_a_new_page_would_be_missed(self, tmp_path):
        page = tmp_path / "index.md"
        page.write_text("# Title\n\n```{toctree}\n:hidden:\n\none\ninner/two\n```\n")
        assert entries(page) == [tmp_path / "one.md", tmp_path / "inner" / "two.md"]

    def test_what_moved_leads_to_a_page(self):
        conf = (DOCS / "conf.py").read_text(encoding="utf-8")
        moved = re.search(r"^redirects: dict\[str, str\] = (\{.*?\})$", conf, re.MULTILINE | re.DOTALL)
        assert moved
        for old, new in re.findall(r'"([\w/-]+)": "([\w/.-]+)\.html"', moved[1]):
            assert not (DOCS / f"{old}.md").exists()
            assert (DOCS / old).parent.joinpath(f"{new}.md").resolve().exists()


class TestPublicNames:
    def test_every_name_has_a_page(self, public_names):
        shown = {
            entry if entry.startswith("llmseg") else f"{namespace}.{entry}"
            for namespace, page in public_names.group_names().items()
            for entry in page["own"] + page["namespaces"]
        }
        assert shown == set(public_names.find_homes().values())
        assert {f"llmseg.{name}" for name in llmseg.__all__} <= shown | set(public_names.find_homes())
        assert len(shown) > 250

    def test_a_page_has_the_shortest_name(self, public_names):
        homes = public_names.find_homes()
        assert homes["llmseg.data.FolderStore"] == homes["llmseg.FolderStore"] == "llmseg.FolderStore"
        assert homes["llmseg.stats.compare"] == "llmseg.stats.compare"

    def test_no_two_pages_have_files_that_differ_in_case_only(self, public_names):
        files = [public_names.page_names().get(name, name) for name in set(public_names.find_homes().values())]
        assert len({file.lower() for file in files}) == len(files)

    def test_every_name_is_explained(self, public_names):
        names = public_names.list_names()
        callables = [name for name, value in names.items() if inspect.isroutine(value) or inspect.isclass(value)]
        assert [name for name in callables if not (names[name].__doc__ or "").strip()] == []
        constants = {name: value for name, value in names.items() if name not in callables}
        modules = [name for name, value in constants.items() if isinstance(value, ModuleType)]
        assert [name for name in constants if name not in modules and not explanation(public_names, name)] == []

    def test_every_function_and_class_has_an_example(self, public_names):
        examples = importlib.import_module("borrowed_examples")
        shown = {name: examples.find_example(name) for name in set(public_names.find_homes().values())}
        callables = [
            name
            for name in shown
            if inspect.isroutine(value := public_names.list_names()[name]) or inspect.isclass(value)
        ]
        assert [name for name in callables if not shown[name]] == []
        assert len([name for name in callables if shown[name] == name]) > 250

    def test_references_lead_to_the_page(self, public_names):
        assert public_names.find_page("compare_all", llmseg.stats.compare) == "llmseg.stats.compare_all"
        assert public_names.find_page("paired", llmseg.Study) == "llmseg.Study.paired"
        assert public_names.find_page("llmseg.data.folder.FolderStore", llmseg.train) == "llmseg.FolderStore"
        assert public_names.find_page("llmseg.data.pixels", llmseg.train) == ""
        assert public_names.find_page("nothing_of_this_name", llmseg.train) is None


def explanation(public_names: ModuleType, name: str) -> list[str]:
    lines: list[str] = []
    public_names.say_what_constants_are(None, "data", name, None, None, lines)
    return lines


def built_pages(site: Path) -> list[Path]:
    """Return the pages of a site; what its theme brings along for itself is none."""
    return [page for page in sorted(site.rglob("*.html")) if "_static" not in page.parts]


def links(page: Path) -> list[str]:
    """Return the links, pictures, styles and scripts of a page."""
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    found = [tag.get(name) for name in ("href", "src") for tag in soup.find_all(attrs={name: True})]
    return [str(link) for link in found if not str(link).startswith(("data:", "mailto:"))]


def anchors(page: Path) -> set[str]:
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    return {tag["id"] for tag in soup.find_all(id=True)}


@pytest.mark.slow
class TestBuilt:
    def test_every_link_inside_leads_somewhere(self, site):
        known = {page: anchors(page) for page in built_pages(site)}
        wrong = []
        for page in known:
            for link in map(urlsplit, links(page)):
                target = (page.parent / unquote(link.path)).resolve() if link.path else page
                target = target / "index.html" if target.is_dir() else target
                if not link.netloc and not (
                    target.exists() and (not link.fragment or unquote(link.fragment) in known.get(target, ()))
                ):
                    wrong.append((page.name, link.geturl()))
        assert wrong == []

    def test_nothing_is_loaded_from_elsewhere(self, site):
        for page in built_pages(site):
            soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
            loaded = [tag.get("src") for tag in soup.find_all(["script", "img", "iframe"])]
            loaded += [tag.get("href") for tag in soup.find_all("link")]
            assert [link for link in loaded if link and urlsplit(link).netloc] == [], page

    def test_notebooks_show_what_their_cells_gave(self, site):
        shown = {"tutorial/first-look": "table svg img", "how-to/ablate-in-a-notebook": "table details img"}
        for page, tags in shown.items():
            soup = BeautifulSoup((site / f"{page}.html").read_text(encoding="utf-8"), "html.parser")
            outputs = soup.find_all(class_="cell_output")
            assert all(any(output.find(tag) for output in outputs) for tag in tags.split()), page
            assert "Traceback" not in soup.text

    def test_it_can_be_searched(self, site):
        index = (site / "searchindex.js").read_text(encoding="utf-8")
        assert "reference/api/llmseg.stats.compare_all" in index

    def test_public_names_are_in_it(self, site, public_names):
        for name in public_names.find_homes().values():
            page = site / "reference" / "api" / f"{public_names.page_names().get(name, name)}.html"
            assert anchors(page) & {name, f"module-{name}"}, name

    def test_machines_find_its_pages(self, site):
        text = (site / "llms.txt").read_text(encoding="utf-8")
        assert text.startswith("# llmseg\n")
        assert "how-to/ablate" in text
