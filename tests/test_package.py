"""What is built from the checkout: a source archive, a wheel made of it, and what the wheel installs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


def run(*command: object, **options: object) -> str:
    ended = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)  # type: ignore[call-overload]
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return str(ended.stdout)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with the source archive, and the wheel that was made of the archive and not of the checkout."""
    pytest.importorskip("build", reason="build is not installed")
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    return folder


def test_the_archive_and_the_wheel_hold_the_whole_package(built):
    (archive,), (wheel,) = built.glob("*.tar.gz"), built.glob("*.whl")
    listed = run("git", "ls-files", "llmseg", cwd=ROOT).split()
    with zipfile.ZipFile(wheel) as opened:
        packed = {name for name in opened.namelist() if name.startswith("llmseg/")}
    assert packed == set(listed)
    with tarfile.open(archive) as opened:
        inside = {name.partition("/")[2] for name in opened.getnames()}
    assert set(listed) | {"LICENSE", "NOTICE", "README.md", "pyproject.toml", "setup.cfg"} <= inside


def test_the_wheel_runs_outside_of_the_checkout(built, tmp_path):
    (wheel,) = built.glob("*.whl")
    target = tmp_path / "installed"
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", target, wheel)
    environment = {**os.environ, "PYTHONPATH": str(target)}
    where = run(sys.executable, "-c", "import llmseg; print(llmseg.__file__)", cwd=tmp_path, env=environment)
    assert Path(where.strip()).is_relative_to(target)
    listed = run(target / "bin" / "llmseg", "list", cwd=tmp_path, env=environment)
    assert "gpt-4o" in listed
    # Templates, style sheets and published numbers are no Python files, and are there all the same.
    (tmp_path / "s.csv").write_text(
        "pipeline,variant,dataset,seed,phase,case,group,measure,value\n"
        + "".join(f"gpt-{n},base,d,0,test,c{c},c{c},dice,0.{n}{c}\n" for n in (3, 4) for c in range(4))
    )
    report = [target / "bin" / "llmseg", "report", "s.csv", "-o", "report"]
    assert "report/index.html" in run(*report, cwd=tmp_path, env=environment)


def test_the_image_gets_every_file_that_it_copies():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = {name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]}
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == let_through
    assert all((ROOT / name).exists() for name in copied)
    (command,) = [line for line in lines if line.startswith("CMD ")]
    assert (ROOT / json.loads(command.removeprefix("CMD "))[1]).is_file()
