from __future__ import annotations

import pytest
import torch

from llmseg.errors import UserError
from llmseg.training.device import choose_device, choose_local_device


def test_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert choose_device("auto") == choose_device("cpu") == torch.device("cpu")
    with pytest.raises(UserError, match="this machine has 0 CUDA devices; use --device cpu"):
        choose_device("cuda")
    for name in ("tpu", "meta"):
        with pytest.raises(UserError, match="allowed: auto, cpu, cuda or cuda:N"):
            choose_device(name)


def test_processes_on_one_machine_take_a_gpu_each(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert choose_local_device(torch.device("cuda")) == torch.device("cuda", 3)
    assert choose_local_device(torch.device("cuda", 1)) == torch.device("cuda", 1)
    assert choose_local_device(torch.device("cpu")) == torch.device("cpu")
    monkeypatch.delenv("LOCAL_RANK")
    assert choose_local_device(torch.device("cuda")) == torch.device("cuda")
