"""A sitting: the stages one after the other, each with its share of the time."""

from __future__ import annotations

import argparse
import datetime
import importlib
import math
import os
import re
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import benchmark
import torch
from budget import Span, share_out
from results import StageResults
from setting import Setting
from workers import describe_error, run_forked, run_items

import llmseg
from llmseg.training import choose_device, digest_code

SHARES = {"device": 4.0, "fidelity": 24.0, "throughput": 26.0, "equivalence": 16.0, "processes": 8.0, "study": 22.0}
"""The stages in order of worth, and the share of the time that each of them gets."""

QUESTIONS = {
    "device": "What is the device, and how fast is it at most: products of matrices, copies, single layers?",
    "fidelity": "How far do networks, losses and trainings on the device lie from the records, with TF32 and without?",
    "throughput": "How many images a second, against a plain loop and MONAI, and what is each choice worth?",
    "equivalence": "Do bf16 trainings learn what float32 trainings learn?",
    "processes": "Do several processes train one network, and are several small networks faster side by side?",
    "study": "How do the pipelines score on real images at their own size, when all see the same number of images?",
}

ROOT = Path(__file__).parents[2]
PACK = Path(__file__).parent / "pack"
LIST = "list of items"
"""Under this name an error is noted that keeps a stage from naming its items."""


def main(about: str | None) -> int:
    """Run the stages; return 1 if something failed.

    Args:
        about: What ``--help`` says.
    """
    options = _parse_options(about)
    last = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as scratch:
        # Workers that are ended leave files in it.
        os.environ["TMPDIR"] = tempfile.tempdir = scratch
        return _run_stages(options, last)


def _run_stages(options: argparse.Namespace, last: float) -> int:
    facts = run_forked(_Facts(options.device), min(60.0, 60 * options.minutes))
    facts |= {"small": options.small}
    setting = _make_setting(options, facts["device"], last)
    os.environ["LLMSEG_CACHE"] = str(setting.work / "cache")
    results = {stage: StageResults.open(setting.out / f"{stage}.json", facts | _describe(stage)) for stage in SHARES}
    code = digest_code()[:16]
    for index, stage in enumerate(options.stages):
        items = _list_items(stage, setting, results[stage], code)
        if not items or all(results[stage].is_done(item.name) for item in items):
            continue
        waiting = [later for later in options.stages[index:] if later == stage or _is_open(later, results[later])]
        share = share_out(last - time.monotonic(), SHARES, waiting)
        # Estimates are those of a GPU; a CPU that others use, too, may take any time for what is tried in small.
        span = Span(time.monotonic() + share, last, math.inf if options.small else 3.0)
        print(f"{stage}: {span.left:.0f} s", flush=True)
        began = time.monotonic()
        results[stage].sittings.append({"began": _now(), "given": round(span.left, 1)})
        run_items(items, results[stage], span, code, _stage(stage).count_workers(setting))
        results[stage].sittings[-1]["seconds"] = round(time.monotonic() - began, 1)
        results[stage].write()
    return _print_end(results, options.stages)


class _Facts:
    """Asks a device for its name, and for what results depend on, in the process that calls it."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __call__(self) -> dict[str, Any]:
        device = choose_device(self.place)
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
        return {"device": name, "torch": torch.__version__, "hardware": llmseg.hardware()}


def _parse_options(about: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=9.0, help="the budget, everything included")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--small", action="store_true", help="everything in small, as always on a CPU")
    parser.add_argument("--stages", nargs="+", choices=SHARES, default=list(SHARES), help="these only")
    parser.add_argument("--out", type=Path, help="folder of the results; without it, one with the name of the device")
    parser.add_argument("--work", type=Path, help="folder of what is not kept; without it, a folder in runs/")
    parser.add_argument(
        "--data", type=Path, help="folder of the real images; without it, the packed one, in small none"
    )
    options = parser.parse_args()
    if not options.minutes > 0:
        parser.error(f"--minutes {options.minutes:g}: give a number above 0")
    options.small = options.small or options.device == "cpu"
    options.stages = [stage for stage in SHARES if stage in options.stages]
    return options


def _make_setting(options: argparse.Namespace, device: str, last: float) -> Setting:
    name = re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-") + ("-small" if options.small else "")
    # Figures in small say nothing, so they lie where git does not look.
    usual = ROOT / "runs" / "gpu" / name if options.small else benchmark.RESULTS / "gpu" / name
    data = options.data or (None if options.small else PACK / "data")
    if options.data and not options.data.is_dir():
        raise llmseg.UserError(f"no folder {data}; give --data a folder that has the folders of the real images")
    work = options.work or ROOT / "runs" / "gpu" / f"{name}-work"
    return Setting(
        options.device, options.small, options.out or usual, work, data if data and data.is_dir() else None, last
    )


def _stage(stage: str) -> ModuleType:
    return importlib.import_module(f"{stage}_stage")


def _describe(stage: str) -> dict[str, Any]:
    return {"stage": stage, "question": QUESTIONS[stage], "versions": {"llmseg": llmseg.__version__}}


def _list_items(stage: str, setting: Setting, results: StageResults, code: str) -> Sequence[Any]:
    """Return the items of a stage; none, and a note, if it cannot name them."""
    try:
        items: Sequence[Any] = _stage(stage).list_items(setting)
    except Exception as error:
        results.fail(LIST, describe_error(error), 0.0, code)
        print(f"{stage}: failed: {describe_error(error)}", flush=True)
        return ()
    results.errors.pop(LIST, None)
    return items


def _is_open(stage: str, results: StageResults) -> bool:
    """Return whether a later stage may need time: it has not been finished in an earlier sitting."""
    return not results.sittings or bool(results.left)


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def _print_end(results: dict[str, StageResults], stages: Sequence[str]) -> int:
    print()
    for stage in stages:
        found = results[stage]
        done = sum(map(found.is_done, found.items))
        print(f"{stage}: {done} done, {len(found.left)} left, {len(found.errors)} failed: {found.path}")
    return 1 if any(results[stage].errors for stage in stages) else 0
