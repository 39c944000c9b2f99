"""Measure how fast recipes train and predict: a plain loop as in the scripts, MONAI's trainer, and ours, by turns.

    python benchmarks/throughput/measure.py --quick --pipelines gpt-o3
    python benchmarks/throughput/measure.py --json benchmarks/results/throughput.json
    python benchmarks/throughput/measure.py --cases 100 1000 10000 100000

All three run in this process, on the same image files, with the recipe's network, loss, optimizer and batch size.
``plain`` decodes and resizes every file in every epoch, and computes in float32 with torch's defaults. ``monai`` is
MONAI's supervised trainer on its cached dataset, with half precision on a GPU. ``ours`` is the training loop of llmseg
on prepared cases.

In a round, each of them trains for ``--steps`` steps, the start of an epoch included, and then predicts the same cases.
The first round warms up; the median over ``--rounds`` more is the result. The preparation of cases before the first
step is measured apart. The validation of ours is not counted. Predictions stay on the device.

One more round measures which share of a step goes into data and network, and how much memory training takes. That is
the size of what is kept between steps (weights, gradients, moments, prepared cases) plus the rise to the peak within a
step: as torch counts it on a GPU, and the resident memory of the process on a CPU under Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
from cost_per_case import measure_costs
from device_limits import DTYPES, matrix_peak
from image_files import write_phantoms
from recipe_measurement import Plan, cases_needed, geometric_mean, measure

import llmseg
from llmseg import Recipe
from llmseg.training import choose_device, choose_numerics

PACKAGES = ("torch", "monai", "pytorch-ignite", "numpy", "Pillow", "opencv-python-headless", "h5py")
STEPS = {"cpu": 2, "cuda": 20}
QUICK_SIZE = 128
QUICK_BATCH = 2
CASES_SIZE = 64
CASES_RECIPE = "gpt-o3"
PEAK_SECONDS = 8.0


def main() -> None:
    """Measure what the command line asks for, print and write it."""
    options = _parse_options()
    result = {"hardware": llmseg.hardware(), "versions": _read_versions()}
    result.update(_measure_cases(options) if options.cases else _measure_pipelines(options))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipelines", nargs="+", help="ids; without it, all nineteen")
    parser.add_argument(
        "--quick", action="store_true", help=f"2 rounds of 1 step, batches of {QUICK_BATCH}, {QUICK_SIZE} pixels"
    )
    parser.add_argument("--steps", type=int, help="training steps in a round (2 on a CPU, 20 on a GPU)")
    parser.add_argument("--rounds", type=int, help="rounds after the one to warm up (5)")
    parser.add_argument("--size", type=int, help="working size in pixels for all, instead of each recipe's own")
    parser.add_argument("--batch-size", type=int, help="batch size for all, instead of each recipe's own")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto", help="of ours")
    parser.add_argument("--compile", action="store_true", help="compile the network of ours")
    parser.add_argument("--images", type=Path, help="folder of images; without it, phantoms are drawn")
    parser.add_argument("--masks", type=Path, help="folder of masks")
    parser.add_argument("--modality", default="endoscopy", help="kind of phantoms")
    parser.add_argument("--pixels", type=int, default=512, help="width and height of the phantoms' files")
    parser.add_argument(
        "--cases", type=int, nargs="+", help="measure the cost against these numbers of cases instead of pipelines"
    )
    parser.add_argument("--json", type=Path, help="file for the result, such as results/throughput.json")
    return _completed(parser.parse_args())


def _completed(options: argparse.Namespace) -> argparse.Namespace:
    """Fill in what was left open."""
    options.device = choose_device(options.device)
    options.steps = options.steps or (1 if options.quick else STEPS[options.device.type])
    options.rounds = options.rounds or (2 if options.quick else 5)
    if options.quick:
        options.size = options.size or QUICK_SIZE
        options.batch_size = options.batch_size or QUICK_BATCH
    options.pipelines = options.pipelines or llmseg.zoo.names()
    return options


def _read_versions() -> dict[str, str]:
    return {"llmseg": llmseg.__version__, **{name: metadata.version(name) for name in PACKAGES}}


def _resize_recipe(name: str, options: argparse.Namespace) -> Recipe:
    recipe = llmseg.zoo.get(name).recipe
    if options.size:
        recipe = recipe.change("images.size", (options.size, options.size))
    if options.batch_size:
        recipe = recipe.change("fit.batch_size", options.batch_size)
    return recipe


@contextmanager
def _open_images(options: argparse.Namespace, count: int) -> Iterator[llmseg.FolderStore]:
    """Give the user's images, or so many phantoms as files, for the block."""
    if options.images:
        yield llmseg.FolderStore(options.images, options.masks or options.images)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield write_phantoms(Path(folder), options.modality, count, options.pixels)


