"""What holds for every script of ``benchmarks/``: public names only, from any working folder, a line in the README."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import llmseg

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
FILES = sorted(BENCHMARKS.rglob("*.py"))
SCRIPTS = [path for path in FILES if '__name__ == "__main__"' in path.read_text(encoding="utf-8")]


def relative(path: Path) -> str:
    return path.relative_to(BENCHMARKS).as_posix()


def used_names(text: str) -> Iterator[str]:
    """Yield the dotted names of llmseg in a source: what is imported, and what is an attribute of the package."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "llmseg")
        elif isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "llmseg":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and re.fullmatch(r"llmseg(\.\w+)+", ast.unparse(node)):
            yield ast.unparse(node)


def is_public(name: str) -> bool:
    """Return whether a dotted name is one that ``llmseg``, or one of its folders, lists."""
    _, *parts = name.split(".")
    if not parts or parts == ["__version__"]:
        return True
    if parts[0] not in llmseg.__all__:
        return False
    folder = Path(llmseg.__file__).parent / parts[0]
    if len(parts) == 1 or not folder.is_dir():
        return True
    return parts[1] in importlib.import_module(f"llmseg.{parts[0]}").__all__


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("import llmseg.data.cache", ["llmseg.data.cache"]),
        ("from llmseg.data.cache import clear_cache", ["llmseg.data.cache.clear_cache"]),
        ("from llmseg.data import hdf5", ["llmseg.data.hdf5"]),
        ("import llmseg\nllmseg.data.hdf5.pack()", ["llmseg.data.hdf5", "llmseg.data.hdf5.pack"]),
        ("from llmseg import zoo, train\nfrom llmseg.data import Hdf5Store\nimport llmseg\nllmseg.data.Case", []),
    ],
)
def test_private_names_are_found(text, private):
    assert sorted(name for name in used_names(text) if not is_public(name)) == private


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_benchmarks_use_public_names_only(path):
    assert [name for name in used_names(path.read_text(encoding="utf-8")) if not is_public(name)] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["run_all.py", "throughput/measure.py"])
def test_help_from_any_folder(name, tmp_path):
    command = [sys.executable, str(BENCHMARKS / name), "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"usage: {Path(name).name}")


@pytest.mark.slow
def test_a_small_measurement_from_any_folder(tmp_path):
    command = [sys.executable, str(BENCHMARKS / "preparation_cost.py"), "--cases", "3", "--json", "cost.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"cases": 3' in (tmp_path / "cost.json").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_mistake_is_one_line(tmp_path):
    command = [sys.executable, str(BENCHMARKS / "throughput" / "measure.py"), "--pipelines", "gpt-5", "--device", "cpu"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("measure: no pipeline 'gpt-5'")
    assert done.stderr.count("\n") == 1


def test_the_readme_has_every_script_and_every_result():
    text = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"benchmarks/([\w/]+\.py)", text))
    assert named == {relative(path) for path in SCRIPTS}
    results = {path.name for path in (BENCHMARKS / "results").glob("*.json")}
    assert set(re.findall(r"results/([\w*]+\.json)", text)) == results
