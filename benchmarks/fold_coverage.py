"""Simulate cross-validations whose truth is known, and write how many 95 % intervals of a difference hold it as JSON.

python benchmarks/fold_coverage.py
python benchmarks/fold_coverage.py --studies 200 --out small.json

Two learners are compared: ridge regressions on other halves of the features. Both are equally good in expectation, so a
difference of 0 is the truth about *learners*. The trainings of one study do differ, by what their own training cases
taught them, so the mean expected difference of the networks that a study trained is the truth about these *trainings*.
A case scores ``exp(-|error|)``, between 0 and 1. As the recipes do, every seed puts a fifth of what is left into
validation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import benchmark
import numpy as np
from scipy.stats import norm

from llmseg.stats import estimate, fold_interval

NOISE = 0.5
"""Standard deviation of what no feature explains."""

RIDGE = 0.1


@dataclass(frozen=True)
class Setting:
    """What a simulated study looks like.

    Attributes:
        cases: Number of cases.
        folds: Number of folds.
        seeds: Trainings of a learner per fold.
        features: Features of a learner: the more there are, the more another training set changes it.
        group_size: Cases of a group.
    """

    cases: int
    folds: int
    seeds: int
    features: int
    group_size: int = 1


SETTINGS = (
    Setting(20, 5, 1, 2),
    Setting(20, 5, 3, 2),
    Setting(20, 5, 1, 6),
    Setting(20, 5, 3, 6),
    Setting(20, 10, 1, 2),
    Setting(40, 5, 1, 2),
    Setting(40, 5, 3, 6),
    Setting(100, 5, 1, 2),
    Setting(100, 5, 3, 6),
    Setting(100, 5, 1, 2, group_size=4),
    Setting(100, 5, 3, 6, group_size=4),
)


@dataclass(frozen=True)
class Outcome:
    """A simulated study.

    Attributes:
        differences: First learner minus second, per seed and case, float ``[S, N]``.
        groups: Group of every case, int ``[N]``.
        folds: Fold of every case, int ``[N]``.
        truth: Mean expected difference of the trainings.
    """

    differences: np.ndarray
    groups: np.ndarray
    folds: np.ndarray
    truth: float


def simulate_study(setting: Setting, random: np.random.Generator) -> Outcome:
    """Train and score both learners on every fold with every seed."""
    count, width = setting.cases // setting.group_size, 2 * setting.features
    groups = np.repeat(np.arange(count), setting.group_size)
    shared = 0.0 if setting.group_size == 1 else 0.5
    features = np.sqrt(1 - shared) * random.normal(size=(setting.cases, width))
    features += np.sqrt(shared) * random.normal(size=(count, width))[groups]
    weights = np.full(width, setting.features**-0.5)
    target = features @ weights + NOISE * random.normal(size=setting.cases)
    folds = (random.permutation(count) % setting.folds)[groups]
    differences, truth = np.empty((setting.seeds, setting.cases)), 0.0
    for seed in range(setting.seeds):
        for fold in range(setting.folds):
            rest, test = np.flatnonzero(folds != fold), folds == fold
            train = random.permutation(rest)[: round(0.8 * len(rest))]
            scores, expected = [], []
            for half in (slice(0, setting.features), slice(setting.features, width)):
                learnt = _fit(features[train, half], target[train])
                scores.append(np.exp(-np.abs(target[test] - features[test, half] @ learnt)))
                left = weights.copy()
                left[half] -= learnt
                expected.append(_expect_score(float(np.hypot(NOISE, np.linalg.norm(left)))))
            differences[seed, test] = scores[0] - scores[1]
            truth += (expected[0] - expected[1]) * test.mean() / setting.seeds
    return Outcome(differences, groups, folds, truth)


def _fit(features: np.ndarray, target: np.ndarray) -> np.ndarray:
    penalty = RIDGE * np.eye(features.shape[1])
    learnt: np.ndarray = np.linalg.solve(features.T @ features + penalty, features.T @ target)
    return learnt


def _expect_score(spread: float) -> float:
    """Return the mean of ``exp(-|error|)`` for normal errors."""
    return float(2 * np.exp(spread**2 / 2) * norm.sf(spread))


def make_intervals(outcome: Outcome) -> dict[str, tuple[float, float]]:
    """Return the interval over all cases, that of the folds, and that of one fold as a single held-out test set."""
    folds = range(int(outcome.folds.max()) + 1)
    means = [float(outcome.differences[:, outcome.folds == fold].mean()) for fold in folds]
    return {
        "cases": _pool(outcome, np.ones(len(outcome.folds), bool)),
        "folds": fold_interval(means, len(folds)),
        "one_fold": _pool(outcome, outcome.folds == 0),
    }


def _pool(outcome: Outcome, chosen: np.ndarray) -> tuple[float, float]:
    """Return Student's interval over the groups of some cases, as :meth:`llmseg.Study.differences` computes it."""
    names, groups = np.unique(outcome.groups[chosen], return_inverse=True)
    sums = np.stack([np.bincount(groups, row, len(names)) for row in outcome.differences[:, chosen]])
    low, high = estimate([sums[None]], [np.bincount(groups).astype(float)]).interval(0.95)
    return float(low[0]), float(high[0])


def measure_coverage(setting: Setting, studies: int) -> dict[str, Any]:
    """Return how many intervals hold what is true of learners and of trainings, in per cent, and their mean widths."""
    random = np.random.default_rng(0)
    held: dict[str, dict[str, int]] = {}
    widths: dict[str, float] = {}
    for _ in range(studies):
        outcome = simulate_study(setting, random)
        for name, (low, high) in make_intervals(outcome).items():
            counts = held.setdefault(name, {"learners": 0, "trainings": 0})
            counts["learners"] += low <= 0 <= high
            counts["trainings"] += low <= outcome.truth <= high
            widths[name] = widths.get(name, 0.0) + (high - low) / studies
    # One fold is scored by a part of the trainings only, so nothing is said of all of them.
    del held["one_fold"]["trainings"]
    rates = {
        name: {of: round(100 * count / studies, 1) for of, count in counts.items()} for name, counts in held.items()
    }
    return {"held": rates, "width": {name: round(width, 3) for name, width in widths.items()}}


def simulate_all(studies: int) -> Iterator[dict[str, Any]]:
    """Yield a row per setting."""
    for setting in SETTINGS:
        yield {**asdict(setting), "studies": studies, **measure_coverage(setting, studies)}


def main() -> int:
    """Simulate, print and write."""
    return benchmark.run_simulation(__doc__, simulate_all, "folds.json", "row")


if __name__ == "__main__":
    benchmark.run(main)
