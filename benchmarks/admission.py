"""Find silent mistakes in the sample pipelines by observation and by probes, and write how well that goes as JSON.

python benchmarks/admission.py --half development --out runs
python benchmarks/admission.py --half reported --out runs --json benchmarks/results/admission.json
python benchmarks/admission.py --half blind --out runs
python benchmarks/admission.py --half blind-2 --out runs
python benchmarks/admission.py --half blind-3 --out runs

Runs are kept in --out, so the same command again only judges them. A finding is right if its number is among the
mistakes of the sample. One mistake that is found twice counts once.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import benchmark

from llmseg.admission import PROBES, Bench, Finding, Limits, find_mistakes, run_probes

PIPELINES = Path(__file__).parents[1] / "tests" / "admission" / "pipelines"
WAYS = ("observation", "probes", "both")


@dataclass(frozen=True)
class Judged:
    """A sample, what is wrong with it, and what was found.

    Attributes:
        name: Its name.
        half: Its half, or one of the blind parts.
        mistakes: The numbers of its silent mistakes.
        found: The numbers that each way finds.
        record: All that is known of it, as plain values.
    """

    name: str
    half: str
    mistakes: frozenset[int]
    found: dict[str, frozenset[int]]
    record: dict[str, Any]


def judge(sample: dict[str, Any], out: Path, probes: Iterable[str]) -> Judged:
    """Run a sample, observe it and put the questions of the probes to it.

    Args:
        sample: Its record in ``pipelines.json``.
        out: Where runs are kept.
        probes: Ids of the probes.
    """
    folder, limits = PIPELINES / sample["name"], Limits(seconds=1200)
    results = list(run_probes(folder, out / sample["name"], probes=probes, limits=limits))
    unchanged = Bench.of(folder, out / sample["name"], limits=limits).unchanged
    observed = find_mistakes(unchanged.observation) if unchanged.is_finished else ()
    probed = [finding for result in results for finding in result.findings]
    found = {"observation": observed, "probes": probed, "both": [*observed, *probed]}
    return Judged(
        sample["name"],
        sample["half"],
        frozenset(mistake["number"] for mistake in sample["mistakes"]),
        {way: _numbers(findings) for way, findings in found.items()},
        {
            "name": sample["name"],
            "half": sample["half"],
            "mistakes": [f"{mistake['number']} {mistake['id']}" for mistake in sample["mistakes"]],
            "ending": unchanged.ending,
            "observed": [str(finding) for finding in observed],
            "probes": [result.to_dict() for result in results],
        },
    )


def _numbers(findings: Iterable[Finding]) -> frozenset[int]:
    return frozenset(finding.number for finding in findings)


def measure_quality(judged: list[Judged], way: str) -> dict[str, Any]:
    """Return precision and recall of one way, in all and for each mistake.

    Args:
        judged: The samples.
        way: One of :data:`WAYS`.
    """
    right = [(each.name, number) for each in judged for number in each.found[way] & each.mistakes]
    wrong = [(each.name, number) for each in judged for number in each.found[way] - each.mistakes]
    missed = [(each.name, number) for each in judged for number in each.mistakes - each.found[way]]
    numbers = sorted({number for _, number in [*right, *wrong, *missed]})
    counts = {
        number: [sum(each == number for _, each in part) for part in (right, wrong, missed)] for number in numbers
    }
    return {
        "precision": _share(len(right), len(wrong)),
        "recall": _share(len(right), len(missed)),
        "right": len(right),
        "wrong": [f"{name}: {number}" for name, number in wrong],
        "missed": [f"{name}: {number}" for name, number in missed],
        "by_mistake": {
            str(number): {"precision": _share(one, two), "recall": _share(one, three)}
            for number, (one, two, three) in counts.items()
        },
        "sound_with_findings": [each.name for each in judged if not each.mistakes and each.found[way]],
    }


def _share(part: int, rest: int) -> float | None:
    return round(part / (part + rest), 3) if part + rest else None


def read_samples(half: str) -> Iterator[dict[str, Any]]:
    """Yield the records of the samples of a half, of ``"both"``, or of a blind part, which is in neither."""
    for sample in json.loads((PIPELINES / "pipelines.json").read_text(encoding="utf-8"))["pipelines"]:
        if half == sample["half"] or (half == "both" and not sample["half"].startswith("blind")):
            yield sample


def main() -> int:
    """Judge samples, print precision and recall, and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    halves = ("development", "reported", "both", "blind", "blind-2", "blind-3")
    parser.add_argument("--half", choices=halves, default="development")
    parser.add_argument("--out", type=Path, required=True, help="folder in which runs are kept")
    parser.add_argument("--probes", nargs="+", default=list(PROBES), help="ids of probes")
    parser.add_argument("--json", type=Path, default=None, help="file of the results")
    options = parser.parse_args()
    judged = []
    for sample in read_samples(options.half):
        judged.append(judge(sample, options.out, options.probes))
        found = {way: sorted(judged[-1].found[way]) for way in WAYS}
        print(sample["name"], "has", sorted(judged[-1].mistakes), "found", found, flush=True)
    halves = sorted({each.half for each in judged})
    quality = {
        half: {way: measure_quality([each for each in judged if each.half == half], way) for way in WAYS}
        for half in halves
    }
    for half in halves:
        for way in WAYS:
            figures = quality[half][way]
            print(f"{half}, {way}: precision {figures['precision']}, recall {figures['recall']}")
            print(f"  wrong: {figures['wrong']}; missed: {figures['missed']}")
    if options.json is not None:
        benchmark.write_results(options.json, quality=quality, samples=[each.record for each in judged])
    return 0


if __name__ == "__main__":
    benchmark.run(main)
