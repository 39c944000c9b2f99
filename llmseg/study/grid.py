"""Training and scoring studies: every variant with every seed."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from llmseg.data.holdout import Holdout
from llmseg.data.store import Store
from llmseg.errors import UserError
from llmseg.recipe.given import GivenRecipe
from llmseg.stats.words import shorten_list
from llmseg.study.design import Design, check_designs
from llmseg.study.failures import Failure, read_failures
from llmseg.study.launcher import Launcher
from llmseg.study.options import Launch
from llmseg.study.study import Study
from llmseg.study.variants import Variant, find_variants

_ADVICE = "mend them, or leave them out: --leave-out-failing"


def run_study(
    label: str | None,
    variants: Iterable[Variant | GivenRecipe] | Variant | GivenRecipe,
    store: Store,
    out: str | Path,
    *,
    holdout: Holdout,
    seeds: int = 3,
    epochs: int | None = None,
    device: str = "auto",
    precision: str = "auto",
    tolerance: float = 2.0,
    leave_out_failing: bool = False,
    retry: str | Collection[str] = (),
    progress: bool = True,
) -> Study:
    """Train every variant with every seed, and score all on the held-out cases.

    All variants are checked before the first one is trained. The same call made again continues an interrupted study:
    finished cells are kept, one that was interrupted goes on where it stopped. The same call in several processes, also
    on several computers that share the folder, divides the cells among them; the tables do not depend on who finished
    which cell and when.

    Args:
        label: Id of the pipeline that is varied; ``None`` where every variant is a pipeline of its own.
        variants: The base first, see :mod:`llmseg.study.variants`; also names of pipelines, or pipelines.
        store: The cases.
        out: Folder of the study.
        holdout: The test cases, which no variant is trained on.
        seeds: Number of seeds, from 0.
        epochs: Number of epochs instead of each recipe's.
        device: As for :func:`llmseg.train`.
        precision: As for :func:`llmseg.train`.
        tolerance: As for :func:`llmseg.evaluate_run`.
        leave_out_failing: Go on without variants that cannot be trained on these cases, that diverge or that need more
            memory than there is. A line names each of them, and the study notes why it failed. The base of a pipeline
            that is varied cannot be left out.
        retry: Failures of earlier calls that are tried again although they would come again: ``diverged``,
            ``out-of-memory`` (with half of the batch at once), or both. Other failures are tried again in any case.
        progress: Whether to show progress bars.

    Raises:
        UserError: The folder holds another study, there are no seeds, a variant failed and is not to be left out, or as
            :func:`llmseg.train`.
    """
    variants = find_variants(variants)
    design = Design(
        folder=Path(out),
        label=label,
        variants=variants,
        store=store,
        holdout=holdout,
        seeds=seeds,
        epochs=epochs,
        tolerance=tolerance,
        precision=precision,
        essential=frozenset() if label is None else frozenset({variants[0].name}),
    )
    launch = Launch(device=device, leave_out_failing=leave_out_failing, retry=retry, progress=progress)
    (study,) = run_designs([design], launch)
    if study is None:
        raise UserError(f"{list_failures(design)}; without it nothing is left to compare: mend it")
    return study


def list_failures(design: Design) -> str:
    """Return what failed in a study, for a message."""
    return "; ".join(str(failure) for failure in read_failures(design.folder))


def run_designs(designs: Sequence[Design], launch: Launch) -> Iterator[Study | None]:
    """Check all studies, and train and score one after the other.

    Args:
        designs: The studies.
        launch: How they are trained.

    Yields:
        Each study when it is finished; ``None`` for one that cannot do without a variant that failed.

    Raises:
        UserError: As for :func:`run_study`.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UserError("torchrun divides one training among devices; start a study without it, once for every device")
    unfit = check_designs(designs, progress=launch.progress)
    if any(unfit) and not launch.leave_out_failing:
        raise UserError(f"{_list_unfit(designs, unfit)}; {_ADVICE}")
    launcher = Launcher(designs, unfit, launch)
    for design in designs:
        yield launcher.finish(design)


def _list_unfit(designs: Sequence[Design], unfit: Sequence[Sequence[Failure]]) -> str:
    """Return every failure once and, where there are several studies, in which."""
    studies: dict[str, list[str]] = {}
    for design, failures in zip(designs, unfit, strict=True):
        for failure in failures:
            studies.setdefault(str(failure), []).append(str(design.label))
    if len(designs) == 1:
        return "; ".join(studies)
    return "; ".join(f"{failure} ({shorten_list(labels, most=3)})" for failure, labels in studies.items())
