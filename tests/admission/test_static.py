from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmseg import UserError
from llmseg.admission import DemandedArgument, HardCodedPath, MissingImport, check_statically
from llmseg.admission.hard_coded_paths import looks_like_path

PIPELINES = Path(__file__).parent / "pipelines"
RECORDS = json.loads((PIPELINES / "pipelines.json").read_text(encoding="utf-8"))["pipelines"]


@pytest.fixture
def stage(tmp_path):
    """A function that checks scripts, given by name and text."""

    def check(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.py").write_text(text)
        return check_statically(tmp_path)

    return check


@pytest.mark.parametrize("record", RECORDS, ids=[record["name"] for record in RECORDS])
def test_samples(record):
    stage = check_statically(PIPELINES / record["name"])
    assert (stage.passes, stage.entry, stage.missing, stage.faults) == (True, "main.py", (), ())
    found = {path.role: path.text for path in stage.paths}
    expected = dict(record["paths"])
    if record["family"] == "F8":
        del expected["save"]  # "out" is passed by its position, and nothing says that it is a path
    assert found == expected
    json.dumps(stage.to_dict())


class TestImports:
    def test_a_package_that_is_not_installed(self, stage):
        found = stage(main="import json\nimport no_such_package.part\nfrom no_such_package import x\n")
        assert found.packages == ("no_such_package",)
        assert [(each.name, each.place, each.reason) for each in found.missing] == [
            ("no_such_package", "main.py:2", "not installed"),
            ("no_such_package", "main.py:3", "not installed"),
        ]
        assert not found.passes

    def test_one_that_is_caught(self, stage):
        found = stage(main="try:\n    import no_such_package\nexcept ImportError:\n    no_such_package = None\n")
        assert (found.missing, found.passes) == ((), True)

    def test_a_name_that_no_script_defines(self, stage):
        found = stage(main="from model import UNet, Net\n", model="class UNet: ...\n")
        assert found.missing == (MissingImport("Net", "main.py:1", "not defined"),)
        assert found.packages == ()

    def test_a_script_with_an_error_is_no_package(self, stage):
        found = stage(main="import model\n", model="class UNet(:\n")
        assert [str(fault).rpartition(": ")[0] for fault in found.faults] == ["model.py:1"]
        assert (found.missing, found.passes) == ((), False)

    def test_nothing_is_imported(self, stage, tmp_path):
        (tmp_path / "no_such_package.py").write_text("raise SystemExit\n")
        assert stage(main="import no_such_package\n").passes
        assert "no_such_package" not in sys.modules


GUARD = 'if __name__ == "__main__":\n    pass\n'


class TestEntry:
    @pytest.mark.parametrize(
        ("texts", "entry"),
        [
            ({"main": "", "train": 'if __name__ == "__main__":\n    pass\n'}, "main.py"),
            ({"run": 'if __name__ == "__main__":\n    pass\n', "model": ""}, "run.py"),
            ({"everything": "x = 1\n"}, "everything.py"),
            ({"a": "", "b": ""}, ""),
            ({"train": GUARD, "predict": GUARD, "model": ""}, "train.py"),
            ({"train": "", "run": GUARD, "predict": GUARD}, ""),
            ({"a": 'if "__main__" == __name__:\n    pass\n', "b": 'if __name__ == "__main__":\n    pass\n'}, ""),
        ],
    )
    def test_entry(self, stage, texts, entry):
        found = stage(**texts)
        assert (found.entry, found.passes) == (entry, bool(entry))

    def test_one_that_is_named(self, tmp_path):
        for name in ("main.py", "fit.py"):
            (tmp_path / name).write_text("")
        assert check_statically(tmp_path, ["fit.py", "--fast"]).entry == "fit.py"
        with pytest.raises(UserError, match=r"has no fitt\.py to start; did you mean 'fit\.py'"):
            check_statically(tmp_path, ["fitt.py"])


class TestPaths:
    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("image_dir = '/content/drive/MyDrive/imgs'", ("images", "mount")),
            ("IMG_PATH = 'train_images'", ("images", "working folder")),
            ("masks_path = 'masks/'", ("masks", "working folder")),
            ("x = dict(mask_folder='../data/masks')", ("masks", "above")),
            ("p.add_argument('--label-dir', default='~/labels')", ("masks", "home")),
            ("save_path = r'D:\\results\\run 1'", ("save", "working folder")),
            ("data_root: str = './dataset/'", ("data", "working folder")),
            ("os.listdir('/mnt/x/ground_truth')", ("masks", "mount")),
            ("from glob import glob; glob('../train/images/*.png')", ("images", "above")),
            ("import glob; sorted(glob.glob('data/**/mask/*', recursive=True))", ("data", "working folder")),
            ("here = '/somewhere/else'", ("other", "mount")),
            ("imgs = os.path.join('x', 'y')", ("images", "working folder")),
            ("from pathlib import Path; mask_dir = Path('d') / 'gt'", ("masks", "working folder")),
        ],
    )
    def test_a_path(self, stage, line, expected):
        (path,) = stage(main=f"import os\n{line}\n").paths
        assert (path.role, path.mapping, path.place) == (*expected, "main.py:2")

    @pytest.mark.parametrize(
        "line",
        [
            "mask_suffix = '_seg'",
            "pattern = 'images/*.png'",
            "url = 'https://download.org/images/x'",
            "image_name = 'a.png'",
            "output_name = 'scores.xlsx'",
            "print('images: 80/10/10')",
            "desc = f'Epoch {e}/{n}'",
            '"""Reads /data/images."""',
            "backend = 'Agg'",
            "path = ''",
        ],
    )
    def test_no_path(self, stage, line):
        assert stage(main=f"{line}\n").paths == ()

    def test_a_text_is_named_once(self, stage):
        found = stage(main="image_dir = 'a/b'\n", train="image_dir = 'a/b'\n")
        assert found.paths == (HardCodedPath("a/b", "images", "main.py:1", "working folder"),)

    @pytest.mark.parametrize("text", ["C:\\data\\images", "data/images", "~/images", "../images"])
    def test_a_run_is_given_its_path_as_the_mapping_says(self, stage, tmp_path, text):
        script = f"import os\nimage_dir = os.path.expanduser({text!r})\nprint(os.listdir(image_dir))\n"
        (path,) = stage(main=script).paths
        start = tmp_path / "start"
        places = {"working folder": start / text, "home": tmp_path / "home" / text[2:], "above": tmp_path / text[3:]}
        places[path.mapping].mkdir(parents=True)
        (places[path.mapping] / "1.png").write_text("")
        start.mkdir(exist_ok=True)
        environment = {**os.environ, "HOME": str(tmp_path / "home")}
        command = [sys.executable, str(tmp_path / "main.py")]
        run = subprocess.run(command, cwd=start, env=environment, capture_output=True, text=True, check=True)
        assert run.stdout == "['1.png']\n"


@pytest.mark.parametrize(("text", "is_path"), [("a/b", True), ("./a", True), ("a", False), ("a//b", False)])
def test_looks_like_path(text, is_path):
    assert looks_like_path(text) is is_path


def test_demanded_arguments(stage):
    found = stage(
        main="import argparse\np = argparse.ArgumentParser()\np.add_argument('-i', '--image-dir', required=True)\n"
        "p.add_argument('masks')\np.add_argument('out', nargs='?')\np.add_argument('--epochs', default=3)\n"
    )
    assert found.demanded == (
        DemandedArgument("--image-dir", "images", "main.py:3"),
        DemandedArgument("masks", "masks", "main.py:4"),
    )


def test_folders(tmp_path):
    with pytest.raises(UserError, match="no Python file"):
        check_statically(tmp_path)
