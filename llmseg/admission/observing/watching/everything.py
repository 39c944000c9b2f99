"""What is watched as soon as a script has imported torch."""

from __future__ import annotations

from llmseg.admission.observing.watching import again, learning, loading, passes, weights
from llmseg.admission.observing.watching.journal import Journal


def watch(journal: Journal) -> None:
    """Watch networks, losses, optimisers, schedules, loaders and weights from now on."""
    seen = passes.Passes(journal)
    seen.watch()
    learning.watch(journal, seen)
    weights.watch(journal, seen)
    loading.watch(journal)
    again.watch(journal, seen)
