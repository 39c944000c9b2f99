"""What is reported, and how tests read pages."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from llmseg import hold_out, run_study, write_report
from llmseg.report.site import Report
from llmseg.stats import Table, simulate
from llmseg.study.study import Study
from llmseg.study.variants import Variant

HOSTILE = '"><img src=x onerror=alert(1)><b>'
NAMES = ("gpt-4o", "gpt-o3", "claude-3.5-sonnet", "deepseek-r1", "monai-basic-unet", HOSTILE)
DATASETS = ("Skin", f"../{HOSTILE}</script>")


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

    def check_headings(self) -> None:
        """See that headings begin with the first level and leave out none."""
        levels = [int(tag[1]) for tag, _ in self.tags if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


@pytest.fixture(scope="session")
def pages() -> Callable[[Path], dict[Path, Page]]:
    """A function that reads all pages of a report."""
    return lambda folder: {path: Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}


@pytest.fixture(scope="session")
def hostile() -> str:
    """A name that would be more than text on a careless page; a case, a contender and a part of a dataset have it."""
    return HOSTILE


@pytest.fixture(scope="session")
def scores() -> pd.DataFrame:
    """Scores of six contenders on two datasets, names hostile."""
    frame = simulate(pipelines=[0.0, 0.05, -0.05, 0.02, 0.08, -0.2], datasets=2, seeds=2, cases=8).frame
    for column, new in (("pipeline", NAMES), ("dataset", DATASETS)):
        frame = frame.assign(**{column: frame[column].map(dict(zip(frame[column].unique(), new, strict=True)))})
    return frame.assign(case=frame["case"].replace("case-01", HOSTILE))


@pytest.fixture(scope="session")
def report(scores: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report of these scores."""
    folder = tmp_path_factory.mktemp("report")
    scores.to_csv(folder / "scores.csv", index=False)
    return write_report([folder / "scores.csv"], folder / "site")


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Report]:
    """A function that writes the report of a frame."""

    def write(frame: pd.DataFrame, **options: object) -> Report:
        Table.from_frame(frame).frame.to_parquet(tmp_path / "scores.parquet")
        return write_report([tmp_path / "scores.parquet"], tmp_path / "site", **options)  # type: ignore[arg-type]

    return write


@pytest.fixture(scope="session")
def study(phantoms, tiny_recipe, tmp_path_factory) -> Study:
    """Two trained variants."""
    recipe = tiny_recipe.change("fit.epochs", 2)
    variants = (Variant("gpt-o3", recipe), Variant("gpt-4", recipe.change("fit.rate", 1e-3)))
    holdout = hold_out(phantoms, fraction=0.2)
    out = tmp_path_factory.mktemp("studies") / "s"
    options = {"device": "cpu", "precision": "fp32", "progress": False}
    return run_study(None, variants, phantoms, out, holdout=holdout, seeds=1, **options)


@pytest.fixture(scope="session")
def run_report(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report of that study."""
    return write_report([study.folder], tmp_path_factory.mktemp("runs") / "site", cases=1)
