"""What names of contenders stand for: pipelines, cohorts, patterns, recipes in files, and nnU-Net."""

from __future__ import annotations

from collections.abc import Iterable

from llmseg import zoo
from llmseg.errors import UserError
from llmseg.study.variants import Variant, find_variant, pipelines

NNUNET = "nnunet"
"""What a comparison calls nnU-Net, which is trained beside the recipes."""

COHORTS = (2024, 2025)


def find_contenders(names: Iterable[str]) -> tuple[Variant, ...]:
    """Return the recipes that names stand for, each once, in the order of the names; nnU-Net is none.

    Args:
        names: Pipelines, patterns such as ``gpt-4o@run-*``, files with a recipe in JSON, ``study`` for the nineteen,
            ``2024`` or ``2025`` for a cohort, ``references``, ``nnunet``.

    Raises:
        UserError: A name stands for nothing, or two recipes have one name.

    Example:
        >>> [variant.name for variant in find_contenders(["2024", "gpt-4"])][:2]
        ['gpt-4', 'gpt-4o']
        >>> len(find_contenders(["study", "references"]))
        23
    """
    found: dict[str, Variant] = {}
    for name in names:
        for variant in () if name == NNUNET else _find(name):
            if found.setdefault(variant.name, variant).recipe != variant.recipe:
                raise UserError(f"two recipes are called {variant.name}; rename one of the files")
    return tuple(found.values())


def _find(name: str) -> tuple[Variant, ...]:
    groups = {"study": zoo.names, "references": lambda: zoo.all_names(reference=True)}
    if name in groups:
        return pipelines(groups[name]())
    if name in map(str, COHORTS):
        return pipelines(zoo.names(cohort=int(name)))
    return (find_variant(name),) if name.endswith(".json") else pipelines([name])
