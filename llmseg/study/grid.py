"""Training and scoring studies: every variant with every seed."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from llmseg.data.holdout import Holdout
from llmseg.data.store import Store
from llmseg.errors import UserError
from llmseg.evaluation.evaluate import evaluate_run_once
from llmseg.evaluation.evaluation import Evaluation
from llmseg.files import write_text
from llmseg.recipe.given import GivenRecipe
from llmseg.stats.words import shorten_list
from llmseg.study.conventions import all_conventions
from llmseg.study.design import Design, check_designs, seeded
from llmseg.study.failures import FAILING, Failure, forget_failures, read_failures, write_failure
from llmseg.study.options import Launch
from llmseg.study.study import Study
from llmseg.study.variants import Variant, find_variants
from llmseg.training.train import train

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
    progress: bool = True,
) -> Study:
    """Train every variant with every seed, and score all on the held-out cases.

    All variants are checked before the first one is trained. The same call made again continues an interrupted study:
    finished trainings are kept, one that was interrupted goes on where it stopped.

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
    launch = Launch(device=device, leave_out_failing=leave_out_failing, progress=progress)
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
    unfit = check_designs(designs, progress=launch.progress)
    if any(unfit) and not launch.leave_out_failing:
        raise UserError(f"{_list_unfit(designs, unfit)}; {_ADVICE}")
    for design, failures in zip(designs, unfit, strict=True):
        yield _run_design(design, failures, launch)


def _list_unfit(designs: Sequence[Design], unfit: Sequence[Sequence[Failure]]) -> str:
    """Return every failure once and, where there are several studies, in which."""
    studies: dict[str, list[str]] = {}
    for design, failures in zip(designs, unfit, strict=True):
        for failure in failures:
            studies.setdefault(str(failure), []).append(str(design.label))
    if len(designs) == 1:
        return "; ".join(studies)
    return "; ".join(f"{failure} ({shorten_list(labels, most=3)})" for failure, labels in studies.items())


def _run_design(design: Design, unfit: Sequence[Failure], launch: Launch) -> Study | None:
    design.begin()
    forget_failures(design.folder)
    failed: set[str] = set()
    for failure in unfit:
        _leave_out(design, failure, failed)
    # Seed by seed, so that an interrupted study has something of every variant.
    for seed, variant in itertools.product(range(design.seeds), design.variants):
        if not design.can_spare(failed):
            return None
        if variant.name in failed:
            continue
        try:
            _train_and_score(design, variant, seed, launch)
        except FAILING as error:
            failure = Failure.of(error, variant.name, seed)
            if launch.leave_out_failing:
                _leave_out(design, failure, failed)
                continue
            write_failure(design.folder, failure)
            if failure.kind == "error":
                raise
            advice = "what is finished is kept; the same command with --leave-out-failing goes on without it"
            raise UserError(f"{failure}; {advice}") from error
    return _collect(design, failed) if design.can_spare(failed) else None


def _leave_out(design: Design, failure: Failure, failed: set[str]) -> None:
    write_failure(design.folder, failure)
    failed.add(failure.variant)
    where = f" of {design.label}" if design.label else ""
    print(f"llmseg: warning: {failure.variant}{where} is left out: {failure}", file=sys.stderr)


def _train_and_score(design: Design, variant: Variant, seed: int, launch: Launch) -> None:
    cell = design.cell_folder(variant, seed)
    run = train(
        seeded(variant.recipe, seed),
        design.store,
        cell / "run",
        label=design.label or variant.name,
        seed=seed,
        epochs=design.epochs,
        device=launch.device,
        precision=design.precision,
        holdout=design.holdout,
        progress=launch.progress,
    )
    evaluate_run_once(
        run,
        design.store,
        cell / "evaluation",
        holdout=design.holdout,
        tolerance=design.tolerance,
        rules=all_conventions(),
        device=launch.device,
        precision=design.precision,
        progress=launch.progress,
    )


def _collect(design: Design, failed: set[str]) -> Study:
    """Write the tables of a study, from all variants but those that failed."""
    cells = itertools.product((v for v in design.variants if v.name not in failed), range(design.seeds))
    frames = [
        Evaluation(design.cell_folder(variant, seed) / "evaluation").scores.assign(variant=variant.name)
        for variant, seed in cells
    ]
    write_text(design.folder / "scores.csv", pd.concat(frames).to_csv(index=False))
    study = Study(design.folder)
    # Last, because this file says that the study is finished: see Study.open.
    write_text(design.folder / "differences.csv", study.differences().to_csv(index=False))
    return study
