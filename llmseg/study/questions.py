"""``llmseg.ablate`` and ``llmseg.gap``: the questions that a study answers, asked as on the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmseg.data.draw_holdout import draw_folds, hold_out
from llmseg.data.given import GivenHoldout, GivenStore, find_folds, find_store
from llmseg.data.holdout import Holdout
from llmseg.data.store import Store
from llmseg.errors import UserError
from llmseg.files import as_list
from llmseg.recipe.given import GivenRecipe, change_all
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.typed import split_typed
from llmseg.study.cohort_gap import CohortGap, check_cohorts, run_cohort_gap
from llmseg.study.contenders import find_contenders
from llmseg.study.gap import Gap, Swaps, run_gap
from llmseg.study.grid import run_study
from llmseg.study.record import PRIMARY
from llmseg.study.study import Study
from llmseg.study.variants import Variant, ablations, find_variant, repairs, transplants

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from llmseg.study.options import TrainingOptions

Fields = str | Iterable[str] | Mapping[str, Sequence[object]]
"""Fields and the values they take: by path, or as they are typed, ``"fit.batch_size=4,8"``; one or several."""


def ablate(
    pipeline: Variant | GivenRecipe,
    store: GivenStore,
    out: str | Path,
    *,
    field: Fields = (),
    crossed: bool = False,
    repair: str | None = None,
    transplant: str | Sequence[str] | None = None,
    from_: Variant | GivenRecipe | None = None,
    set: str | Iterable[str] = (),
    holdout: GivenHoldout | Sequence[GivenHoldout] | None = None,
    folds: int | None = None,
    measure: str | Sequence[str] = PRIMARY,
    **options: Unpack[TrainingOptions],
) -> Study:
    """Change one thing of a recipe at a time and measure what it is worth, as ``llmseg ablate`` does.

    The same call made again continues an interrupted one. Say what to change in one way: by ``field``, ``repair`` or
    ``transplant``.

    Args:
        pipeline: What is changed: a pipeline or its name, a recipe, a file with a recipe, or a run.
        store: The cases: a store, or the path of a file or folder, see :func:`llmseg.data.find_store`.
        out: Folder of the study.
        field: Fields and the values they take, such as ``{"fit.batch_size": [4, 8]}`` or ``"fit.batch_size=4,8"``.
        crossed: Train every combination of values, instead of changing one field at a time.
        repair: ``each`` quirk alone, ``all`` together, or ids of quirks with commas.
        transplant: Parts to take from the other recipe, one variant each.
        from_: The other recipe, in any form that ``pipeline`` may have. The command line calls it ``--from``.
        set: Changes of all variants as they are typed, such as ``"images.size=64,64"``; one or several.
        holdout: The test cases, or folds, or paths of their manifests. Without them, cases are drawn by group, seed 0.
        folds: Number of folds of a cross-validation, instead.
        measure: The measures to compare in, the primary one first.
        **options: ``seeds``, ``epochs``, ``device``, ``precision``, ``tolerance``, ``leave_out_failing``, ``retry`` and
            ``progress``, as for :func:`llmseg.run_study`.

    Raises:
        UserError: It is not said what to change, or in two ways; a change is impossible; or as
            :func:`llmseg.run_study`.

    Example:
        >>> from llmseg import ablate
        >>> study = ablate("gpt-o3", "brain.h5", "losses", field="loss=bce,dice,bce+dice")  # doctest: +SKIP
        >>> study.differences()[["variant", "difference", "verdict"]]  # doctest: +SKIP
    """
    base = find_variant(pipeline)
    variants = find_ablation(
        base,
        field=field,
        crossed=crossed,
        repair=repair,
        transplant=transplant,
        from_=from_,
        set=set,
        epochs=options.get("epochs"),
    )
    store = find_store(store)
    chosen = choose_folds(store, holdout, folds, progress=options.get("progress", True))
    return run_study(base.name, variants, store, out, holdout=chosen, measures=measure, **options)


def gap(
    left: Iterable[Variant | GivenRecipe] | Variant | GivenRecipe,
    right: Iterable[Variant | GivenRecipe] | Variant | GivenRecipe,
    store: GivenStore,
    out: str | Path,
    *,
    swaps: Swaps = "single",
    orders: int = 4,
    set: str | Iterable[str] = (),
    holdout: GivenHoldout | Sequence[GivenHoldout] | None = None,
    folds: int | None = None,
    **options: Unpack[TrainingOptions],
) -> Gap | CohortGap:
    """Say which parts make one recipe better than another, as ``llmseg gap`` does.

    Args:
        left: The recipe whose lead is explained: a pipeline or its name, a recipe, a file with a recipe, or a run. Of
            several, or of a cohort such as ``"2025"``, all pairs with the right side are made.
        right: The recipe, or several, that it is compared with.
        store: As for :func:`ablate`.
        out: Folder for the trainings and the result.
        swaps: As for :func:`llmseg.run_gap`.
        orders: As for :func:`llmseg.run_gap`.
        set: Changes of all recipes as they are typed; one or several.
        holdout: As for :func:`ablate`.
        folds: As for :func:`ablate`.
        **options: As for :func:`ablate`.

    Returns:
        The gap; with several recipes on a side, the gaps of all pairs.

    Raises:
        UserError: Both sides are one recipe, or as :func:`llmseg.run_gap`.

    Example:
        >>> from llmseg import gap
        >>> gap("gpt-o3", "gpt-4o", "brain.h5", "gap").sentence()  # doctest: +SKIP
    """
    ours, theirs = find_sides(left, right, set)
    store = find_store(store)
    chosen = choose_folds(store, holdout, folds, progress=options.get("progress", True))
    common: dict[str, Any] = {"holdout": chosen, "swaps": swaps, "orders": orders, **options}
    if len(ours) == len(theirs) == 1:
        return run_gap(ours[0], theirs[0], store, out, **common)
    return run_cohort_gap(ours, theirs, store, out, **common)


def find_sides(
    left: Iterable[Variant | GivenRecipe] | Variant | GivenRecipe,
    right: Iterable[Variant | GivenRecipe] | Variant | GivenRecipe,
    set: str | Iterable[str] = (),
) -> tuple[tuple[Variant, ...], tuple[Variant, ...]]:
    """Return the recipes of both sides of a gap, as :func:`gap` takes them.

    Raises:
        UserError: A side is empty or stands for nothing, or a recipe is on both.

    Example:
        >>> left, right = find_sides("2025", "2024")
        >>> len(left), len(right)
        (11, 8)
    """
    ours, theirs = (find_contenders(_split_names(side), set) for side in (left, right))
    if len(ours) == len(theirs) == 1:
        if ours[0].name == theirs[0].name:
            raise UserError(f"there is one recipe to compare, {ours[0].name}; name at least two different ones")
    else:
        check_cohorts(ours, theirs)
    return ours, theirs


def choose_folds(
    store: Store, holdout: GivenHoldout | Sequence[GivenHoldout] | None, folds: int | None, *, progress: bool
) -> tuple[Holdout, ...]:
    """Return the test cases that are given, or draw one held-out test set or folds by group with seed 0.

    Raises:
        UserError: Test cases and a number of folds are given, or they cannot be read or drawn.

    Example:
        >>> from llmseg.data.synthetic import SyntheticStore
        >>> len(choose_folds(SyntheticStore("fundus", count=12), None, 3, progress=False))
        3
    """
    if holdout is not None and folds is not None:
        raise UserError("--holdout names the test cases, and --folds makes every case one; leave one of them out")
    if holdout is not None:
        return find_folds(holdout)
    return (hold_out(store, progress=progress),) if folds is None else draw_folds(store, folds, progress=progress)


def _split_names(given: Any) -> Any:
    """Return names that one text has, with commas between them."""
    return [name.strip() for name in given.split(",")] if isinstance(given, str) else given


def find_ablation(
    pipeline: Variant | GivenRecipe,
    *,
    field: Fields = (),
    crossed: bool = False,
    repair: str | None = None,
    transplant: str | Sequence[str] | None = None,
    from_: Variant | GivenRecipe | None = None,
    set: str | Iterable[str] = (),
    epochs: int | None = None,
) -> tuple[Variant, ...]:
    """Return a recipe and what an ablation makes of it; the arguments are those of :func:`ablate`.

    Raises:
        UserError: It is not said what to change, or in two ways; or a change is impossible.

    Example:
        >>> [variant.name for variant in find_ablation("gpt-4", field="fit.rate=1e-3,1e-4")]
        ['base', 'fit.rate=0.0001']
    """
    own = find_variant(pipeline).recipe
    recipe = change_all(own, set)
    if sum((bool(field), repair is not None, transplant is not None)) != 1:
        raise UserError("say what to change in one way: --field PATH=VALUE,VALUE, --repair each, or --transplant PART")
    if field:
        values = field if isinstance(field, Mapping) else dict(_parse_field(recipe, text) for text in as_list(field))
        return ablations(recipe, values, crossed=crossed)
    if repair is not None:
        return repairs(recipe, repair, own=own, settings=() if epochs is None else ("fit.epochs",))
    if from_ is None:
        raise UserError("--transplant needs --from PIPELINE")
    donor = find_variant(from_)
    parts = split_typed(transplant) if isinstance(transplant, str) else list(transplant or ())
    return transplants(recipe, donor.recipe, parts, donor.name)


def _parse_field(recipe: Recipe, text: str) -> tuple[str, list[object]]:
    """Read a field and its values as they are typed; those of a field that is a list are separated by semicolons."""
    path, equals, typed = text.partition("=")
    if not equals:
        raise UserError(f"'{text}' names no values; write path=value,value, for example fit.batch_size=4,8")
    separator = ";" if isinstance(recipe.get(path), tuple) else ","
    return path, [recipe.change_text(f"{path}={value}").get(path) for value in split_typed(typed, separator)]
