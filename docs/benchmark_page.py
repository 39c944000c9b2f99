"""Writes ``reference/benchmarks.md``: what was measured, from the committed results of the benchmarks.

    python docs/benchmark_page.py

``tests/docs/test_benchmark_page.py`` compares the page with what this module makes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from page_tables import write_table

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "benchmarks.md"
RESULTS = ROOT / "benchmarks" / "results"

EXPLAINED = {
    "admission.json": ("How many silent mistakes of scripts are found?", "../how-to/admit.md"),
    "admission_blind.json": ("The same on samples for which no rule was made", "../explanation/probes.md"),
    "admission_blind_2.json": ("The same again on fourteen others", "../explanation/probes.md"),
    "admission_blind_3.json": ("The same again on ten others", "../explanation/probes.md"),
    "admission_nineteen.json": (
        "Are the recipes of the study's scripts found by running them?",
        "../explanation/observation.md",
    ),
    "cases.json": ("What does training cost against the number of cases?", "../how-to/train.md"),
    "cohorts.json": ("Which parts explain a gap between older and newer models?", "../how-to/ablate.md"),
    "cpu_layers_*.json": ("Which kernel is fast for each layer on a CPU?", "../how-to/train.md"),
    "equivalence_*.json": ("Do fast settings learn what exact ones learn?", "../how-to/train.md"),
    "fidelity.json": ("Do replays agree with the original scripts?", "../how-to/replay.md"),
    "folds.json": ("How often do intervals of a cross-validation hold?", "../how-to/cross-validation.md"),
    "freed_memory*.json": ("What does a training gain when freed memory is kept?", "../how-to/train.md"),
    "inference_masks_*.json": ("Do masks stay the same with fast kernels?", "../how-to/train.md"),
    "install.json": ("How large is an installation?", "../tutorial/index.md"),
    "nnunet_beside_*.json": ("How does nnU-Net do to an equal budget?", "../how-to/nnunet.md"),
    "preparation.json": ("What does it cost to prepare a dataset?", "../how-to/data.md"),
    "price_list.json": ("What does every quirk cost?", "price-list.md"),
    "quick.json": ("Four pipelines on drawn images, as `make demo` compares them", "../how-to/study-file.md"),
    "realdata_64": ("All nineteen on endoscopy and dermoscopy", "../explanation/what-we-found.md"),
    "realdata_*.json": ("All nineteen on two small sets, replayed", "../how-to/study-file.md"),
    "repairs_64": ("What do single mistakes cost on real images?", "../explanation/what-we-found.md"),
    "report.json": ("How long does a report take?", "../how-to/report.md"),
    "rounding.json": ("How far apart are trainings that differ by rounding?", "../how-to/replay.md"),
    "simulation.json": ("How often do the statistics err?", "../explanation/statistics.md"),
    "throughput*.json": ("How many images a second, against a plain loop and MONAI?", "../how-to/train.md"),
}
"""What each file of results answers, and the page that explains it."""


def main() -> None:
    """Write the page."""
    PAGE.write_text(render_page(), encoding="utf-8")


def render_page() -> str:
    """Return the text of the page."""
    return (
        "\n\n".join(
            [
                "<!-- Made by docs/benchmark_page.py: change what it is made from, not this page. -->",
                "# Benchmark results",
                "What was measured, and on what. `benchmarks/README.md` has the command behind each number. All were\n"
                "measured on CPUs; other work ran on some of these machines. Nothing here was measured on a GPU.",
                "## Fidelity",
                *_fidelity(),
                "## Speed",
                *_speed(),
                "## Many cases",
                *_cases(),
                "## Report and installation",
                *_report_and_installation(),
                "## Every file of results",
                write_table(
                    ("file in `benchmarks/results`", "question", "explained in"),
                    [
                        (f"`{name}`", question, f"[{_title(page)}]({page})")
                        for name, (question, page) in EXPLAINED.items()
                    ],
                ),
            ]
        )
        + "\n"
    )


def _fidelity() -> list[str]:
    records = _read("fidelity.json")["records"]
    levels: dict[str, list[dict[str, Any]]] = {}
    for verdict in (verdict for record in records for verdict in record["verdicts"]):
        levels.setdefault(verdict["level"], []).append(verdict)
    rows = [
        (
            level,
            f"{sum(verdict['holds'] for verdict in verdicts)} of {len(verdicts)}",
            f"{sum(verdict['figures'] for verdict in verdicts):,}",
            f"{max(verdict['worst'] for verdict in verdicts):.2f}",
        )
        for level, verdicts in levels.items()
    ]
    return [
        f"{len(records)} records of original scripts were replayed ({_processor('fidelity.json')}). The last column\n"
        "is the largest difference of a value, as a share of its tolerance.\n"
        "[Replay](../how-to/replay.md#checking) explains the levels.",
        write_table(("level", "holds", "values", "largest difference"), rows),
    ]


def _speed() -> list[str]:
    rows = []
    for path in sorted(RESULTS.glob("throughput*.json")):
        found = _read(path.name)
        train, predict = found["ratios"], found["inference_ratios"]
        rows.append(
            (
                f"`{path.name}`",
                _processor(path.name),
                str(len(found["rows"])),
                f"{train['ours_vs_plain']:.2f}",
                f"{train['ours_vs_monai']:.2f}",
                f"{predict['ours_vs_plain']:.2f}",
            )
        )
    return [
        "How many times as fast `llmseg train` and `predict` are as a plain loop and as MONAI's trainer: the\n"
        "geometric mean over the pipelines.\n"
        "[Train](../how-to/train.md#how-much-faster-it-is) says what is gained where.",
        write_table(
            ("file", "processor", "pipelines", "training, plain loop", "training, MONAI", "prediction, plain loop"),
            rows,
        ),
    ]


def _cases() -> list[str]:
    preparation = _read("preparation.json")
    height, width = preparation["size"]
    batches = [
        (
            f"{row['cases']:,}",
            f"{row['in_memory']['batch_us_per_image']:.0f}",
            f"{row['on_disk']['batch_us_per_image']:.0f}",
        )
        for row in _read("cases.json")["cases"]
    ]
    prepared = [
        (f"{row['cases']:,}", f"{row['ms_per_image']:.0f}", f"{row['peak_mib']:.0f}") for row in preparation["rows"]
    ]
    return [
        "To make a batch takes as long per image with many cases as with few (64 x 64 pixels):",
        write_table(("cases", "microseconds, cases in memory", "microseconds, cases on disk"), batches),
        f"To prepare a dataset ({height} x {width} pixels) takes memory that hardly grows:",
        write_table(("images", "milliseconds per image", "MiB of memory"), prepared),
    ]


def _report_and_installation() -> list[str]:
    report, install = _read("report.json"), _read("install.json")
    reports = [("a study of 19 pipelines and six datasets", report)]
    reports += [(name, row) for name, row in report["large"].items()]
    rows = [
        (name, f"{row['rows']:,}", f"{row['processor_seconds']:.0f}", str(row["pages"]), str(row["peak_mib"]))
        for name, row in reports
    ]
    sizes = [("`pip install .`", install["plain"])]
    sizes += [(f"the extra `{name}`", facts) for name, facts in install["extras"].items()]
    return [
        write_table(("report of", "scores", "seconds of one core", "pages", "MiB of memory"), rows),
        write_table(
            ("installation", "packages", "MB"),
            [(name, str(facts["packages"]), f"{facts['megabytes']:,}") for name, facts in sizes],
        ),
    ]


def _read(name: str) -> Any:
    return json.loads((RESULTS / name).read_text(encoding="utf-8"))


def _processor(name: str) -> str:
    hardware = _read(name)["hardware"]
    return f"{hardware['cpu_capability']}, {hardware['threads']} threads"


def _title(page: str) -> str:
    """Return the heading of a page."""
    lines = (PAGE.parent / page).read_text(encoding="utf-8").splitlines()
    return next(line.removeprefix("# ") for line in lines if line.startswith("# "))


if __name__ == "__main__":
    main()
