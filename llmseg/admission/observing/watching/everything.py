"""What is watched as soon as a script has imported torch."""

from __future__ import annotations

from types import ModuleType

from llmseg.admission.observing.watching import again, helping, learning, loading, passes, starting, trying, weights
from llmseg.admission.observing.watching.journal import Journal


def watch(journal: Journal, torch: ModuleType) -> None:
    """Watch networks, losses, optimisers, schedules, loaders and weights from now on."""
    helping.help_torch(journal, torch)
    seen = passes.Passes(journal)
    seen.watch()
    learning.watch(journal, seen)
    weights.watch(journal, seen)
    loading.watch(journal)
    starting.watch(journal, seen)
    trying.watch(journal, seen)
    again.watch(journal, seen)
