"""The claims of a report: families of comparisons, each corrected by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from llmseg import zoo
from llmseg.errors import UserError, nearest
from llmseg.report.question import Question
from llmseg.stats.claims import DECISIONS, Claim
from llmseg.stats.cohorts import compare_cohorts
from llmseg.stats.comparisons import compare_all
from llmseg.stats.options import check_margin
from llmseg.stats.table import Table
from llmseg.zoo import Card

_PAIRS = "Who is better than whom?"
_REASONING, _OTHER = "the group of reasoning models", "the group of other models"


@dataclass(frozen=True)
class Family:
    """Comparisons that are corrected together, under a question.

    Attributes:
        id: A short name for links.
        question: What is asked.
        claims: The answers; empty where there is none.
        reason: Why there is none.
    """

    id: str
    question: str
    claims: tuple[Claim, ...]
    reason: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """Number of claims by verdict."""
        return {verdict: sum(one.verdict == verdict for one in self.claims) for verdict in DECISIONS}


def families(table: Table | None, cards: Mapping[str, Card | None], question: Question) -> tuple[Family, ...]:
    """Answer what is usually asked of a study.

    Args:
        table: Scores without gaps, ``None`` if there are none.
        cards: Card of every contender, ``None`` where the zoo does not know it.
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
    found = [_cohort(table, question, *asked) for asked in _cohorts(names, cards)]
    known = [name for name in cards if (card := cards[name]) is not None and card.is_reference]
    against = reference or (known[0] if known else None)
    if against is not None and (against not in names or len(names) > 2):
        found.append(_against(table, question, against))
    return (*found, _tried("pairs", _PAIRS, lambda: _compared(table, question, None)))


def _cohort(table: Table, asked: Question, id: str, question: str, pair: tuple[str, str], of: dict[str, str]) -> Family:
    return _tried(
        id,
        question,
        lambda: compare_cohorts(table, of, *pair, measure=asked.measure, phase=asked.phase, margin=asked.margin),
    )


def _against(table: Table, question: Question, reference: str) -> Family:
    words = f"Who is as good as {reference}?"
    if reference not in table.contenders:
        return Family("reference", words, (), f"{reference} lacks scores on some dataset")
    return _tried("reference", words, lambda: _compared(table, question, reference))


def _compared(table: Table, asked: Question, reference: str | None) -> tuple[Claim, ...]:
    return compare_all(table, reference, measure=asked.measure, phase=asked.phase, margin=asked.margin)


def _tried(id: str, question: str, ask: Callable[[], tuple[Claim, ...]]) -> Family:
    """Ask; what cannot be answered says why."""
    try:
        return Family(id, question, ask())
    except UserError as error:
        return Family(id, question, (), str(error))


def _cohorts(
    names: Sequence[str], cards: Mapping[str, Card | None]
) -> Iterator[tuple[str, str, tuple[str, str], dict[str, str]]]:
    """Return questions about groups of LLMs; only pipelines of the study as they are count, one per LLM."""
    study = zoo.names()
    llms = {name: card for name in names if name in study and (card := cards[name]) is not None}
    years = {name: f"cohort {card.cohort}" for name, card in llms.items() if card.cohort}
    if len(set(years.values())) == 2:
        older, newer = sorted(set(years.values()))
        yield "cohorts", f"Is {newer} better than {older}?", (newer, older), years
    kinds = {name: _REASONING if card.reasoning else _OTHER for name, card in llms.items()}
    if len(set(kinds.values())) == 2:
        yield "reasoning", "Are reasoning models better than others?", (_REASONING, _OTHER), kinds
