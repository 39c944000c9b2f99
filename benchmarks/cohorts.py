"""What explains 2024 against 2025: loss, network (its capacity), or the rest? As JSON.

    python benchmarks/cohorts.py --data brain.h5 --older gpt-4o --newer gpt-o3 --json results/cohorts.json

For every older and every newer pipeline the gap between them is attributed to the seven parts (``llmseg.run_gap``), and
the contributions are averaged over all pairs, so that no single pair decides. The spread over pairs is that of the
language models; the intervals of each pair are in its own row. Without names all eight are set against all eleven,
which needs a GPU and days: 88 pairs of about ten trainings a seed.

The same command continues an interrupted one.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
import script
from results_file import write_results
from sized import sized
from tqdm import tqdm

import llmseg
from llmseg import zoo
from llmseg.study import Variant


def main() -> None:
    """Attribute the gap of every pair, write the JSON after each, print the means."""
    options = _options()
    store = llmseg.Hdf5Store(options.data)
    holdout = llmseg.hold_out(store, fraction=options.fraction)
    rows: list[pd.DataFrame] = []
    pairs = [(new, old) for new in options.newer for old in options.older]
    for new, old in tqdm(pairs, desc="pairs", unit="pair"):
        left, right = (
            Variant(name, sized(zoo.get(name).recipe, options.size, options.batch_size)) for name in (new, old)
        )
        gap = llmseg.run_gap(
            left,
            right,
            store,
            options.runs / f"{new}-{old}",
            holdout=holdout,
            swaps=options.swaps,
            seeds=options.seeds,
            epochs=options.epochs,
            progress=False,
        )
        rows.append(gap.contributions().assign(newer=new, older=old))
        tqdm.write(gap.sentence())
        _write(options, pd.concat(rows))
    print(means(pd.concat(rows)).to_string(index=False))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a store that llmseg data prepare wrote")
    parser.add_argument("--older", nargs="+", default=zoo.names(cohort=2024), help="ids of 2024")
    parser.add_argument("--newer", nargs="+", default=zoo.names(cohort=2025), help="ids of 2025")
    parser.add_argument("--swaps", choices=["single", "all", "sampled"], default="single")
    parser.add_argument("--fraction", type=float, default=0.1, help="share of the cases to hold out")
    parser.add_argument("--size", type=int, default=0, help="pixels; 0 for each recipe's own")
    parser.add_argument("--batch-size", type=int, default=0, help="cases per step; 0 for each recipe's own")
    parser.add_argument("--epochs", type=int, help="instead of each recipe's")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--runs", type=Path, default=Path("cohorts"), help="folder of the trainings")
    parser.add_argument("--json", type=Path, required=True)
    return parser.parse_args()


def means(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the mean contribution of each part over all pairs, and its standard deviation over them."""
    found: pd.DataFrame = rows.groupby("part", sort=False)["difference"].agg(["mean", "std", "count"]).reset_index()
    return found


def _write(options: argparse.Namespace, rows: pd.DataFrame) -> None:
    names = ("older", "newer", "swaps", "fraction", "size", "batch_size", "epochs", "seeds")
    settings = {"data": options.data.name, **{name: getattr(options, name) for name in names}}
    found = {"means": means(rows).to_dict("records"), "rows": rows.to_dict("records")}
    write_results(options.json, settings=settings, **found)


if __name__ == "__main__":
    script.run(main)
