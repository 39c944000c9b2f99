"""When a probe says nothing: a run did not end, no weights were seen, or equal runs differ."""

from __future__ import annotations

import numpy as np

from llmseg.admission.probes.bench import Trial
from llmseg.admission.probes.result import ProbeResult


def judge_ending(probe: str, *trials: Trial) -> ProbeResult | None:
    """Return the result that follows from a run that did not end by itself, ``None`` if all did."""
    for trial in trials:
        if trial.ended_by == "harness":
            return ProbeResult(probe, "harness fault", f"the run '{trial.variation.name}': {trial.ending}")
        if not trial.is_finished:
            return ProbeResult(probe, "does not apply", f"the run '{trial.variation.name}' was {trial.ending}")
    return None


def judge_weights(probe: str, *trials: Trial) -> ProbeResult | None:
    """Return the result that follows if runs did not end or their weights were not seen, otherwise ``None``."""
    ended = judge_ending(probe, *trials)
    if ended is None and not all(trial.after_epochs for trial in trials):
        return ProbeResult(probe, "does not apply", "no weights were seen after an epoch")
    return ended


def is_same_training(one: Trial, other: Trial) -> bool:
    """Return whether two runs had the same losses and the same weights after every epoch, to the last bit."""
    # Losses may be NaN, which no comparison of tuples takes as equal.
    losses, others = np.array(one.losses, dtype=float), np.array(other.losses, dtype=float)
    return one.after_epochs == other.after_epochs and np.array_equal(losses, others, equal_nan=True)


def has_same_weights(one: Trial, other: Trial) -> bool:
    """Return whether two runs had the same training, and tested the same weights."""
    return is_same_training(one, other) and one.tested == other.tested
