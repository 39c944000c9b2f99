"""Every file and every name of the package that a page or a docstring mentions is there."""

from __future__ import annotations

import ast
import pydoc
import re
from collections.abc import Iterator
from pathlib import Path

import llmseg
from llmseg.zoo.outside import GROUP

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "llmseg"
CHANGELOG = ROOT / "CHANGELOG.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = sorted(PACKAGE.rglob("*.py"))
SOURCES = [*MODULES, *sorted((ROOT / "benchmarks").rglob("*.py"))]

# A path from the root; or, in backticks, that of a module from the package or from the folder of the text.
ROOTED = re.compile(r"(?<![\w/.-])(?:llmseg|benchmarks|docs|tests)/[\w./@-]*\w")
SHORT = re.compile(r"`([\w-]+(?:/[\w-]+)*\.pyi?)`")
DOTTED = re.compile(r"(?<![\w/@.-])llmseg(?:\.[A-Za-z_]\w*)+")
ROLE = re.compile(r":(?:class|func|meth|attr|data|mod|exc):`~?([\w.]+)`")

# Files that docs/how-to/add-a-pipeline.md asks its readers to write, and the file that every generated pipeline has.
TO_WRITE = {"llmseg/zoo/my_llm.py", "my_pipeline.py", "main.py", "train.py"}


def missing_files(text: str, folder: Path) -> list[str]:
    """Return the paths in a text at which nothing lies; the text stands in a file of ``folder``."""
    rooted = {path for path in ROOTED.findall(text) if not (ROOT / path).exists()}
    short = {
        path for path in SHORT.findall(text) if not any((root / path).exists() for root in (ROOT, PACKAGE, folder))
    }
    return sorted((rooted | short) - TO_WRITE)


def missing_names(text: str) -> list[str]:
    """Return the dotted names in a text that the package does not have; groups of entry points are no names in it."""
    text = re.sub(r'entry-points\."[^"]+"', "", text)
    return sorted(name for name in set(DOTTED.findall(text)) if not resolves(name))


def resolves(name: str) -> bool:
    """Whether a dotted name leads somewhere, also to a field or an attribute that only instances have."""
    if pydoc.locate(name) is not None:
        return True
    owner, _, last = name.rpartition(".")
    return last in getattr(pydoc.locate(owner), "__annotations__", ()) if owner else False


def docstrings(source: Path) -> Iterator[tuple[str, str]]:
    """Yield (class in which it stands, text) of every docstring of a module, and of every string below a constant."""
    yield from _docstrings(ast.parse(source.read_text(encoding="utf-8")), "")


def _docstrings(node: ast.AST, owner: str) -> Iterator[tuple[str, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant) and isinstance(child.value.value, str):
            yield owner, child.value.value
        yield from _docstrings(child, child.name if isinstance(child, ast.ClassDef) else owner)


def private_imports(code: str) -> Iterator[str]:
    """Yield what a piece of code imports from the package that is not public.

    Public is what ``llmseg`` lists, and what a namespace such as ``llmseg.stats`` lists.
    """
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            imported = [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imported = [(str(node.module), alias.name) for alias in node.names]
        else:
            continue
        for module, name in imported:
            if module.split(".")[0] == "llmseg" and not is_public(module, name):
                yield f"{module}.{name}".rstrip(".")


def is_public(module: str, name: str) -> bool:
    _, _, rest = module.partition(".")
    if rest and rest not in llmseg.__all__:
        return False
    namespace = getattr(llmseg, rest) if rest else llmseg
    return not name or name in namespace.__all__


class TestPages:
    def test_files_are_there(self):
        wrong = [(page.name, path) for page in PAGES for path in missing_files(page.read_text("utf-8"), page.parent)]
        assert wrong == []

    def test_names_are_there(self):
        # A group of entry points looks like a module and is none.
        texts = {page.name: page.read_text("utf-8").replace(f'entry-points."{GROUP}"', "") for page in PAGES}
        assert [(name, missing) for name, text in texts.items() for missing in missing_names(text)] == []

    def test_links_lead_somewhere(self):
        links = [
            (page, link)
            for page in (*PAGES, CHANGELOG)
            for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        ]
        assert len(links) > len(PAGES)
        assert [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []

    def test_python_uses_public_names(self, read_blocks):
        blocks = [(page, block) for page in PAGES for block in read_blocks(page) if block.language == "python"]
        # Inside the package, modules import the module where a name lives.
        outside = [(page, block) for page, block in blocks if not block.file.startswith("llmseg/")]
        assert len(outside) > 5
        assert [(page.name, name) for page, block in outside for name in private_imports(block.code)] == []


class TestDocstrings:
    def test_files_are_there(self):
        assert [
            (source.name, path)
            for source in SOURCES
            for _, text in docstrings(source)
            for path in missing_files(text, source.parent)
        ] == []

    def test_names_are_there(self):
        assert [
            (source.name, name) for source in SOURCES for _, text in docstrings(source) for name in missing_names(text)
        ] == []

    def test_references_lead_somewhere(self):
        """Short ones such as ``:func:`probability``` are looked for in the module, and in the class they stand in."""
        wrong = []
        for source in MODULES:
            parts = source.relative_to(ROOT).with_suffix("").parts
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            code = source.read_text(encoding="utf-8")
            for owner, text in docstrings(source):
                for name in ROLE.findall(text):
                    candidates = (name, f"{module}.{name}", f"{module}.{owner}.{name}")
                    if f"self.{name} = " not in code and not any(resolves(candidate) for candidate in candidates):
                        wrong.append((module, name))
        assert wrong == []


class TestFinders:
    """What the tests above look for is found: otherwise they could not fail."""

    def test_files(self):
        text = "llmseg/zoo/none.py, `benchmarks/none.json`, `zoo/none.py`, `zoo/card.py`, llmseg/zoo and `fit.rate`."
        assert missing_files(text, ROOT) == ["benchmarks/none.json", "llmseg/zoo/none.py", "zoo/none.py"]

    def test_names(self):
        text = "llmseg.zoo.get('x'), `llmseg.recipe.Fit.rate`, llmseg.recipe.Fit.none, llmseg.none.x; not a/llmseg.py"
        assert missing_names(text) == ["llmseg.none.x", "llmseg.recipe.Fit.none"]

    def test_imports(self):
        code = (
            "import llmseg, llmseg.zoo\nfrom llmseg import zoo, stats\nfrom llmseg.zoo import get, _key\n"
            "import llmseg.zoo.card\nfrom llmseg.stats.table import Table\nfrom llmseg import files\n"
        )
        assert list(private_imports(code)) == [
            "llmseg.zoo._key",
            "llmseg.zoo.card",
            "llmseg.stats.table.Table",
            "llmseg.files",
        ]
