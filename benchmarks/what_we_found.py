"""Write the tables of docs/explanation/what-we-found.md and published.md, from results/ and from what was published.

python benchmarks/what_we_found.py
python benchmarks/what_we_found.py --check

With ``--check`` nothing is written: the exit code is 1 if a page has other tables.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import benchmark

from llmseg import zoo
from llmseg.report import Question
from llmseg.stats import Claim, Table, compare_all, compare_cohorts, means, published
from llmseg.study import Results, compare_with_published, describe_price, read_results

PAGES = [Path(__file__).parents[1] / "docs" / "explanation" / name for name in ("what-we-found.md", "published.md")]
Maker = Callable[[], Iterator[str]]
MARGIN = Question.of("dice").margin
"""Dice below which a difference does not matter."""
SEEDS_APART = 0.05
"""Difference in Dice between seeds from which on a contender is listed."""
PUBLISHED_AS = {"bagls": "BAGLS", "ham10000": "Skin"}
"""What the study calls our datasets."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a page has other tables")
    options = parser.parse_args()
    makers = list_makers()
    texts = {page: page.read_text(encoding="utf-8") for page in PAGES}
    new = {page: fill(text, makers) for page, text in texts.items()}
    if options.check:
        return int(new != texts)
    for page, text in new.items():
        page.write_text(text, encoding="utf-8")
    return 0


