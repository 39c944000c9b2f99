"""What may be said of every variant of a study against its base, corrected for all comparisons of the study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from llmseg.stats.claims import MIRRORED, Claim
from llmseg.stats.columns import MARGIN, SHARES
from llmseg.stats.comparisons import compare_all
from llmseg.stats.secondary import compare_secondary
from llmseg.stats.table import Table


def find_verdicts(paired: pd.DataFrame, measure: str, alpha: float) -> pd.DataFrame:
    """Return p values and verdicts of every variant against the base, as a report of the study states them.

    The family is that of a report's "Who is better than whom?": all pairs of recipes, corrected by Holm, with the usual
    margin. Contenders beside the recipes are in the family of a report, but not in this one.

    Args:
        paired: As :meth:`llmseg.Study.paired` returns it, without gaps.
        measure: The measure of the scores.
        alpha: Accepted chance of a false claim, over the family.

    Returns:
        A row per variant: ``variant``; ``p`` of "there is no difference"; ``p_corrected``; and ``verdict``, one of
        :data:`llmseg.stats.claims.DECISIONS`.
    """
    claims: tuple[Claim, ...] = ()
    if len(paired.columns) > 1 and len(paired):
        margin = MARGIN if measure in SHARES else None
        claims = compare_all(_make_table(paired, measure), measure=measure, margin=margin, alpha=alpha)
    return _select(claims, str(paired.columns[0]))


def find_secondary_verdicts(paired: Mapping[str, pd.DataFrame], alpha: float) -> dict[str, pd.DataFrame]:
    """Return what :func:`find_verdicts` returns, for secondary measures; see :func:`llmseg.stats.compare_secondary`.

    Args:
        paired: The paired scores by their measure.
        alpha: Accepted chance of a false claim, over all secondary measures.
    """
    tables = {name: _make_table(wide, name) for name, wide in paired.items() if len(wide.columns) > 1 and len(wide)}
    claims = compare_secondary(tables, alpha=alpha) if tables else ()
    return {
        name: _select([claim for claim in claims if claim.measure == name], str(wide.columns[0]))
        for name, wide in paired.items()
    }


def _select(claims: Sequence[Claim], base: str) -> pd.DataFrame:
    """Return a row per claim of a variant against the base."""
    rows = []
    for claim in claims:
        if base in (claim.first, claim.second):
            variant, verdict = claim.first, claim.verdict
            if variant == base:
                variant, verdict = claim.second, MIRRORED[verdict]
            rows.append((variant, claim.p_difference, claim.p_difference_adjusted, verdict))
    table: pd.DataFrame = pd.DataFrame(rows, columns=["variant", "p", "p_corrected", "verdict"])
    return table


def _make_table(paired: pd.DataFrame, measure: str) -> Table:
    long = paired.melt(var_name="pipeline", ignore_index=False).reset_index()
    return Table.from_frame(long, fill={"variant": "base", "dataset": "held out", "phase": "test", "measure": measure})
