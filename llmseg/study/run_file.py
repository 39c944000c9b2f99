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
from llmseg.study.file_designs import make_designs
from llmseg.study.grid import list_failures, run_designs
from llmseg.study.options import Launch
from llmseg.study.plan import plan_cells
from llmseg.study.study import Study
from llmseg.study.study_file import StudyFile, read_study_file
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
    """
    grid = read_study_file(given)
    designs = make_designs(grid, out, draw=False, progress=progress)
    place = choose_device(device)
    numerics = choose_numerics(place, grid.precision, exact=grid.protocol == "replay")
    return plan_cells(designs, measure_speed(_choose_timed(place), numerics, place))


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
        progress: Whether to show progress bars.

    Returns:
        The studies that could be finished, in the order of the file.

    Raises:
        UserError: The file, a dataset or a name is not right, no study could be finished, or as
            :func:`llmseg.run_study`.
    """
    designs = make_designs(read_study_file(given), out, progress=progress)
    launch = Launch(device=device, leave_out_failing=leave_out_failing, retry=retry, progress=progress)
    studies = list(run_designs(designs, launch, breadth_first=True))
    finished = tuple(study for study in studies if study is not None)
    if not finished:
        raise UserError(f"nothing is left to compare: {'; '.join(map(list_failures, designs))}; mend it")
    return finished
