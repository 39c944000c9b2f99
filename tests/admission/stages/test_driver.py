"""Admission of whole folders, in the sandbox."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch

from llmseg import Study, UserError, zoo
from llmseg.admission import STAGES, admit, verify_own_record
from llmseg.admission.own_record import verifying
from llmseg.admission.own_record.verifying import OWN_LEVELS
from llmseg.admission.running.files import digest_folder
from llmseg.admission.stages import driver
from llmseg.admission.stages.folder import open_folder
from llmseg.admission.stages.known_good import write_known_good
from llmseg.data.synthetic import SyntheticStore
from llmseg.study import Variant
from llmseg.study.launching import launcher
from llmseg.zoo import registry

ASKED = {"name": "scripts", "earlier": [], "chat": "", "minutes": 10}

SHORT = """
import os
image_dir, mask_dir, save_dir = "data/images", "data/masks", "out"
names = os.listdir(image_dir)
"""


@pytest.fixture
def is_good(monkeypatch):
    """The computer is known to run what is known to be good."""
    monkeypatch.setattr(driver, "_check_known_good", lambda room: {"sandbox": ""})


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "scripts").mkdir()
    return tmp_path / "scripts"


@pytest.mark.slow
@pytest.mark.usefixtures("is_good")
def test_what_is_known_to_be_good_reaches_every_stage(folder, tmp_path, sandbox, tiny_recipe):
    write_known_good(folder)
    ranking = {
        "data": SyntheticStore("fundus", count=20),
        "against": Variant("tiny", tiny_recipe),
        "epochs": 1,
        "progress": False,
    }
    admission = admit(folder, tmp_path / "out", name="good", probes=False, rung=sandbox, seeds=1, **ranking)
    stages = [stage for stage in STAGES if stage != "probes"]
    assert [(each.stage, each.state) for each in admission.verdicts] == [(stage, "reached") for stage in stages]
    assert (admission.is_sound, admission.errors, admission.turns) == (True, (), 0)
    assert (admission.findings, admission.facts["optimizer"], admission.facts["batch_size"]) == ((), "Adam", 4)
    # Its small network is none of the library; all else is explained.
    assert (admission.recipe, list(admission.foreign)) == (None, ["net"])
    assert admission.verdicts[-2].reason == "masks from outputs of their network; 2 test cases of synthetic-fundus"
    assert {row["contender"]: row["seeds"] for row in admission.leaderboard} == {"good": 1, "tiny": 1}
    kept = sorted(path.stem for path in (tmp_path / "out" / "stages").iterdir())
    assert kept == sorted(stage.replace(" ", "-") for stage in stages)


@pytest.mark.slow
@pytest.mark.usefixtures("is_good")
class TestTinyRun:
    def test_names_of_files_are_learnt_from_what_was_missed(self, folder, tmp_path, sandbox):
        (folder / "main.py").write_text(
            SHORT + "for name in names:\n    open(os.path.join(mask_dir, name[:-4] + '_' + 'fg' + name[-4:])).close()\n"
        )
        admission = admit(folder, tmp_path / "out", rung=sandbox)
        assert admission.run["layout"]["mask_suffix"] == "_fg"
        assert admission.run["exception"] is None
        assert admission.run["edits"] == []  # nobody had told how files are named

    def test_a_folder_that_scripts_do_not_make(self, folder, tmp_path, sandbox):
        (folder / "main.py").write_text(SHORT + "open(os.path.join(save_dir, 'a.csv'), 'w').write('1')\n")
        admission = admit(folder, tmp_path / "out", rung=sandbox)
        assert (admission.run["exception"], admission.run["edits"]) == (None, [])  # a path that is set is no edit
        assert admission.run["there"] == ["numbers"]

    def test_more_test_cases_than_a_few(self, folder, tmp_path, sandbox):
        (folder / "main.py").write_text(SHORT + "import random\nprint(random.sample(names[:len(names) // 10], 5))\n")
        admission = admit(folder, tmp_path / "out", rung=sandbox)
        assert (admission.run["exception"], admission.run["phantoms"]["count"]) == (None, 53)
        assert admission.run["there"] == []  # the record of the observer is no result

    def test_scripts_that_write_into_the_record_of_the_observer(self, folder, tmp_path, sandbox):
        """How they ended stays known; nothing that they write is followed, and nothing of it ends the admission."""
        (folder / "main.py").write_text(
            SHORT + "folder = os.environ['LLMSEG_RECORD']\nos.symlink('/etc', folder + '/etc')\n"
            "for name in os.listdir(folder):\n    if os.path.isfile(folder + '/' + name):\n"
            "        open(folder + '/' + name, 'ab').write(b'\\xff{]')\n"
        )
        admission = admit(folder, tmp_path / "out", probes=False, rung=sandbox)
        assert (admission.run["exception"], admission.stage_reached) == (None, "import")
        assert not any(path.is_symlink() for path in (tmp_path / "out").rglob("*"))

    def test_errors_of_earlier_answers_are_repair_turns(self, folder, tmp_path, sandbox):
        (folder / "main.py").write_text(SHORT + "names.sort_by_name()\n")
        for number, line in enumerate(("import nn_\n", "print(nn)\n")):
            shutil.copytree(folder, tmp_path / str(number))
            (tmp_path / str(number) / "main.py").write_text(SHORT + line)
        admission = admit([tmp_path / "1", folder], tmp_path / "out", rung=sandbox)
        assert admission.turns == 1
        assert [(each.phase, each.exception) for each in admission.errors] == [
            ("import", "NameError"),
            ("dataset", "AttributeError"),
        ]


@pytest.mark.slow
@pytest.mark.usefixtures("is_good")
def test_a_second_start_goes_on(folder, tmp_path, sandbox, monkeypatch):
    (folder / "main.py").write_text(SHORT)
    first = admit(folder, tmp_path / "out", rung=sandbox)

    def fail(*_):
        raise AssertionError("it ran again")

    monkeypatch.setattr(driver, "run_tiny", fail)
    assert admit(folder, tmp_path / "out", rung=sandbox) == first


@pytest.mark.slow
@pytest.mark.usefixtures("is_good")
def test_one_that_is_killed_in_the_middle_goes_on(folder, tmp_path, sandbox):
    out = tmp_path / "out"
    (folder / "main.py").write_text(SHORT + "import time\ntime.sleep(6)\nprint('awake')\n")
    # What a first start would find out at once is there, so that the test is short.
    with open_folder(out, {"scripts": digest_folder(folder), **ASKED}) as kept:
        kept.write("known-good", {"sandbox": sandbox})
    command = [sys.executable, "-m", "llmseg", "admit", str(folder), "-o", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while process.poll() is None and not list(out.glob("tiny/run-0/**/main.py")):
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 128 + signal.SIGTERM
    assert not (out / "run.json").exists()
    admission = admit(folder, out, rung=sandbox)
    assert (admission.run["last_lines"], admission.run["exception"]) == (["awake"], None)


@pytest.mark.slow
class TestRanked:
    def test_every_stage_is_reached(self, admitted):
        admission, asked = admitted
        stages = [stage for stage in STAGES if stage != "probes"]
        assert [(each.stage, each.state) for each in admission.verdicts] == [(stage, "reached") for stage in stages]
        assert (admission.stage_reached, admission.is_sound) == ("rank", True)
        study = Study.open(admission.study)
        assert study.variants == ("alder", "tiny")
        assert study.runs("alder")[0].recipe == admission.recipe.change("fit.epochs", asked["epochs"])
        assert {row["contender"] for row in admission.leaderboard} == {"alder", "tiny"}
        kept = json.loads((admission.out / "stages" / "full-run.json").read_text())
        assert kept["reason"] == "1 epoch, 1 seed; 2 test cases of cases"

    def test_a_second_start_trains_nothing_again(self, admitted, monkeypatch):
        admission, asked = admitted

        def fail(*_, **__):
            raise AssertionError("it ran again")

        monkeypatch.setattr(driver, "run_tiny", fail)
        monkeypatch.setattr(launcher, "train", fail)
        assert admit(admission.folder, admission.out, **asked) == admission

    def test_one_call_puts_it_into_the_zoo(self, admitted, monkeypatch, call):
        admission, _ = admitted
        monkeypatch.setattr(registry, "_PIPELINES", dict(registry._PIPELINES))
        pipeline = zoo.load(admission.out)
        assert zoo.get("alder") is pipeline
        assert pipeline.recipe == admission.recipe
        assert pipeline.card.parameters == sum(each.numel() for each in pipeline.build().parameters())
        assert (pipeline.card.scripts, pipeline.card.admitted.stage) == ("alder", "rank")
        assert dict(pipeline.card.admitted.facts)["optimizer"] == "Adam"
        code, out, err = call("show", admission.recipe_file)
        assert (code, err) == (0, "")
        assert out.splitlines()[0] == "alder"
        assert f"admitted        {pipeline.card.admitted.date}, reached the stage rank" in out

    def test_the_recipe_replays_its_own_record(self, admitted, call):
        admission, _ = admitted
        assert [(each["level"], each["holds"]) for each in admission.replayed] == [(n, True) for n in OWN_LEVELS]
        code, out, err = call("replay", "--verify", admission.out / "record")
        assert (code, err) == (0, "")
        assert [line.split()[2] for line in out.splitlines()] == ["holds"] * len(OWN_LEVELS)
        code, out, _ = call("replay", "gpt-4", "--verify", admission.out / "record" / "record.json", "--level", "F1")
        assert code == 1
        assert "F1          network              DIVERGES   parameters: expected 121385, found " in out

    def test_it_computes_on_as_many_threads_as_the_scripts_did(self, admitted, monkeypatch):
        admission, _ = admitted
        threads = []
        monkeypatch.setattr(verifying, "_check_training", lambda *_: threads.append(torch.get_num_threads()))
        (verdict,) = verify_own_record(admission.recipe, admission.out / "record", only="F4")
        assert verdict.holds
        assert (threads, torch.get_num_threads()) == ([1], 2)

    @pytest.mark.parametrize(
        ("path", "value", "level", "words"),
        [
            ("net.concat", "skip-first", "F4", "step 0, loss"),
            ("net.bottleneck", 32, "F1", "parameters"),
            ("images.image_resize", "pillow-nearest", "F2", "image 0"),
            ("split.seed", 7, "F2", "split, train"),
            ("loss.dice", 0.9, "F3", "loss"),
            ("loss.dice", 0.9, "F4", "step 0, loss"),
            ("fit.rate", 1e-4, "F4", "rate: expected 0.001"),
            ("fit.decay", 0.5, "F4", "step 1, loss"),
        ],
    )
    def test_another_recipe_does_not(self, admitted, path, value, level, words):
        admission, _ = admitted
        other = admission.recipe.change(path, value)
        verdicts = {each.level: each for each in verify_own_record(other, admission.out / "record")}
        assert verdicts[level].divergence.startswith(words)

    def test_what_is_no_record_of_an_admission(self, admitted, tmp_path):
        admission, _ = admitted
        shutil.copytree(admission.out / "record", tmp_path / "record")
        (tmp_path / "record" / "weights.safetensors").unlink()
        with pytest.raises(UserError, match="is no record of an admission; give the folder record of one"):
            list(verify_own_record(admission.recipe, tmp_path / "record"))
        with pytest.raises(UserError, match="no record"):
            list(verify_own_record(admission.recipe, tmp_path / "none.json"))

    def test_the_command_shows_the_leaderboard(self, admitted, call):
        admission, asked = admitted
        options = [f"--{name}={asked[name]}" for name in ("data", "against", "epochs", "seeds")]
        code, out, err = call("admit", admission.folder, "-o", admission.out, "--no-probes", *options)
        assert code == 0, err
        assert out.startswith("alder: reached the stage rank; no silent mistakes found")
        means = {row["contender"]: f"{row['mean']:.4f}" for row in admission.leaderboard}
        for name, mean in means.items():
            assert re.search(rf"^ +{name} +{mean} ", out, re.MULTILINE), out
        assert "llmseg compare" not in out
        facts = json.loads(call("admit", admission.folder, "-o", admission.out, "--no-probes", "--json", *options)[1])
        assert [row["contender"] for row in facts["leaderboard"]] == [*means]


def test_a_computer_that_runs_nothing_gets_no_verdict(folder, tmp_path, monkeypatch):
    (folder / "main.py").write_text(SHORT)

    class Failed:
        def to_dict(self):
            verdict = {"stage": "data", "state": "failed", "reason": "ValueError: x", "place": "main.py:3"}
            return {"verdicts": [verdict], "sandbox": "bubblewrap"}

    monkeypatch.setattr(driver, "run_tiny", lambda *_: Failed())
    with pytest.raises(UserError, match=r"known to be good does not run here \(data: failed, ValueError"):
        admit(folder, tmp_path / "out")
    assert not (tmp_path / "out" / "run.json").exists()
