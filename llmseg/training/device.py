"""The device a training or a prediction runs on."""

from __future__ import annotations

import os

import torch

from llmseg.errors import UserError


def choose_device(name: str) -> torch.device:
    """Return the device of a name: ``cpu``, ``cuda``, ``cuda:N``, or ``auto`` for the first GPU if there is one.

    Raises:
        UserError: There is no device of that name, or this machine does not have it.

    Example:
        >>> choose_device("cpu")
        device(type='cpu')
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = _parse_device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(
            f"no device '{name}': this machine has {torch.cuda.device_count()} CUDA devices; use --device cpu"
        )
    return device


def check_device(name: str) -> None:
    """Raise :class:`UserError` if no machine has a device of that name; this one need not have it."""
    if name != "auto":
        _parse_device(name)


def _parse_device(name: str) -> torch.device:
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"no device '{name}'; allowed: auto, cpu, cuda or cuda:N") from error
    if device.type not in ("cpu", "cuda"):
        raise UserError(f"no device '{name}'; allowed: auto, cpu, cuda or cuda:N")
    return device


def choose_local_device(device: torch.device) -> torch.device:
    """Return the GPU of this process if ``torchrun`` started several processes; a device with a number stays."""
    if device.type == "cuda" and device.index is None and "LOCAL_RANK" in os.environ:
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return device
