"""Measure how far trainings that differ by rounding only lie from a record, and write it as JSON.

python benchmarks/rounding_distance.py deepseek-r1 llama-3.1-405b

The first training starts from the recorded weights, the others from neighbours of them, as in the check of F4.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import benchmark
from tqdm import tqdm

import llmseg


def main() -> int:
    """Train, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipelines", nargs="+", help="names of pipelines that have a record")
    parser.add_argument("--neighbours", type=int, default=8, help="how many neighbours of the start")
    parser.add_argument("--golden", type=Path, default=benchmark.GOLDEN, help="folder of records and images")
    parser.add_argument("--out", type=Path, default=benchmark.RESULTS / "rounding.json")
    options = parser.parse_args()
    trainings = [
        _measure_training(name, neighbour, options.golden)
        for name in options.pipelines
        for neighbour in tqdm(range(1 + options.neighbours), desc=name, unit="training")
    ]
    benchmark.write_results(options.out, trainings=trainings)
    return 0


def _measure_training(name: str, neighbour: int, golden: Path) -> dict[str, object]:
    records = {
        llmseg.fidelity.recorded_id(record): record
        for record in map(llmseg.fidelity.read_record, golden.glob("*.json"))
    }
    if name not in records:
        raise llmseg.UserError(f"no record of '{name}' in {golden}; there are: {', '.join(sorted(records))}")
    record = records[name]
    folder = golden / record["base"]["dataset"]
    store = llmseg.FolderStore(folder / "images", folder / "masks")
    started = time.perf_counter()
    with llmseg.fidelity.disable_onednn(when=neighbour > 0):
        values = list(llmseg.fidelity.measure_dynamics(llmseg.zoo.get(name), record, store, neighbour, progress=False))
    figures = [_facts(value) for value in values if value.carries_rounding and _allowed(value)]
    beyond = [figure["where"] for figure in figures if abs(figure["share"]) > 1]
    tqdm.write(f"{name} {neighbour}: {', '.join(beyond) or 'inside all tolerances'}")
    seconds = round(time.perf_counter() - started, 1)
    return {"pipeline": name, "neighbour": neighbour, "seconds": seconds, "beyond": beyond, "figures": figures}


def _facts(value: llmseg.fidelity.ComparedValue) -> dict[str, object]:
    """Return a value for the file, with its signed distance from the record in units of the tolerance."""
    share = float(f"{(value.measured - float(value.expected)) / _allowed(value):.3g}")
    facts = {"where": value.where, "expected": value.expected, "found": value.measured}
    return {**facts, "rel": value.rel, "abs": value.abs, "rounded": value.carries_rounding, "share": share}


def _allowed(value: llmseg.fidelity.ComparedValue) -> float:
    return (value.rel or 0.0) * math.fabs(float(value.expected)) + (value.abs or 0.0)


if __name__ == "__main__":
    benchmark.run(main)
