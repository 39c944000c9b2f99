"""Processes on one device or several: those that train one network together, and those that train one each."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from setting import Setting, ask, synchronise
from throughput_stage import make_contender
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from workers import FORK, Item, describe_error, die_with_parent

import llmseg

SMALL_NETWORK = "llama-3.1-405b"
TOGETHER = "gpt-4"
MPS = "nvidia-cuda-mps-control"

Body = Callable[[int, int], dict[str, Any]]


def count_workers(_: Setting) -> int:
    """Return how many items run at once: one, for the others would disturb it."""
    return 1


def list_items(setting: Setting) -> list[Item]:
    """Return the items, the most important first."""
    counts = (1, 2) if setting.small else (1, 2, 4, 8)
    others = counts[-1:] if setting.small else counts[1:]
    limit = 90.0
    beside = functools.partial(train_beside, setting)
    return [
        Item("collectives", 10, functools.partial(try_collectives, setting), limit),
        *(Item(f"side by side: {n}", 10, functools.partial(beside, n, mps=False), limit) for n in counts),
        *(Item(f"under MPS: {n}", 12, functools.partial(beside, n, mps=True), limit) for n in others),
        Item("one network", 20, functools.partial(train_together, setting), limit),
    ]


def run_ranks(
    count: int, body: Body, seconds: float, environment: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    """Run a function in several processes at once, with rank and number of ranks, and return what each gives.

    This process must not have touched the GPU, for the others are forked from it.

    Raises:
        RuntimeError: One of them failed; the first one's words.
    """
    pipes, processes = [], []
    for rank in range(count):
        ours, theirs = FORK.Pipe()
        arguments = (theirs, os.getpid(), body, rank, count, environment or {})
        process = FORK.Process(target=_serve_rank, args=arguments)
        process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)
    try:
        return _gather(pipes, time.monotonic() + seconds)
    finally:
        for process in processes:
            process.kill()
            process.join()


def _gather(pipes: list[Connection], end: float) -> list[dict[str, Any]]:
    values = []
    for rank, pipe in enumerate(pipes):
        if not pipe.poll(max(0.0, end - time.monotonic())):
            raise RuntimeError(f"rank {rank} did not answer in time")
        try:
            error, value = pipe.recv()
        except EOFError:
            raise RuntimeError(f"the process of rank {rank} died") from None
        if error:
            raise RuntimeError(f"rank {rank}: {error}")
        values.append(value)
    return values


def _serve_rank(pipe: Connection, parent: int, body: Body, rank: int, count: int, environment: dict[str, str]) -> None:
    die_with_parent(parent)
    os.environ.update(environment)
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // count))
    try:
        pipe.send((None, body(rank, count)))
    except Exception as error:
        pipe.send((describe_error(error), None))


def _name_meeting(rank: int, count: int) -> dict[str, str]:
    return {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count)}


def _find_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def _meeting() -> dict[str, str]:
    """Return where the ranks meet, as ``torchrun`` would say it."""
    return {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": _find_port()}


def _count_devices(setting: Setting) -> int:
    """Return how many ranks can have a device of their own; a CPU serves two. Asked in a process of its own."""
    if setting.place == "cpu":
        return 2
    (found,) = run_ranks(1, lambda rank, count: {"devices": torch.cuda.device_count()}, 60)
    return int(found["devices"])


def try_collectives(setting: Setting) -> dict[str, Any]:
    """Let as many ranks as there are devices add up tensors, and take a step with shared gradients and statistics."""
    if setting.place == "cuda" and not dist.is_nccl_available():
        return {"absent": "this torch has no NCCL"}
    count = _count_devices(setting)
    found = run_ranks(count, functools.partial(_join_and_step, setting), 80, _meeting())
    return {"ranks": count, "backend": found[0]["backend"], "each": found}


def _join_and_step(setting: Setting, rank: int, count: int) -> dict[str, Any]:
    os.environ.update(_name_meeting(rank, count))
    cuda = setting.place == "cuda"
    device = torch.device("cuda", rank) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    began = time.perf_counter()
    dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo")
    try:
        values = torch.full((2**20 if setting.small else 2**26,), float(rank + 1), device=device)
        dist.all_reduce(values)
        synchronise(device)
        joined = time.perf_counter() - began
        right = bool((values == count * (count + 1) / 2).all())
        began = time.perf_counter()
        dist.all_reduce(values)
        synchronise(device)
        seconds = time.perf_counter() - began
        return {
            "backend": "gloo and nccl" if cuda else "gloo",
            "sum_is_right": right,
            "seconds_to_join": joined,
            "gb_per_s": values.nbytes / 1e9 / seconds,
            "step": ask(functools.partial(_take_step, device, rank, count)),
        }
    finally:
        dist.destroy_process_group()


def _take_step(device: torch.device, rank: int, count: int) -> dict[str, Any]:
    """Compare the gradients of a batch that the ranks share with those of the same batch in one process."""
    torch.manual_seed(0)
    cuda = device.type == "cuda"
    norm = [nn.BatchNorm2d(8)] if cuda else []  # torch shares its statistics on GPUs only
    net = nn.Sequential(nn.Conv2d(1, 8, 3), *norm, nn.ReLU(), nn.Conv2d(8, 1, 3)).to(device)
    images = torch.rand(2 * count, 1, 16, 16).to(device)
    net(images).square().mean().backward()
    expected = [value.grad.clone() for value in net.parameters() if value.grad is not None]
    net.zero_grad()
    shared = nn.SyncBatchNorm.convert_sync_batchnorm(net)
    wrapped = DistributedDataParallel(shared, device_ids=[device] if cuda else None)
    wrapped(images[2 * rank : 2 * rank + 2]).square().mean().backward()
    found = [value.grad for value in shared.parameters() if value.grad is not None]
    largest = max((a - b).abs().max().item() for a, b in zip(found, expected, strict=True))
    return {"tensors": len(found), "largest_difference_of_gradients": largest}


def train_together(setting: Setting) -> dict[str, Any]:
    """Train one recipe in one process and in as many as there are devices, and compare losses and seconds."""
    count = _count_devices(setting)
    if count < 2:
        return {"absent": "one device; two are needed"}
    name, size, cases = (SMALL_NETWORK, 64, 12) if setting.small else (TOGETHER, 256, 80)
    recipe = llmseg.zoo.get(name).recipe.change("images.size", (size, size)).change("fit.epochs", 2)
    recipe = recipe.change("fit.batch_size", 4)
    with tempfile.TemporaryDirectory() as folder:
        train = functools.partial(_train_run, setting, recipe, cases, Path(folder))
        (alone,) = run_ranks(1, train, 40)
        together, *_ = run_ranks(count, train, 40, _meeting())
    return {"ranks": count, "alone": alone, "together": together}


def _train_run(
    setting: Setting, recipe: llmseg.Recipe, cases: int, folder: Path, rank: int, count: int
) -> dict[str, Any]:
    os.environ.update(_name_meeting(rank, count))
    store = llmseg.SyntheticStore("mri-tumour", count=cases)
    out = folder / f"run-{count}"
    run = llmseg.train(recipe, store, out, device=setting.place, exact=True, progress=False, cache=False)
    losses = run.history["train_loss"].tolist() if rank == 0 else []
    return {"losses": losses, "seconds": run.record["seconds"] if rank == 0 else None}


def train_beside(setting: Setting, count: int, *, mps: bool) -> dict[str, Any]:
    """Train the same small network in several processes at once on one device; return the images a second of each.

    Args:
        setting: Where.
        count: How many processes.
        mps: Whether they share the device through NVIDIA's service for that, instead of taking turns on it.
    """
    seconds = 0.5 if setting.small else 4.0
    with contextlib.ExitStack() as stack:
        environment: dict[str, str] = {}
        if mps:
            reason = why_no_mps(setting.place)
            if reason:
                return {"absent": reason}
            try:
                environment = stack.enter_context(_serve_mps())
            except (OSError, subprocess.SubprocessError) as error:
                return {"absent": f"{MPS} does not start: {error}"}
        meeting = FORK.Barrier(count)
        body = functools.partial(_train_for, setting, seconds, meeting)
        rates = [found["images_per_second"] for found in run_ranks(count, body, 60, environment)]
    return {"processes": count, "images_per_second": {"each": rates, "sum": sum(rates)}}


def why_no_mps(place: str) -> str:
    """Return why processes cannot share a GPU through MPS; empty if they can."""
    if place != "cuda":
        return "no GPU"
    return "" if shutil.which(MPS) else f"no program {MPS}"


@contextlib.contextmanager
def _serve_mps() -> Iterator[dict[str, str]]:
    """Start the service for the block, in folders of its own; give what its clients have to have in their environment.

    No setting of the GPU is changed.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {"CUDA_MPS_PIPE_DIRECTORY": f"{folder}/pipe", "CUDA_MPS_LOG_DIRECTORY": f"{folder}/log"}
        for path in environment.values():
            Path(path).mkdir()
        own = {**os.environ, **environment}
        subprocess.run([MPS, "-d"], env=own, check=True, timeout=20, capture_output=True)
        try:
            yield environment
        finally:
            subprocess.run([MPS], input="quit\n", text=True, env=own, check=False, timeout=20, capture_output=True)


def _train_for(setting: Setting, seconds: float, meeting: Any, rank: int, count: int) -> dict[str, Any]:
    """Train for some seconds, from the moment on when all ranks are ready."""
    ours, _ = make_contender(setting, SMALL_NETWORK)
    try:
        ours.train()
        ours.settle()
        synchronise(setting.device)
        meeting.wait(50)
        began, images = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            ours.train()
            ours.settle()
            images += len(ours.task.ids)
        synchronise(setting.device)
        return {"images_per_second": images / (time.perf_counter() - began)}
    finally:
        ours.close()
