"""The claims of a report: families of comparisons, each corrected by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from llmseg.errors import UserError, nearest
from llmseg.stats.claims import Claim, Verdict
from llmseg.stats.cohorts import compare_cohorts
from llmseg.stats.comparisons import compare_all
from llmseg.stats.table import Table
from llmseg.zoo import Card

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


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
        return {verdict: sum(one.verdict == verdict for one in self.claims) for verdict in VERDICTS}


def families(
    table: Table | None,
    cards: Mapping[str, Card | None],
    *,
    measure: str,
    phase: str,
    margin: float | None,
    reference: str | None,
) -> tuple[Family, ...]:
    """Answer what is usually asked of a study.

    Args:
        table: Scores without gaps, ``None`` if there are none.
        cards: Card of every contender, ``None`` where the zoo does not know it.
        measure: Which measure.
        phase: Which phase.
        margin: Differences below it do not matter.
        reference: The contender that all are compared with; without it, the first that the zoo knows as a reference.

    Raises:
        UserError: There is no such reference.
    """
    names = table.contenders if table else ()
    if reference is not None and reference not in cards:
        raise UserError(f"no contender '{reference}'{nearest(reference, cards)}; there are {', '.join(cards)}")
    if table is None or len(names) < 2:
        count = "one contender" if len(names) == 1 else "no contender"
        return (Family("pairs", "Who is better than whom?", (), f"{count} can be compared on all datasets"),)
    options = {"measure": measure, "phase": phase, "margin": margin}
    return tuple(_found(table, names, cards, reference, options))


def _found(
    table: Table,
    names: Sequence[str],
    cards: Mapping[str, Card | None],
    reference: str | None,
    options: Mapping[str, object],
) -> Iterator[Family]:
    for id, question, first, second, labels in _cohorts(names, cards):
        yield _tried(
            id,
            question,
            lambda labels=labels, first=first, second=second: compare_cohorts(  # type: ignore[misc]
                table, labels, first, second, **options
            ),
        )
    known = [name for name in names if (card := cards[name]) is not None and card.is_reference]
    against = reference or (known[0] if known else None)
    if against is not None and against in names and len(names) > 2:
        question = f"Who is as good as {against}?"
        yield _tried("reference", question, lambda: compare_all(table, against, **options))  # type: ignore[arg-type]
    elif against is not None and against not in names:
        yield Family("reference", f"Who is as good as {against}?", (), f"{against} lacks scores on some dataset")
    yield _tried("pairs", "Who is better than whom?", lambda: compare_all(table, **options))  # type: ignore[arg-type]


def _tried(id: str, question: str, ask) -> Family:  # type: ignore[no-untyped-def]
    """Ask; what cannot be answered says why."""
    try:
        return Family(id, question, ask())
    except UserError as error:
        return Family(id, question, (), str(error))


def _cohorts(
    names: Sequence[str], cards: Mapping[str, Card | None]
) -> Iterator[tuple[str, str, str, str, dict[str, str]]]:
    """Return questions about groups of LLMs; only pipelines of the study as they are count, one per LLM."""
    llms = {name: card for name in names if (card := cards[name]) is not None and card.in_study and " " not in name}
    llms = {name: card for name, card in llms.items() if "@" not in name}
    years = {name: f"{card.cohort} models" for name, card in llms.items() if card.cohort}
    if len(set(years.values())) == 2:
        older, newer = sorted(set(years.values()))
        yield "cohorts", f"Are {newer} better than {older}?", newer, older, years
    kinds = {name: "reasoning models" if card.reasoning else "other models" for name, card in llms.items()}
    if len(set(kinds.values())) == 2:
        yield "reasoning", "Are reasoning models better than others?", "reasoning models", "other models", kinds
