"""The options that all functions which train a study take as keywords; :func:`llmseg.run_study` explains them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypedDict

from llmseg.errors import UserError, nearest
from llmseg.files import as_list
from llmseg.study.launching.failures import LASTING


class LaunchOptions(TypedDict, total=False):
    """Where a study is trained, and what happens to contenders that fail."""

    device: str
    precision: str
    leave_out_failing: bool
    retry: str | Collection[str]
    progress: bool


class TrainingOptions(LaunchOptions, total=False):
    """How every recipe of a study is trained."""

    seeds: int
    epochs: int | None
    tolerance: float


class StudyOptions(TrainingOptions, total=False):
    """How every recipe of a study is trained, and in which measures they are compared."""

    measures: str | Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Launch:
    """How the trainings of a study are carried out; none of it is part of the study. See :func:`llmseg.run_study`."""

    device: str = "auto"
    leave_out_failing: bool = False
    retry: str | Collection[str] = ()
    progress: bool = True

    def __post_init__(self) -> None:
        for kind in self.kinds_to_retry:
            if kind not in LASTING:
                allowed = ", ".join(LASTING)
                raise UserError(f"no failures of kind '{kind}' to retry{nearest(kind, LASTING)}; there are: {allowed}")

    @property
    def kinds_to_retry(self) -> tuple[str, ...]:
        """The kinds of failures that are tried again although they would come again."""
        return tuple(as_list(self.retry))

    @property
    def arguments(self) -> list[str]:
        """The options as they are typed after ``llmseg study run``, without those that have their usual value."""
        place = ["--device", self.device] if self.device != "auto" else []
        failing = ["--leave-out-failing"] if self.leave_out_failing else []
        return [*place, *failing, *(word for kind in self.kinds_to_retry for word in ("--retry", kind))]

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Launch:
        """Pick these options out of all of them."""
        return cls(**{field.name: options[field.name] for field in fields(cls) if field.name in options})
