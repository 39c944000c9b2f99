from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from llmseg import UserError
from llmseg.admission import Frame, Limits, Outcome, Place, ScriptRun, run_scripts

LISTS = """
import os, sys
from helper import show
IMAGES = r"C:\\data\\images"
mask_dir = "../masks"
save_dir = "/kaggle/working/out"
num_epochs, suffix = 40, "_seg"
os.makedirs(save_dir)
show(sorted(os.listdir(IMAGES)), sorted(os.listdir(mask_dir)), num_epochs, os.environ["SEED"])
open(os.path.join(save_dir, "best.pth"), "w").write("weights")
open("history.csv", "w").write("1,2")
"""


@pytest.fixture
def cases(tmp_path):
    """Three cases."""
    for kind, suffix in (("images", ""), ("masks", "_seg")):
        (tmp_path / "cases" / kind).mkdir(parents=True)
        for id in "123":
            Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "cases" / kind / f"{id}{suffix}.png")
    return tmp_path / "cases"


@pytest.fixture
def folder(tmp_path):
    """A folder of scripts that list their data."""
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "main.py").write_text(LISTS)
    (folder / "helper.py").write_text("def show(*values):\n    print(*values)\n")
    return folder


def digest(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()


@pytest.mark.slow
class TestRun:
    def test_paths_lead_to_the_cases_and_nothing_of_the_user_is_changed(self, folder, cases, tmp_path, sandbox):
        before = digest(folder), digest(cases)
        run = run_scripts(folder, cases, tmp_path / "out", epochs=2, environment={"SEED": "7"}, rung=sandbox)
        images, masks = [f"{id}.png" for id in "123"], [f"{id}_seg.png" for id in "123"]
        assert run.printed == f"{images} {masks} 2 7\n"
        assert run.outcome.is_finished
        assert [path.name for path in run.outcome.results.weights] == ["best.pth"]
        assert [path.name for path in run.outcome.results.numbers] == ["history.csv"]
        assert all(path.is_relative_to(tmp_path / "out") for path in run.outcome.results.weights)
        assert [(told.place, told.was, told.now) for told in run.epochs] == [("main.py:7", 40, 2)]
        assert (digest(folder), digest(cases)) == before

    def test_the_file_to_start_and_its_arguments_may_be_named(self, folder, cases, tmp_path, sandbox):
        (folder / "fit.py").write_text("import sys\nprint(sys.argv[1:])\n")
        start = ("fit.py", "--fast", "a b")
        run = run_scripts(folder, cases, tmp_path / "out", start=start, rung=sandbox)
        assert run.printed == "['--fast', 'a b']\n"

    def test_where_it_failed(self, folder, cases, tmp_path, sandbox):
        (folder / "helper.py").write_text("import numpy\ndef show(*values):\n    numpy.zeros(3).reshape(2)\n")
        run = run_scripts(folder, cases, tmp_path / "out", environment={"SEED": ""}, rung=sandbox)
        assert (run.outcome.exit_code, run.place) == (1, "helper.py:3")
        assert run.outcome.exception.startswith("ValueError: cannot reshape")

    def test_cases_can_only_be_read(self, folder, cases, tmp_path, sandbox):
        (folder / "main.py").write_text(
            "import os\nimage_dir = '/data/images'\nmask_dir = '/data/masks'\nos.remove(image_dir + '/1.png')\n"
        )
        run = run_scripts(folder, cases, tmp_path / "out", rung=sandbox)
        assert run.outcome.exception.startswith(("OSError", "PermissionError"))
        assert (cases / "images" / "1.png").exists()

    def test_more_places(self, folder, cases, tmp_path, sandbox):
        (tmp_path / "observer").mkdir()
        (tmp_path / "observer" / "sitecustomize.py").write_text("print('seen')\n")
        (tmp_path / "record").mkdir()
        (folder / "main.py").write_text("open('/admission/record/x', 'w').write('y')\n")
        places = (
            Place(tmp_path / "observer", Path("/admission/observer")),
            Place(tmp_path / "record", Path("/admission/record"), writable=True),
        )
        run = run_scripts(
            *(folder, cases, tmp_path / "out"),
            environment={"PYTHONPATH": "/admission/observer"},
            places=places,
            limits=Limits(seconds=60),
            rung=sandbox,
        )
        assert run.printed == "seen\n"
        assert (tmp_path / "record" / "x").read_text() == "y"


def test_what_led_to_an_exception_is_what_ended_scripts():
    printed = (
        'Traceback (most recent call last):\n  File "/admission/work/a/b/c/scripts/model.py", line 9, in forward\n'
        "RuntimeError: expected 3 channels\n\nThe above exception was the direct cause of the following exception:\n\n"
        'Traceback (most recent call last):\n  File "/admission/work/a/b/c/scripts/main.py", line 3, in <module>\n'
        "RuntimeError: Failed to run torchinfo\n"
    )
    frame = Frame("/admission/work/a/b/c/scripts/main.py", 3, "<module>")
    outcome = Outcome("script", exit_code=1, exception="RuntimeError: Failed", frame=frame, output=printed)
    run = ScriptRun(outcome, Path(), ())
    assert (run.exception, run.place) == ("RuntimeError: expected 3 channels", "model.py:9")
    plain = ScriptRun(replace(outcome, output=""), Path(), ())
    assert (plain.exception, plain.place) == ("RuntimeError: Failed", "main.py:3")


class TestRefused:
    def test_no_file_to_start(self, folder, cases, tmp_path):
        (folder / "main.py").rename(folder / "other.py")
        with pytest.raises(UserError, match=r"no main\.py and no other single file to start"):
            run_scripts(folder, cases, tmp_path / "out")

    def test_a_folder_that_is_not_empty(self, folder, cases):
        with pytest.raises(UserError, match="is not empty; give another folder"):
            run_scripts(folder, cases, cases)

    def test_a_syntax_error(self, folder, cases, tmp_path):
        (folder / "helper.py").write_text("def show(:\n")
        with pytest.raises(UserError, match=r"helper\.py:1"):
            run_scripts(folder, cases, tmp_path / "out")

    def test_a_folder_with_more_than_scripts(self, folder, cases, tmp_path, monkeypatch):
        monkeypatch.setenv("LLMSEG_MAX_SCRIPT_FOLDER", "300")
        (folder / "data.bin").write_bytes(b"x" * 400)
        with pytest.raises(UserError, match="LLMSEG_MAX_SCRIPT_FOLDER"):
            run_scripts(folder, cases, tmp_path / "out")