def _measure_pipelines(options: argparse.Namespace) -> dict[str, Any]:
    device = options.device
    numerics = choose_numerics(device, options.precision, compile=options.compile)
    plan = Plan(options.steps, options.rounds, device, numerics)
    recipes = {name: _resize_recipe(name, options) for name in options.pipelines}
    seconds = PEAK_SECONDS / 20 if options.quick else PEAK_SECONDS
    peak = {name: matrix_peak(device, dtype, seconds) for name, dtype in DTYPES.items()}
    rows = []
    with _open_images(options, max(cases_needed(recipe, plan.steps) for recipe in recipes.values())) as folder:
        for name, recipe in recipes.items():
            rows.append({"pipeline": name, **measure(recipe, folder, plan, peak)})
            print(_describe_row(rows[-1]), file=sys.stderr)
    result = {"device": str(device), "peak": peak, "settings": _settings(options, plan), "rows": rows}
    result |= {kind: _average_ratios(rows, kind) for kind in ("ratios", "inference_ratios")}
    _print(result)
    return result


def _settings(options: argparse.Namespace, plan: Plan) -> dict[str, Any]:
    names = ("steps", "rounds", "size", "batch_size", "modality", "pixels", "compile")
    return {
        **{name: getattr(options, name) for name in names},
        "images": None if options.images is None else str(options.images),
        "ours": asdict(plan.numerics),
        # Large pages for torch's tensors on a CPU, as the Makefile sets it.
        "large_pages": os.environ.get("THP_MEM_ALLOC_ENABLE") == "1",
    }


def _average_ratios(rows: Sequence[dict[str, Any]], kind: str) -> dict[str, float | None]:
    """Return the geometric means of the rows' ratios."""
    return {name: geometric_mean([row[kind][name] for row in rows]) for name in rows[0][kind]}


def _describe_row(row: dict[str, Any]) -> str:
    """Say how a pipeline came out, as soon as it is known."""
    ratios = {name: "failed" if value is None else f"{value:.2f}" for name, value in row["ratios"].items()}
    errors = "".join(f"; {name} failed: {text}" for name, text in row["errors"].items())
    return f"{row['pipeline']}: {', '.join(f'{name} {text}' for name, text in ratios.items())}{errors}"


def _print(result: dict[str, Any]) -> None:
    rows = result["rows"]
    precision = result["settings"]["ours"]["precision"]
    peaks = ", ".join(f"{name} {rate:.3g} TFLOP/s" for name, rate in result["peak"].items())
    print(f"\n{result['device']}; best matrix product {peaks}; ours computes in {precision}")
    for kind, title in (("train", "Training"), ("inference", "Inference")):
        ratios = "ratios" if kind == "train" else "inference_ratios"
        columns = [{**row["images_per_second"][kind], **row[ratios]} for row in rows]
        _print_table(f"{title}, images per second", rows, columns)
        print(*(f"{name} {_text(value)} (geometric mean)" for name, value in result[ratios].items()), sep=", ")
    _print_table("Share of a step outside the network", rows, [_shares(row) for row in rows])
    _print_table("Peak memory in training, MiB", rows, [row["peak_memory_mib"] for row in rows])
    _print_table("Preparation before the first step, ms per case", rows, [row["preparation_ms"] for row in rows])
    _print_table("Cost of ours", rows, [_cost(row) for row in rows])
    for row in rows:
        for name, text in row["errors"].items():
            print(f"{row['pipeline']}: {name} failed: {text}")


def _shares(row: dict[str, Any]) -> dict[str, Any]:
    return {**row["share_outside_network"], "ours, for batches": row["data_share"]}


def _cost(row: dict[str, Any]) -> dict[str, Any]:
    shares = {f"share of {name} peak": value for name, value in row["flop_share_of_peak"].items()}
    return {
        "parameters": f"{row['parameters']:,}",
        "batch": row["batch_size"],
        "size": "x".join(map(str, row["size"])),
        "GFLOP per image": row["gflop_per_image"],
        **shares,
    }


def _print_table(title: str, rows: Sequence[dict[str, Any]], columns: Sequence[dict[str, Any]]) -> None:
    table = pd.DataFrame(
        [
            {"pipeline": row["pipeline"], **{name: _text(value) for name, value in cells.items()}}
            for row, cells in zip(rows, columns, strict=True)
        ]
    )
    print(f"\n{title}\n{table.to_string(index=False)}")


def _text(value: object) -> str:
    if value is None:
        return "-"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _measure_cases(options: argparse.Namespace) -> dict[str, Any]:
    size = options.size or CASES_SIZE
    images = llmseg.zoo.get(CASES_RECIPE).recipe.change("images.size", (size, size)).images
    cases = measure_costs(images, options.modality, size, options.cases)
    flat = [
        {**{key: value for key, value in case.items() if not isinstance(value, dict)}, "kept": kept, **case[kept]}
        for case in cases
        for kept in ("in_memory", "on_disk")
    ]
    print(pd.DataFrame(flat).to_string(index=False, float_format="{:.3g}".format))
    return {"settings": {"size": size, "modality": options.modality, "recipe": CASES_RECIPE}, "cases": cases}


if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[1]))  # the folder of what all benchmarks share
    import benchmark

    benchmark.run(main)
