"""Training and scoring studies: every variant with every seed."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmseg.data.given import GivenHoldout, GivenStore, find_folds, find_store
from llmseg.errors import UserError, shorten_list
from llmseg.files import clean_name
from llmseg.recipe.given import GivenRecipe
from llmseg.study.design import Design, check_designs
from llmseg.study.launching.allowance import Allowance
from llmseg.study.launching.failures import Failure, forget_failures, read_failures, write_failure
from llmseg.study.launching.launcher import Launcher
from llmseg.study.launching.opening import keep_design, open_design
from llmseg.study.options import Launch
from llmseg.study.record import PRIMARY, find_studies
from llmseg.study.study import Study
from llmseg.study.variants import Variant, find_variants

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from llmseg.study.options import LaunchOptions, StudyOptions

_ADVICE = "mend them, or leave them out: --leave-out-failing"


def run_study(
    label: str | None,
    variants: Iterable[Variant | GivenRecipe] | Variant | GivenRecipe,
    store: GivenStore,
    out: str | Path,
    *,
    holdout: GivenHoldout | Sequence[GivenHoldout],
    seeds: int = 3,
    epochs: int | None = None,
    device: str = "auto",
    precision: str = "auto",
    tolerance: float = 2.0,
    measures: str | Sequence[str] = PRIMARY,
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
        store: The cases: a store, or a path as for :func:`llmseg.data.find_store`.
        out: Folder of the study.
        holdout: The test cases, which no variant is trained on, or their manifest; for a cross-validation, the folds of
            :func:`llmseg.draw_folds`, or the folder of their manifests. Every variant is then trained once for each.
        seeds: Number of seeds, from 0.
        epochs: Number of epochs instead of each recipe's.
        device: As for :func:`llmseg.train`.
        precision: As for :func:`llmseg.train`.
        tolerance: As for :func:`llmseg.evaluate_run`.
        measures: The measures in which variants are compared, the primary one first. Every measure is computed anyway.
            The primary one has to be named before there are scores, so a study keeps those it was begun with.
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
    design = _design(
        label,
        variants,
        store,
        Path(out),
        holdout=holdout,
        seeds=seeds,
        epochs=epochs,
        tolerance=tolerance,
        precision=precision,
        measures=measures,
    )
    launch = Launch(device=device, leave_out_failing=leave_out_failing, retry=retry, progress=progress)
    (study,) = run_designs([design], launch)
    return _require(study, design)


def _design(
    label: str | None,
    variants: Iterable[Variant | GivenRecipe] | Variant | GivenRecipe,
    store: GivenStore,
    folder: Path,
    *,
    holdout: GivenHoldout | Sequence[GivenHoldout],
    **options: Unpack[StudyOptions],
) -> Design:
    found = find_variants(variants)
    base = frozenset() if label is None else frozenset({found[0].name})
    facts: dict[str, Any] = {
        "label": label,
        "variants": found,
        "store": find_store(store),
        "folds": find_folds(holdout),
    }
    return Design.of(options, folder=folder, essential=base, **facts)


def _require(study: Study | None, design: Design) -> Study:
    if study is None:
        raise UserError(f"{list_failures(design)}; without it nothing is left to compare: mend it")
    return study


def run_studies(
    label: str | None,
    variants: Iterable[Variant | GivenRecipe] | Variant | GivenRecipe,
    stores: Sequence[GivenStore],
    out: str | Path,
    *,
    holdouts: Sequence[GivenHoldout | Sequence[GivenHoldout]],
    **options: Unpack[StudyOptions],
) -> tuple[Study, ...]:
    """Train and score the same variants on several datasets, each as :func:`run_study` does.

    Every variant is trained with one seed on every dataset before any is with the next seed.

    Args:
        label: As for :func:`run_study`.
        variants: As for :func:`run_study`.
        stores: The cases of every dataset.
        out: A folder with a study per dataset, under the name of its store.
        holdouts: The test cases of every dataset, each as for :func:`run_study`.
        **options: The other options of :func:`run_study`.

    Raises:
        UserError: Two stores have one name, or as :func:`run_study`.

    Example:
        >>> stores, test = ["a.h5", "b.h5"], ["a.json", "b.json"]
        >>> studies = run_studies(None, ["gpt-4", "gpt-o3"], stores, "studies/two", holdouts=test)  # doctest: +SKIP
        >>> [study.means() for study in studies]  # doctest: +SKIP
    """
    found = [find_store(store) for store in stores]
    names = [store.name for store in found]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UserError(f"two stores are called {twice[0]}; give each its own folder of studies")
    designs = [
        _design(label, variants, store, Path(out) / clean_name(store.name, also="-_."), holdout=holdout, **options)
        for store, holdout in zip(found, holdouts, strict=True)
    ]
    studies = list(run_designs(designs, Launch.of(options), breadth_first=True))
    return tuple(_require(study, design) for study, design in zip(studies, designs, strict=True))


def work_on_studies(folder: str | Path, **options: Unpack[LaunchOptions]) -> tuple[Study, ...]:
    """Train cells of studies that another process began, until none is left; it may be called in many processes.

    Variants that fail are left out.

    Args:
        folder: A study, or a folder that holds studies.
        **options: ``device``, ``retry`` and ``progress``, as for :func:`run_study`.

    Returns:
        The studies that are finished.

    Raises:
        UserError: There is no study, or its cases are not found, or as :func:`run_study`.

    Example:
        >>> work_on_studies("studies/brain", device="cuda:1")  # doctest: +SKIP
    """
    _refuse_torchrun()
    designs = [open_design(study) for study in find_studies(Path(folder))]
    if not designs:
        raise UserError(f"{folder}: no study to work on; name the --out of a command that began one")
    launcher = Launcher(designs, replace(Launch.of(options), leave_out_failing=True), breadth_first=True)
    with launcher.bar.shown():
        finished = [launcher.finish(design) for design in designs]
    return tuple(study for study in finished if study)


def list_failures(design: Design) -> str:
    """Return what failed in a study, for a message."""
    return "; ".join(str(failure) for failure in read_failures(design.folder))


def run_designs(
    designs: Sequence[Design], launch: Launch, *, breadth_first: bool = False, allowance: Allowance | None = None
) -> Iterator[Study | None]:
    """Check all studies, and train and score them.

    Args:
        designs: The studies.
        launch: How they are trained.
        breadth_first: Train every variant of every study with one seed before the next seed, so that an interrupted
            command has something of everything. Without it one study is finished after the other, for commands that
            compute a result from each.
        allowance: How long to work; ``None`` for as long as there are cells. Studies may then be unfinished.

    Yields:
        Each study when it is finished or the time is up; ``None`` for one that cannot do without a variant that failed,
        or that has no finished cell.

    Raises:
        UserError: As for :func:`run_study`.
    """
    _refuse_torchrun()
    unfit = check_designs(designs, progress=launch.progress)
    refuse_unfit(designs, unfit, launch)
    for design, failures in zip(designs, unfit, strict=True):
        design.begin()
        keep_design(design)
        forget_failures(design.folder, ("refused",))
        for failure in failures:
            write_failure(design.folder, failure)
    launcher = Launcher(designs, launch, breadth_first=breadth_first, allowance=allowance)
    with launcher.bar.shown():
        for design in designs:
            yield launcher.finish(design)


def refuse_unfit(designs: Sequence[Design], unfit: Sequence[Sequence[Failure]], launch: Launch) -> None:
    """Raise :class:`UserError` if recipes cannot be trained on their cases and are not to be left out."""
    if any(unfit) and not launch.leave_out_failing:
        raise UserError(f"{_list_unfit(designs, unfit)}; {_ADVICE}")


def _refuse_torchrun() -> None:
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UserError("torchrun divides one training among devices; start a study without it, once for every device")


def _list_unfit(designs: Sequence[Design], unfit: Sequence[Sequence[Failure]]) -> str:
    """Return every failure once and, where there are several studies, in which."""
    studies: dict[str, list[str]] = {}
    for design, failures in zip(designs, unfit, strict=True):
        for failure in failures:
            studies.setdefault(str(failure), []).append(design.label or design.store.name)
    if len(designs) == 1:
        return "; ".join(studies)
    return "; ".join(f"{failure} ({shorten_list(labels, most=3)})" for failure, labels in studies.items())
