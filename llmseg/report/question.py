"""What a report is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmseg.files import as_list
from llmseg.stats.columns import MARGIN, MEASURE_NAMES, SHARES


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a report is about.

    Attributes:
        measure: The measure; of several, the primary one.
        phase: Which phase.
        margin: Differences below it do not matter; ``None`` where equivalence is not asked for.
        reference: The contender that all are compared with; ``None`` for the first that the zoo knows as a reference.
        secondary: Further measures, which are corrected apart from the primary one.
    """

    measure: str = "dice"
    phase: str = "test"
    margin: float | None = None
    reference: str | None = None
    secondary: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, measure: str | Sequence[str] = "dice", margin: float | None = None, reference: str | None = None
    ) -> Question:
        """Return a question with the usual margin where none is given: :data:`MARGIN` for shares, none for others.

        Args:
            measure: Which measure; of several, the primary one first.
            margin: Differences below it do not matter; ``None`` for the usual margin.
            reference: As the attribute.

        Example:
            >>> Question.of("dice").margin, Question.of("hd95").margin
            (0.01, None)
        """
        first, *others = as_list(measure)
        usual = MARGIN if first in SHARES else None
        chosen = usual if margin is None else margin
        return cls(measure=first, margin=chosen, reference=reference, secondary=tuple(others))

    @property
    def measures(self) -> tuple[str, ...]:
        """All measures, the primary one first."""
        return (self.measure, *self.secondary)

    @property
    def title(self) -> str:
        """Name of the measure, for headings.

        Example:
            >>> Question(measure="dice").title, Question(measure="hd95").title
            ('Dice', 'HD95')
        """
        return name_measure(self.measure)


def name_measure(measure: str) -> str:
    """Return the name of a measure, for headings.

    Example:
        >>> name_measure("hd95")
        'HD95'
    """
    return MEASURE_NAMES.get(measure, measure.replace("_", " ").capitalize())
