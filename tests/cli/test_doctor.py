"""What llmseg doctor says of this computer."""

from __future__ import annotations

import json
import platform
import shlex
from importlib import metadata

import pytest
import torch
from packaging.requirements import Requirement

import llmseg
from llmseg.cli.doctor import Extra, read_extras


def test_text_and_json_say_the_same(call):
    code, out, err = call("doctor")
    assert (code, err) == (0, "")
    facts = json.loads(call("doctor", "--json")[1])
    assert facts["llmseg"] == llmseg.__version__
    assert facts["python"] == platform.python_version()
    assert facts["packages"]["torch"] == metadata.version("torch")
    assert len(facts["hardware"]["gpus"]) == torch.cuda.device_count()
    for word in (llmseg.__version__, platform.python_version(), metadata.version("torch"), facts["cache"]["folder"]):
        assert word in out
    names = [extra["name"] for extra in facts["extras"]]
    assert names[0] == "required"
    assert {"export", "nnunet"} <= set(names)
    assert all(name in out for name in names)


def test_what_is_missing_is_installed_by_the_command_that_is_told():
    required = ["numpy", "torch>=1", 'gone>=2; extra == "x"', 'numpy<1; extra == "x"', 'numpy; extra == "y"']
    assert read_extras(required) == (Extra("required", ()), Extra("x", ("gone>=2", "numpy<1")), Extra("y", ()))
    (command,) = (extra.install for extra in read_extras(required) if extra.missing)
    program, install, wanted = shlex.split(command)
    assert (program, install) == ("pip", "install")
    assert Requirement(wanted).extras == {"x"}


def test_requirements_of_other_versions_of_python_are_none():
    assert read_extras(['gone; python_version < "3"', 'gone; python_version < "3" and extra == "x"'])[1].missing == ()


def test_a_missing_requirement_is_exit_code_one(call, monkeypatch):
    monkeypatch.setattr("llmseg.cli.doctor.metadata.requires", lambda _: ["no-such-package"])
    code, out, _ = call("doctor")
    assert code == 1
    assert "missing no-such-package" in out


@pytest.mark.parametrize("extra", ["export", "nnunet", "energy"])
def test_the_extras_are_those_of_the_package(extra):
    assert extra in metadata.metadata("llmseg").get_all("Provides-Extra") or extra == "energy"
