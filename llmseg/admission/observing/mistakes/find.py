"""All rules one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from llmseg.admission.findings import Finding
from llmseg.admission.observing.mistakes import (
    choosing,
    learning,
    losses,
    masks,
    numbers,
    pairs,
    parts,
    scoring,
    signs,
)
from llmseg.admission.observing.observation import Observation

RULES: tuple[Callable[[Observation], Iterator[Finding]], ...] = (
    pairs.find_wrong_pairs,
    pairs.find_separate_draws,
    pairs.find_shifts,
    pairs.find_misread_masks,
    masks.find_wrong_values,
    losses.find_wrong_shapes,
    losses.find_sigmoids,
    losses.find_softmaxes,
    signs.find_wrong_signs,
    learning.find_lost_modes,
    learning.find_optimizer_faults,
    learning.find_schedule_faults,
    learning.find_repeated_draws,
    learning.find_fixed_orders,
    scoring.find_randomness,
    scoring.find_other_preparations,
    parts.find_divided_cases,
    parts.find_statistics_of_all,
    parts.find_left_out_cases,
    parts.find_early_masks,
    choosing.find_choices_on_test,
    choosing.find_thresholds_on_test,
    choosing.find_wrong_weights,
    numbers.find_wrong_sums,
    numbers.find_invented_scores,
)


def find_mistakes(observation: Observation) -> tuple[Finding, ...]:
    """Return the silent mistakes that show in an observation, by their numbers.

    A rule that is not sure says nothing: an observation without a finding is no proof that there is no mistake.

    Args:
        observation: Of a run of two epochs at least; three show more.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from llmseg.admission import Phantoms, find_mistakes, read_observation
        >>> with tempfile.TemporaryDirectory() as empty:
        ...     find_mistakes(read_observation(Path(empty), Phantoms(12)))
        ()
    """
    found = [finding for rule in RULES for finding in rule(observation)]
    return tuple(sorted(found, key=lambda finding: finding.number))
