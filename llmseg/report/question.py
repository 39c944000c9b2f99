"""What a report is about."""

from __future__ import annotations

from dataclasses import dataclass

from llmseg.stats.columns import MARGIN, MEASURE_NAMES, SHARES


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a report is about.

    Attributes:
        measure: The measure.
        phase: Which phase.
        margin: Differences below it do not matter; ``None`` where equivalence is not asked for.
        reference: The contender that all are compared with; ``None`` for the first that the zoo knows as a reference.
    """

    measure: str = "dice"
    phase: str = "test"
    margin: float | None = None
    reference: str | None = None

    @classmethod
    def of(cls, measure: str = "dice", margin: float | None = None, reference: str | None = None) -> Question:
        """Return a question with the usual margin where none is given: :data:`MARGIN` for shares, none for others.

        Args:
            measure: Which measure.
            margin: Differences below it do not matter; ``None`` for the usual margin.
            reference: As the attribute.

        Example:
            >>> Question.of("dice").margin, Question.of("hd95").margin
            (0.01, None)
        """
        usual = MARGIN if measure in SHARES else None
        return cls(measure=measure, margin=usual if margin is None else margin, reference=reference)

    @property
    def title(self) -> str:
        """Name of the measure, for headings.

        Example:
            >>> Question(measure="dice").title, Question(measure="hd95").title
            ('Dice', 'HD95')
        """
        return MEASURE_NAMES.get(self.measure, self.measure.replace("_", " ").capitalize())
