"""``llmseg.compare``: several pipelines on the same cases, and nnU-Net beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llmseg.data.given import GivenHoldout, GivenStore, find_store
from llmseg.errors import UserError
from llmseg.nnunet.beside import run_beside
from llmseg.nnunet.launch import check_installed
from llmseg.recipe.given import GivenRecipe
from llmseg.study.contenders import NNUNET, find_contenders, list_contenders
from llmseg.study.grid import run_study
from llmseg.study.questions import choose_folds
from llmseg.study.record import PRIMARY
from llmseg.study.study import Study
from llmseg.study.variants import Variant

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from llmseg.study.options import TrainingOptions


def compare(
    pipelines: Iterable[Variant | GivenRecipe] | Variant | GivenRecipe,
    store: GivenStore,
    out: str | Path,
    *,
    set: str | Iterable[str] = (),
    holdout: GivenHoldout | Sequence[GivenHoldout] | None = None,
    folds: int | None = None,
    measure: str | Sequence[str] = PRIMARY,
    **options: Unpack[TrainingOptions],
) -> Study:
    """Train several pipelines on the same cases and score them alike, as ``llmseg compare`` does.

    The same call made again continues an interrupted one.

    Args:
        pipelines: What is compared, each a pipeline or its name, a pattern such as ``gpt-4o@run-*``, ``study``,
            ``2024``, ``2025`` or ``references``, a recipe, a file with a recipe, or a run. ``nnunet`` trains nnU-Net on
            the cases of the first one, to as many images as that sees.
        store: The cases: a store, or the path of a file or folder, see :func:`llmseg.data.find_store`.
        out: Folder of the study.
        set: Changes of all recipes as they are typed, such as ``"images.size=64,64"``; one or several.
        holdout: The test cases, or folds, or paths of their manifests. Without them, cases are drawn by group, seed 0.
        folds: Number of folds of a cross-validation, instead.
        measure: The measures to compare in, the primary one first.
        **options: ``seeds``, ``epochs``, ``device``, ``precision``, ``tolerance``, ``leave_out_failing``, ``retry`` and
            ``progress``, as for :func:`llmseg.run_study`.

    Raises:
        UserError: There are fewer than two contenders, nnU-Net is asked for and not installed, or as
            :func:`llmseg.run_study`.

    Example:
        >>> from llmseg import compare
        >>> study = compare(["gpt-4", "gpt-o3", "mine.json"], "brain.h5", "compared", epochs=5)  # doctest: +SKIP
        >>> study.means()[["variant", "mean"]]  # doctest: +SKIP
    """
    variants, with_nnunet = find_compared(pipelines, set)
    store = find_store(store)
    progress = options.get("progress", True)
    chosen = choose_folds(store, holdout, folds, progress=progress)
    study = run_study(None, variants, store, out, holdout=chosen, measures=measure, **options)
    if with_nnunet:
        run_beside(study, store, holdout=chosen, device=options.get("device", "auto"), progress=progress)
    return study


def find_compared(
    pipelines: Iterable[Variant | GivenRecipe] | Variant | GivenRecipe, set: str | Iterable[str] = ()
) -> tuple[tuple[Variant, ...], bool]:
    """Return the recipes that a comparison trains, and whether nnU-Net is trained beside them; see :func:`compare`.

    Raises:
        UserError: There are fewer than two contenders, or nnU-Net is asked for and not installed.

    Example:
        >>> variants, with_nnunet = find_compared(["gpt-4", "gpt-o3"])
        >>> [variant.name for variant in variants], with_nnunet
        (['gpt-4', 'gpt-o3'], False)
    """
    given = list_contenders(pipelines)
    variants, with_nnunet = find_contenders(given, set), NNUNET in given
    if not variants:
        raise UserError(f"{NNUNET} needs a pipeline beside it, which gives it cases and budget; name one")
    if len(variants) == 1 and not with_nnunet:
        raise UserError(f"there is one recipe to compare, {variants[0].name}; name at least two different ones")
    if with_nnunet:
        check_installed()
    return variants, with_nnunet
