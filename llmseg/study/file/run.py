"""Running and planning what a study file says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from llmseg import zoo
from llmseg.errors import UserError
from llmseg.recipe.recipe import Recipe
from llmseg.study.file.designs import make_designs
from llmseg.study.file.study_file import StudyFile, read_study_file
from llmseg.study.grid import list_failures, run_designs
from llmseg.study.launching.allowance import Allowance
from llmseg.study.options import Launch
from llmseg.study.plan import estimate_cells, plan_cells
from llmseg.study.study import Study
from llmseg.training.cost import measure_speed
from llmseg.training.device import choose_device
from llmseg.training.numerics import choose_numerics
from llmseg.zoo.common import STANDARD_UNET


def plan_study_file(
    given: StudyFile | str | Path | Mapping[str, Any],
    out: str | Path = ".",
    *,
    device: str = "auto",
    progress: bool = False,
) -> pd.DataFrame:
    """List the cells of a study file, with what each will cost on this device. Nothing is trained or written.

    The device's speed is measured with some steps of a U-Net. No image is read: where a dataset has no test cases yet,
    their number is a guess, which is exact if all groups are of one size.

    Args:
        given: The file, its content, or what was read from it.
        out: Folder of the study, where finished cells are looked for.
        device: As for :func:`llmseg.train`.
        progress: Whether to show progress bars.

    Returns:
        The table of :func:`llmseg.study.plan_cells`.

    Raises:
        UserError: The file, a dataset or a name is not right.

    Example:
        >>> plan = plan_study_file("brain.toml")  # doctest: +SKIP
        >>> plan.groupby("contender")["seconds"].sum() / 3600  # doctest: +SKIP
    """
    grid = read_study_file(given)
    designs = make_designs(grid, out, draw=False, progress=progress)
    return plan_cells(designs, _measure_speed(grid, device))


def _measure_speed(grid: StudyFile, device: str) -> float:
    """Return the floating-point operations per second of a device, when it computes as a study file says."""
    place = choose_device(device)
    numerics = choose_numerics(place, grid.precision, exact=grid.protocol == "replay")
    return measure_speed(_choose_timed(place), numerics, place)


def _choose_timed(device: torch.device) -> Recipe:
    """Return the recipe whose steps tell how fast a device is."""
    if device.type != "cpu":
        return zoo.TEXTBOOK
    # With half of the channels a processor is as fast, and a quarter of the memory holds weights and gradients.
    net = replace(
        STANDARD_UNET, encoder=(32, 64, 128, 256), bottleneck=512, decoder=(256, 128, 64, 32), output="logits"
    )
    narrow: Recipe = zoo.TEXTBOOK.change("net", net)
    return narrow


def run_study_file(
    given: StudyFile | str | Path | Mapping[str, Any],
    out: str | Path,
    *,
    device: str = "auto",
    leave_out_failing: bool = False,
    retry: str | Collection[str] = (),
    max_hours: float | None = None,
    progress: bool = True,
) -> tuple[Study, ...]:
    """Train and score all that a study file says. The same call again continues, and may run several times at once.

    nnU-Net, if the file names it, is not trained here: see :func:`llmseg.nnunet.run_beside`.

    Args:
        given: The file, its content, or what was read from it.
        out: Folder of everything; every dataset has a folder of its own in it, which is a study.
        device: As for :func:`llmseg.train`.
        leave_out_failing: As for :func:`llmseg.run_study`.
        retry: As for :func:`llmseg.run_study`.
        max_hours: Begin only trainings that end within these hours, by the estimate of :func:`plan_study_file`; the
            most informative first, as :func:`llmseg.study.choose_cells` orders them. The same call again goes on.
        progress: Whether to show progress bars.

    Returns:
        The studies that could be finished, in the order of the file; with ``max_hours``, those that have a finished
        cell.

    Raises:
        UserError: The file, a dataset or a name is not right, no study could be finished, the hours are not above 0, or
            as :func:`llmseg.run_study`.

    Example:
        >>> studies = run_study_file("brain.toml", "studies/brain", max_hours=2)  # doctest: +SKIP
        >>> [study.is_finished for study in studies]  # doctest: +SKIP
    """
    grid = read_study_file(given)
    if max_hours is not None and not max_hours > 0:
        raise UserError(f"{max_hours:g} hours; give a number above 0")
    designs = make_designs(grid, out, progress=progress)
    launch = Launch(device=device, leave_out_failing=leave_out_failing, retry=retry, progress=progress)
    allowance = None
    if max_hours is not None:
        allowance = Allowance(max_hours, estimate_cells(designs, _measure_speed(grid, device)))
    studies = [study for study in run_designs(designs, launch, breadth_first=True, allowance=allowance) if study]
    if not studies and max_hours is None:
        raise UserError(f"nothing is left to compare: {'; '.join(map(list_failures, designs))}; mend it")
    return tuple(studies)
