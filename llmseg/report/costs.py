"""What the trainings of contenders took: parameters, epochs and seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from llmseg.report.profiles import Profile
from llmseg.stats.words import count_text, range_text
from llmseg.study.results import ContenderRun


@dataclass(frozen=True)
class Cost:
    """What the trainings of a contender took.

    Attributes:
        parameters: Parameters of its network; ``None`` if they are not known.
        epochs: Epochs of its trainings; empty without runs.
        seconds: Seconds that each training took; empty without runs.
    """

    parameters: int | None
    epochs: tuple[int, ...]
    seconds: tuple[float, ...]

    @property
    def texts(self) -> dict[str, str]:
        """The values in words, by column.

        Example:
            >>> Cost(7_762_465, (25, 25), (80.0, 100.4)).texts
            {'parameters': '7.8 M', 'epochs': '25', 'seconds': '90'}
        """
        seconds = fmean(self.seconds) if self.seconds else None
        return {
            "parameters": "-" if self.parameters is None else count_in_words(self.parameters),
            "epochs": range_text(self.epochs) if self.epochs else "-",
            "seconds": "-" if seconds is None else f"{seconds:,.0f}" if seconds >= 10 else f"{seconds:.1f}",
        }

    @property
    def values(self) -> dict[str, float | None]:
        """The values to sort by, by column."""
        return {
            "parameters": self.parameters,
            "epochs": fmean(self.epochs) if self.epochs else None,
            "seconds": fmean(self.seconds) if self.seconds else None,
        }


def count_in_words(count: int) -> str:
    """Return a large count in thousands or millions.

    Example:
        >>> count_in_words(950), count_in_words(31_400), count_in_words(7_762_465)
        ('950', '31 k', '7.8 M')
    """
    if count < 1000:
        return str(count)
    return f"{count / 1000:.0f} k" if count < 999_500 else f"{count / 1_000_000:.1f} M"


def find_cost(profile: Profile, dataset: str | None = None) -> Cost:
    """Return what the trainings of a contender took, on one dataset or on all.

    Args:
        profile: The contender.
        dataset: Name of the dataset; ``None`` for all.
    """
    runs = [run for run in profile.runs if dataset in (None, run.dataset)]
    # A recipe that was changed may have another network than the one on the card.
    parameters = profile.card.parameters if profile.card and not profile.ran else None
    for run in runs:
        parameters = run.run.record.get("parameters", parameters)
    seconds = [run.run.record.get("seconds") for run in runs]
    return Cost(
        parameters,
        tuple(len(run.run.history) for run in runs),
        tuple(float(value) for value in seconds if value is not None),
    )


def describe_devices(runs: Sequence[ContenderRun]) -> str:
    """Say whether the seconds of trainings can be compared; empty if nothing is known of them."""
    devices = sorted({_describe_device(run.run.record) for run in runs} - {""})
    if not devices:
        return ""
    unequal = "they were trained on different devices, so compare seconds within one only"
    where = f"on {devices[0]}" if len(devices) == 1 else f"{unequal}: {'; '.join(devices)}"
    return f"Seconds: what one training took, averaged over seeds and datasets; {where}."


def _describe_device(record: Mapping[str, Any]) -> str:
    how, hardware = record.get("how") or {}, record.get("hardware") or {}
    device = str(how.get("device", ""))
    if device.startswith("cuda") and hardware.get("gpus"):
        return str(hardware["gpus"][0])
    return f"{device} with {count_text(hardware['threads'], 'thread')}" if "threads" in hardware else device
