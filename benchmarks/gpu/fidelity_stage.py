"""How far the device lies from the records of the scripts, and a resumed training from one without a break."""

from __future__ import annotations

import copy
import functools
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from setting import GOLDEN, Setting
from torch.optim.optimizer import register_optimizer_step_post_hook
from workers import Item

import llmseg
from llmseg.data import move_to_device, prepare_cases
from llmseg.fidelity import read_record, recorded_id
from llmseg.training import EXACT_NUMERICS, SCRIPT_NUMERICS, choose_numerics

TRAININGS = ("llama-3.1-405b", "gpt-o3", "gpt-4o", "deepseek-v3", "mistral-medium-3", "bing-copilot")
"""The records whose trainings are repeated: small and large networks, with and without batch norm, at both rates."""

LEVELS = ("F1", "F2", "F3", "bookkeeping")
SMALLEST = "llama-3.1-405b"
WAYS = {"exact": False, "as scripts": True}
"""Whether convolutions may use TF32, as they do by torch's defaults, with which the scripts ran on a GPU."""


def count_workers(setting: Setting) -> int:
    """Return how many items run at once: drawing weights takes a processor longer than all else takes the GPU."""
    return 1 if setting.small else max(1, min(8, (os.cpu_count() or 1) // 2))


def list_items(setting: Setting) -> list[Item]:
    """Return the items, the most important first."""
    stems = [path.stem for path in sorted(GOLDEN.glob("*.json"))]
    trained = [SMALLEST] if setting.small else list(TRAININGS)
    others = [] if setting.small else [stem for stem in stems if stem not in trained]
    resumed = (
        {"exact": {"exact": True}} if setting.small else {"exact": {"exact": True}, "as the device is fastest": {}}
    )
    return [
        *(Item(f"record {stem}", 15, functools.partial(check_record, setting.place, stem)) for stem in trained),
        *(Item(f"training {stem}", 15, functools.partial(check_training, setting, stem)) for stem in trained),
        *(Item(f"resumed, {way}", 15, functools.partial(resume, setting, how)) for way, how in resumed.items()),
        *(Item(f"record {stem}", 15, functools.partial(check_record, setting.place, stem)) for stem in others),
    ]


def check_record(place: str, stem: str) -> dict[str, Any]:
    """Check network, data, loss and bookkeeping, exactly and as the scripts did, and compare batches with the CPU's."""
    record = read_record(GOLDEN / f"{stem}.json")
    levels = {"exact": LEVELS, "as scripts": ("F1",)}  # TF32 changes convolutions only
    checked = {way: _verify(record, levels[way], place, tf32) for way, tf32 in WAYS.items()}
    return {
        **checked,
        "outputs": compare_outputs(record, torch.device(place)),
        "batches_are_those_of_the_cpu": _compare_batches(record, torch.device(place)),
    }


@torch.no_grad()
def compare_outputs(record: dict[str, Any], device: torch.device) -> dict[str, dict[str, float]]:
    """Compare the outputs of a network with drawn weights with those that the CPU computes exactly."""
    recipe = llmseg.zoo.get(recorded_id(record)).recipe
    torch.manual_seed(0)
    net, image = recipe.net.build(recipe.images.channels).eval(), torch.rand(record["forward"]["input"]["shape"])
    expected = EXACT_NUMERICS.build_forward(net)(image).double()
    ways = {"exact": EXACT_NUMERICS, "as scripts": SCRIPT_NUMERICS, "bf16": choose_numerics(device, "bf16")}
    found = {}
    for way, numerics in ways.items():
        with numerics.set_switches():
            output = numerics.build_forward(numerics.place(copy.deepcopy(net), device))(image.to(device))
        distance = output.double().cpu() - expected
        norm = (distance.norm() / expected.norm()).item()
        found[way] = {"largest": distance.abs().max().item(), "relative_norm": norm}
    return found


def check_training(setting: Setting, stem: str) -> dict[str, Any]:
    """Repeat the recorded training (F4) to its end, exactly and as the scripts did; in small, exactly only."""
    record = read_record(GOLDEN / f"{stem}.json")
    ways = {"exact": False} if setting.small else WAYS
    return {way: _verify(record, ("F4",), setting.place, tf32) for way, tf32 in ways.items()}


def _verify(record: dict[str, Any], levels: tuple[str, ...], place: str, tf32: bool) -> dict[str, Any]:
    """Return what is known of every level; ``worst`` is the largest distance in units of its tolerance."""
    main, bookkeeping = (_open_images(part["base"]["dataset"]) for part in (record, record["bookkeeping"]))
    verdicts = llmseg.verify(
        recorded_id(record),
        record,
        store=main,
        bookkeeping_store=bookkeeping,
        only=levels,
        device=place,
        tf32=tf32,
        to_the_end=True,
    )
    return {verdict.level: asdict(verdict) for verdict in verdicts}


def _open_images(dataset: str) -> llmseg.FolderStore:
    return llmseg.FolderStore(GOLDEN / dataset / "images", GOLDEN / dataset / "masks")


def _compare_batches(record: dict[str, Any], device: torch.device) -> bool:
    """Return whether a batch on the device has the very numbers of one on the CPU."""
    images = llmseg.zoo.get(recorded_id(record)).recipe.images
    prepared = prepare_cases(_open_images(record["base"]["dataset"]), images)
    ids = prepared.ids[::-1]
    there, here = move_to_device(prepared, device).batch(ids, device), prepared.batch(ids, torch.device("cpu"))
    return all(torch.equal(left.cpu(), right) for left, right in zip(there, here, strict=True))


def resume(setting: Setting, how: dict[str, Any]) -> dict[str, Any]:
    """Train three times: twice without a break, and once interrupted by a signal in the middle and resumed.

    The first two say what the device itself does to the last bits; the third should differ by no more.
    """
    name, size, cases = (SMALLEST, 64, 10) if setting.small else ("gpt-o3", 256, 40)
    recipe = llmseg.zoo.get(name).recipe.change("images.size", (size, size)).change("fit.batch_size", 4)
    recipe = recipe.change("fit.epochs", 2)
    store = llmseg.SyntheticStore("mri-tumour", count=cases)
    with tempfile.TemporaryDirectory() as folder:

        def train(name: str) -> llmseg.Run:
            place = Path(folder) / name
            return llmseg.train(recipe, store, place, device=setting.place, progress=False, cache=False, **how)

        first, second = train("first"), train("second")
        steps = recipe.fit.count_steps(len(first.split.train)) * recipe.fit.epochs
        middle = steps // 2
        stopped = _stop_after(middle, lambda: train("third"))
        third = train("third")
        return {
            "steps": steps,
            "stopped_after": middle if stopped else None,
            "again": compare_runs(first, second),
            "resumed": compare_runs(first, third),
        }


def _stop_after(steps: int, work: Callable[[], object]) -> bool:
    """Send this process a signal after some steps of an optimiser; return whether the work was stopped by it."""
    with _count_steps(steps):
        try:
            work()
        except llmseg.Terminated:
            return True
    return False


@contextmanager
def _count_steps(steps: int) -> Iterator[None]:
    taken = 0

    def count(*_: object) -> None:
        nonlocal taken
        taken += 1
        if taken == steps:
            signal.raise_signal(signal.SIGTERM)

    handle = register_optimizer_step_post_hook(count)
    try:
        yield
    finally:
        handle.remove()


def compare_runs(left: llmseg.Run, right: llmseg.Run) -> dict[str, Any]:
    """Return whether two runs have the same weights and losses bit for bit, and how far they lie apart."""
    pairs = [run.load_net().state_dict() for run in (left, right)]
    differences = [(pairs[0][name].double() - pairs[1][name].double()).abs().max().item() for name in pairs[0]]
    losses = [run.history[["train_loss", "validation_loss"]].to_numpy() for run in (left, right)]
    return {
        "same_bits": max(differences) == 0 and bool((losses[0] == losses[1]).all()),
        "largest_difference_of_weights": max(differences),
        "largest_relative_difference_of_losses": float(abs(losses[1] / losses[0] - 1).max()),
    }
