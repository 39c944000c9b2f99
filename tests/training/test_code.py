"""The digest of the code that trains and scores."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

import llmseg
from llmseg import Terminated, train
from llmseg.training import code
from llmseg.training.run_files import RunWriter

ROOT = Path(llmseg.__file__).parent


def test_all_that_deciding_modules_import_is_in_the_digest():
    deciding = {name.removesuffix(".py") for name in code._DECIDING}
    imported: dict[str, set[str]] = {}
    for name in deciding:
        for path in (ROOT / name).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("llmseg."):
                    imported.setdefault(str(node.module).split(".")[1], set()).add(path.name)
    # It finds the pipeline whose checkpoint a user names; trainings and scores do not ask for it.
    assert imported.pop("zoo") == {"load.py"}
    assert imported.keys() == deciding


def test_a_changed_source_file_is_another_code(monkeypatch, tmp_path):
    own = code.digest_code()
    for name in code._DECIDING:
        (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / "training").mkdir()
    monkeypatch.setattr(code, "__file__", str(tmp_path / "training" / "code.py"))
    for path in (path for name in code._DECIDING for path in (ROOT / name, *(ROOT / name).rglob("*.py"))):
        if path.suffix == ".py":
            target = tmp_path / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert code.digest_code.__wrapped__() == own
    (tmp_path / "training" / "loop.py").write_text("faster = True\n")
    assert code.digest_code.__wrapped__() != own


def test_a_run_says_whose_code_trained_it(tiny_recipe, phantoms, tmp_path, monkeypatch):
    options = {"device": "cpu", "progress": False, "checkpoint_every": 0.0}
    take = RunWriter.take

    def stop(self, event):
        take(self, event)
        if self.state.step == 3:
            raise Terminated("stopped")

    with monkeypatch.context() as patch:
        patch.setattr("llmseg.training.run_files.RunWriter.take", stop)
        patch.setattr("llmseg.training.run_files.digest_code", lambda: "a")
        with pytest.raises(Terminated):
            train(tiny_recipe, phantoms, tmp_path / "run", **options)
    run = train(tiny_recipe, phantoms, tmp_path / "run", **options)
    assert json.loads((run.folder / "run.json").read_text())["code"] == f"a+{code.digest_code()}"
    run = train(tiny_recipe, phantoms, tmp_path / "other", **options)
    assert run.record["code"] == code.digest_code()
