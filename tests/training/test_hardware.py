from __future__ import annotations

import getpass
import json
import socket

import torch

import llmseg
from llmseg.training import describe_load


def test_what_timings_depend_on():
    facts = llmseg.hardware()
    assert facts["threads"] == torch.get_num_threads()
    assert facts["cpu_capability"] == torch.backends.cpu.get_cpu_capability()
    assert len(facts["gpus"]) == torch.cuda.device_count()
    assert facts["cores"] >= 1


def test_it_names_neither_host_nor_user(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "secret-host")
    monkeypatch.setattr(getpass, "getuser", lambda: "secret-user")
    assert set(llmseg.hardware()) == {"machine", "system", "cores", "threads", "cpu_capability", "gpus"}
    assert "secret" not in json.dumps(llmseg.hardware())


def test_a_busy_computer_is_named_before_its_timings_are_believed(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    monkeypatch.setattr("psutil.getloadavg", lambda: (0.4, 9.0, 9.0))
    assert describe_load() is None
    monkeypatch.setattr("psutil.getloadavg", lambda: (3.14, 0.0, 0.0))
    assert "load 3.1, 4 processors" in describe_load()
