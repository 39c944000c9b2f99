from __future__ import annotations

import gzip
import json
import platform
import time

import pytest
import torch
from torch import nn

from llmseg import UserError
from llmseg.training import Profile, Recording, measure_shares
from llmseg.training.observing.marks import DATA, mark


@pytest.fixture(scope="module")
def trace():
    """Two steps of a small network on the CPU."""
    net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
    optimizer = torch.optim.Adam(net.parameters())
    recording = Recording(torch.device("cpu"))
    recording.start()
    for _ in range(2):
        with mark(DATA):
            time.sleep(0.02)
            images = torch.rand(2, 1, 64, 64)
        optimizer.zero_grad()
        net(images).mean().backward()
        optimizer.step()
    return recording.stop(steps=2)


def test_a_recording_of_steps_has_all_their_groups(trace):
    profile = Profile.of_trace(trace)
    assert (profile.device, profile.steps) == ("cpu", 2)
    assert profile.seconds > 0.04
    assert profile.shares == measure_shares(trace)
    assert all(share > 0 for share in profile.shares.values())
    assert profile.shares["data"] > 0.04 / profile.seconds
    assert "aten::convolution_backward" in profile.names
    assert sum(profile.names.values()) == pytest.approx(1 - profile.shares["waiting"])


def test_a_trace_names_no_host(trace):
    text = json.dumps({key: value for key, value in trace.items() if key != "traceEvents"})
    assert platform.node() not in text
    assert {"host_name", "traceName"} & set(trace) == set()


def test_marks_do_nothing_while_no_profiler_runs():
    assert mark(DATA) is mark("anything")


def test_a_file_is_read(trace, tmp_path):
    path = tmp_path / "trace.json.gz"
    path.write_bytes(gzip.compress(json.dumps(trace).encode()))
    assert Profile.read(path) == Profile.of_trace(trace)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match="no trace, or damaged; record it again"):
        Profile.read(path)
    path.write_bytes(gzip.compress(json.dumps({"traceEvents": trace["traceEvents"]}).encode()))
    with pytest.raises(UserError, match="does not say how many steps it has; take one that llmseg train --profile"):
        Profile.read(path)


def test_recording_prints_nothing(capfd):
    recording = Recording(torch.device("cpu"))
    recording.start()
    torch.ones(3).sum()
    recording.abandon()
    assert capfd.readouterr() == ("", "")
    recording = Recording(torch.device("cpu"))
    recording.start()
    torch.ones(3).sum()
    assert Profile.of_trace(recording.stop(steps=1)).steps == 1
    assert capfd.readouterr() == ("", "")
