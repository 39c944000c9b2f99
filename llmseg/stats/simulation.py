"""Simulated studies: scores whose truth is known, to try statistics on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from llmseg.errors import UserError
from llmseg.stats.table import Table


def simulate(
    *,
    pipelines: int | Sequence[float] = 4,
    datasets: int = 2,
    seeds: int = 3,
    cases: int | Sequence[int] = 50,
    group_size: int = 1,
    pipeline_spread: float = 0.0,
    run_spread: float = 0.01,
    group_spread: float = 0.08,
    shared_share: float = 0.7,
    noise: float = 0.02,
    mean: float = 0.8,
    random: int | np.random.Generator = 0,
) -> Table:
    """Return the Dice scores of a simulated study.

    A score is a sum: the mean, the quality of the pipeline, the luck of its training (one draw per pipeline, dataset
    and seed), the difficulty of the group (partly the same for all pipelines), and noise. All are drawn from normal
    laws, and the sum is cut to 0 and 1. Where scores stay away from the cut, the truth is exactly what was asked for.

    Args:
        pipelines: Number of pipelines, or how much the quality of each differs from the mean.
        datasets: Number of datasets.
        seeds: Number of trainings of each pipeline on each dataset.
        cases: Number of cases of every dataset, or one number per dataset.
        group_size: Number of cases of a group.
        pipeline_spread: Standard deviation of the quality of pipelines, in addition to ``pipelines``.
        run_spread: Standard deviation of trainings that differ in the seed only.
        group_spread: Standard deviation of the difficulty of groups.
        shared_share: Share of the variance of groups that all pipelines have in common, between 0 and 1.
        noise: Standard deviation of cases within a group.
        mean: The mean score.
        random: Seed, or a generator.

    Returns:
        A table whose pipelines are called ``llm-01``, ``llm-02``, ..., and its datasets ``dataset-1``, ...

    Raises:
        UserError: A number of pipelines, datasets, seeds or cases is below 1.

    Example:
        >>> simulate(pipelines=2, datasets=1, seeds=1, cases=3)
        Table(6 rows: 2 contenders, 1 dataset, 1 seed, 3 cases, 1 measure)
    """
    shifts = np.zeros(pipelines) if isinstance(pipelines, int) else np.asarray(pipelines, float)
    sizes = [cases] * datasets if isinstance(cases, int) else list(cases)
    if min(len(shifts), datasets, seeds, group_size, *sizes) < 1 or len(sizes) != datasets:
        raise UserError(
            "a study needs at least one pipeline, dataset, seed and case, and a number of cases per dataset"
        )
    generator = np.random.default_rng(random)
    shifts = shifts + generator.normal(0, pipeline_spread, len(shifts))
    frames = []
    for dataset, size in enumerate(sizes):
        group = np.arange(size) // group_size
        shape = (len(shifts), seeds, size)
        common = generator.normal(0, group_spread * shared_share**0.5, (1, 1, group[-1] + 1))
        own = generator.normal(0, group_spread * (1 - shared_share) ** 0.5, (len(shifts), 1, group[-1] + 1))
        runs = generator.normal(0, run_spread, (len(shifts), seeds, 1))
        values = mean + shifts[:, None, None] + runs + (common + own)[:, :, group] + generator.normal(0, noise, shape)
        frames.append(_frame(f"dataset-{dataset + 1}", group, np.clip(values, 0, 1)))
    return Table(pd.concat(frames, ignore_index=True))


def _frame(dataset: str, group: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    pipeline, seed, case = (index.ravel() for index in np.indices(values.shape))
    names = [
        np.array([f"{word}-{n + 1:02d}" for n in range(size)], dtype=object)
        for word, size in (("llm", values.shape[0]), ("group", group[-1] + 1), ("case", values.shape[2]))
    ]
    frame: pd.DataFrame = pd.DataFrame(
        {
            "pipeline": names[0][pipeline],
            "variant": "base",
            "dataset": dataset,
            "seed": seed,
            "phase": "test",
            "case": names[2][case],
            "group": names[1][group[case]],
            "measure": "dice",
            "value": values.ravel(),
        }
    )
    return frame
