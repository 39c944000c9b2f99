"""A script computes the same with and without being observed, and its record says what it did."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from llmseg.admission.observing import Phantoms, observer_environment, observer_places, read_observation
from llmseg.admission.observing.record import read_record
from tests.admission.observing.conftest import run_observed

# Everything random that training scripts do: dropout, shuffling, workers, augmentation, batch norm, clipping.
SCRIPT = """
import copy, glob, hashlib, os, random
import numpy as np
import torch
from torch import nn

class Data(torch.utils.data.Dataset):
    def __len__(self):
        return 8
    def __getitem__(self, index):
        image = torch.full((1, 16, 16), float(index)) + torch.rand(1, 16, 16) + np.random.rand() + random.random()
        return image, (image > index + 1.5).float()

seeds()
net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout(0.3), nn.Conv2d(4, 1, 1))
loaders = [torch.utils.data.DataLoader(Data(), 4, shuffle=True, num_workers=workers) for workers in (0, 2)]
optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1)
for epoch in range(2):
    net.train()
    for loader in loaders:
        for images, masks in loader:
            optimizer.zero_grad()
            output = net(images).mul_(0.5)
            loss = nn.functional.binary_cross_entropy_with_logits(output, masks) - torch.sigmoid(output).mean()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
    schedule.step()
    net.eval()
    with torch.no_grad():
        best = copy.deepcopy(net(images).numpy())
torch.save(net.state_dict(), "weights.pth")
total = hashlib.sha256(best.tobytes())
for value in net.state_dict().values():
    total.update(value.numpy().tobytes())
print(total.hexdigest(), random.random(), np.random.rand(), torch.rand(1).item(), optimizer.param_groups[0]["lr"])
"""


@pytest.mark.slow
@pytest.mark.parametrize("seeded", [True, False], ids=["seeds of its own", "seeds of the observer"])
def test_a_script_computes_the_same_when_it_is_observed(tmp_path, seeded):
    seeds = "random.seed(0); np.random.seed(0); torch.manual_seed(0)"
    for name in ("alone", "observed"):
        (tmp_path / name).mkdir()
        own = seeds if seeded or name == "alone" else "pass"
        (tmp_path / name / "main.py").write_text(SCRIPT.replace("seeds()", own), encoding="utf-8")
    alone = run_observed(tmp_path / "alone", None)
    observed = run_observed(tmp_path / "observed", tmp_path / "record")
    assert observed == alone
    events = read_record(tmp_path / "record")
    assert [event["text"] for event in events.list("fault")] == []
    assert len(events.list("step")) == 8
    assert {event.name for event in events.others} >= {"worker"}


@pytest.mark.slow
def test_a_sample_is_seen(observe_sample):
    ran = observe_sample("elm")
    seen = read_observation(ran.record, ran.phantoms)
    assert [event["text"] for event in seen.record.list("fault")] == []
    parts = seen.parts
    assert [len(part) for part in (parts.training, parts.validation, parts.test)] == [16, 2, 2]
    assert sorted(parts.training + parts.validation + parts.test) == list(ran.phantoms.ids)
    for each in seen.passes:
        for item in each.items:
            assert (item.id, item.image.turn) == (item.mask_id, item.mask_turn)
            assert item.image.slopes == pytest.approx([2.0], rel=0.01)
    assert {item.image.turn for each in seen.of("training") for item in each.items} == {"", "h"}
    assert [each.loss for each in seen.passes if each.learns] == list(seen.losses)
    assert (seen.epochs, len(seen.losses), len(set(seen.weights.epochs))) == (3, 12, 3)
    assert seen.weights.tested == seen.weights.epochs[-1]
    assert set(seen.weights.saved.values()) == {seen.weights.tested}
    assert set(seen.reached) == {"data", "network", "first step", "epoch", "validation", "test"}
    assert seen.reached["first step"] == "train.py:31"
    assert seen.again is not None
    assert seen.again.twice == 0
    # What was cut off in the middle is read as far as it goes.
    lines = (file := next(ran.record.glob("*.jsonl"))).read_bytes()
    first_step = lines.index(b'"event": "step"')
    file.write_bytes(lines[: first_step + 40])
    cut = read_observation(ran.record, ran.phantoms)
    assert len(cut.passes) == 1
    assert set(cut.reached) == {"data", "network"}


def test_a_record_without_events_is_read(tmp_path):
    seen = read_observation(tmp_path, Phantoms(12))
    assert (seen.passes, seen.losses, seen.again, seen.reached) == ((), (), None, {})


@pytest.mark.slow
def test_folders_list_their_files_in_a_mixed_order(tmp_path):
    for number in range(8):
        (tmp_path / f"{number}.png").touch()
    code = f"import glob, os, pathlib; here = {str(tmp_path)!r}; print([sorted(os.listdir(here)) == os.listdir(here), \
        *([p.split('/')[-1] for p in paths] == os.listdir(here) for paths in (glob.glob(here + '/*'), \
        [str(p) for p in pathlib.Path(here).iterdir()], next(os.walk(here))[2]))])"
    orders = []
    for listing in ("1", "2"):
        environment = observer_environment(tmp_path, listing=listing)
        ended = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        assert json.loads(ended.stdout.lower()) == [False, True, True, True]
        names = subprocess.run(
            [sys.executable, "-c", f"import os; print(os.listdir({str(tmp_path)!r}))"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        orders.append([name for name in names.stdout.split("'") if name.endswith(".png")])
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])


def test_places_of_a_sandbox_have_nothing_but_the_observer(tmp_path):
    environment, (observer, record) = observer_places(tmp_path / "record")
    assert environment["PYTHONPATH"] == "/admission/observer/start"
    files = {path.name for path in (Path(observer.outside) / "start").glob("*.py")}
    assert files == {"__init__.py", "sitecustomize.py"}
    assert (record.writable, observer.writable) == (True, False)


@pytest.mark.slow
def test_a_script_of_any_name_is_imported(tmp_path):
    """No module of the observer hides one of the script."""
    (tmp_path / "record").mkdir()
    for name in ("weights", "files", "learning"):
        (tmp_path / f"{name}.py").write_text("ours = True\n", encoding="utf-8")
    (tmp_path / "main.py").write_text(
        "import files, learning, weights, sys\nprint(files.ours and learning.ours and weights.ours)\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'llmseg' and name.count('.') < 3])\n",
        encoding="utf-8",
    )
    printed = run_observed(tmp_path, tmp_path / "r")
    assert printed.split("\n")[:2] == ["True", "[]"]
