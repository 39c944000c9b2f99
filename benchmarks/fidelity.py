"""Check every pipeline against the records of the original scripts and write the outcome as JSON, record by record.

python benchmarks/fidelity.py
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path

import script
from results_file import write_results
from tqdm import tqdm

import llmseg

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "tests" / "golden"


def main() -> int:
    """Verify, print and write; return 1 if anything diverges."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--golden", type=Path, default=GOLDEN, help="folder of records and images")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "fidelity.json")
    options = parser.parse_args()
    rows = []
    for path in tqdm(sorted(options.golden.glob("*.json")), unit="record"):
        rows.append(_verified(path, options.golden))
        held = [v["level"] for v in rows[-1]["verdicts"] if v["holds"]]
        tqdm.write(f"{rows[-1]['pipeline']:<28}{' '.join(held)}  {rows[-1]['seconds']:.0f} s")
        write_results(options.out, records=rows)
    return 0 if all(v["holds"] for row in rows for v in row["verdicts"]) else 1


def _verified(path: Path, golden: Path) -> dict[str, object]:
    record = llmseg.fidelity.read_record(path)
    name = llmseg.fidelity.recorded_id(record)
    started = time.perf_counter()
    verdicts = llmseg.verify(
        llmseg.zoo.get(name),
        record,
        store=_store(golden / record["base"]["dataset"]),
        bookkeeping_store=_store(golden / record["bookkeeping"]["base"]["dataset"]),
    )
    found = [dataclasses.asdict(verdict) for verdict in verdicts]
    return {"pipeline": name, "seconds": round(time.perf_counter() - started, 1), "verdicts": found}


def _store(folder: Path) -> llmseg.FolderStore:
    return llmseg.FolderStore(folder / "images", folder / "masks")


if __name__ == "__main__":
    script.run(main)
