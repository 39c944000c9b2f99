"""The first sentence of a report, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llmseg.report.analysis import Analysis
from llmseg.report.families import find_pairs
from llmseg.report.texts import score_text
from llmseg.stats.claims import Claim
from llmseg.stats.columns import sign
from llmseg.stats.verdict import decisions_by_pair, find_top
from llmseg.stats.words import and_list


def write_headline(analysis: Analysis, labels: Mapping[str, str]) -> str:
    """Say who is best, and whether that is shown.

    Args:
        analysis: What was computed.
        labels: Names of the contenders for readers.

    Example:
        >>> from llmseg.report import Question, analyse
        >>> from llmseg.stats import simulate
        >>> table = simulate(pipelines=[0.0, 0.2, 0.2], seeds=3)
        >>> analysis = analyse(table, Question.of(), dict.fromkeys(table.contenders))
        >>> write_headline(analysis, {"llm-01": "A", "llm-02": "B", "llm-03": "C"})
        'C has the highest mean Dice (0.971) of 3 contenders, but B is as good.'
    """
    places, title = analysis.overall.places, analysis.question.title
    if not places:
        return "The contenders cannot be ranked: they have no scores on the same cases."
    value = score_text(places[0].mean)
    if analysis.overall.nobody:
        return f"No contender has learnt to segment these images: the best mean {title} is {value}."
    first = [labels[place.contender] for place in places if place.rank == places[0].rank]
    superlative = "highest" if sign(analysis.question.measure) > 0 else "lowest"
    if len(places) == 1:
        return f"{first[0]} has a mean {title} of {value}; there is nothing to compare it with."
    if len(first) > 1:
        return f"{and_list(first)} share the {superlative} mean {title} ({value}) of {len(places)} contenders."
    best = f"{first[0]} has the {superlative} mean {title} ({value}) of {len(places)} contenders"
    pairs = find_pairs(analysis.families)
    claims = pairs.claims if pairs else ()
    return f"{best}{_how_sure([place.contender for place in places], claims, labels)}."


def _how_sure(order: Sequence[str], claims: Sequence[Claim], labels: Mapping[str, str]) -> str:
    """Return what may be said of the first against the others, as the rest of a sentence."""
    found = decisions_by_pair(claims)
    ranked = [name for name in order if any(name in pair for pair in found)]
    if len(ranked) < 2 or ranked[0] != order[0]:
        return ""
    top = find_top(ranked, found)
    if len(top) == 1:
        open_pairs = [labels[name] for name in ranked[1:] if found[ranked[0], name] != "better"]
        return f", and is better than each of {'the' if open_pairs else 'all'} others" + (
            f" but {and_list(open_pairs)}, of which that is not shown" if open_pairs else ""
        )
    who = labels[top[1]] if len(top) == 2 else f"the next {len(top) - 1}"
    if all(found[top[0], name] == "equivalent" for name in top[1:]):
        return f", but {who} {'is' if len(top) == 2 else 'are'} as good"
    return f", but it is not shown to be better than {'any other' if 2 < len(top) == len(ranked) else who}"
