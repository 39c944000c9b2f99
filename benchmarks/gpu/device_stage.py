"""What the device is, and what it can do at most: the figures that all others are measured by."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import torch
from device_limits import matrix_peak
from setting import Setting, ask, synchronise, time_calls
from torch import Tensor, nn
from torch.nn import functional
from workers import Item

from llmseg.training import SCRIPT_NUMERICS, Numerics, choose_numerics

PACKAGES = ("torch", "triton", "monai", "numpy", "pandas", "scipy", "timm", "opencv-python-headless", "nvidia-ml-py")

LAYERS: dict[str, tuple[int, int, int]] = {
    "first": (1, 64, 256),
    "first of three": (3, 64, 256),
    "top": (64, 64, 256),
    "after the concatenation": (128, 64, 256),
    "middle": (256, 256, 64),
    "bottom": (1024, 1024, 16),
}
"""Input channels, output channels and pixels of convolutions of 3x3, as U-Nets have them."""

UPWARDS = {"up, bottom": (1024, 512, 16), "up, top": (128, 64, 128)}
"""The same of transposed convolutions of 2x2."""


def count_workers(_: Setting) -> int:
    """Return how many items run at once: one, for the others would disturb it."""
    return 1


def list_items(setting: Setting) -> list[Item]:
    """Return the items, the most important first."""
    products = {"fp32": (torch.float32, False), "tf32": (torch.float32, True), "bf16": (torch.bfloat16, False)}
    layers = list(LAYERS)[:1] if setting.small else list(LAYERS)
    upwards = list(UPWARDS)[-1:] if setting.small else list(UPWARDS)
    return [
        Item("facts", 3, functools.partial(tell_facts, setting)),
        *(
            Item(f"matrix {name}", 2, functools.partial(measure_products, setting, *products[name]))
            for name in products
        ),
        Item("copies", 2, functools.partial(measure_copies, setting)),
        Item("launch", 1, functools.partial(measure_launch, setting)),
        *(Item(f"layer: {name}", 2, functools.partial(measure_layer, setting, *LAYERS[name])) for name in layers),
        *(Item(f"layer: {name}", 2, functools.partial(measure_upwards, setting, *UPWARDS[name])) for name in upwards),
    ]


def tell_facts(setting: Setting) -> dict[str, Any]:
    """Return what the device is, and which switches torch sets by itself."""
    torch_says = {
        "matmul_precision": torch.get_float32_matmul_precision(),
        "cudnn_allow_tf32": torch.backends.cudnn.allow_tf32,
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "cudnn_deterministic": torch.backends.cudnn.deterministic,
    }
    return {
        "versions": {name: ask(functools.partial(metadata.version, name)) for name in PACKAGES},
        "defaults_of_torch": torch_says,
        "chosen": str(choose_numerics(setting.device)),
        "mps_control": shutil.which("nvidia-cuda-mps-control") or {"absent": "no such program"},
        "gpu": ask(functools.partial(_tell_gpu, setting.device)) if setting.place == "cuda" else {"absent": "a CPU"},
        "clocks": ask(_tell_clocks),
    }


def _tell_gpu(device: torch.device) -> dict[str, Any]:
    properties = torch.cuda.get_device_properties(device)
    free, total = torch.cuda.mem_get_info(device)
    named = ("name", "major", "minor", "multi_processor_count", "L2_cache_size", "total_memory")
    return {
        **{name: getattr(properties, name, None) for name in named},
        "free_bytes": free,
        "total_bytes": total,
        "devices": torch.cuda.device_count(),
        "cuda": torch.version.cuda,
        "cudnn": ask(torch.backends.cudnn.version),
        "nccl": ask(lambda: ".".join(map(str, torch.cuda.nccl.version()))),
        "bf16": torch.cuda.is_bf16_supported(including_emulation=False),
        "arch_list": torch.cuda.get_arch_list(),
    }


def _tell_clocks() -> dict[str, str]:
    """Ask the driver for clocks, limits and temperature, as texts with their units; nothing is set."""
    asked = "driver_version,clocks.sm,clocks.max.sm,clocks.mem,power.draw,power.limit,temperature.gpu,compute_mode"
    command = ["nvidia-smi", f"--query-gpu={asked}", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    line = done.stdout.splitlines()[0]
    return dict(zip(asked.split(","), (text.strip() for text in line.split(",")), strict=True))


def measure_products(setting: Setting, dtype: torch.dtype, tf32: bool) -> dict[str, Any]:
    """Return the best rate of products of square matrices."""
    with choose_numerics(setting.device, "fp32", tf32=tf32).set_switches():
        return {"tflops": matrix_peak(setting.device, dtype, 0.05 if setting.small else 1.0)}


def measure_copies(setting: Setting) -> dict[str, Any]:
    """Return how fast bytes move: on the device (read and written counted), and to it from the host."""
    device, seconds = setting.device, 0.05 if setting.small else 0.5
    count = 2**22 if setting.small else 2**29
    source, target = (torch.zeros(count, dtype=torch.uint8, device=device) for _ in range(2))
    rates = {"on_device_gb_per_s": 2 * count / 1e6 / time_calls(lambda: target.copy_(source), device, seconds)}
    host = torch.zeros(count // 4, dtype=torch.uint8)
    for name, prepare in (("from_host", lambda: host), ("from_pinned_host", host.pin_memory)):
        rates[f"{name}_gb_per_s"] = ask(functools.partial(_copy_rate, prepare, target, device, seconds))
    return rates


def _copy_rate(prepare: Any, target: Tensor, device: torch.device, seconds: float) -> float:
    host = prepare()
    return len(host) / 1e6 / time_calls(lambda: target[: len(host)].copy_(host, non_blocking=True), device, seconds)


def measure_launch(setting: Setting) -> dict[str, Any]:
    """Return how long the smallest operation takes: what a step of many small ones cannot go below."""
    value = torch.zeros(1, device=setting.device)
    return {"us_per_operation": 1000 * time_calls(lambda: value.add_(1), setting.device, 0.05)}


def _numerics(device: torch.device) -> dict[str, Numerics]:
    """Return the ways to compute a layer that are compared."""
    return {
        "fp32": choose_numerics(device, exact=True),
        "fp32, scripts on a GPU": SCRIPT_NUMERICS,
        "tf32": choose_numerics(device, "fp32", tf32=True),
        "bf16": choose_numerics(device, "bf16"),
        "fp16": choose_numerics(device, "fp16"),
    }


def measure_layer(setting: Setting, entering: int, leaving: int, pixels: int) -> dict[str, Any]:
    """Return the milliseconds of a convolution, forward and backward, in each way to compute it."""
    layer = nn.Conv2d(entering, leaving, 3, padding=1)
    return dict(_time_layer(setting, layer, entering, pixels))


def measure_upwards(setting: Setting, entering: int, leaving: int, pixels: int) -> dict[str, Any]:
    """Return the same of a transposed convolution, and of the 1x1 convolution that computes the same."""
    layer = nn.ConvTranspose2d(entering, leaving, 2, stride=2)
    other = Shuffled(layer)
    image = torch.rand(1, entering, 4, 4)
    return {
        "transposed": dict(_time_layer(setting, layer, entering, pixels)),
        "1x1 and pixel_shuffle": dict(_time_layer(setting, other, entering, pixels)),
        "largest_difference": (layer.cpu()(image) - other.cpu()(image)).abs().max().item(),
    }


class Shuffled(nn.Module):
    """A transposed convolution of 2x2 with stride 2 as a 1x1 convolution, whose channels become pixels."""

    def __init__(self, layer: nn.ConvTranspose2d) -> None:
        super().__init__()
        assert layer.bias is not None
        # [in, out, 2, 2] becomes [out * 4, in, 1, 1], with the channels in the order of pixel_shuffle.
        self.weight = nn.Parameter(layer.weight.detach().permute(1, 2, 3, 0).reshape(-1, layer.in_channels, 1, 1))
        self.bias = nn.Parameter(layer.bias.detach().repeat_interleave(4))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, C, h, w]`` to ``[B, D, 2h, 2w]``."""
        return functional.pixel_shuffle(functional.conv2d(x, self.weight, self.bias), 2)


def _time_layer(setting: Setting, layer: nn.Module, entering: int, pixels: int) -> Iterator[tuple[str, Any]]:
    cases, seconds = (1, 0.02) if setting.small else (8, 0.2)
    pixels = 16 if setting.small else pixels
    image = torch.rand(cases, entering, pixels, pixels, device=setting.device)
    for name, numerics in _numerics(setting.device).items():
        forward = numerics.build_forward(numerics.place(layer, setting.device))

        def step(forward: Any = forward) -> None:
            forward(image).sum().backward()

        with numerics.set_switches():
            yield name, ask(functools.partial(time_calls, step, setting.device, seconds))
            with torch.no_grad():
                forwards = ask(functools.partial(time_calls, lambda f=forward: f(image), setting.device, seconds / 2))
            yield f"{name}, forward", forwards
        synchronise(setting.device)
