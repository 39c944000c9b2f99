"""How long a report takes, and how much memory: of a whole study, of very many cases, of very many contenders.

The study has 19 pipelines on six datasets, three seeds and 500 cases each.

    python benchmarks/report_time.py --json benchmarks/results/report.json

Scores are simulated and carry the names of the study's pipelines and datasets; the report is written as
``llmseg report`` writes it from a parquet file. There are no runs, so no curves and no overlays: predicting takes as
long as the networks need. Every report is written by a process of its own, which may take 8 GB of addresses. Its peak
is the largest resident memory; some 0.7 GiB of it are the imports.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import benchmark
import numpy as np

import llmseg
from llmseg import stats, zoo

DATASETS = ("BAGLS", "Bolus", "Brain", "Retina", "Skin", "UMD")
LIMIT = 180
"""Seconds that the report of the study may take on two cores."""

MOST_MEMORY = 8 * 10**9
"""Bytes of addresses that a report may take."""

LARGE = {"many cases": (3, 100_000), "some cases": (3, 20_000), "many contenders": (300, 50)}
"""Tables of one dataset and one seed by name: contenders, and cases."""


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=500, help="cases per dataset")
    parser.add_argument("--seeds", type=int, default=3, help="trainings per pipeline and dataset")
    parser.add_argument("--json", type=Path, help="file for the results")
    options = parser.parse_args()
    study = measure(options.cases, options.seeds)
    print("\n".join(f"{name:16} {value}" for name, value in study.items()))
    large = {}
    for name, (contenders, cases) in LARGE.items():
        large[name] = {"contenders": contenders, "cases": cases, **measure(cases, 1, contenders)}
        print(name, large[name])
    if options.json:
        cores = len(os.sched_getaffinity(0))
        benchmark.write_results(options.json, cores=cores, limit=LIMIT, memory=MOST_MEMORY, **study, large=large)


def measure(cases: int, seeds: int, contenders: int | None = None) -> dict[str, object]:
    """Write a report in a process of its own, and time it; without a number of contenders, of the study."""
    # One process for one report: a process never gives its peak back.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_measure_here, cases, seeds, contenders).result()


def _measure_here(cases: int, seeds: int, contenders: int | None) -> dict[str, object]:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    if contenders is None:
        table = simulate_study(cases, seeds)
    else:
        table = stats.simulate(pipelines=contenders, datasets=1, seeds=seeds, cases=cases)
    with tempfile.TemporaryDirectory() as folder:
        times = time_report(table, Path(folder))
    return {**times, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


def simulate_study(cases: int, seeds: int) -> stats.Table:
    """Return simulated scores under the names of the study."""
    names = zoo.names()
    shifts = np.random.default_rng(0).normal(0, 0.03, len(names))
    table = stats.simulate(pipelines=list(shifts), datasets=len(DATASETS), seeds=seeds, cases=cases)
    frame = table.frame
    for column, new in (("pipeline", names), ("dataset", DATASETS)):
        frame = frame.assign(**{column: frame[column].map(dict(zip(frame[column].unique(), new, strict=True)))})
    return stats.Table.from_frame(frame)


def time_report(table: stats.Table, folder: Path) -> dict[str, object]:
    """Write a report of a table, and time it; of the seconds, those of the processor depend less on other programs."""
    source = folder / "scores.parquet"
    table.frame.to_parquet(source, index=False)
    start, processor = time.perf_counter(), time.process_time()
    report = llmseg.write_report([source], folder / "report")
    written, computed = time.perf_counter() - start, time.process_time() - processor
    files = [path for path in report.folder.rglob("*") if path.is_file()]
    return {
        "rows": len(table.frame),
        "report_seconds": round(written, 1),
        "processor_seconds": round(computed, 1),
        "pages": sum(path.suffix == ".html" for path in files),
        "megabytes": round(sum(path.stat().st_size for path in files) / 1e6, 1),
    }


if __name__ == "__main__":
    benchmark.run(main)
