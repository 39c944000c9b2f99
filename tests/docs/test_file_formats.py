"""The page of file formats names the files, keys and columns that are written."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import h5py
import pytest

import llmseg
from llmseg.data.hdf5 import write_store
from llmseg.data.packed_case import pack_case

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "file-formats.md"
TEXT = PAGE.read_text(encoding="utf-8")


def section(title):
    return TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def names(text):
    """Return what stands in the first cells of the tables of a text, in backticks."""
    cells = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def columns(path):
    with path.open(newline="", encoding="utf-8") as file:
        return next(csv.reader(file))


@pytest.fixture(scope="module")
def study(tiny_recipe, tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats") / "study"
    recipe = tiny_recipe.change("fit.epochs", 1)
    variants = [llmseg.study.Variant("a", recipe), llmseg.study.Variant("b", recipe.change("fit.rate", 1e-9))]
    return llmseg.compare(variants, llmseg.SyntheticStore("fundus", count=16), folder, seeds=1, progress=False)


@pytest.mark.slow
class TestStudy:
    def test_files_of_a_study(self, study):
        there = {path.name for path in study.folder.iterdir() if path.is_file()}
        named = names(section("Study"))
        assert there <= named
        (cell, *_) = (path for path in study.folder.glob("a-*"))
        assert {path.name for path in cell.iterdir()} == {"run", "evaluation", "cell.json"}

    def test_files_and_columns_of_a_run(self, study):
        text = section("Run folder")
        (run,) = study.folder.glob("a-*/run")
        files = {path.name for path in run.iterdir()}
        assert files == {name for name in names(text) if "." in name}
        for path in run.glob("*.csv"):
            (row,) = (line for line in text.splitlines() if line.startswith(f"| `{path.name}`"))
            assert re.findall(r"`([^`]+)`", row)[1:] == columns(path)
        keys = {"prepared_as", "source", "command"}  # are said in words, or empty
        record = json.loads((run / "run.json").read_text(encoding="utf-8"))
        assert set(record) - keys == {name for name in names(text) if "." not in name}

    def test_files_and_columns_of_an_evaluation(self, study):
        (evaluation,) = study.folder.glob("a-*/evaluation")
        assert {path.name for path in evaluation.iterdir()} == names(section("Evaluation"))
        assert set(re.findall(r"`(tp|fp|fn|tn)`", section("Evaluation"))) < set(columns(evaluation / "counts.csv"))

    def test_columns_of_scores(self, study):
        assert names(section("Table of scores")) <= set(columns(study.folder / "scores.csv"))

    def test_scores_of_a_study_are_a_table_and_can_be_reported(self, study, tmp_path):
        table = llmseg.stats.Table.from_csv(study.folder / "scores.csv")
        assert table.contenders == ("a", "b")
        working = llmseg.stats.Table.from_csv(study.folder / "scores.csv", size="working")
        assert len(working.frame) == len(table.frame)
        with pytest.raises(llmseg.UserError, match="no scores of size 'nativ'; did you mean 'native'"):
            llmseg.stats.Table.from_csv(study.folder / "scores.csv", size="nativ")
        (evaluation,) = study.folder.glob("a-*/evaluation/scores.csv")
        assert llmseg.stats.Table.from_csv(evaluation, fill={"variant": "base"}).contenders == ("a",)
        report = llmseg.report(study.folder / "scores.csv", tmp_path / "report", progress=False)
        assert "native" not in report.headline
        (run,) = study.folder.glob("a-*/run/scores.csv")
        with pytest.raises(llmseg.UserError, match="take that of an evaluation or a study"):
            llmseg.report(run, tmp_path / "refused", progress=False)

    def test_keys_of_test_cases(self, study):
        record = json.loads((study.folder / "holdout.json").read_text(encoding="utf-8"))
        assert set(record) == names(section("Test cases"))
        row = next(line for line in section("Test cases").splitlines() if line.startswith("| `cases`"))
        assert set(record["cases"][0]) <= set(re.findall(r"`([^`]+)`", row))


def test_a_prepared_store(tmp_path):
    phantoms = llmseg.SyntheticStore("fundus", count=2)
    cases = (pack_case(phantoms.read(id), phantoms.groups[id]) for id in phantoms.ids)
    write_store(tmp_path / "x.h5", "x", cases, {})
    with h5py.File(tmp_path / "x.h5") as file:
        assert {*file, *file.attrs} == names(section("Prepared store"))


def test_the_recipe_and_the_table_can_be_read(read_blocks, tmp_path):
    (recipe,) = (block.code for block in read_blocks(PAGE) if block.language == "yaml")
    assert f"\n{recipe}" in llmseg.zoo.get("gpt-o3").recipe.to_yaml()
    (rows,) = (block.code for block in read_blocks(PAGE) if block.language == "text")
    (tmp_path / "scores.csv").write_text(rows, encoding="utf-8")
    report = llmseg.report(tmp_path / "scores.csv", tmp_path / "report", progress=False)
    assert "0.8" in report.index.read_text(encoding="utf-8")
