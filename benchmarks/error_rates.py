"""Try the statistics on simulated studies whose truth is known, and write how often they err as JSON.

python benchmarks/error_rates.py
python benchmarks/error_rates.py --studies 200 --out small.json

Coverage: how many 95 % intervals hold the truth. False claims: in how many studies a family of comparisons makes any.
Power: how many true differences, and true equivalences, are found. Time: what the analyses of a whole study take.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import benchmark
import numpy as np

from llmseg.stats import (
    Claim,
    Table,
    bca_interval,
    bounded_interval,
    compare_all,
    compare_cohorts,
    estimate,
    friedman,
    means,
    rank,
    simulate,
    variance_atlas,
)

DRAWS = 2000

Law = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def _beta_law(mean: float, spread: float) -> Law:
    size = mean * (1 - mean) / spread**2 - 1
    return lambda random, shape: random.beta(mean * size, (1 - mean) * size, shape)


def _draw_alike(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Two contenders that are equally good on the same cases; scores end at 1."""
    hardness = _beta_law(0.85, 0.1)(random, shape)
    scores = [np.clip(hardness + random.normal(0, 0.03, shape), 0, 1) for _ in range(2)]
    return scores[0] - scores[1]


def _draw_failing(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """The same, but either fails on one case in ten."""
    hardness = _beta_law(0.85, 0.1)(random, shape)
    kept = [np.where(random.random(shape) < 0.1, random.random(shape), 1.0) for _ in range(2)]
    return hardness * (kept[0] - kept[1]) + random.normal(0, 0.02, shape)


def _draw_uneven(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return _beta_law(0.85, 0.1)(random, shape) - _beta_law(0.8, 0.15)(random, shape)


DIFFERENCES: dict[str, tuple[Law, float]] = {
    "normal": (lambda random, shape: random.normal(0, 0.05, shape), 0.0),
    "alike": (_draw_alike, 0.0),
    "failing": (_draw_failing, 0.0),
    "uneven": (_draw_uneven, 0.05),
}


def _draw_rarely_found(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Nine cases in ten score 0, the others about one half."""
    return np.where(random.random(shape) < 0.9, 0.0, random.beta(2, 2, shape))


def _draw_sometimes_lost(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """One case in seven scores 0, the others about 0.9."""
    return np.where(random.random(shape) < 1 / 7, 0.0, random.beta(45, 5, shape))


SCORES: dict[str, tuple[Law, float]] = {
    "normal": (lambda random, shape: np.clip(random.normal(0.8, 0.05, shape), 0.6, 1), 0.8),
    "dice 0.85": (_beta_law(0.85, 0.10), 0.85),
    "dice 0.90, long tail": (_beta_law(0.90, 0.12), 0.90),
    "nine in ten are 0": (_draw_rarely_found, 0.05),
    "one in seven is 0": (_draw_sometimes_lost, 0.9 * 6 / 7),
}


@dataclass(frozen=True)
class Design:
    """What a simulated study looks like.

    Attributes:
        groups: Groups of every dataset.
        group_size: Cases of a group.
        seeds: Trainings.
        run_share: Variance between trainings over that of the mean over groups.
    """

    groups: tuple[int, ...]
    group_size: int = 1
    seeds: int = 1
    run_share: float = 0.0


DESIGNS = {
    "7 cases": Design((7,)),
    "7 cases, 3 seeds": Design((7,), seeds=3, run_share=0.3),
    "20 cases": Design((20,)),
    "100 cases": Design((100,)),
    "25 groups of 4, 3 seeds": Design((25,), 4, 3, 0.3),
    "100 cases, 3 seeds that differ": Design((100,), seeds=3, run_share=1.0),
    "100 cases, 5 seeds that differ": Design((100,), seeds=5, run_share=1.0),
    "six datasets, one of 7 cases": Design((100, 100, 20, 100, 7, 100), seeds=3, run_share=0.3),
}


def draw(
    law: Law, design: Design, studies: int, random: np.random.Generator, *, bounded: bool = False
) -> tuple[list, list]:
    """Return sums over the cases of groups, ``[studies, S, G]`` per dataset, and sizes of groups.

    Bounded scores stay between 0 and 1, and keep their mean: seeds and cases move them in both directions alike, the
    less the nearer they are to an end.
    """
    sums, sizes = [], []
    for groups in design.groups:
        values = law(random, (studies, 1, groups))
        runs = np.sqrt(design.run_share * design.seeds / groups) * values.std()
        noise = 0.01 / np.sqrt(design.group_size)
        moves = random.normal(0, runs, (studies, design.seeds, 1))
        moves = moves + random.normal(0, noise, (studies, design.seeds, groups))
        if bounded:
            room = values * (1 - values)
            moves = np.clip(moves / room.mean(), -1, 1) * room
        sums.append((values + moves) * design.group_size)
        sizes.append(np.full(groups, float(design.group_size)))
    return sums, sizes


def measure_coverage(
    law: Law, truth: float, design: Design, studies: int, bounded: bool, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Return the share of intervals that hold the truth, in per cent, and their mean width, per method.

    Args:
        law: Draws the values.
        truth: Their mean.
        design: What a study looks like.
        studies: Number of studies.
        bounded: Whether the values are scores between 0 and 1, whose intervals are cut to that range. Others are
            differences.
        seed: Seed of the draws.
    """
    sums, sizes = draw(law, design, studies, np.random.default_rng(seed), bounded=bounded)
    # A few hundred studies at once: they share the resamples' weights, so the weights are drawn anew for each lot.
    lots: dict[str, list[np.ndarray]] = {"student": [], "bootstrap": [], **({"bounded": []} if bounded else {})}
    for lot, start in enumerate(range(0, studies, 250)):
        lot_sums = [dataset_sums[start : start + 250] for dataset_sums in sums]
        lots["student"].append(np.stack(estimate(lot_sums, sizes).interval(0.95)))
        estimates = estimate(lot_sums, sizes, draws=DRAWS, symmetric=not bounded, seed=seed + lot)
        lots["bootstrap"].append(np.stack(estimates.interval(0.95)))
        if bounded:
            lots["bounded"].append(np.stack(bounded_interval(lot_sums, sizes, draws=DRAWS, seed=seed + lot)))
    ends = {name: np.concatenate(parts, axis=1) for name, parts in lots.items()}
    if len(sums) == 1:
        averaged = sums[0].mean(axis=1) / sizes[0][0]
        ends["percentile"] = _percentile_intervals(averaged, seed)
        # The slow methods: a thousand studies tell their coverage to within a point.
        means = averaged[: min(studies, 1000)]
        ends["bca"] = np.array([bca_interval(values, draws=1000, seed=study) for study, values in enumerate(means)]).T
        if bounded:
            ends["betting"] = _betting_intervals(means)
    if bounded:
        ends = {name: np.clip(values, 0, 1) for name, values in ends.items()}
    return {
        "held": {name: round(100 * _share_held(values, truth), 1) for name, values in ends.items()},
        "width": {name: round(float((values[1] - values[0]).mean()), 3) for name, values in ends.items()},
        "ends_at_1": {name: round(100 * float((values[1] >= 1).mean()), 1) for name, values in ends.items()},
    }


def _betting_intervals(means: np.ndarray, level: float = 0.95) -> np.ndarray:
    """Return intervals by betting on each study's values in turn, float ``[2, studies]``.

    The hedged capital process of Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting",
    Journal of the Royal Statistical Society B 86 (2024), with bets for a fixed number of values. A mean is held unless
    betting against it multiplies the capital by 1 / (1 - level).
    """
    candidates = np.linspace(0, 1, 501)[1:-1]
    studies, count = means.shape
    # Before each bet: the spread of the values before it, begun with one half and one quarter as prior values.
    steps = np.arange(1, count + 1)
    running = (0.5 + np.cumsum(means, axis=1)) / (steps + 1)
    variance = (0.25 + np.cumsum((means - running) ** 2, axis=1)) / (steps + 1)
    before = np.concatenate([np.full((studies, 1), 0.25), variance[:, :-1]], axis=1)
    bets = np.sqrt(2 * np.log(2 / (1 - level)) / (count * before))
    above, below = (np.ones((studies, len(candidates))) for _ in range(2))
    held = np.ones_like(above, bool)
    for step in range(count):
        gain = means[:, step, None] - candidates
        above = above * (1 + np.minimum(bets[:, step, None], 0.5 / candidates) * gain)
        below = below * (1 - np.minimum(bets[:, step, None], 0.5 / (1 - candidates)) * gain)
        held &= np.maximum(above, below) / 2 < 1 / (1 - level)
    # A study whose last bet refuted every candidate would have none; then its mean stands alone.
    nothing = ~held.any(axis=1)
    low, high = candidates[held.argmax(axis=1)], candidates[len(candidates) - 1 - held[:, ::-1].argmax(axis=1)]
    centre = means.mean(axis=1)
    low, high = np.where(held[:, 0], 0.0, low), np.where(held[:, -1], 1.0, high)
    return np.stack([np.where(nothing, centre, low), np.where(nothing, centre, high)])


def _percentile_intervals(means: np.ndarray, seed: int) -> np.ndarray:
    """Return the percentiles of resampled means, for many studies at once; what the other methods are compared with."""
    groups = means.shape[1]
    weights = np.random.default_rng(seed).multinomial(groups, np.full(groups, 1 / groups), DRAWS) / groups
    return np.quantile(means @ weights.T, [0.025, 0.975], axis=1)


def _share_held(ends: np.ndarray, truth: float) -> float:
    return float(((ends[0] <= truth) & (truth <= ends[1])).mean())


def is_false(claim: Claim, truth: float) -> bool:
    """Whether a claim contradicts the true difference."""
    contradicted = {
        "better": truth <= 0,
        "worse": truth >= 0,
        "equivalent": claim.margin is not None and abs(truth) >= claim.margin - 1e-12,
        "undecided": False,
    }
    missed = claim.noninferior and claim.margin is not None and truth <= -claim.margin + 1e-12
    return contradicted[claim.verdict] or missed


FAMILIES = {
    "8 LLMs alike, all pairs": ([0.0] * 8, None),
    "8 LLMs, half of them worse by the margin, all pairs": ([0.0, -0.02] * 4, None),
    "19 LLMs alike, against the first": ([0.0] * 19, "llm-01"),
}


def count_false_claims(shifts: Sequence[float], pairs: str | None, studies: int, **options: object) -> dict[str, float]:
    """Return the share of studies with any false claim, in per cent, and that of claims that are made."""
    wrong, made, total = 0, 0, 0
    truths = {f"llm-{index + 1:02d}": shift for index, shift in enumerate(shifts)}
    for study in range(studies):
        table = simulate(pipelines=shifts, datasets=2, seeds=3, cases=[40, 7], random=study)
        claims = compare_all(table, pairs, margin=0.02, **options)  # type: ignore[arg-type]
        wrong += any(is_false(claim, truths[claim.first] - truths[claim.second]) for claim in claims)
        made += sum(claim.verdict != "undecided" for claim in claims)
        total += len(claims)
    return {"false": round(100 * wrong / studies, 1), "decided": round(100 * made / total, 1)}


def count_cohort_claims(gap: float, studies: int) -> dict[str, float]:
    """Return how often relabelling finds a gap between eleven LLMs and eight, and how often its interval holds it."""
    better, held = 0, 0
    for study in range(studies):
        table = simulate(
            pipelines=[gap] * 11 + [0.0] * 8,
            datasets=1,
            seeds=1,
            cases=20,
            pipeline_spread=0.05,
            mean=0.5,
            random=study,
        )
        labels = {name: "2025" if index < 11 else "2024" for index, name in enumerate(table.contenders)}
        (claim,) = compare_cohorts(table, labels, "2025", "2024", draws=2000)
        better += claim.verdict == "better"
        held += claim.low <= gap <= claim.high
    return {"better": round(100 * better / studies, 1), "coverage": round(100 * held / studies, 1)}


def measure_power(gap: float, cases: int, seeds: int, studies: int) -> dict[str, float]:
    """Return how often one LLM is found better than another, or equivalent within 0.02."""
    verdicts = []
    for study in range(studies):
        table = simulate(pipelines=[gap, 0.0], datasets=1, seeds=seeds, cases=cases, random=study)
        (claim,) = compare_all(table, "llm-02", margin=0.02)
        verdicts.append((claim.p_difference <= 0.05 and claim.difference > 0, claim.verdict == "equivalent"))
    better, equivalent = np.mean(verdicts, axis=0)
    return {"better": round(100 * better, 1), "equivalent": round(100 * equivalent, 1)}


def time_whole_study(pipelines: int = 19, cases: int = 500) -> dict[str, object]:
    """Return the seconds that each analysis of a whole study takes: six datasets, three seeds."""
    frame = simulate(pipelines=pipelines, datasets=6, seeds=3, cases=cases, pipeline_spread=0.03).frame
    labels = {name: "2025" if index % 2 else "2024" for index, name in enumerate(frame["pipeline"].unique())}
    table = Table.from_frame(frame)
    analyses: dict[str, Callable[[], object]] = {
        "table": lambda: Table.from_frame(frame),
        "all pairs": lambda: compare_all(table, margin=0.01),
        "all pairs on each dataset": lambda: compare_all(table, margin=0.01, each_dataset=True),
        "all pairs, bootstrap": lambda: compare_all(table, margin=0.01, method="bootstrap"),
        "means, bootstrap": lambda: means(table),
        "cohorts": lambda: compare_cohorts(table, labels, "2025", "2024", margin=0.01),
        "friedman": lambda: friedman(table),
        "mean-then-rank": lambda: rank(table, rule="mean-then-rank"),
        "rank-then-mean": lambda: rank(table, rule="rank-then-mean"),
        "test-based": lambda: rank(table, rule="test-based"),
        "atlas": lambda: variance_atlas(table),
    }
    seconds: dict[str, float] = {}
    for name, analysis in analyses.items():
        started = time.perf_counter()
        analysis()
        seconds[name] = round(time.perf_counter() - started, 2)
    return {"rows": len(frame), "seconds": seconds, "total": round(sum(seconds.values()), 1)}


def simulate_all(studies: int) -> Iterator[dict[str, object]]:
    """Yield a row per simulation."""
    for kind, laws, bounded in (("difference", DIFFERENCES, False), ("mean", SCORES, True)):
        for name, (law, truth) in laws.items():
            for index, (title, design) in enumerate(DESIGNS.items()):
                seed = zlib.crc32(f"{kind} {name} {index}".encode())
                measured = measure_coverage(law, truth, design, studies, bounded, seed)
                held, rest = measured.pop("held"), measured if bounded else {}
                yield {
                    "what": f"coverage of a {kind}",
                    "law": name,
                    "design": title,
                    "studies": studies,
                    **held,
                    **rest,
                }
    fewer = max(studies // 4, 1)
    for name, (shifts, pairs) in FAMILIES.items():
        for options in ({}, {"method": "bootstrap", "draws": 2000}, {"correction": "none"}):
            rates = count_false_claims(shifts, pairs, fewer, **options)
            yield {"what": "false claims", "family": name, **options, "studies": fewer, **rates}
    for gap in (0.0, 0.05, 0.1):
        yield {"what": "cohorts of 11 and 8 LLMs", "gap": gap, "studies": fewer, **count_cohort_claims(gap, fewer)}
    for gap in (0.0, 0.01, 0.02, 0.05):
        for cases, seeds in ((7, 3), (50, 3), (500, 3), (500, 5)):
            rates = measure_power(gap, cases, seeds, fewer)
            yield {"what": "power", "gap": gap, "cases": cases, "seeds": seeds, "studies": fewer, **rates}
    yield {"what": "time", "cores": os.cpu_count(), **time_whole_study()}


def main() -> int:
    """Simulate, print and write."""
    return benchmark.run_simulation(__doc__, simulate_all, "simulation.json", "interval; claims take a quarter")


if __name__ == "__main__":
    benchmark.run(main)
