"""All that a report says about scores, computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from llmseg.report.families import SECONDARY, Family, families, find_pairs, secondary_family
from llmseg.report.question import Question
from llmseg.report.standings import Standing, comparable, standing
from llmseg.stats.claims import Claim
from llmseg.stats.needs import state_needs
from llmseg.stats.ranking import rank
from llmseg.stats.table import Table
from llmseg.stats.verdict import state_verdict
from llmseg.zoo import Card


@dataclass(frozen=True, kw_only=True, eq=False)
class Analysis:
    """What a report says about scores.

    Attributes:
        question: What was asked.
        table: All scores of the measure.
        overall: The order of contenders over all datasets.
        by_dataset: The order of contenders on each dataset, by its name.
        families: The claims.
        scores: All scores, also those of secondary measures.
        secondary: The order of contenders over all datasets in each secondary measure.
        needs: How many pairs are decided, and what would decide the others, in words; empty without claims.
    """

    question: Question
    table: Table
    overall: Standing
    by_dataset: Mapping[str, Standing]
    families: tuple[Family, ...]
    needs: str
    scores: Table
    secondary: Mapping[str, Standing] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """Which difference among the first is established, in one sentence."""
        pairs = find_pairs(self.families)
        order = [place.contender for place in self.overall.places]
        return state_verdict(order, pairs.claims if pairs else (), pairs.reason if pairs else "")

    @property
    def secondary_verdicts(self) -> dict[str, str]:
        """What :attr:`verdict` says, for each secondary measure."""
        family = next((family for family in self.families if family.id == SECONDARY), None)
        claims, reason = (family.claims, family.reason) if family else ((), "")
        return {
            measure: _state(measure, [place.contender for place in standing.places], claims, reason)
            for measure, standing in self.secondary.items()
        }

    def standings(self) -> tuple[Standing, ...]:
        """Return all standings, the one over all datasets first."""
        return (self.overall, *self.by_dataset.values())


def analyse(table: Table, question: Question, cards: Mapping[str, Card | None]) -> Analysis:
    """Compute means, ranks and claims.

    Args:
        table: The scores.
        question: What is asked.
        cards: Card of every contender; ``None`` where the zoo does not know it.

    Raises:
        UserError: The table has no such measure, the reference is no contender, or an option is out of range.

    Example:
        >>> from llmseg.stats import simulate
        >>> table = simulate(pipelines=[0.0, 0.1], datasets=1, cases=20)
        >>> analysis = analyse(table, Question(), dict.fromkeys(table.contenders))
        >>> [place.contender for place in analysis.overall.places]
        ['llm-02', 'llm-01']
    """
    chosen = table.select(measure=question.measure, phase=question.phase)
    kept, _ = comparable(chosen, question.measure, question.phase)
    overall = standing(chosen, question.measure, question.phase)
    answers = (*families(kept, cards, question), *secondary_family(table, question))
    pairs = find_pairs(answers)
    return Analysis(
        question=question,
        table=chosen,
        overall=overall,
        by_dataset=_standings_by_dataset(chosen, question, overall),
        families=answers,
        scores=table.select(measure=list(question.measures), phase=question.phase),
        secondary={measure: standing(table, measure, question.phase) for measure in question.secondary},
        needs=state_needs(kept, pairs.claims, phase=question.phase) if kept is not None and pairs else "",
    )


def _standings_by_dataset(table: Table, question: Question, overall: Standing) -> dict[str, Standing]:
    if len(table.datasets) == 1:
        # The same cases and draws give the same standing, and those of 100,000 cases take a minute.
        return {name: replace(overall, dataset=name) for name in table.datasets}
    return {name: standing(table, question.measure, question.phase, name) for name in table.datasets}


def _state(measure: str, order: Sequence[str], claims: Sequence[Claim], reason: str) -> str:
    return state_verdict(order, [claim for claim in claims if claim.measure == measure], reason)


def judge(table: Table, question: Question) -> dict[str, str]:
    """Return the verdicts of a report on these scores, without the rest of the analysis.

    Args:
        table: The scores.
        question: What is asked.

    Returns:
        A sentence by measure, that of the primary one first.

    Example:
        >>> from llmseg.stats import simulate
        >>> judge(simulate(pipelines=[0.0, 0.2]), Question())
        {'dice': 'llm-02 is better than llm-01 in dice.'}
    """
    verdicts = {question.measure: _judge_primary(table, question)}
    for family in secondary_family(table, question):
        for measure in question.secondary:
            kept, _ = comparable(table, measure, question.phase)
            verdicts[measure] = _state(measure, _sort(kept, measure, question.phase), family.claims, family.reason)
    return verdicts


def _sort(table: Table | None, measure: str, phase: str) -> list[str]:
    """Return the contenders, best first."""
    if table is None or len(table.contenders) < 2:
        return []
    # The order alone needs no resamples; two are the fewest.
    return [*rank(table, measure=measure, phase=phase, resamples=2).frame["contender"]]


def _judge_primary(table: Table, question: Question) -> str:
    kept, _ = comparable(table, question.measure, question.phase)
    # Without cards, the only question is that of all pairs.
    (family,) = families(kept, dict.fromkeys(kept.contenders if kept else ()), question)
    if kept is None or len(kept.contenders) < 2:
        return state_verdict((), (), family.reason)
    return state_verdict(_sort(kept, question.measure, question.phase), family.claims, family.reason)
