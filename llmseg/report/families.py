"""The claims of a report, in families: a family answers a question, and its p values are corrected together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from llmseg import zoo
from llmseg.errors import UserError, nearest
from llmseg.report.question import Question
from llmseg.report.standings import comparable
from llmseg.stats.claims import DECISIONS, Claim
from llmseg.stats.cohorts import compare_cohorts
from llmseg.stats.comparisons import compare_all
from llmseg.stats.options import check_margin
from llmseg.stats.secondary import compare_secondary
from llmseg.stats.table import Table
from llmseg.stats.words import and_list
from llmseg.zoo import Card

_PAIRS = "Who is better than whom?"
SECONDARY = "secondary"
_REASONING, _OTHER = "the group of reasoning models", "the group of other models"


@dataclass(frozen=True)
class Family:
    """Comparisons whose p values are corrected together, because they answer one question.

    Attributes:
        id: A short name, for links.
        question: The question.
        claims: The answers; empty where there is none.
        reason: Why there is no answer, if there is none.
    """

    id: str
    question: str
    claims: tuple[Claim, ...]
    reason: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """Number of claims by their verdict."""
        return {verdict: sum(claim.verdict == verdict for claim in self.claims) for verdict in DECISIONS}


def families(table: Table | None, cards: Mapping[str, Card | None], question: Question) -> tuple[Family, ...]:
    """Answer the questions that a study is usually asked.

    These are: did one cohort beat the other, did reasoning models beat others, who is as good as the reference, and who
    is better than whom. Questions about cohorts and references are left out where there are none.

    Args:
        table: Scores without gaps; ``None`` if there are none.
        cards: Card of every contender; ``None`` where the zoo does not know it.
        question: What is asked. Without a reference, all are compared with the first that the zoo knows as one.

    Raises:
        UserError: There is no such reference, or the margin is not above 0.
    """
    reference, names = question.reference, table.contenders if table else ()
    if reference is not None and reference not in cards:
        raise UserError(f"no contender '{reference}'{nearest(reference, cards)}; there are {', '.join(cards)}")
    check_margin(question.margin)
    if table is None or len(names) < 2:
        count = "one contender" if len(names) == 1 else "no contender"
        return (Family("pairs", _PAIRS, (), f"{count} can be compared on all datasets"),)
    answers = [_compare_cohorts(table, question, *asked) for asked in _cohort_questions(names, cards)]
    references = [name for name in cards if (card := cards[name]) is not None and card.is_reference]
    against = reference or (references[0] if references else None)
    # Of two contenders, all pairs is the same comparison.
    if against is not None and (against not in names or len(names) > 2):
        answers.append(_compare_with(table, question, against))
    return (*answers, _answer("pairs", _PAIRS, lambda: _compare(table, question, None)))


def secondary_family(table: Table, question: Question) -> tuple[Family, ...]:
    """Return the comparisons in all secondary measures, as one family; nothing if there are no such measures.

    Args:
        table: All scores.
        question: What is asked.

    Raises:
        UserError: The table has no such measure.
    """
    if not question.secondary:
        return ()
    kept = {measure: comparable(table, measure, question.phase)[0] for measure in question.secondary}
    tables = {measure: part for measure, part in kept.items() if part is not None and len(part.contenders) > 1}
    words = f"Who is better in secondary measures ({and_list(question.secondary)})?"
    if not tables:
        return (Family(SECONDARY, words, (), "fewer than two contenders have scores in them"),)
    return (_answer(SECONDARY, words, lambda: compare_secondary(tables, phase=question.phase)),)


def find_pairs(answers: Sequence[Family]) -> Family | None:
    """Return the family of all pairs of contenders; ``None`` if it is not among these."""
    return next((family for family in answers if family.id == "pairs"), None)


def _compare_cohorts(
    table: Table, asked: Question, id: str, question: str, pair: tuple[str, str], cohorts: dict[str, str]
) -> Family:
    return _answer(
        id,
        question,
        lambda: compare_cohorts(table, cohorts, *pair, measure=asked.measure, phase=asked.phase, margin=asked.margin),
    )


def _compare_with(table: Table, question: Question, reference: str) -> Family:
    words = f"Who is as good as {reference}?"
    if reference not in table.contenders:
        return Family("reference", words, (), f"{reference} lacks scores on some dataset")
    return _answer("reference", words, lambda: _compare(table, question, reference))


def _compare(table: Table, asked: Question, reference: str | None) -> tuple[Claim, ...]:
    return compare_all(table, reference, measure=asked.measure, phase=asked.phase, margin=asked.margin)


def _answer(id: str, question: str, compute: Callable[[], tuple[Claim, ...]]) -> Family:
    """Return the claims, or why there are none: a question that cannot be answered does not stop a report."""
    try:
        return Family(id, question, compute())
    except UserError as error:
        return Family(id, question, (), str(error))


def _cohort_questions(
    names: Sequence[str], cards: Mapping[str, Card | None]
) -> Iterator[tuple[str, str, tuple[str, str], dict[str, str]]]:
    """Yield questions about groups of LLMs: id, question, the two groups, and the group of every LLM.

    Only unchanged pipelines of the study take part, so that every LLM counts once.
    """
    study = zoo.names()
    llms = {name: card for name in names if name in study and (card := cards[name]) is not None}
    years = {name: f"cohort {card.cohort}" for name, card in llms.items() if card.cohort}
    if len(set(years.values())) == 2:
        older, newer = sorted(set(years.values()))
        yield "cohorts", f"Is {newer} better than {older}?", (newer, older), years
    kinds = {name: _REASONING if card.reasoning else _OTHER for name, card in llms.items()}
    if len(set(kinds.values())) == 2:
        yield "reasoning", "Are reasoning models better than others?", (_REASONING, _OTHER), kinds
