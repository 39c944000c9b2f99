"""How long a report of a whole study takes: 19 pipelines on six datasets, three seeds, 500 cases each.

    python benchmarks/report_time.py --json benchmarks/results/report.json

Scores are simulated and carry the names of the study's pipelines and datasets; the report is written as
``llmseg report`` writes it from a parquet file. There are no runs, so no curves and no overlays: predicting takes as
long as the networks need.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import benchmark
import numpy as np

import llmseg
from llmseg import stats, zoo
from llmseg.report import Question, analyse

DATASETS = ("BAGLS", "Bolus", "Brain", "Retina", "Skin", "UMD")
LIMIT = 180
"""Seconds that a report may take on two cores."""


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=500, help="cases per dataset")
    parser.add_argument("--seeds", type=int, default=3, help="trainings per pipeline and dataset")
    parser.add_argument("--json", type=Path, help="file for the results")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        times = measure(simulate_study(options.cases, options.seeds), Path(folder))
    print("\n".join(f"{name:12} {value}" for name, value in times.items()))
    if options.json:
        benchmark.write_results(options.json, cores=len(os.sched_getaffinity(0)), limit=LIMIT, **times)


def simulate_study(cases: int, seeds: int) -> stats.Table:
    """Return simulated scores under the names of the study."""
    names = zoo.names()
    shifts = np.random.default_rng(0).normal(0, 0.03, len(names))
    table = stats.simulate(pipelines=list(shifts), datasets=len(DATASETS), seeds=seeds, cases=cases)
    frame = table.frame
    for column, new in (("pipeline", names), ("dataset", DATASETS)):
        frame = frame.assign(**{column: frame[column].map(dict(zip(frame[column].unique(), new, strict=True)))})
    return stats.Table.from_frame(frame)


def measure(table: stats.Table, folder: Path) -> dict[str, object]:
    """Write a report of a table, and time it and the analysis alone."""
    source = folder / "scores.parquet"
    table.frame.to_parquet(source, index=False)
    start = time.perf_counter()
    scores = stats.Table.from_parquet(source)
    cards = {name: zoo.get(name).card for name in scores.contenders}
    analyse(scores, Question.of(), cards)
    analysed = time.perf_counter() - start
    start = time.perf_counter()
    report = llmseg.write_report([source], folder / "report")
    written = time.perf_counter() - start
    files = [path for path in report.folder.rglob("*") if path.is_file()]
    return {
        "rows": len(table.frame),
        "analysis_seconds": round(analysed, 1),
        "report_seconds": round(written, 1),
        "pages": sum(path.suffix == ".html" for path in files),
        "megabytes": round(sum(path.stat().st_size for path in files) / 1e6, 1),
    }


if __name__ == "__main__":
    benchmark.run(main)
