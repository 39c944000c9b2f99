"""Measure how far trainings that differ by rounding only lie from a record, and write it as JSON.

python benchmarks/rounding.py deepseek-r1 llama-3.1-405b

The first training starts from the recorded weights, the others from neighbours of them, as in the check of F4.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import asdict
from pathlib import Path

import script
from results_file import write_results
from tqdm import tqdm

import llmseg
from llmseg.fidelity.compare import Figure
from llmseg.fidelity.dynamics import dynamics
from llmseg.fidelity.rounding import kernels

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "tests" / "golden"


def main() -> int:
    """Train, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipelines", nargs="+", help="names of pipelines that have a record")
    parser.add_argument("--neighbours", type=int, default=8, help="how many neighbours of the start")
    parser.add_argument("--golden", type=Path, default=GOLDEN, help="folder of records and images")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "rounding.json")
    options = parser.parse_args()
    trainings = [
        _measured(name, neighbour, options.golden)
        for name in options.pipelines
        for neighbour in tqdm(range(1 + options.neighbours), desc=name, unit="training")
    ]
    write_results(options.out, trainings=trainings)
    return 0


def _measured(name: str, neighbour: int, golden: Path) -> dict[str, object]:
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
    with kernels(own=neighbour > 0):
        found = list(dynamics(llmseg.zoo.get(name), record, store, neighbour, progress=False))
    figures = [{**asdict(figure), "share": _share(figure)} for figure in found if figure.rounded and _allowed(figure)]
    beyond = [figure["where"] for figure in figures if abs(figure["share"]) > 1]
    tqdm.write(f"{name} {neighbour}: {', '.join(beyond) or 'inside all tolerances'}")
    seconds = round(time.perf_counter() - started, 1)
    return {"pipeline": name, "neighbour": neighbour, "seconds": seconds, "beyond": beyond, "figures": figures}


def _share(figure: Figure) -> float:
    """Return the signed distance from the record in units of the tolerance."""
    return float(f"{(figure.found - float(figure.expected)) / _allowed(figure):.3g}")


def _allowed(figure: Figure) -> float:
    return (figure.rel or 0.0) * math.fabs(float(figure.expected)) + (figure.abs or 0.0)


if __name__ == "__main__":
    script.run(main)
