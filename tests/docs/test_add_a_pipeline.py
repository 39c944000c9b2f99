"""The page that tells how to add a pipeline: what stands there is saved as files and run in processes of its own."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pytest

import llmseg
from llmseg import UserError
from llmseg.recipe import Part, Recipe

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-pipeline.md"


@pytest.fixture(scope="module")
def files(read_blocks, tmp_path_factory) -> Path:
    """A folder with the files of the page."""
    folder = tmp_path_factory.mktemp("page")
    for block in read_blocks(PAGE):
        if block.file:
            (folder / Path(block.file).name).write_text(block.code, encoding="utf-8")
    return folder


def run_python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=300)


def announce(folder: Path, package: str, *entries: str) -> None:
    """Let a folder on the path look as if a package with entry points were installed there."""
    facts = folder / f"{package}-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("\n".join(["[llmseg.pipelines]", *entries, ""]))


@pytest.fixture(scope="module")
def trained(files) -> subprocess.CompletedProcess[str]:
    """``train_mine.py`` of the page, carried out on phantoms reduced to 32 x 32 pixels to save time."""
    script = files / "train_mine.py"
    code = script.read_text(encoding="utf-8")
    small = code.replace("my_pipeline.PIPELINE.recipe,", 'my_pipeline.PIPELINE.recipe.change("images.size", (32, 32)),')
    assert small != code
    script.write_text(small, encoding="utf-8")
    return run_python(files, script.name)


@pytest.mark.slow
class TestOutside:
    def test_it_trains(self, trained):
        assert trained.returncode == 0, trained.stderr
        assert trained.stdout == "MyNet(width=16, output='logits')\n"

    def test_its_run_says_what_was_trained(self, trained, files):
        record = json.loads((files / "runs/my-net/run.json").read_text(encoding="utf-8"))
        assert record["recipe"]["net"] == {"kind": "MyNet", "width": 16, "output": "logits"}
        assert record["label"] == "my-net"
        assert record["status"] == "done"

    def test_its_run_is_read_once_the_file_is_imported(self, trained, files):
        read = "import llmseg; print(llmseg.Run.open('runs/my-net').recipe.net.width)"
        assert run_python(files, "-c", f"import my_pipeline; {read}").stdout == "16\n"
        without = run_python(files, "-c", read)
        assert without.returncode == 1
        assert "unknown kind 'MyNet'" in without.stderr
        assert "a kind of your own is known once its file is imported" in without.stderr
        command = run_python(files, "-m", "llmseg", "show", "runs/my-net")
        assert command.returncode == 2
        assert "give the command --import FILE.py" in command.stderr
        mended = run_python(files, "-m", "llmseg", "show", "runs/my-net", "--import", "my_pipeline.py")
        assert (mended.returncode, mended.stderr) == (0, "")

    def test_parameters_of_the_card_are_those_of_the_network(self, files):
        code = (
            "from my_pipeline import PIPELINE as p\n"
            "print(p.card.parameters, sum(w.numel() for w in p.build().parameters()))\n"
        )
        assert run_python(files, "-c", code).stdout == "177 177\n"

    def test_the_command_line_has_it(self, files):
        for arguments in (
            ["--import", "my_pipeline.py", "show", "my-net"],
            ["show", "my-net", "--import=my_pipeline.py"],
        ):
            shown = run_python(files, "-m", "llmseg", *arguments)
            assert shown.returncode == 0, shown.stderr
            assert "MyNet" in shown.stdout

    def test_what_a_comparison_says_next_works_with_a_pipeline_of_ones_own(self, files):
        small = ["--synthetic", "mri-tumour", "--cases", "20", "--set", "images.size=32,32", "--epochs", "1", "-q"]
        study = ["compare", "my-net", "gpt-o3", "--import", "my_pipeline.py", *small, "--seeds", "1", "-o", "mine"]
        compared = run_python(files, "-m", "llmseg", *study)
        assert compared.returncode == 0, compared.stderr
        advice = compared.stdout.splitlines()[-1].removeprefix("next: llmseg ")
        reported = run_python(files, "-m", "llmseg", *advice.split())
        assert reported.returncode == 0, reported.stderr
        assert (files / "mine-report" / "index.html").exists()

    def test_a_package_that_announces_it_is_enough(self, files):
        announce(files, "mine", "my-net = my_pipeline:PIPELINE")
        shown = run_python(files, "-m", "llmseg", "show", "my-net")
        assert (shown.returncode, shown.stderr) == (0, "")
        assert "MyNet" in shown.stdout


class TestInThePackage:
    def test_the_entry_is_one(self, files):
        code = (
            "import my_llm\n"
            "from llmseg import zoo\n"
            "p = zoo.register(my_llm.PIPELINE)\n"
            "net = p.build(1)\n"
            "print(zoo.get('My LLM').id, p.card.parameters - sum(w.numel() for w in net.parameters()), p.quirks)\n"
            "names = p.to_original(net.state_dict())\n"
            "print(sorted({name.split('.')[0] for name in names}))\n"
        )
        result = run_python(files, "-c", code)
        assert result.returncode == 0, result.stderr
        assert result.stdout == "my-llm 0 ()\n['down', 'merge', 'middle', 'out', 'up']\n"


@dataclass(frozen=True, kw_only=True)
class PlainPart(Part):
    """A network by its methods, but not by its class."""

    output: Literal["logits"]

    def build(self, in_channels: int) -> None:
        """Build nothing."""


@pytest.mark.parametrize(
    ("part", "base"), [("net", "Net"), ("loss", "Loss"), ("images", "Images"), ("split", "Splitter"), ("test", "Score")]
)
def test_a_plain_part_is_refused_and_told_what_to_derive_from(part, base):
    recipe = llmseg.zoo.get("gpt-o3").recipe
    with pytest.raises(UserError, match=rf"Recipe\.{part} is PlainPart.*a class derived from llmseg\.recipe\.{base}\)"):
        replace(recipe, **{part: PlainPart(output="logits")})


def test_the_table_has_all_base_classes_and_their_methods():
    page = PAGE.read_text(encoding="utf-8")
    bases = {Recipe.__annotations__[part] for part in ("images", "split", "net", "loss", "score")}
    for base in bases:
        cls = getattr(llmseg.recipe, base)
        row = next(line for line in page.splitlines() if f"`llmseg.recipe.{base}` |" in line)
        assert inspect.isabstract(cls)
        assert [name for name in sorted(cls.__abstractmethods__) if f"`{name}" not in row] == []
