"""What a training step does, by name: marks in traces of torch's profiler, and the groups of its operations."""

from __future__ import annotations

import functools
import re
from contextlib import AbstractContextManager, nullcontext

import torch

STEPS = "llmseg: steps"
"""The mark around the steps that a trace is about."""
DATA = "llmseg: data"
"""The mark around what makes the batch of a step."""
OPTIMIZER = "llmseg: optimizer"
"""The mark around what changes the weights."""
EXCHANGE = "llmseg: exchange"
"""The mark around what processes that train together tell each other; they wait for the slowest."""

GROUPS = ("convolution", "normalisation", "optimizer", "data", "other", "waiting")
"""What the time of training steps goes to. ``other`` is all other computation.

In ``waiting`` nothing is computed: Python is at work, a GPU waits for the host, or a process for another one.
"""

_NOTHING = nullcontext()
# The first pattern that is found decides. A kernel that a compiler made of several operations has all their names;
# where one of them is a batch norm, it holds what comes after the convolution and not the convolution itself.
_PATTERNS = (
    ("waiting", re.compile(rf"^{EXCHANGE}$|^c10d::|^nccl", re.IGNORECASE)),
    ("data", re.compile(rf"^{DATA}$|^enumerate\(DataLoader\)|^Memcpy HtoD")),
    ("optimizer", re.compile(rf"^{OPTIMIZER}$|^Optimizer\.|fused_adam|multi_tensor_apply", re.IGNORECASE)),
    ("normalisation", re.compile(r"(batch|instance|group|layer)_?norm|bnorm|(^|[:_])bn_", re.IGNORECASE)),
    ("convolution", re.compile(r"conv(?!ert)|fprop|dgrad|wgrad|winograd|implicit_gemm|nchwTonhwc|nhwcTonchw", re.I)),
)


def mark(name: str) -> AbstractContextManager[object]:
    """Return a block that has a name in traces; while no profiler runs it does nothing.

    Args:
        name: Such as :data:`DATA`.
    """
    # A mark that nobody reads would cost ten times what this question does.
    if torch._C._autograd._profiler_enabled():
        return torch.profiler.record_function(name)
    return _NOTHING


@functools.lru_cache(maxsize=4096)
def find_group(name: str) -> str | None:
    """Return the group of an operation, a mark or a kernel by its name; ``None`` if its name does not tell.

    Example:
        >>> find_group("aten::mkldnn_convolution"), find_group("NativeBatchNormBackward0"), find_group("aten::relu")
        ('convolution', 'normalisation', None)
    """
    return next((group for group, pattern in _PATTERNS if pattern.search(name)), None)
