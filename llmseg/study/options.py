"""The options that all functions which train a study take as keywords; :func:`llmseg.run_study` explains them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypedDict


class LaunchOptions(TypedDict, total=False):
    """Where a study is trained, and what happens to contenders that fail."""

    device: str
    precision: str
    leave_out_failing: bool
    progress: bool


class StudyOptions(LaunchOptions, total=False):
    """How every recipe of a study is trained and scored."""

    seeds: int
    epochs: int | None
    tolerance: float


@dataclass(frozen=True, kw_only=True)
class Launch:
    """How the trainings of a study are carried out; none of it is part of the study. See :func:`llmseg.run_study`."""

    device: str = "auto"
    leave_out_failing: bool = False
    progress: bool = True

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Launch:
        """Pick these options out of all of them."""
        return cls(**{field.name: options[field.name] for field in fields(cls) if field.name in options})
