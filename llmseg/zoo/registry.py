"""Finding pipelines by name, and adding those of one's own."""

from __future__ import annotations

from llmseg.errors import UserError, nearest
from llmseg.files import clean_name
from llmseg.recipe.quirks import get_quirk
from llmseg.zoo.pipeline import Pipeline

_PIPELINES: dict[str, Pipeline] = {}


def register(pipeline: Pipeline) -> Pipeline:
    """Add a pipeline to the zoo, so that :func:`get`, :func:`names` and the command line find it.

    Returns:
        The pipeline, unchanged.

    Raises:
        UserError: The id, or one that is read as the same, is taken.

    Example:
        >>> import dataclasses
        >>> faster = get("gpt-4").recipe.change("fit.rate", 1e-2)
        >>> mine = dataclasses.replace(get("gpt-4"), id="gpt-4-faster", recipe=faster)
        >>> register(mine).id  # doctest: +SKIP
        'gpt-4-faster'
    """
    key = _key(pipeline.id)
    if key in _PIPELINES:
        raise UserError(f"the id '{pipeline.id}' is taken by {_PIPELINES[key].id}; choose another")
    _PIPELINES[key] = pipeline
    return pipeline


def is_registered(pipeline: Pipeline) -> bool:
    """Return whether this very pipeline is in the zoo."""
    return _PIPELINES.get(_key(pipeline.id)) == pipeline


def get(name: str) -> Pipeline:
    """Return a pipeline by its id or an obvious alias.

    Args:
        name: An id such as ``"gpt-4o"``; capitals, blanks, dots and underscores do not matter (``"GPT_4o"``).
            A tag names a variant: ``"gpt-o3@rgb"``.

    Raises:
        UserError: No pipeline has that name; the message names the nearest one.

    Example:
        >>> get("GPT 4o").id
        'gpt-4o'
    """
    # People say "o3" and "4o".
    pipeline = _PIPELINES.get(_key(name)) or _PIPELINES.get(_key(f"gpt-{name}"))
    if pipeline is None:
        raise UserError(f"no pipeline '{name}'{nearest(name, all_names())}; {_list_names()}")
    return pipeline


def names(
    *,
    cohort: int | None = None,
    reasoning: bool | None = None,
    vendor: str | None = None,
    in_study: bool | None = True,
    variants: bool = False,
    reference: bool | None = False,
    quirk: str | None = None,
) -> tuple[str, ...]:
    """Return the ids of the pipelines that fit all conditions, older cohort first and references last.

    Args:
        cohort: 2024 or 2025.
        reasoning: Whether the study counts the model as a reasoning model.
        vendor: The vendor, or the beginning of it; capitals do not matter.
        in_study: ``True`` for the nineteen of the study and what was registered as such, ``False`` for the others,
            ``None`` for all. References are left to ``reference``.
        variants: Whether to include entries with a tag, such as ``gpt-o3@rgb``, ``gpt-4@tensorflow`` or
            ``gpt-4o@run-03``.
        reference: ``False`` for pipelines of language models, ``True`` for the references that experts wrote,
            ``None`` for both.
        quirk: Id of a quirk that the recipe must have; see :func:`llmseg.recipe.quirk_names`.

    Raises:
        UserError: There is no such quirk.

    Example:
        >>> names(cohort=2024, reasoning=True)
        ('gpt-o1-preview',)
        >>> len(names())
        19
        >>> names(reference=True)
        ('monai-basic-unet', 'monai-dynunet', 'nnunet-plain-unet', 'timm-resnet34-unet')
        >>> names(quirk="double-sigmoid")
        ('grok-3-mini',)
    """
    required = None if quirk is None else get_quirk(quirk)
    by_age = sorted(_PIPELINES.values(), key=lambda pipeline: (pipeline.card.is_reference, pipeline.card.cohort or 0))
    return tuple(
        pipeline.id
        for pipeline in by_age
        if (cohort is None or pipeline.card.cohort == cohort)
        and (reasoning is None or pipeline.card.reasoning == reasoning)
        and (vendor is None or pipeline.card.vendor.lower().startswith(vendor.lower()))
        # A reference is never in the study; whether to list it is the matter of another argument.
        and (in_study is None or pipeline.card.in_study == in_study or pipeline.card.is_reference)
        and (reference is None or pipeline.card.is_reference == reference)
        and (variants or "@" not in pipeline.id)
        and (required is None or required.applies(pipeline.recipe))
    )


def all_names(*, reference: bool | None = None, quirk: str | None = None) -> tuple[str, ...]:
    """Return the ids of all entries: of the study and outside it, variants, and references.

    Args:
        reference: As for :func:`names`: ``False`` leaves the references out, ``True`` gives them alone.
        quirk: Id of a quirk that the recipe must have.

    Raises:
        UserError: There is no such quirk.

    Example:
        >>> len(all_names()), len(all_names(reference=False))
        (55, 51)
        >>> all_names()[:2], all_names()[-1]
        (('gpt-4', 'gpt-4o'), 'timm-resnet34-unet')
    """
    return names(in_study=None, variants=True, reference=reference, quirk=quirk)


def _list_names() -> str:
    """Return the names that people ask for most, and how to get at the others: all fifty would fill the screen."""
    first = names()
    more = f"{len(all_names()) - len(first)} more: llmseg list --all; one of your own: --import FILE.py"
    return f"there are: {', '.join(first)} and {more}"


def _key(name: str) -> str:
    """Reduce a name to what tells pipelines apart: letters, digits and the tag."""
    return clean_name(name.lower(), also="@", instead="")
