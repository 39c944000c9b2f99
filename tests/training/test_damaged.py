"""Damaged checkpoints and weights: told in one line, never used silently."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from llmseg import Run, UserError, train
from llmseg.training.checkpoint import read_checkpoint, write_checkpoint
from llmseg.training.run_files import RunWriter


class Killed(BaseException):
    """Ends a training where it stands."""


@pytest.fixture
def interrupted(tiny_recipe, phantoms, tmp_path, monkeypatch):
    """A run folder with two checkpoints."""
    take, taken = RunWriter.take, []

    def die(self, event):
        take(self, event)
        taken.append(event)
        if len(taken) == 4:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(RunWriter, "take", die)
        with pytest.raises(Killed):
            train(tiny_recipe, phantoms, tmp_path / "run", progress=False, checkpoint_every=0)
    return tmp_path / "run"


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    middle = len(content) // 2
    changed = {
        "empty": b"",
        "cut": content[:middle],
        "text": b"hello",
        "a flipped bit": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
    }
    path.write_bytes(changed[how])


DAMAGES = ("empty", "cut", "text", "a flipped bit")


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.usefixtures("notes_printed")
def test_the_checkpoint_before_a_damaged_one_is_used(interrupted, tiny_recipe, phantoms, how, capsys, tmp_path):
    damage(interrupted / "checkpoint" / "state.pt", how)
    run = train(tiny_recipe, phantoms, interrupted, progress=False)
    told = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"llmseg: warning: .*state\.pt is damaged; the checkpoint before it is used", told[0])
    assert re.search(r"continues at step 4 of \d+, epoch 1", told[1])
    whole = train(tiny_recipe, phantoms, tmp_path / "whole", progress=False)
    assert (run.folder / "weights.safetensors").read_bytes() == (whole.folder / "weights.safetensors").read_bytes()


def test_when_both_are_damaged_the_advice_begins_anew(interrupted, tiny_recipe, phantoms):
    for name in ("state.pt", "previous.pt"):
        damage(interrupted / "checkpoint" / name, "a flipped bit")
    with pytest.raises(UserError, match=r"remove the folder .*checkpoint to begin this run anew") as refused:
        train(tiny_recipe, phantoms, interrupted, progress=False)
    shutil.rmtree(re.search(r"folder (\S+) to", str(refused.value))[1])
    assert train(tiny_recipe, phantoms, interrupted, progress=False).load_net()


def test_a_list_or_a_file_of_an_earlier_version(tmp_path):
    torch.save({"a": 1}, tmp_path / "state.pt")
    assert read_checkpoint(tmp_path, ("a",)) == ({"a": 1}, "")
    torch.save([1], tmp_path / "state.pt")
    with pytest.raises(UserError, match="is damaged; remove the folder"):
        read_checkpoint(tmp_path, ("a",))


@pytest.mark.parametrize("moment", range(6))
def test_killed_at_any_change_of_the_disk_leaves_a_checkpoint(tmp_path, monkeypatch, moment):
    for number in (1, 2):
        write_checkpoint(tmp_path, {"number": number})
    real, changes = Path.replace, []

    def die(self, target):
        changes.append(target)
        if len(changes) > moment:
            raise Killed
        return real(self, target)

    monkeypatch.setattr(Path, "replace", die)
    with contextlib.suppress(Killed):
        write_checkpoint(tmp_path, {"number": 3})
    saved, problem = read_checkpoint(tmp_path, ("number",))
    assert saved["number"] == (2 if moment < 2 else 3)
    assert problem == ""


@pytest.mark.parametrize("how", DAMAGES)
def test_damaged_weights_of_a_run(run, tmp_path, how):
    folder = tmp_path / "run"
    shutil.copytree(run.folder, folder)
    damage(folder / "weights.safetensors", how)
    with pytest.raises(UserError, match=r"weights\.safetensors is not the file that the training wrote"):
        Run.open(folder).load_net()
    forget_digest(folder)
    if how != "a flipped bit":
        with pytest.raises(UserError, match=r"weights\.safetensors is damaged or holds no weights"):
            Run.open(folder).load_net()
    (folder / "weights.safetensors").unlink()
    with pytest.raises(UserError, match=r"weights\.safetensors cannot be read \(No such file"):
        Run.open(folder).load_net()


def forget_digest(folder):
    """Make a run as earlier versions wrote it."""
    record = json.loads((folder / "run.json").read_text())
    del record["weights_digest"]
    (folder / "run.json").write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensor: tensor * float("nan"), r"'.*weight' has \d+ values of \d+ that are not finite"),
        (lambda tensor: tensor.to(torch.complex64), "'.*weight' has complex numbers"),
        (lambda tensor: tensor[:1].repeat(999, *[1] * (tensor.ndim - 1)), "does not fit the recipe in run.json"),
    ],
    ids=["nan", "complex", "shape"],
)
def test_weights_that_mean_nothing_are_refused_by_name(run, tmp_path, change, message):
    folder = tmp_path / "run"
    shutil.copytree(run.folder, folder)
    forget_digest(folder)
    assert Run.open(folder).load_net()
    weights = load_file(folder / "weights.safetensors")
    name = next(name for name, tensor in weights.items() if name.endswith("weight") and tensor.ndim == 4)
    save_file({**weights, name: change(weights[name]).contiguous()}, folder / "weights.safetensors")
    with pytest.raises(UserError, match=message):
        Run.open(folder).load_net()
