"""The verdict: what may be said of the contenders at the top of a ranking, in one sentence."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from llmseg.stats.claims import MIRRORED, Claim, Decision
from llmseg.stats.words import and_list


def state_verdict(order: Sequence[str], claims: Sequence[Claim], reason: str = "") -> str:
    """Say which difference is established among the first contenders of a ranking.

    Args:
        order: The contenders, best first.
        claims: What was found of all pairs, corrected together.
        reason: Why there are no claims, if there are none.

    Example:
        >>> from llmseg.stats import compare_all, simulate
        >>> table = simulate(pipelines=[0.0, 0.2, 0.2], seeds=3)
        >>> state_verdict(["llm-03", "llm-02", "llm-01"], compare_all(table))[:57]
        'No difference among the first 2 is established in dice: l'
    """
    found = decisions_by_pair(claims)
    ranked = [name for name in order if any(name in pair for pair in found)]
    if len(ranked) < 2:
        return f"No difference is established: {reason or 'there is nothing to compare'}."
    top = find_top(ranked, found)
    measure, one_seed = claims[0].measure, any(claim.from_one_seed for claim in claims)
    statement = _name_winner(ranked, found, measure) if len(top) == 1 else _join_equals(top, ranked, found, claims[0])
    alone = "; there is one seed, so how much another training would change is not known" if one_seed else ""
    family = claims[0].family_size
    corrected = f", after correction for {family} comparisons" if family > 1 else ""
    return f"{statement}{corrected}{alone}."


def decisions_by_pair(claims: Sequence[Claim]) -> dict[tuple[str, str], Decision]:
    """Return what claims say of every pair of contenders, in both directions."""
    found: dict[tuple[str, str], Decision] = {(claim.first, claim.second): claim.verdict for claim in claims}
    return found | {(second, first): MIRRORED[verdict] for (first, second), verdict in found.items()}


def find_top(ranked: Sequence[str], found: dict[tuple[str, str], Decision]) -> Sequence[str]:
    """Return the longest beginning of the ranking in which no contender is shown to differ from another.

    Args:
        ranked: The contenders that were compared, best first.
        found: As :func:`decisions_by_pair` returns it.
    """
    for count in range(len(ranked), 1, -1):
        if all(found.get(pair) in ("undecided", "equivalent") for pair in itertools.combinations(ranked[:count], 2)):
            return ranked[:count]
    return ranked[:1]


def _join_equals(
    top: Sequence[str], ranked: Sequence[str], found: dict[tuple[str, str], Decision], claim: Claim
) -> str:
    names = and_list(top)
    everybody = len(top) == len(ranked)
    if all(found[pair] == "equivalent" for pair in itertools.combinations(top, 2)):
        who = names if everybody else f"The first {len(top)}, {names},"
        return f"{who} are equivalent in {claim.measure}, within {claim.margin:g}"
    if len(ranked) == 2:
        return f"No difference between {names} is established in {claim.measure}"
    if everybody:
        return f"No difference among the {len(ranked)} contenders is established in {claim.measure}"
    return f"No difference among the first {len(top)} is established in {claim.measure}: {names}"


def _name_winner(ranked: Sequence[str], found: dict[tuple[str, str], Decision], measure: str) -> str:
    first, second, *_ = ranked
    others = [name for name in ranked[1:] if found[first, name] != "better"]
    if not others:
        beaten = second if len(ranked) == 2 else f"each of the {len(ranked) - 1} others"
        return f"{first} is better than {beaten} in {measure}"
    return (
        f"{first} is better than {second}, the second, in {measure}; "
        f"a difference from {and_list(others)} is not established"
    )
