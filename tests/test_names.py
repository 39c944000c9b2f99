"""The public names: each stands once in a stub, and works in a fresh process."""

from __future__ import annotations

import ast
import importlib
import pydoc
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import llmseg

ROOT = Path(llmseg.__file__).parent
STUBS = sorted(ROOT.rglob("__init__.pyi"))
NAMESPACES = ("data", "evaluation", "figures", "nnunet", "recipe", "stats", "study", "zoo")


def namespace(stub: Path) -> str:
    return ".".join(("llmseg", *stub.parent.relative_to(ROOT).parts))


def names(stub: Path) -> list[str]:
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    return [alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names]


@pytest.mark.parametrize("name", NAMESPACES)
def test_a_namespace_works_after_import_llmseg_in_a_fresh_process(name):
    code = f"import llmseg; first = llmseg.{name}; assert first is llmseg.{name}; assert len(dir(first)) > 5"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("stub", STUBS, ids=namespace)
def test_every_name_of_a_stub_is_there_and_listed(stub):
    module = importlib.import_module(namespace(stub))
    stated = names(stub)
    assert len(set(stated)) == len(stated)
    assert sorted(module.__all__) == sorted(stated) == sorted(dir(module))
    for name in stated:
        value = getattr(module, name)
        # A function that has the name of its module would be hidden by it as soon as the module is imported.
        is_module = importlib.util.find_spec(f"{module.__name__}.{name}") is not None
        assert isinstance(value, ModuleType) == is_module, name


@pytest.mark.parametrize("stub", STUBS, ids=namespace)
def test_help_shows_every_name(stub):
    text = pydoc.plain(pydoc.render_doc(importlib.import_module(namespace(stub))))
    assert [name for name in names(stub) if name not in text] == []


def test_at_the_top_is_what_everybody_needs():
    top = [name for name in names(ROOT / "__init__.pyi") if name not in {path.name for path in ROOT.iterdir()}]
    assert len(top) <= 30


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="trian"):
        _ = llmseg.trian


def test_import_llmseg_loads_nothing_heavy():
    heavy = "{'torch', 'monai', 'pandas', 'matplotlib', 'scipy'}"
    code = f"import sys, llmseg; llmseg.zoo.get('gpt-4').recipe; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
