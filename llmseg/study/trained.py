"""The training that is meant where a run folder, a cell or a study is given."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from llmseg.errors import UserError, nearest
from llmseg.prediction.load import load_model, load_original_model
from llmseg.recipe.recipe import Recipe
from llmseg.study.collected.record import holds_collected
from llmseg.study.launching.cells import Cell
from llmseg.study.record import find_studies
from llmseg.study.study import Study
from llmseg.training.run import Run
from llmseg.zoo import Pipeline

if TYPE_CHECKING:
    from torch import nn


GivenTraining: TypeAlias = Run | Study | Cell | str | Path
"""A run, a cell of a study, a study, or the folder of one."""

GivenModel: TypeAlias = "GivenTraining | Pipeline | tuple[nn.Module, Recipe]"
"""A training; a pipeline or its name, which needs weights; or a network and its recipe."""


def find_run(given: GivenTraining, contender: str | None = None, seed: int | None = None) -> Path:
    """Return the run folder that is meant by a run folder, a cell of a study, or a study and a contender.

    Args:
        given: A run, a cell or a study, or its folder; or a folder with one study.
        contender: Name of a variant of the study; not needed if the study has one only.
        seed: Its seed; ``None`` for the first that is finished.

    Returns:
        The run folder. A folder that holds nothing of that kind is returned as it is.

    Raises:
        UserError: The study has several contenders or datasets and none is named, or no such contender, or the cell is
            not finished; or a contender or seed is named and the folder is no study. The message says what to name.

    Example:
        >>> find_run("studies/brain", contender="gpt-o3", seed=1)  # doctest: +SKIP
    """
    folder = _find_folder(given)
    if (run := _find_inner_run(folder)) is not None:
        if contender is not None or seed is not None:
            raise UserError(f"{folder} is one training; --contender and --seed choose among those of a study")
        return run
    if holds_collected(folder):
        raise UserError(f"{folder} is a collected study, which has no weights; give the folder of the study itself")
    studies = list(find_studies(folder)) if folder.is_dir() else []
    if not studies:
        if contender is not None or seed is not None:
            raise UserError(f"{folder} is no study; name the folder that llmseg compare or llmseg study run wrote")
        return folder
    if len(studies) > 1:
        raise UserError(f"{folder} holds several studies: {', '.join(map(str, studies))}; name one of them")
    cells = [cell for cell in _list_cells(Study.open(studies[0]), contender) if seed in (None, cell.seed)]
    if not cells:
        raise UserError(
            f"{studies[0]} has no finished training of that contender and seed; llmseg status tells how far"
        )
    return cells[0].folder / "run"


def is_training(given: object) -> TypeGuard[GivenTraining]:
    """Return whether a run, a cell or a study is given, or the folder of one.

    Example:
        >>> is_training("nowhere")
        False
    """
    if not isinstance(given, str | Path):
        return isinstance(given, Run | Study | Cell)
    folder = Path(given)
    if not folder.is_dir():
        return False
    return _find_inner_run(folder) is not None or holds_collected(folder) or any(find_studies(folder))


def _find_inner_run(folder: Path) -> Path | None:
    """Return the run that a folder is, or that lies in the folder of a cell."""
    return next((run for run in (folder, folder / "run") if (run / "run.json").is_file()), None)


def find_model(
    given: GivenModel, *, weights: str | Path | None = None, contender: str | None = None, seed: int | None = None
) -> tuple[nn.Module, Recipe]:
    """Return the network and the recipe that are meant.

    Args:
        given: A training as for :func:`find_run`; a pipeline or its name, with weights; or network and recipe.
        weights: A state dictionary that the original script of the pipeline saved.
        contender: As for :func:`find_run`.
        seed: As for :func:`find_run`.

    Raises:
        UserError: As :func:`find_run`; the weights are missing, superfluous or of another network.

    Example:
        >>> net, recipe = find_model("studies/brain", contender="gpt-o3")  # doctest: +SKIP
    """
    if weights is not None:
        if contender is not None or seed is not None:
            raise UserError("--contender and --seed choose a training of a study, and --weights gives the weights")
        if not isinstance(given, str | Pipeline):
            raise UserError(f"weights are for a pipeline or its name, not for {type(given).__name__}")
        return load_original_model(given, weights)
    if isinstance(given, tuple):
        return given
    if isinstance(given, Pipeline):
        raise UserError(f"{given.id} has no weights; train it and give the run, or give the original's weights")
    return load_model(find_run(given, contender, seed))


def _find_folder(given: GivenTraining) -> Path:
    if isinstance(given, str | Path):
        return Path(given)
    if not isinstance(given, Run | Study | Cell):
        raise UserError(f"a run or a study is needed, not {type(given).__name__}; give it, or its folder")
    return given.folder


def _list_cells(study: Study, contender: str | None) -> list[Cell]:
    """Return the finished cells of a contender, by seed."""
    names = list(study.variants)
    if contender is None and len(names) > 1:
        best = _order(study)
        example = f"--contender {shlex.quote(best[0])}"
        raise UserError(f"{study.folder} has several contenders, best first: {', '.join(best)}; choose one: {example}")
    name = names[0] if contender is None else contender
    if name not in names:
        raise UserError(f"{study.folder} has no contender '{name}'{nearest(name, names)}; it has {', '.join(names)}")
    cells = [cell for cell in study.cells if cell.variant == name and cell.is_finished]
    return sorted(cells, key=lambda cell: cell.seed)


def _order(study: Study) -> list[str]:
    """Return the contenders with scores, best mean Dice first, and then the others."""
    if not study.compared:
        return list(study.variants)
    means = study.means().sort_values("mean", ascending=False)["variant"].tolist()
    return [*means, *(name for name in study.variants if name not in means)]
