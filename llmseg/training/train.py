"""``train``: train a recipe on a store and write a run folder.

This module checks what the user gave. What follows is in ``job.py`` (one process from start to end), ``loop.py`` (the
loop), ``run_files.py`` (the files) and ``resume.py`` (how an interrupted run continues).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from llmseg.data.given import GivenHoldout, GivenStore, find_holdout, find_store
from llmseg.data.reading_check import check_reading
from llmseg.errors import UserError
from llmseg.files.notes import warn
from llmseg.recipe.given import GivenRecipe, change_all, read_recipe
from llmseg.training.resume import check_folder, find_earlier_run, lock_folder
from llmseg.training.run import Run
from llmseg.training.start import Start

if TYPE_CHECKING:
    from llmseg.training.observing.observer import Observer


def train(
    recipe: GivenRecipe,
    store: GivenStore,
    out: str | Path,
    *,
    label: str = "",
    seed: int = 0,
    epochs: int | None = None,
    device: str = "auto",
    precision: str = "auto",
    exact: bool = False,
    compile: bool = False,
    tf32: bool = False,
    at_once: int | None = None,
    max_memory: float | None = None,
    holdout: GivenHoldout | None = None,
    set: str | Sequence[str] = (),
    start: Run | str | Path | None = None,
    cache: bool = True,
    progress: bool = True,
    checkpoint_every: float = 60.0,
    observers: Observer | Iterable[Observer] = (),
) -> Run:
    """Train a recipe on a store and write the run folder.

    Everything a user can get wrong is checked before the folder is made. The same call made again continues an
    interrupted run from its last checkpoint, and the run ends with the same weights, history and scores, on a CPU byte
    for byte. A finished run is returned as it is. On Ctrl-C, SIGTERM and SIGHUP a checkpoint is written after the step
    under way; a second Ctrl-C ends at once.

    Args:
        recipe: What to do: a recipe, the name of a pipeline, a pipeline, a run, or a file with a recipe. A name
            or pipeline is the label, too, if no other is given.
        store: The cases: a store, or a path as for :func:`llmseg.data.find_store`.
        out: The run folder.
        label: Name of the run, such as the pipeline's id.
        seed: Seed of split, weights and case order where the recipe sets none itself.
        epochs: Number of epochs instead of the recipe's.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        precision: What the network computes in: ``fp32``, ``bf16``, ``fp16``, or ``auto`` for the one that the device
            is fastest in; see :class:`llmseg.training.numerics.Numerics`.
        exact: Compute as the original scripts do, in fp32 and without anything that changes rounding.
        compile: Compile the network before the first step.
        tf32: Allow TF32 on devices that have it. Together with ``exact``, convolutions use it and nothing else does: so
            the scripts computed on a GPU, by torch's defaults.
        at_once: Cases that pass through the network together. If they are fewer than the batch has, the batch is
            trained in parts, see :func:`llmseg.training.memory.split_forward`.
        max_memory: Gigabytes the training may take; ``None`` for what the device has free.
        holdout: The held-out test set, or its manifest: its cases are removed before the recipe splits the rest.
            ``run.json`` holds its digest.
        set: Changes of the recipe as they are typed, such as ``"fit.schedule=cosine"``; one or several.
        start: A finished run whose weights the training starts from, instead of drawing them: more epochs in a folder
            of their own, see ``docs/how-to/train.md``. Network, cases, held-out test cases, split and seed have to be
            those of that run.
        cache: Whether to keep prepared cases on disk for the next run, see :mod:`llmseg.data.cache`.
        progress: Whether to show progress bars.
        checkpoint_every: Seconds between checkpoints.
        observers: Objects that are told what happens, such as :class:`llmseg.training.TensorBoardLog` or your own, see
            :class:`llmseg.training.Observer`. They change nothing in the run. A finished run tells them nothing.

    Returns:
        The run.

    Raises:
        UserError: The data do not suit the recipe, the machine does not have the device, the folder holds something
            else or is in use, the loss is not a number, or the disk is full.
        Terminated: The process was told to stop, and the checkpoint is written.

    Example:
        >>> from llmseg import SyntheticStore, train, zoo
        >>> store = SyntheticStore("endoscopy", count=20)
        >>> run = train(zoo.get("gpt-4").recipe, store, "runs/gpt-4", epochs=1)  # doctest: +SKIP
    """
    from llmseg.training.device import choose_device, choose_local_device
    from llmseg.training.job import Job
    from llmseg.training.numerics import choose_numerics
    from llmseg.training.observing.observer import check_observers
    from llmseg.training.processes import join_processes
    from llmseg.training.run_files import clear_run

    recipe, store = change_all(read_recipe(recipe), set), find_store(store)
    watching = check_observers(observers)
    folder = Path(out)
    check_folder(folder)
    chosen = choose_local_device(choose_device(device))
    numerics = choose_numerics(chosen, precision, exact=exact, compile=compile, tf32=tf32)
    if epochs is not None:
        recipe = recipe.change("fit.epochs", epochs)
    held = None
    if holdout is not None:
        holdout = find_holdout(holdout)
        rest, held = holdout.rest(store), holdout.digest
        if len(rest.ids) == len(store.ids):
            warn(
                f"no case of {store.name} is one of the {len(holdout.test_ids)} test cases, which were drawn from "
                f"{holdout.store}: nothing is held out of this training"
            )
        store = rest
    begins = None if start is None else Start.of(start)
    if begins is not None:
        begins.check(recipe, store.digest, held, seed)
    weights_digest = None if begins is None else begins.weights_digest
    if find_earlier_run(folder, recipe, store.digest, seed, weights_digest) == "done":
        # A process that was killed at the very end has left its checkpoint or its lock.
        if (folder / "checkpoint").exists() or any(folder.glob(".*")):
            with suppress(UserError, OSError), lock_folder(folder):
                clear_run(folder)
        return Run(folder)
    check_reading(store, progress=progress)
    with join_processes(chosen) as world:
        world.check(recipe.fit.batch_size)
        job = Job(
            recipe=recipe,
            store=store,
            folder=folder,
            label=label,
            seed=seed,
            device=chosen,
            numerics=numerics,
            world=world,
            at_once=at_once,
            max_memory=max_memory,
            holdout=held,
            start=begins,
            progress=progress and world.leads,
            observers=watching,
        )
        job.train(checkpoint_every, cache=cache)
    return Run(folder)
