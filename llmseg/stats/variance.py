"""Where scores differ from each other and why: shares of variance, and what they say about the next study."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from llmseg.errors import UserError
from llmseg.stats.blocks import Block, blocks
from llmseg.stats.table import Table

SOURCES = ("LLM", "dataset", "LLM x dataset", "generation", "seed", "group", "LLM x group", "rest")
"""Sources of variance.

``generation`` is another answer of the same LLM to the same prompt, as in ``gpt-4o@run-01``; ``seed`` another training;
``group`` how hard a group of cases is for all; ``LLM x group`` how hard for one pipeline; ``rest`` what is left.
"""

_UNKNOWN = {
    "LLM": "there is one, and it is part of the mean",
    "dataset": "there is one, and it is part of the mean",
    "LLM x dataset": "there is one dataset or one LLM, and it is part of LLM",
    "generation": "no LLM has several, and it is part of LLM and LLM x dataset",
    "seed": "there is one, and it is part of LLM x dataset",
    "group": "there is one, and it is part of the dataset",
    "LLM x group": "there is one seed, and it holds the rest",
    "rest": "there is one seed, and it is part of LLM x group",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Atlas:
    """Shares of variance.

    Attributes:
        measure: The measure.
        frame: A row per source: ``source, variance, share``; not a number where a source cannot be told apart.
        remarks: What a reader has to know, a sentence each.
    """

    measure: str
    frame: pd.DataFrame
    remarks: tuple[str, ...]

    def variance(self, source: str) -> float:
        """Return the variance due to a source, 0 where it is unknown."""
        value = float(self.frame.set_index("source").loc[source, "variance"])
        return 0.0 if math.isnan(value) else value


def variance_atlas(table: Table, *, measure: str = "dice", phase: str = "test") -> Atlas:
    """Split the variance of scores by where it comes from, by the method of moments.

    Scores are averaged over the cases of a group. Every dataset is an analysis of variance of its own (pipeline, seed,
    group), whose components are averaged; LLMs are compared across datasets. A component that comes out below zero is
    set to zero.

    Args:
        table: The scores. Splits and machines are not told apart in a table: what differs by them is part of the seed.
        measure: Which measure.
        phase: Which phase.

    Raises:
        UserError: There is one group only on a dataset, or a cell is missing.

    Example:
        >>> from llmseg.stats import simulate
        >>> atlas = variance_atlas(simulate(pipelines=8, datasets=3, cases=200, run_spread=0.03))
        >>> round(atlas.variance("seed") ** 0.5, 2), round(atlas.variance("rest") ** 0.5, 2)
        (0.03, 0.02)
    """
    found = blocks(table, measure, phase=phase)
    single = [block.dataset for block in found if len(block.sizes) < 2]
    if single or len(found[0].contenders) < 2:
        raise UserError(f"{single[0] if single else 'the table'} has one group or one contender; give two")
    llms = np.array([name.split(" ")[0].split("@")[0] for name in found[0].contenders])
    parts = pd.DataFrame([_within(block) for block in found])
    # What of the variance of a pipeline's mean on a dataset is due to its seeds and groups.
    noise = float(parts.pop("noise").mean())
    variances = {**parts.mean().to_dict(), **_across(np.stack([block.means for block in found], axis=1), llms, noise)}
    values = np.array([variances[source] for source in SOURCES])
    known = np.maximum(np.nan_to_num(values), 0)
    share = known / known.sum() if known.any() else known
    unknown = np.isnan(values)
    frame = pd.DataFrame(
        {
            "source": SOURCES,
            "variance": np.where(unknown, np.nan, known),
            "share": np.where(unknown, np.nan, share),
        }
    )
    remarks = [f"{source} is not told apart: {_UNKNOWN[source]}" for source in frame.loc[unknown, "source"]]
    return Atlas(measure=measure, frame=frame, remarks=(*table.remarks, *remarks))


def _within(block: Block) -> dict[str, float]:
    """Return the components of one dataset: pipelines crossed with groups, seeds nested in pipelines."""
    values = block.sums / block.sizes
    pipelines, seeds, groups = values.shape
    by_run, by_cell = values.mean(axis=2), values.mean(axis=1)
    by_pipeline, by_group = by_cell.mean(axis=1), by_cell.mean(axis=0)
    crossed = by_cell - by_pipeline[:, None] - by_group + by_cell.mean()
    between_cells = seeds * (crossed**2).sum() / ((pipelines - 1) * (groups - 1))
    between_groups = pipelines * seeds * by_group.var(ddof=1)
    if seeds == 1:
        rest, runs, cells = np.nan, np.nan, between_cells
    else:
        left = values - by_run[:, :, None] - by_cell[:, None, :] + by_pipeline[:, None, None]
        rest = (left**2).sum() / (pipelines * (seeds - 1) * (groups - 1))
        runs = (groups * by_run.var(axis=1, ddof=1).mean() - rest) / groups
        cells = (between_cells - rest) / seeds
    return {
        "rest": float(rest),
        "seed": float(runs),
        "LLM x group": float(cells),
        "group": float((between_groups - between_cells) / (pipelines * seeds)),
        "noise": float(between_cells / (seeds * groups) + np.nan_to_num(max(runs, 0.0)) / seeds),
    }


def _across(means: np.ndarray, llms: np.ndarray, noise: float) -> dict[str, float]:
    """Return the components between pipelines and datasets, from means ``[P, D]``."""
    names, place, repeats = np.unique(llms, return_inverse=True, return_counts=True)
    several = repeats > 1
    generation = np.nan
    if several.any():
        spread = [means[place == one].var(axis=0, ddof=1).mean() for one in np.flatnonzero(several)]
        generation = float(np.average(spread, weights=repeats[several] - 1)) - noise
    cells = np.stack([means[place == one].mean(axis=0) for one in range(len(names))])
    noise = float(((max(np.nan_to_num(generation), 0.0) + noise) / repeats).mean())
    number, datasets = cells.shape
    found = {"LLM": np.nan, "dataset": np.nan, "LLM x dataset": np.nan, "generation": generation}
    if number == 1:
        return found
    if datasets == 1:
        return {**found, "LLM": float(cells[:, 0].var(ddof=1)) - noise}
    crossed = cells - cells.mean(axis=1, keepdims=True) - cells.mean(axis=0) + cells.mean()
    between = float((crossed**2).sum() / ((number - 1) * (datasets - 1)))
    return {
        **found,
        "LLM": float(cells.mean(axis=1).var(ddof=1)) - between / datasets,
        "dataset": float(cells.mean(axis=0).var(ddof=1)) - between / number,
        "LLM x dataset": between - noise,
    }


def plan(
    atlas: Atlas,
    difference: float = 0.01,
    *,
    datasets: int = 1,
    generations: Sequence[int] = (1, 3, 5, 10),
    seeds: Sequence[int] = (1, 3, 5, 10),
    power: float = 0.8,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Return how many groups of cases a comparison of two LLMs needs, by numbers of generations and seeds.

    By the normal law, so a lower limit where seeds are few.

    Args:
        atlas: Variances, from an earlier study.
        difference: The difference that shall be found.
        datasets: Number of datasets, which are compared by name.
        generations: Answers of each LLM to the prompt.
        seeds: Trainings of each answer.
        power: How often the difference shall be found.
        alpha: Two-sided level of the single comparison.

    Returns:
        A row per pair of numbers: ``generations, seeds, trainings`` (of one LLM, on all datasets), ``groups`` (per
        dataset; infinite where no number of cases is enough).

    Raises:
        UserError: The difference, a number or a chance is out of range.

    Example:
        >>> from llmseg.stats import simulate
        >>> atlas = variance_atlas(simulate(pipelines=8, datasets=3, cases=100, run_spread=0.02))
        >>> plan(atlas, 0.01, generations=[1], seeds=[3, 100])["groups"].map(math.isinf).tolist()
        [True, False]
    """
    from scipy import stats

    if not difference > 0 or not 0 < power < 1 or not 0 < alpha < 1 or min(datasets, *generations, *seeds) < 1:
        raise UserError("a plan needs a difference above 0, chances between 0 and 1, and numbers of at least 1")
    allowed = (difference / (stats.norm.isf(alpha / 2) + stats.norm.ppf(power))) ** 2 * datasets / 2
    rows = []
    for repeats, trainings in itertools.product(generations, seeds):
        fixed = (atlas.variance("generation") + atlas.variance("seed") / trainings) / repeats
        by_group = (atlas.variance("LLM x group") + atlas.variance("rest") / trainings) / repeats
        groups = math.ceil(by_group / (allowed - fixed)) if allowed > fixed else math.inf
        rows.append(
            {
                "generations": repeats,
                "seeds": trainings,
                "trainings": repeats * trainings * datasets,
                "groups": float(max(groups, 2)),
            }
        )
    frame: pd.DataFrame = pd.DataFrame(rows)
    return frame
