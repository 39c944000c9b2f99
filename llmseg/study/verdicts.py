"""What may be said of every variant of a study against its base, corrected for all comparisons of the study."""

from __future__ import annotations

import pandas as pd

from llmseg.stats.claims import MIRRORED
from llmseg.stats.columns import MARGIN, SHARES
from llmseg.stats.comparisons import compare_all
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
    base = str(paired.columns[0])
    rows = []
    if len(paired.columns) > 1:
        margin = MARGIN if measure in SHARES else None
        claims = compare_all(_make_table(paired, measure), measure=measure, margin=margin, alpha=alpha)
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
