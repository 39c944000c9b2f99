from __future__ import annotations

from pathlib import Path

import pytest
import torch

from llmseg.admission import Frame, Outcome, Results, ScriptRun, check_statically
from llmseg.admission.scripts import read_scripts
from llmseg.admission.stages.code_error import find_errors, name_error, write_errors
from llmseg.admission.stages.judge import judge_run, judge_static
from llmseg.admission.stages.stage import RUN_STAGES, StageVerdict, find_stage_reached
from llmseg.stats import ERROR_CATEGORIES, ERROR_PHASES, read_errors

MODEL = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        nn.Missing()
"""
MAIN = """
import model
from dataset import listing

def validate(net):
    net.score()

def plot_losses(losses):
    losses.plot()

if __name__ == "__main__":
    names = listing()
    net = model.Net()
    validate(net)
    plot_losses([])
"""
DATASET = "import os\n\ndef listing():\n    return os.listdir('x')\n\nSIZE = undefined\n"
TRAINED = ("data", "network", "first step", "epoch")


@pytest.fixture
def scripts(tmp_path):
    for name, text in (("main", MAIN), ("model", MODEL), ("dataset", DATASET)):
        (tmp_path / f"{name}.py").write_text(text)
    return read_scripts(tmp_path)


def fail(exception, file, line, **more):
    frame = Frame(f"/admission/work/a/b/c/scripts/{file}", line, "f")
    return ScriptRun(Outcome("script", exit_code=1, exception=exception, frame=frame, **more), Path(), ())


def judged(run, scripts, *seen):
    return {each.stage: each for each in judge_run(run, scripts, dict.fromkeys(seen, "train.py:3"))}


@pytest.mark.parametrize(
    ("exception", "file", "line", "seen", "stage", "phase"),
    [
        ("ModuleNotFoundError: No module named 'x'", "model.py", 2, (), "import", "import"),
        ("NameError: name 'undefined' is not defined", "dataset.py", 6, (), "import", "import"),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'x'", "dataset.py", 4, (), "data", "dataset"),
        ("AttributeError: module 'nn' has no attribute 'Missing'", "model.py", 7, (), "network", "model"),
        ("RuntimeError: sizes of tensors must match", "main.py", 15, ("data",), "network", "model"),
        ("ValueError: x", "main.py", 15, ("data", "network"), "first step", "train"),
        ("ValueError: x", "main.py", 6, ("data", "network", "first step"), "validation", "validation"),
        ("TypeError: x", "main.py", 15, (*TRAINED, "validation"), "artefacts", "plot"),
        ("TypeError: x", "main.py", 9, (*TRAINED, "validation"), "artefacts", "plot"),
        ("TypeError: x", "main.py", 14, (*TRAINED, "validation"), "test", "test"),
        ("OSError: x", "main.py", 14, (*TRAINED, "validation", "test"), "artefacts", "save"),
    ],
)
def test_where_scripts_failed(scripts, exception, file, line, seen, stage, phase):
    verdicts = judged(fail(exception, file, line), scripts, *seen)
    assert [each.stage for each in verdicts.values() if each.state == "failed"] == [stage]
    assert (verdicts[stage].place, verdicts[stage].reason) == (f"{file}:{line}", exception)
    assert all(verdicts[each].state == "reached" for each in seen)
    later = RUN_STAGES[RUN_STAGES.index(stage) + 1 :]
    assert all(verdicts[each].state == "not reached" for each in later)
    (error,) = find_errors(verdicts.values(), scripts)
    assert (error.phase, error.exception) == (phase, exception.partition(":")[0])


def test_a_network_that_is_built_before_cases_are_read(scripts):
    verdicts = judged(fail("AttributeError: x", "model.py", 7), scripts)
    assert [verdicts[stage].state for stage in ("import", "data", "network")] == ["reached", "not decidable", "failed"]
    assert find_stage_reached([StageVerdict("static", "reached"), *verdicts.values()]) == "import"


def test_a_limit_ends_a_stage(scripts):
    verdicts = judged(ScriptRun(Outcome("limit", limit="memory"), Path(), ()), scripts, "data", "network")
    assert (verdicts["first step"].state, verdicts["first step"].reason) == ("limit", "ended by the limit of memory")
    assert find_errors(verdicts.values(), scripts) == ()


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome("limit", limit="wall time"), ["not decidable", "limit", "not reached"]),
        (Outcome("script", exit_code=3, output="usage"), ["not decidable", "failed", "not reached"]),
        (Outcome("script", signal="SIGSEGV"), ["not decidable", "failed", "not reached"]),
        (Outcome("harness", faults=("no disk",)), ["harness fault", "not decidable", "not decidable"]),
    ],
)
def test_what_ended_without_a_place_may_have_been_importing(scripts, outcome, expected):
    verdicts = judged(ScriptRun(outcome, Path(), ()), scripts)
    assert [verdicts[stage].state for stage in ("import", "data", "network")] == expected


def test_a_fault_of_the_harness_says_nothing_about_scripts(scripts):
    verdicts = judged(ScriptRun(Outcome("harness", faults=("no disk",)), Path(), ()), scripts, "data")
    states = {each.state for each in verdicts.values()}
    assert states == {"reached", "harness fault", "not decidable"}
    assert (verdicts["network"].state, verdicts["network"].reason) == ("harness fault", "no disk")


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_scripts_that_demand_a_gpu_have_done_nothing_wrong(scripts, device):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU, which would be used")
    with pytest.raises((RuntimeError, AssertionError)) as error:
        torch.zeros(1).to(device)
    exception = f"{error.type.__name__}: {error.value}"
    run = ScriptRun(Outcome("script", exit_code=1, exception=exception), Path(), ())
    verdict = judged(run, scripts, "data")["network"]
    assert (verdict.state, verdict.reason[:23]) == ("not decidable", "they demand a GPU, and ")


class TestFinished:
    def run(self, printed="", **there):
        results = Results(**{kind: (Path(name),) for kind, name in there.items()})
        return ScriptRun(Outcome("script", exit_code=0, output=printed, results=results), Path(), ())

    def test_all(self, scripts):
        run = self.run(weights="a.pth", numbers="b.csv")
        verdicts = judged(run, scripts, *RUN_STAGES[1:7])
        assert {each.state for each in verdicts.values()} == {"reached"}

    def test_no_weights(self, scripts):
        verdicts = judged(self.run(numbers="b.csv"), scripts, *RUN_STAGES[1:7])
        assert str(verdicts["artefacts"]) == "artefacts: failed, no file with weights is there"

    def test_scripts_that_give_up_in_silence(self, scripts):
        verdicts = judged(self.run("Found no images.\n"), scripts)
        assert verdicts["data"].state == "failed"
        assert verdicts["data"].reason.endswith("the last line was: Found no images.")

    def test_a_framework_that_is_not_observed(self, scripts):
        verdicts = judged(self.run(weights="a.keras", numbers="b.csv"), scripts)
        assert [verdicts[stage].state for stage in ("data", "test", "artefacts")] == [
            "not decidable",
            "not decidable",
            "reached",
        ]

    def test_keras_is_seen_in_part(self, tmp_path):
        (tmp_path / "main.py").write_text("from tensorflow.keras import layers", encoding="utf-8")
        seen = ("data", "network", "first step", "epoch")
        verdicts = judged(self.run(weights="a.keras", numbers="b.csv"), read_scripts(tmp_path), *seen)
        assert {verdicts[stage].state for stage in seen} == {"reached"}
        for stage in ("validation", "test"):
            assert str(verdicts[stage]) == f"{stage}: not decidable, not seen: Keras and TensorFlow compute in graphs"


class TestStatic:
    @pytest.mark.parametrize(
        ("texts", "expected"),
        [
            ({"main": "x = 1"}, "static: reached"),
            ({"main": "def f(:\n"}, "static: failed, SyntaxError: main.py:1: invalid syntax (main.py:1)"),
            (
                {"main": "from model import Net", "model": ""},
                "static: failed, ImportError: no script defines Net (main.py:1)",
            ),
            ({"a": "", "b": ""}, "static: failed, no main.py, and no other single file to start; say which by --start"),
            (
                {"main": "import no_such_package"},
                "static: not decidable, not installed here: no_such_package; "
                "install what the scripts need and start again (main.py:1)",
            ),
        ],
    )
    def test_text(self, tmp_path, texts, expected):
        for name, text in texts.items():
            (tmp_path / f"{name}.py").write_text(text)
        assert str(judge_static(check_statically(tmp_path))) == expected


class TestErrors:
    @pytest.mark.parametrize(
        ("line", "category"),
        [
            ("RuntimeError: stack expects each tensor to be equal size, but got [1, 3]", "shape mismatch"),
            ("ValueError: Using a target size (torch.Size([8])) that is different to the input size", "shape mismatch"),
            ("RuntimeError: Expected all tensors to be on the same device, cpu and cuda:0", "device placement"),
            ("RuntimeError: expected scalar type Float but found Double", "dtype"),
            ("TypeError: default_collate: batch must contain tensors; found PIL.Image", "dtype"),
            ("TypeError: f() got an unexpected keyword argument 'image'", "wrong API use"),
            ("KeyboardInterrupt", "other"),
            ("no weights are there", "other"),
        ],
    )
    def test_category(self, line, category):
        error = name_error(line, "train")
        assert (error.category, error.phase) == (category, "train")
        assert error.category in ERROR_CATEGORIES
        assert error.phase in ERROR_PHASES

    def test_the_table_is_read_by_the_command_for_errors(self, tmp_path):
        errors = [name_error("NameError: name 'nn' is not defined", "train"), name_error('odd, "text"', "save")]
        (tmp_path / "errors.csv").write_text(write_errors("mine", errors))
        rows = read_errors(tmp_path / "errors.csv")
        assert rows["phase"].tolist() == ["import", "save"]
        (tmp_path / "none.csv").write_text(write_errors("mine", []))
        assert read_errors(tmp_path / "none.csv").to_dict("records")[0]["model"] == "mine"
