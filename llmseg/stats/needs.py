"""What is decided, what is not, and how many cases and seeds would decide it, in words."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from llmseg.errors import UserError
from llmseg.stats.blocks import Block, make_blocks
from llmseg.stats.claims import Claim
from llmseg.stats.table import Table
from llmseg.stats.variance import Atlas, plan, variance_atlas
from llmseg.stats.words import count_text, range_text

_SEEDS = (3, 5, 10)
"""Numbers of seeds for which the need of cases is told, beside the number that there is."""

_POWER = 0.8

_HALVINGS = 12


def state_needs(table: Table, claims: Sequence[Claim], *, phase: str = "test") -> str:
    """Say how many pairs are decided, and what would decide the others.

    The need is that of a comparison of two contenders that differ by the margin, found in 80 % of such studies, after
    the correction for all pairs. It follows from the variances of these scores, see :func:`llmseg.stats.plan`.

    Args:
        table: Scores without gaps.
        claims: What was found of all pairs, corrected together.
        phase: The phase of the scores that the claims are about.

    Returns:
        A few sentences; none where there are no claims.

    Example:
        >>> from llmseg.stats import compare_all, simulate
        >>> table = simulate(pipelines=[0.0, 0.0, 0.2], seeds=3, run_spread=0.01)
        >>> print(state_needs(table, compare_all(table, margin=0.01)).partition(" To tell")[0])
        Of 3 pairs, 2 are decided (2 differ); 1 is undecided.
    """
    if not claims:
        return ""
    counts = Counter(claim.verdict for claim in claims)
    undecided, equivalent = counts["undecided"], counts["equivalent"]
    decided = len(claims) - undecided
    kinds = [(decided - equivalent, "differ"), (equivalent, "equivalent")]
    what = ", ".join(f"{count} {word}" for count, word in kinds if count)
    if len(claims) == 1:
        state = f"The one pair is {'undecided' if undecided else 'decided'}"
    else:
        state = f"Of {len(claims)} pairs, {decided} {_is(decided)} decided{f' ({what})' if what else ''}"
        state += f"; {undecided} {_is(undecided)} undecided" if undecided else ""
    return f"{state}. {_state_plan(table, claims[0], len(claims), phase)}" if undecided else f"{state}."


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _state_plan(table: Table, claim: Claim, family: int, phase: str) -> str:
    """Say how many cases a difference as large as the margin needs, and for which difference there are enough."""
    margin = claim.margin
    if margin is None:
        return "How many cases would decide it depends on the smallest difference that matters: give a margin."
    blocks = make_blocks(table, claim.measure, phase=phase)
    try:
        atlas = variance_atlas(table, measure=claim.measure, phase=phase)
    except UserError:
        return "How many cases would decide it cannot be told from one group of cases."
    design = _Design(atlas, len(blocks), claim.alpha / family)
    seeds, sizes = min(len(block.seeds) for block in blocks), [len(block.sizes) for block in blocks]
    noun = _name_units(blocks)
    where = " on each dataset" if len(blocks) > 1 else ""
    there = f"There are {range_text(sizes)} {noun}{where} and {count_text(seeds, 'seed')}"
    # Errors of datasets add up, so the smallest dataset counts most: their harmonic mean stands for all.
    found = design.find_smallest(statistics.harmonic_mean(sizes), seeds, margin)
    if found <= margin:
        closer = "what is undecided probably lies closer together"
        return f"{there}, enough to tell apart what differs by {margin:g}; {closer}."
    there += f", enough to tell apart what differs by {found:.2g}." if math.isfinite(found) else "."
    begin = f"To tell apart two contenders that differ by {margin:g}, in {100 * _POWER:.0f} % of such studies, it"
    if seeds == 1:
        # What differs between trainings is not known, and is taken for nothing here.
        least = f"{_round(design.count_groups(margin, 1)):,} {noun}{where}"
        return f"{begin} takes at least {least}, and more if trainings differ, which one seed does not tell. {there}"
    numbers = sorted({seeds, *(number for number in _SEEDS if number > seeds)})
    needs = {number: design.count_groups(margin, number) for number in numbers}
    options = [f"{_round(count):,} with {number} seeds" for number, count in needs.items() if math.isfinite(count)]
    if not options:
        return f"{begin} would take more than {numbers[-1]} seeds, however many {noun} there are. {there}"
    options[0] = options[0].replace(" with", f" {noun}{where} with", 1)
    listed = " or ".join([", ".join(options[:-1]), options[-1]] if len(options) > 1 else options)
    return f"{begin} takes about {listed}. {there}"


def _name_units(blocks: Sequence[Block]) -> str:
    return "cases" if all((block.sizes == 1).all() for block in blocks) else "groups of cases"


@dataclass(frozen=True)
class _Design:
    """A study whose variances are known.

    Attributes:
        atlas: The variances.
        datasets: Number of datasets.
        alpha: Level of a single comparison.
    """

    atlas: Atlas
    datasets: int
    alpha: float

    def count_groups(self, difference: float, seeds: int) -> float:
        """Return how many groups of cases per dataset a difference needs; infinite where none are enough."""
        needed = plan(
            self.atlas,
            difference,
            datasets=self.datasets,
            generations=[1],
            seeds=[seeds],
            power=_POWER,
            alpha=self.alpha,
        )
        return float(needed["groups"].iloc[0])

    def find_smallest(self, groups: float, seeds: int, margin: float) -> float:
        """Return the smallest difference, from the margin to 1000 margins, for which these groups are enough."""
        if self.count_groups(margin, seeds) <= groups:
            return margin
        small, large = margin, 1000 * margin
        if self.count_groups(large, seeds) > groups:
            return math.inf
        for _ in range(_HALVINGS):
            # Halved on a scale of ratios, because two digits are shown.
            middle = math.sqrt(small * large)
            small, large = (small, middle) if self.count_groups(middle, seeds) <= groups else (middle, large)
        return large


def _round(count: float) -> int:
    """Return a number of cases with two digits, rounded up: variances are not known better than that."""
    step = 10 ** max(0, len(str(int(count))) - 2)
    return int(math.ceil(count / step) * step)
