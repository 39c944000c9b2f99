"""What a report is about."""

from __future__ import annotations

from dataclasses import dataclass

from llmseg.stats.columns import MEASURE_NAMES, SHARES

MARGIN = 0.01
"""Differences of a share, such as Dice, that do not matter where no margin is given."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a report is about.

    Attributes:
        measure: The measure.
        phase: Which phase's scores.
        margin: Differences below it do not matter; ``None`` for none.
        reference: The contender that all are compared with, if one was named.
    """

    measure: str = "dice"
    phase: str = "test"
    margin: float | None = None
    reference: str | None = None

    @classmethod
    def of(cls, measure: str = "dice", margin: float | None = None, reference: str | None = None) -> Question:
        """Fill in the usual margin where none is given: :data:`MARGIN` for shares, none for others.

        Example:
            >>> Question.of("dice").margin, Question.of("hd95").margin
            (0.01, None)
        """
        usual = MARGIN if measure in SHARES else None
        return cls(measure=measure, margin=usual if margin is None else margin, reference=reference)

    @property
    def title(self) -> str:
        """The measure as a heading has it.

        Example:
            >>> Question(measure="dice").title, Question(measure="hd95").title
            ('Dice', 'HD95')
        """
        return MEASURE_NAMES.get(self.measure, self.measure.replace("_", " ").capitalize())
