"""What the pages show is run: their Python, and the commands that only read, in a folder with small data."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sybil import Region, Sybil
from sybil.document import Document
from sybil.parsers.markdown import PythonCodeBlockParser

import llmseg
from llmseg.cli.main import main
from llmseg.data.hdf5 import write_store
from llmseg.data.packed_case import pack_case
from llmseg.files import encode_png
from llmseg.zoo import registry
from llmseg.zoo.admitted import make_card, write_admitted

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

# Pages with tests of their own, which save what stands there as files.
TESTED_ALONE = {"README.md", "add-a-pipeline.md", "best-pipeline.md", "train.md", "export.md", "sandbox.md"}

# Python that trains at the size of the scripts takes hours. The tutorial is small and is run whole.
TRAINS = re.compile(r"\b(replay|train|run_study|run_studies)\(")

# Commands that only read. What trains is run, as a command, by the tests of the command line.
READING = ("list", "show", "diff", "fields", "quirks", "conventions", "published", "status", "data list", "data info")


def find_python(document: Document) -> Iterator[Region]:
    """Yield the blocks of Python of a page, but not those that train at full size, and files to save."""
    for region in PythonCodeBlockParser()(document):
        code = document.text[region.start : region.end]
        if Path(document.path).parent.name == "tutorial" or not (TRAINS.search(code) or "\n# answers/" in code):
            yield region


def find_commands(document: Document) -> Iterator[Region]:
    """Yield the commands of a page that only read."""
    for line in re.finditer(r"^llmseg (?:.*\\\n)*.*$", document.text, re.MULTILINE):
        words = shlex.split(line[0].replace("\\\n", " "), comments=True)[1:]
        if "--watch" not in words and any(words[: len(start.split())] == start.split() for start in READING):
            yield Region(line.start(), line.end(), words, lambda example: run(example.parsed))


def run(words: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert not end.value.code, words


def parse(page: Path) -> Document:
    return Sybil(parsers=[find_python, find_commands]).parse(page)


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """A folder with what the pages name: images, stores, a study of two datasets, evaluations, a table."""
    folder = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        phantoms = llmseg.SyntheticStore("mri-tumour", count=12)
        for folder_name in ("images", "masks"):
            Path(folder_name).mkdir()
        for case in map(phantoms.read, phantoms.ids):
            Path("images", case.id).write_bytes(encode_png(case.image))
            Path("masks", case.id).write_bytes(encode_png(case.mask))
        for name, dataset in (("brain", ""), ("skin", "ham10000"), ("hrf", ""), ("lesions", "")):
            cases = (pack_case(phantoms.read(id), phantoms.groups[id]) for id in phantoms.ids)
            write_store(Path(f"{name}.h5"), name, cases, {"dataset": dataset} if dataset else {})
        for name in ("brain", "skin"):
            run(["data", "split", "--data", f"{name}.h5", "--fraction", "0.3", "--out", f"{name}-test.json"])
            small = [
                "--data",
                f"{name}.h5",
                "--holdout",
                f"{name}-test.json",
                "--set",
                "images.size=32,32",
                "--epochs",
                "1",
                "--seeds",
                "1",
                "--quiet",
            ]
            run(["compare", "gpt-o3", "gpt-4o", *small, "--out", f"studies/{name}"])
        for cell in llmseg.Study(Path("studies/brain")).cells:
            shutil.copytree(cell.folder / "evaluation", f"evaluated/{cell.variant}")
        shutil.copytree("studies", "main", copy_function=os.link)
        masks = ["evaluate", "masks", "--data", "brain.h5", "--holdout", "brain-test.json", "--label", "nnU-Net"]
        run([*masks, "--out", "evaluated/nnunet"])
        for answer in ("my-llm", "another"):
            Path("answers", answer).mkdir(parents=True)
            Path("answers", answer, "main.py").write_text("print('nothing is trained')\n")
        write_admission(Path("admissions/my-llm"))
        frame = llmseg.stats.simulate(pipelines=3, datasets=1, cases=10).frame
        names = {"llm-01": "nnunet", "llm-02": "gpt-4", "llm-03": "gpt-o3"}
        frame.replace({"dataset": {"dataset-1": "scans"}, "pipeline": names, "variant": names}).to_csv("scores.csv")
    return folder


def write_admission(folder: Path) -> None:
    """Write recipe and card of an admitted pipeline, as an admission does."""
    about = {"date": "2026-03-01", "stage": "probes", "prompt_version": 1, "edits": 0, "turns": 0}
    admitted = llmseg.zoo.Admitted(**about, facts=(("size", "256"),), findings=())
    card = make_card("my-llm", parameters=1, summary="a U-Net", scripts="my-llm", admitted=admitted)
    recipe = llmseg.zoo.get("gpt-o3").recipe
    write_admitted(folder, llmseg.zoo.Pipeline(id="my-llm", card=card, recipe=recipe, original_names=()))


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name not in TESTED_ALONE],
    ids=lambda page: f"{page.parent.name}-{page.stem}",
)
def test_what_a_page_shows_runs(page, results, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "folder"
    shutil.copytree(results, folder, copy_function=os.link)  # weights are large
    monkeypatch.chdir(folder)
    monkeypatch.setattr(registry, "_PIPELINES", dict(registry._PIPELINES))
    for example in parse(page):
        example.evaluate()


def test_most_is_run():
    shown = [example for page in PAGES for example in parse(page)]
    assert len([example for example in shown if isinstance(example.parsed, list)]) > 15
    assert len(shown) > 25


def test_a_wrong_snippet_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\nx = 1\n```\n\n```python\nassert x == 2\n```\n")
    first, second = parse(page)
    first.evaluate()
    with pytest.raises(AssertionError):
        second.evaluate()


def test_a_wrong_command_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```\nllmseg show gpt-5   # no such pipeline\nllmseg train gpt-4\n```\n")
    (only,) = parse(page)
    with pytest.raises(AssertionError, match="gpt-5"):
        only.evaluate()
