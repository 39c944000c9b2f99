"""Write the tables of docs/explanation/what-we-found.md, from the collected studies and the price list in results/.

python benchmarks/what_we_found.py
python benchmarks/what_we_found.py --check

With ``--check`` nothing is written: the exit code is 1 if the page has other tables.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import benchmark

from llmseg import zoo
from llmseg.report import Question
from llmseg.stats import Table, compare_all, compare_cohorts, means
from llmseg.study import Results, compare_with_published, describe_price, read_results

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "what-we-found.md"
MARGIN = Question.of("dice").margin
"""Dice below which a difference does not matter."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if the page has other tables")
    options = parser.parse_args()
    page = PAGE.read_text(encoding="utf-8")
    new = fill(page)
    if options.check:
        return int(new != page)
    PAGE.write_text(new, encoding="utf-8")
    return 0


def fill(page: str) -> str:
    """Return the page with each table made anew, between ``<!-- table NAME -->`` and ``<!-- end -->``."""
    study, repairs = (read_results(benchmark.RESULTS / name) for name in ("realdata_64", "repairs_64"))
    makers = {
        "leaderboard": lambda: write_leaderboard(study.scores),
        "decisions": lambda: write_decisions(study.scores),
        "cohorts": lambda: write_cohorts(study.scores),
        "agreement": lambda: write_agreement(study),
        "repairs": lambda: write_repairs(repairs.scores),
        "prices": write_prices,
    }
    pattern = re.compile(r"(<!-- table (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
    return pattern.sub(lambda found: found[1] + "".join(f"{line}\n" for line in makers[found[2]]()) + found[3], page)


def write_leaderboard(scores: Table) -> Iterator[str]:
    """Yield the lines of a table with the mean Dice of every contender on every dataset, best first."""
    rows = {(row["contender"], row["dataset"]): row for row in means(scores, each_dataset=True).to_dict("records")}
    yield f"| contender | {' | '.join(f'Dice on {name} | 95 % interval' for name in scores.datasets)} |"
    yield "|---" * (1 + 2 * len(scores.datasets)) + "|"
    total = {name: sum(rows[name, dataset]["mean"] for dataset in scores.datasets) for name in scores.contenders}
    for name in sorted(total, key=lambda name: -total[name]):
        own = (rows[name, dataset] for dataset in scores.datasets)
        texts = (f"{row['mean']:.3f} | {row['low']:.3f} to {row['high']:.3f}" for row in own)
        yield f"| {name} | {' | '.join(texts)} |"


def write_decisions(scores: Table) -> Iterator[str]:
    """Yield the lines of a table that counts, on every dataset, the pairs of contenders of which something is shown."""
    yield "| dataset | test cases | groups | seeds | pairs | differ | equivalent | undecided |"
    yield "|---|---|---|---|---|---|---|---|"
    for dataset in scores.datasets:
        claims = compare_all(scores.select(dataset=dataset), margin=MARGIN)
        found = Counter(claim.verdict for claim in claims)
        cases = scores.select(dataset=dataset).frame["case"].nunique()
        counts = f"{found['better'] + found['worse']} | {found['equivalent']} | {found['undecided']}"
        yield f"| {dataset} | {cases} | {claims[0].units} | {claims[0].seeds} | {len(claims)} | {counts} |"


def write_cohorts(scores: Table) -> Iterator[str]:
    """Yield the lines of a table that compares the pipelines of 2025 with those of 2024; each counts once."""
    yield "| dataset | pipelines | mean of 2025 less that of 2024 | 95 % interval | p |"
    yield "|---|---|---|---|---|"
    cards = {name: zoo.get(name).card for name in scores.contenders}
    cohorts = {name: str(card.cohort) for name, card in cards.items() if not card.is_reference}
    everywhere = compare_cohorts(scores, cohorts, "2025", "2024")
    for claim in (*compare_cohorts(scores, cohorts, "2025", "2024", each_dataset=True), *everywhere):
        interval = f"{claim.low:+.3f} to {claim.high:+.3f} | {claim.p_difference:.3f}"
        yield f"| {' and '.join(claim.datasets)} | {claim.units} | {claim.difference:+.3f} | {interval} |"


def write_repairs(scores: Table) -> Iterator[str]:
    """Yield the lines of a table with what each repair gains, in the pipelines that have the mistake."""
    yield "| pipeline | repaired | dataset | Dice before | after | gained | 95 % interval |"
    yield "|---|---|---|---|---|---|---|"
    for dataset in scores.datasets:
        part = scores.select(dataset=dataset)
        average = means(part).set_index("contender")["mean"]
        pairs = [(name, name.partition(" ")[0]) for name in part.contenders if " without " in name]
        for claim in compare_all(part, pairs, margin=MARGIN, family=f"repairs on {dataset}"):
            quirk = claim.first.removeprefix(f"{claim.second} without ")
            before_after = f"{average[claim.second]:.3f} | {average[claim.first]:.3f}"
            gained = f"{claim.difference:+.3f} | {claim.low:+.3f} to {claim.high:+.3f}"
            yield f"| {claim.second} | `{quirk}` | {dataset} | {before_after} | {gained} |"


def write_prices() -> Iterator[str]:
    """Yield the lines of a table with the quirks of which the price list shows something."""
    rows = json.loads((benchmark.RESULTS / "price_list.json").read_text(encoding="utf-8"))["rows"]
    yield "| quirk | dataset | Dice with it | gained without | 95 % interval | shown |"
    yield "|---|---|---|---|---|---|"
    for row in sorted(rows, key=lambda row: (-abs(row["gained"]), row["quirk"])):
        if row["changes_masks"] and (shown := describe_price(row["low"], row["high"])):
            gained = f"{row['gained']:+.3f} | {row['low']:+.3f} to {row['high']:+.3f}"
            yield f"| `{row['quirk']}` | {row['dataset']} | {row['dice_having']:.3f} | {gained} | {shown} |"


def write_agreement(results: Results) -> Iterator[str]:
    """Yield the lines of a table that says how well our order agrees with the published one."""
    yield "| dataset | pipelines | Kendall's tau | 95 % interval |"
    yield "|---|---|---|---|"
    for found in compare_with_published(results).datasets:
        if (tau := found.kendall) is not None:
            yield f"| {found.dataset} | {tau.count} | {tau.value:.2f} | {tau.low:.2f} to {tau.high:.2f} |"


if __name__ == "__main__":
    benchmark.run(main)
