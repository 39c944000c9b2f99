"""The energy and the memory of a training."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import torch

from llmseg import Terminated, train
from llmseg.training import usage
from llmseg.training.run_files import RunWriter
from llmseg.training.usage import Counter, Usage, find_counters

CPU = torch.device("cpu")


def count_to(*values):
    left = iter(values)
    return Counter(lambda: next(left))


def write_counter(folder, joules, limit=100):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "energy_uj").write_text(f"{joules * 10**6}\n")
    (folder / "max_energy_range_uj").write_text(f"{limit * 10**6}\n")


def test_processors_are_added_up_and_parts_of_them_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(usage, "POWERCAP", tmp_path)
    for name, joules in (("intel-rapl:0", 10), ("intel-rapl:0:0", 5), ("intel-rapl:1", 90), ("dtpm", 7)):
        write_counter(tmp_path / name, joules)
    measured = Usage(CPU)
    write_counter(tmp_path / "intel-rapl:0", 30)
    write_counter(tmp_path / "intel-rapl:0:0", 25)
    write_counter(tmp_path / "intel-rapl:1", 5)  # it has started again from 0
    measured.look()
    assert measured.joules == 0, "the last look was a moment ago"
    measured.look(again=True)
    assert measured.to_dict() == {"joules": 35.0}


def test_a_device_that_does_not_tell(tmp_path, monkeypatch):
    monkeypatch.setattr(usage, "POWERCAP", tmp_path / "none")
    measured = Usage(CPU)
    measured.look(again=True)
    assert measured.to_dict() == {}
    (tmp_path / "intel-rapl:0").mkdir()
    monkeypatch.setattr(usage, "POWERCAP", tmp_path)
    assert find_counters(CPU) == [], "it has no counter that may be read"


def test_a_counter_that_falls_silent():
    def fail():
        raise OSError

    reads = iter([lambda: 1.0, fail])
    measured = Usage(CPU, [Counter(lambda: next(reads)())])
    measured.look(again=True)
    assert measured.to_dict() == {}


def test_what_is_not_known_of_a_part_is_not_known_of_all():
    for earlier, joules in (({"joules": 2.5}, {"joules": 4.5}), ({}, {})):
        measured = Usage(CPU, [count_to(1.0, 3.0)])
        measured.look(again=True)
        measured.restore(earlier)
        assert measured.to_dict() == joules


@pytest.fixture
def gpu(monkeypatch):
    """A GPU that has taken 5000 millijoules, and 2000 more at every look."""

    class NVMLError(Exception):
        pass

    class Nvml(SimpleNamespace):
        taken = 3000

        def nvmlDeviceGetTotalEnergyConsumption(self, handle):
            assert handle == "GPU-12-34"
            self.taken += 2000
            return self.taken

    nvml = Nvml(NVMLError=NVMLError, nvmlInit=lambda: None, nvmlDeviceGetHandleByUUID=lambda uuid: uuid)
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(uuid="12-34"))
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda device: None)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 3 * 10**9)
    return nvml


def test_a_gpu(gpu):
    measured = Usage(torch.device("cuda:1"))
    measured.look(again=True)
    assert measured.to_dict() == {"joules": 2.0, "memory_gb": 3.0}
    measured.restore({"joules": 1.0, "memory_gb": 4.0})
    assert measured.to_dict() == {"joules": 3.0, "memory_gb": 4.0}


def test_a_gpu_without_a_counter(gpu, monkeypatch):
    def refuse(handle):
        raise gpu.NVMLError

    monkeypatch.setattr(type(gpu), "nvmlDeviceGetTotalEnergyConsumption", staticmethod(refuse))
    assert find_counters(torch.device("cuda")) == []
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert find_counters(torch.device("cuda")) == []


def test_a_run_has_the_energy_of_all_its_parts(tiny_recipe, phantoms, tmp_path, monkeypatch):
    monkeypatch.setattr(usage, "find_counters", lambda device: [count_to(*range(100))])
    options = {"device": "cpu", "progress": False}
    take = RunWriter.take

    def stop(self, event):
        take(self, event)
        if self.state.step == 3:
            self.store()
            raise Terminated("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(RunWriter, "take", stop)
        with pytest.raises(Terminated):
            train(tiny_recipe, phantoms, tmp_path / "run", **options)
    assert train(tiny_recipe, phantoms, tmp_path / "run", **options).record["joules"] == 2.0
    assert train(tiny_recipe, phantoms, tmp_path / "other", **options).record["joules"] == 1.0
