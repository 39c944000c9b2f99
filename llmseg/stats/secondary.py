"""Comparisons in measures that were not chosen as the primary one."""

from __future__ import annotations

from collections.abc import Mapping

from llmseg.stats.claims import Claim, correct_claims
from llmseg.stats.comparisons import compare_all
from llmseg.stats.table import Table
from llmseg.stats.words import and_list


def compare_secondary(tables: Mapping[str, Table], *, phase: str = "test", alpha: float = 0.05) -> tuple[Claim, ...]:
    """Compare all pairs of contenders in several secondary measures; all of these comparisons are one family.

    The primary measure is a family of its own, so its p values do not suffer from further measures. In turn, the
    accepted chance of a false claim holds for the primary measure and for all secondary ones each, and not for both
    together. Equivalence is not tested: margins are chosen for the primary measure.

    Args:
        tables: Scores without gaps, by the measure that is compared in them.
        phase: Which phase.
        alpha: Accepted chance of a false claim, over all secondary measures.

    Returns:
        The claims, measure by measure, corrected by Holm.

    Raises:
        UserError: As for :func:`llmseg.stats.compare_all`.

    Example:
        >>> from llmseg.stats import simulate
        >>> table = simulate(pipelines=[0.0, 0.0, 0.1])
        >>> claims = compare_secondary({"dice": table})
        >>> len(claims), claims[0].family
        (3, 'all pairs in the secondary measure dice')
    """
    claims = [claim for measure, table in tables.items() for claim in compare_all(table, measure=measure, phase=phase)]
    plural = "" if len(tables) == 1 else "s"
    return correct_claims(claims, "holm", alpha, f"all pairs in the secondary measure{plural} {and_list(tables)}")
