"""What names of contenders stand for: pipelines, cohorts, patterns, recipes in files, and nnU-Net."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from llmseg import zoo
from llmseg.errors import UserError
from llmseg.files import as_list
from llmseg.recipe.given import GivenRecipe, change_all
from llmseg.study.variants import Variant, find_variant, pipelines

NNUNET = "nnunet"
"""What a comparison calls nnU-Net, which is trained beside the recipes."""

COHORTS = (2024, 2025)


def find_contenders(
    given: Iterable[Variant | GivenRecipe] | Variant | GivenRecipe, set: str | Iterable[str] = ()
) -> tuple[Variant, ...]:
    """Return the recipes that are meant, each once, in their order; nnU-Net is none.

    Args:
        given: One or several of: a pipeline or its name, a pattern such as ``gpt-4o@run-*``, ``study`` for the
            nineteen, ``2024`` or ``2025`` for a cohort, ``references``, ``nnunet``; a recipe, a file with a recipe, a
            run or its folder, a variant.
        set: Changes of all recipes as they are typed, such as ``"fit.epochs=3"``; one or several.

    Raises:
        UserError: A name stands for nothing, or two recipes have one name.

    Example:
        >>> [variant.name for variant in find_contenders(["2024", "gpt-4"])][:2]
        ['gpt-4', 'gpt-4o']
        >>> len(find_contenders(["study", "references"]))
        23
    """
    found: dict[str, Variant] = {}
    for item in list_contenders(given):
        for variant in _find(item):
            if found.setdefault(variant.name, variant).recipe != variant.recipe:
                raise UserError(
                    f"two recipes are called {variant.name}; write one to a file of another name, or give "
                    "llmseg.study.Variant(NAME, recipe)"
                )
    return tuple(Variant(variant.name, change_all(variant.recipe, set)) for variant in found.values())


def list_contenders(given: Iterable[Variant | GivenRecipe] | Variant | GivenRecipe) -> list[Any]:
    """Return what is given to be compared as a list; a single recipe is one item, as a single name is."""
    return as_list(given) if isinstance(given, str | Path | Iterable) else [given]


def _find(given: Any) -> tuple[Variant, ...]:
    if given == NNUNET:
        return ()
    groups = {"study": zoo.names, "references": lambda: zoo.all_names(reference=True)}
    if isinstance(given, str) and given in groups:
        return pipelines(groups[given]())
    if str(given) in map(str, COHORTS):
        return pipelines(zoo.names(cohort=int(given)))
    return pipelines([given]) if isinstance(given, str) and "*" in given else (find_variant(given),)
