"""A study as a file: pipelines, datasets, seeds and changes, in TOML, or as a Python value of that shape."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from llmseg.data.draw_holdout import draw_folds, guess_folds, guess_holdout, hold_out
from llmseg.data.holdout import Holdout
from llmseg.data.store import Store
from llmseg.errors import UserError, nearest
from llmseg.evaluation.measures import check_measures
from llmseg.files.notes import warn
from llmseg.recipe.given import SUFFIXES
from llmseg.study.file.datasets import StudyDataset
from llmseg.study.file.keys import Kind, check_table
from llmseg.study.record import PRIMARY

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Protocol = Literal["benchmark", "fixed-epochs", "replay"]
"""How recipes are trained: as the device is fastest, all for the same number of epochs, or bit for bit as scripts."""


_SMALLEST = 'pipelines = ["gpt-4"] and datasets.phantoms.synthetic = "fundus"'

_MOST_SEEDS = 10_000
"""More are a slip of the hand: the list of their cells alone would fill the memory."""


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """How the test cases of a dataset are drawn that names none; see :func:`llmseg.hold_out`.

    Attributes:
        fraction: Share of the cases.
        split: ``grouped`` or ``random``.
        seed: Seed of the draw.
        folds: Number of folds of a cross-validation, in which every case is a test case once, instead of a share of
            them, see :func:`llmseg.draw_folds`; ``None`` for none.

    Example:
        >>> HeldOut(fraction=0.4).split
        'grouped'
    """

    fraction: float = 0.3
    split: Literal["grouped", "random"] = "grouped"
    seed: int = 0
    folds: int | None = None

    @property
    def share(self) -> float:
        """The share of the cases in one held-out test set."""
        return self.fraction if self.folds is None else 1 / self.folds

    def draw(self, store: Store, *, guess: bool = False, progress: bool = False) -> tuple[Holdout, ...]:
        """Return the test cases of a dataset: one held-out test set, or that of every fold.

        Args:
            store: The cases.
            guess: Whether other cases of about the same number will do, as for a plan; then no image is read.
            progress: Whether to show a progress bar.

        Raises:
            UserError: They cannot be drawn so.
        """
        how: dict[str, Any] = {"split": self.split, "seed": self.seed, "progress": progress}
        if self.folds is None:
            return ((guess_holdout if guess else hold_out)(store, fraction=self.fraction, **how),)
        return (guess_folds if guess else draw_folds)(store, self.folds, **how)


@dataclass(frozen=True, kw_only=True)
class StudyFile:
    """What a study is made of: the grid of pipelines, datasets and seeds.

    Attributes:
        pipelines: Names of pipelines, patterns such as ``gpt-4o@run-*``, files with a recipe, ``study`` for the
            nineteen, ``2024`` and ``2025`` for a cohort, ``references``, and ``nnunet``.
        datasets: The datasets, each with its name.
        seeds: Number of seeds, from 0.
        protocol: ``benchmark`` trains in the precision that the device is fastest in, ``fixed-epochs`` does so with
            ``epochs`` for all, ``replay`` computes as the scripts do.
        epochs: Number of epochs of every pipeline; ``None`` for each pipeline's own.
        images_seen: Number of images that every pipeline sees in training, instead of epochs.
        changes: Changes of every recipe, each as ``path=value``.
        repair: Train every pipeline also without its quirks: ``each``, ``all``, or ids with commas.
        precision: As for :func:`llmseg.train`.
        measures: The measures in which pipelines are compared, the primary one first.
        test: How test cases are drawn.

    Example:
        >>> grid = read_study_file({"pipelines": ["gpt-4"], "datasets": {"phantoms": {"synthetic": "fundus"}}})
        >>> grid.seeds, [dataset.name for dataset in grid.datasets]
        (3, ['phantoms'])
    """

    pipelines: tuple[str, ...]
    datasets: tuple[StudyDataset, ...]
    seeds: int = 3
    protocol: Protocol = "benchmark"
    epochs: int | None = None
    images_seen: int | None = None
    changes: tuple[str, ...] = ()
    repair: str | None = None
    precision: str = "auto"
    measures: tuple[str, ...] = (PRIMARY,)
    test: HeldOut = field(default_factory=HeldOut)

    def __post_init__(self) -> None:
        if not self.pipelines or not self.datasets:
            missing = "pipelines" if not self.pipelines else "datasets"
            raise UserError(f"a study needs pipelines and datasets; it has no {missing}")
        if self.protocol not in get_args(Protocol):
            hint = nearest(self.protocol, get_args(Protocol))
            raise UserError(f"no protocol '{self.protocol}'{hint}; there are: {', '.join(get_args(Protocol))}")
        if self.protocol == "fixed-epochs" and self.epochs is None:
            raise UserError("the protocol fixed-epochs needs epochs, such as epochs = 120")
        if self.epochs is not None and self.images_seen is not None:
            raise UserError("a study has epochs or images_seen, not both")
        for name in ("seeds", "epochs", "images_seen"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError(f"{name} is {value}; it must be 1 or more")
        check_measures(self.measures)
        named = [dataset.name for dataset in self.datasets if dataset.holdout is not None]
        if self.test.folds is not None and named:
            raise UserError(
                f"dataset {named[0]} has a holdout, and folds make every case a test case; leave one of them out"
            )
        if self.seeds > _MOST_SEEDS:
            raise UserError(f"seeds is {self.seeds}; a study has at most {_MOST_SEEDS}")

    def without_missing(self) -> StudyFile:
        """Return the study on the datasets that are there; a line names each of the others, and how to get it.

        Raises:
            UserError: None of them is there.
        """
        there = tuple(dataset for dataset in self.datasets if not dataset.missing)
        missing = [dataset.missing for dataset in self.datasets if dataset.missing]
        if not there:
            raise UserError(f"no dataset of the study is there: {'; '.join(missing)}")
        for line in missing:
            warn(f"left out: {line}")
        return replace(self, datasets=there)


_KINDS: Mapping[str, Kind] = {
    **{"pipelines": "texts", "datasets": "table", "seeds": "whole", "protocol": "text", "epochs": "whole"},
    **{"images_seen": "whole", "changes": "texts", "repair": "text", "precision": "text", "test": "table"},
    "measures": "texts",
}
_TEST_KINDS: Mapping[str, Kind] = {"fraction": "number", "split": "text", "seed": "whole", "folds": "whole"}


def read_study_file(given: StudyFile | str | Path | Mapping[str, Any]) -> StudyFile:
    """Read a study from a file in TOML, or from a value of that shape.

    Places in a file are relative to the file.

    Args:
        given: The file, or its content, or what was read from it.

    Raises:
        UserError: The file is missing or no TOML, or has an unknown key or a value that is not allowed. The message
            names the file, the key, and the nearest key there is.
    """
    if isinstance(given, StudyFile):
        return given
    if isinstance(given, Mapping):
        return _make(given, Path(), "the study")
    path = Path(given)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"no study file {path}; a small one has two lines: {_SMALLEST}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"cannot read {path} as TOML: {error}") from error
    return _make(values, path.parent, str(path))


def _make(values: Mapping[str, Any], folder: Path, origin: str) -> StudyFile:
    check_table(values, _KINDS, origin)
    test, datasets = values.get("test", {}), values.get("datasets", {})
    check_table(test, _TEST_KINDS, f"{origin}, [test]")
    if {"fraction", "folds"} <= test.keys():
        raise UserError(f"{origin}, [test]: give fraction or folds; with folds, every case is a test case once")
    made: dict[str, Any] = {
        **{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()},
        "pipelines": tuple(
            str(folder / name) if name.endswith(SUFFIXES) else name for name in values.get("pipelines", ())
        ),
        "test": HeldOut(**test),
        "datasets": tuple(StudyDataset.read(name, table, folder, origin) for name, table in datasets.items()),
    }
    try:
        return StudyFile(**made)
    except UserError as error:
        raise UserError(f"{origin}: {error}") from error
