"""Print the results of ``error_rates.py`` as the tables of ``docs/explanation/statistics.md``."""

from __future__ import annotations

import json
from collections.abc import Sequence

import benchmark

RESULTS = benchmark.RESULTS / "simulation.json"


def make_tables(simulations: Sequence[dict]) -> dict[str, str]:
    """Return the results as the tables of ``docs/explanation/statistics.md``."""
    kinds: dict[str, list[dict]] = {}
    for row in simulations:
        kinds.setdefault(str(row["what"]).replace("a difference", "it").replace("a mean", "it"), []).append(row)
    methods = ("student", "bootstrap", "bounded", "betting", "percentile", "bca")
    covered = [
        [row["what"].split()[-1], row["law"], row["design"], *(row.get(method, "") for method in methods)]
        for row in kinds["coverage of it"]
    ]
    widths = [
        [row["law"], row["design"], *(row["width"].get(method, "") for method in methods[:4])]
        + [row["ends_at_1"].get(method, "") for method in ("bootstrap", "bounded")]
        for row in kinds["coverage of it"]
        if "width" in row
    ]
    false = [
        [row["family"], row.get("method", "student"), row.get("correction", "holm"), row["false"], row["decided"]]
        for row in kinds["false claims"]
    ]
    power = [[row[name] for name in ("gap", "cases", "seeds", "better", "equivalent")] for row in kinds["power"]]
    cohorts = [[row["gap"], row["better"], row["coverage"]] for row in kinds["cohorts of 11 and 8 LLMs"]]
    return {
        "COVERAGE": _table(("of a", "law", "design", *methods), covered),
        "WIDTH": _table(("law", "design", *methods[:4], "bootstrap ends at 1, %", "bounded ends at 1, %"), widths),
        "FALSE": _table(("family", "method", "correction", "any false claim, %", "decided, %"), false),
        "POWER": _table(("true difference", "cases", "seeds", "better, %", "equivalent, %"), power),
        "COHORTS": _table(("true difference", "better, %", "intervals that hold it, %"), cohorts),
    }


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


if __name__ == "__main__":
    print("\n\n".join(make_tables(json.loads(RESULTS.read_text(encoding="utf-8"))["simulations"]).values()))