def fill(page: str, makers: Mapping[str, Maker]) -> str:
    """Return the page with each table made anew, between ``<!-- table NAME -->`` and ``<!-- end -->``."""
    pattern = re.compile(r"(<!-- table (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
    return pattern.sub(lambda found: found[1] + "".join(f"{line}\n" for line in makers[found[2]]()) + found[3], page)


def list_makers() -> dict[str, Maker]:
    """Return what makes the lines of each table, by its name."""
    study, repairs = (read_results(benchmark.RESULTS / name) for name in ("realdata_64", "repairs_64"))
    return {
        "leaderboard": lambda: write_leaderboard(study.scores),
        "decisions": lambda: write_decisions(study.scores),
        "seeds": lambda: write_seeds(study.scores),
        "cohorts": lambda: write_cohorts(study.scores),
        "agreement": lambda: write_agreement(study),
        "repairs": lambda: write_repairs(repairs.scores),
        "prices": write_prices,
        "years": lambda: write_years(study.scores),
        **{
            f"claims-{verdict}".replace(" ", "-"): functools.partial(write_claims, verdict)
            for verdict in published.VERDICTS
        },
        "defects": write_defects,
        "beside-bagls": lambda: write_beside(study, "bagls"),
        "beside-ham10000": lambda: write_beside(study, "ham10000"),
    }


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
    """Yield the lines of a table that counts, on every dataset, the pairs of contenders of which something is shown.

    What the first seed alone would show stands beside it.
    """
    yield "| dataset | test cases | groups | seeds | pairs | differ | equivalent | undecided |"
    yield "|---|---|---|---|---|---|---|---|"
    first = scores.frame["seed"].min()
    for dataset, chosen in itertools.product(scores.datasets, (scores.select(seed=first), scores)):
        part = chosen.select(dataset=dataset)
        claims = compare_all(part, margin=MARGIN)
        found = Counter(claim.verdict for claim in claims)
        cases = part.frame["case"].nunique()
        counts = f"{found['better'] + found['worse']} | {found['equivalent']} | {found['undecided']}"
        yield f"| {dataset} | {cases} | {claims[0].units} | {claims[0].seeds} | {len(claims)} | {counts} |"


def write_seeds(scores: Table) -> Iterator[str]:
    """Yield the lines of a table with the contenders whose mean Dice changes most from seed to seed."""
    frame = scores.frame[scores.frame["measure"] == "dice"]
    by_seed = frame.groupby(["dataset", "variant", "seed"])["value"].mean().unstack("seed")
    apart = (by_seed.max(axis=1) - by_seed.min(axis=1)).sort_values(ascending=False)
    yield f"| contender | dataset | {' | '.join(f'seed {seed}' for seed in by_seed)} | apart |"
    yield "|---" * (3 + len(by_seed.columns)) + "|"
    for dataset, name in apart[apart > SEEDS_APART].index:
        values = " | ".join(f"{value:.3f}" for value in by_seed.loc[dataset, name])
        yield f"| {name} | {dataset} | {values} | {apart[dataset, name]:.3f} |"
    usual = " and ".join(f"{apart[name].median():.3f} on {name}" for name in scores.datasets)
    yield f"| median of all {len(scores.contenders)} | {usual} | {'| ' * len(by_seed.columns)}|"


def write_cohorts(scores: Table) -> Iterator[str]:
    """Yield the lines of a table that compares the pipelines of 2025 with those of 2024; each counts once."""
    yield "| dataset | pipelines | mean of 2025 less that of 2024 | 95 % interval | p |"
    yield "|---|---|---|---|---|"
    for claim in compare_years(scores):
        interval = f"{claim.low:+.3f} to {claim.high:+.3f} | {claim.p_difference:.3f}"
        yield f"| {' and '.join(claim.datasets)} | {claim.units} | {claim.difference:+.3f} | {interval} |"


def compare_years(scores: Table) -> tuple[Claim, ...]:
    """Compare the pipelines of 2025 with those of 2024 on each dataset, and on all of several."""
    cards = {name: zoo.get(name).card for name in scores.contenders}
    cohorts = {name: str(card.cohort) for name, card in cards.items() if not card.is_reference}
    (measure,) = {*scores.frame["measure"]} & {"dice", published.MEASURE}
    each = compare_cohorts(scores, cohorts, "2025", "2024", measure=measure, each_dataset=True)
    everywhere = compare_cohorts(scores, cohorts, "2025", "2024") if len(scores.datasets) > 1 else []
    return (*each, *everywhere)


def write_years(scores: Table) -> Iterator[str]:
    """Yield the lines of a table with all answers to the question whether the models of 2025 are better."""
    yield "| dataset | study: p | repaired means: pipelines | difference | p | ours: pipelines | difference | p |"
    yield "|---|---|---|---|---|---|---|---|"
    tests = published.reproduce()
    chosen = (tests["variant"] == "as_published") & (tests["comparison"] == "2024_vs_2025") & (tests["split"] == "test")
    printed = tests[chosen].set_index("dataset")["p"]
    table = published.dice_table(corrected=True)
    parts = [table.select(dataset=name) for name in table.datasets]
    both = [part for part in parts if len({zoo.get(name).card.cohort for name in part.contenders}) > 1]
    repaired = {part.datasets[0]: compare_years(part)[0] for part in both}
    *each, everywhere = compare_years(scores)
    ours = {PUBLISHED_AS[claim.datasets[0]]: claim for claim in each}
    for name, p in printed.items():
        cells = " | ".join(write_difference(claims.get(name)) for claims in (repaired, ours))
        yield f"| {name} | {p:.3f} | {cells} |"
    yield f"| BAGLS and Skin | | | | | {write_difference(everywhere)} |"


def write_difference(claim: Claim | None) -> str:
    """Return the three cells of a comparison: how many pipelines, the difference with its interval, p."""
    if claim is None:
        return " | | "
    has_interval = math.isfinite(claim.high - claim.low)
    interval = f" ({claim.low:+.3f} to {claim.high:+.3f})" if has_interval else ""
    return f"{claim.units} | {claim.difference:+.3f}{interval} | {claim.p_difference:.3f}"


def write_claims(verdict: str) -> Iterator[str]:
    """Yield the lines of a table with the claims of the study that have a verdict, and why."""
    yield "| claim | made in | why |"
    yield "|---|---|---|"
    claims = published.get("claims").frame
    for row in claims[claims["verdict"] == verdict].to_dict("records"):
        yield f"| {row['claim']} | {row['made_in']} | {row['why']} |"


def write_defects() -> Iterator[str]:
    """Yield the lines of a table with everything that is known to be wrong with the published figures."""
    yield "| | concerns | what is wrong |"
    yield "|---|---|---|"
    defects = [(name, defect) for name in published.names() for defect in published.get(name).defects]
    for number, (name, defect) in enumerate(defects, 1):
        yield f"| {number} | `{name}` | {defect} |"


def write_beside(results: Results, dataset: str) -> Iterator[str]:
    """Yield the lines of a table with the published Dice on a dataset beside ours."""
    yield "| pipeline | published mean | published median | our mean | 95 % interval | published rank | our rank |"
    yield "|---|---|---|---|---|---|---|"
    (found,) = (part for part in compare_with_published(results).datasets if part.dataset == dataset)
    for row in found.frame.to_dict("records"):
        numbers = " | ".join(write_number(row[name], 3) for name in ("published_mean", "published_median", "mean"))
        interval = f"{row['low']:.3f} to {row['high']:.3f}"
        ranks = " | ".join(write_number(row[name], 0) for name in ("published_rank", "rank"))
        yield f"| {row['pipeline']} | {numbers} | {interval} | {ranks} |"


def write_number(value: float, digits: int) -> str:
    """Return a number with so many decimals; a dash where there is none."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


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
