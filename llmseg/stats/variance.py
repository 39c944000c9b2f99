"""Why scores differ: the shares of variance, and what they say about the size of the next study."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from llmseg.errors import UserError
from llmseg.stats.blocks import Block, make_blocks
from llmseg.stats.table import Table

SOURCES = ("LLM", "dataset", "LLM x dataset", "generation", "seed", "group", "LLM x group", "rest")
"""Sources of variance.

``generation`` is another answer of the same LLM to the same prompt, as in ``gpt-4o@run-01``; ``seed`` is another
training of the same pipeline; ``group`` is how hard a group of cases is for all pipelines; ``LLM x group`` is how much
harder it is for one of them; ``rest`` is what is left.
"""

# Why a source cannot be told apart from others, where it cannot.
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
        frame: A row per source: ``source, variance, share``; NaN where a source cannot be told apart from others.
        remarks: What a reader has to know, a sentence each.
    """

    measure: str
    frame: pd.DataFrame
    remarks: tuple[str, ...]

    def variance(self, source: str) -> float:
        """Return the variance due to a source; 0 where it is unknown.

        Args:
            source: One of :data:`SOURCES`.
        """
        value = float(self.frame.set_index("source").loc[source, "variance"])
        return 0.0 if math.isnan(value) else value


def variance_atlas(table: Table, *, measure: str = "dice", phase: str = "test") -> Atlas:
    """Split the variance of scores by its sources, by the method of moments.

    Scores are averaged over the cases of a group. Within every dataset, an analysis of variance (pipeline, seed, group)
    gives components, which are averaged over datasets. LLMs are then compared across datasets. A component that comes
    out below zero is set to zero.

    Args:
        table: The scores. A table does not tell splits and machines apart: what differs between them is part of the
            seed.
        measure: Which measure.
        phase: Which phase.

    Raises:
        UserError: A dataset has one group only, there is one contender only, or a score is missing.

    Example:
        >>> from llmseg.stats import simulate
        >>> atlas = variance_atlas(simulate(pipelines=8, datasets=3, cases=200, run_spread=0.03))
        >>> round(atlas.variance("seed") ** 0.5, 2), round(atlas.variance("rest") ** 0.5, 2)
        (0.03, 0.02)
    """
    blocks = make_blocks(table, measure, phase=phase)
    single = [block.dataset for block in blocks if len(block.sizes) < 2]
    if single or len(blocks[0].contenders) < 2:
        raise UserError(f"{single[0] if single else 'the table'} has one group or one contender; give two")
    # A variant and a repeated generation (gpt-4o@run-01) count as other answers of the same LLM.
    llms = np.array([name.split(" ")[0].split("@")[0] for name in blocks[0].contenders])
    components = pd.DataFrame([_components_within(block) for block in blocks])
    # The part of the variance of a pipeline's mean on a dataset that is due to its seeds and groups.
    noise = float(components.pop("noise").mean())
    means = np.stack([block.means for block in blocks], axis=1)
    variances = {**components.mean().to_dict(), **_components_across(means, llms, noise)}
    values = np.array([variances[source] for source in SOURCES])
    positive = np.maximum(np.nan_to_num(values), 0)
    share = positive / positive.sum() if positive.any() else positive
    unknown = np.isnan(values)
    frame = pd.DataFrame(
        {
            "source": SOURCES,
            "variance": np.where(unknown, np.nan, positive),
            "share": np.where(unknown, np.nan, share),
        }
    )
    remarks = [f"{source} is not told apart: {_UNKNOWN[source]}" for source in frame.loc[unknown, "source"]]
    return Atlas(measure=measure, frame=frame, remarks=(*table.remarks, *remarks))


def _components_within(block: Block) -> dict[str, float]:
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


def _components_across(means: np.ndarray, llms: np.ndarray, noise: float) -> dict[str, float]:
    """Return the components between pipelines and datasets, from means ``[P, D]``."""
    names, llm, repeats = np.unique(llms, return_inverse=True, return_counts=True)
    several = repeats > 1
    generation = np.nan
    if several.any():
        spread = [means[llm == index].var(axis=0, ddof=1).mean() for index in np.flatnonzero(several)]
        generation = float(np.average(spread, weights=repeats[several] - 1)) - noise
    cells = np.stack([means[llm == index].mean(axis=0) for index in range(len(names))])
    # Of a mean over generations, less is due to chance the more there are.
    noise = float(((max(np.nan_to_num(generation), 0.0) + noise) / repeats).mean())
    count, datasets = cells.shape
    components = {"LLM": np.nan, "dataset": np.nan, "LLM x dataset": np.nan, "generation": generation}
    if count == 1:
        return components
    if datasets == 1:
        return {**components, "LLM": float(cells[:, 0].var(ddof=1)) - noise}
    crossed = cells - cells.mean(axis=1, keepdims=True) - cells.mean(axis=0) + cells.mean()
    between = float((crossed**2).sum() / ((count - 1) * (datasets - 1)))
    return {
        **components,
        "LLM": float(cells.mean(axis=1).var(ddof=1)) - between / datasets,
        "dataset": float(cells.mean(axis=0).var(ddof=1)) - between / count,
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

    The normal law is assumed, so the numbers are lower limits where seeds are few.

    Args:
        atlas: Variances, from an earlier study.
        difference: The difference to find, above 0, in the unit of the measure.
        datasets: Number of datasets, each with the same weight.
        generations: Numbers to try of answers of each LLM to the prompt.
        seeds: Numbers to try of trainings of each answer.
        power: Chance of finding the difference, between 0 and 1.
        alpha: Two-sided level of the single comparison, between 0 and 1.

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
    # The variance that the mean of one LLM on one dataset may have; comparing two doubles it, datasets divide it.
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
