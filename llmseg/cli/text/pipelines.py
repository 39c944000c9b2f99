"""What llmseg list, show and diff print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from llmseg import Pipeline, Recipe, zoo
from llmseg.cli.text.layout import align_columns, section
from llmseg.errors import UserError
from llmseg.recipe import write_typed

_WIDEST = 32
"""Characters of the longest value that stands in a column of differences."""


def pipeline_facts(pipelines: Sequence[Pipeline]) -> list[dict[str, Any]]:
    """Return the facts of the pipeline table, one dictionary per pipeline."""
    return [
        {
            "id": pipeline.id,
            "vendor": pipeline.card.vendor,
            "cohort": pipeline.card.cohort,
            "reasoning": pipeline.card.reasoning,
            "open_weights": pipeline.card.open_weights,
            "in_study": pipeline.card.in_study,
            "parameters": pipeline.card.parameters,
            "batch_size": pipeline.recipe.fit.batch_size,
            "epochs": pipeline.recipe.fit.epochs,
            "rate": pipeline.recipe.fit.rate,
            "disagreements": len(pipeline.card.disagreements),
        }
        for pipeline in pipelines
    ]


def pipeline_table(pipelines: Sequence[Pipeline]) -> str:
    """Return the pipeline table as text."""
    head = ("id", "vendor", "cohort", "reasoning", "parameters", "batch", "epochs", "rate")
    rows = [
        (
            facts["id"],
            facts["vendor"],
            str(facts["cohort"] or "-"),
            "-" if facts["cohort"] is None else _yes_or_no(facts["reasoning"]),
            f"{facts['parameters']:,}",
            str(facts["batch_size"]),
            str(facts["epochs"]),
            f"{facts['rate']:g}",
        )
        for facts in pipeline_facts(pipelines)
    ]
    return align_columns([head, *rows])


def difference_table(left: tuple[str, Recipe], right: tuple[str, Recipe]) -> str:
    """Return the fields in which two recipes, each with its name, differ: path, left and right value.

    A dash stands where a recipe has no such field. What is too long for a column has lines of its own.
    """
    rows = [
        (found.path, _type_value(left[1], found.path, found.left), _type_value(right[1], found.path, found.right))
        for found in left[1].diff(right[1])
    ]
    narrow = [row for row in rows if max(map(len, row)) <= _WIDEST]
    table = [align_columns([("field", left[0], right[0]), *narrow])] if narrow else []
    wide = (
        f"{path}\n  {left[0]}: {ours}\n  {right[0]}: {theirs}"
        for path, ours, theirs in rows
        if (path, ours, theirs) not in narrow
    )
    return "\n".join([*table, *wide]) or "no difference"


def _type_value(recipe: Recipe, path: str, value: object) -> str:
    """Return a value as it is typed, or a dash if the recipe has no field of that path."""
    if value is None:
        try:
            recipe.get(path)
        except UserError:
            return "-"
    return write_typed(value)


def describe_pipeline(pipeline: Pipeline) -> str:
    """Return a pipeline's card, recipe, difference from the textbook, and published against actual."""
    card, recipe = pipeline.card, pipeline.recipe
    against_textbook = _compare_with_textbook(pipeline.id, recipe)
    disagreements = [line for disagreement in card.disagreements for line in _describe_disagreement(disagreement)]
    admitted = card.admitted
    titles_and_lines: list[tuple[str, Sequence[str]]] = [
        ("silent mistakes that were found", [] if admitted is None else list(_describe_found(admitted))),
        ("what the scripts do", [] if admitted is None else _as_columns(admitted.facts)),
        ("quirks", [] if admitted is None else _list_quirks(pipeline)),
        ("edits by the authors", [f"- {edit}" for edit in card.author_edits]),
        ("does not run as given", [f"- {mend.fault}; here: {mend.reading}" for mend in card.mends]),
        ("its scripts write", _as_columns(describe_outputs(pipeline))),
        ("recipe", _list_fields(recipe)),
        ("assumed, as no source states it", [f"{assumed.path}: {assumed.reason}" for assumed in card.assumed]),
        ("against the textbook recipe", against_textbook),
        ("the study's table against what runs", _as_columns(table_against_code(pipeline))),
        ("where published and code disagree", disagreements),
    ]
    sections = [section(title, lines) for title, lines in titles_and_lines]
    return "\n\n".join([pipeline.id, align_columns(card_facts(card)), *filter(None, sections)])


def _list_quirks(pipeline: Pipeline) -> list[str]:
    return [f"{quirk.id} ({quirk.kind}): {quirk.sentence}" for quirk in pipeline.quirks] or ["none"]


def _describe_found(admitted: zoo.Admitted) -> Iterator[str]:
    for found in admitted.findings:
        place = f" ({found.place})" if found.place else ""
        yield f"{found.id}, {found.certainty}{place}: {found.sentence}"
        yield f"  {found.evidence}"


def describe_recipe(label: str, recipe: Recipe) -> str:
    """Return a recipe of somebody's own, and its difference from the textbook."""
    against_textbook = section("against the textbook recipe", _compare_with_textbook(label, recipe))
    return "\n\n".join([label, section("recipe", _list_fields(recipe)), against_textbook])


def _list_fields(recipe: Recipe) -> list[str]:
    return [f"{path} = {write_typed(value)}" for path, value in recipe.items()]


def _compare_with_textbook(label: str, recipe: Recipe) -> list[str]:
    return difference_table(("textbook", zoo.TEXTBOOK), (label, recipe)).splitlines()


def card_facts(card: zoo.Card) -> list[tuple[str, str]]:
    """Return what a card says of a pipeline in a word or a sentence each, by name."""
    network = [("network", card.summary), ("parameters", f"{card.parameters:,}")]
    if card.is_reference:
        return [("reference", f"{card.name} ({card.vendor})"), ("origin", card.origin), *network]
    if card.admitted is not None:
        version, reached = card.admitted.prompt_version, f"reached the stage {card.admitted.stage}"
        return [
            ("language model", card.name),
            ("admitted", f"{card.admitted.date}, {reached}" if card.admitted.date else reached),
            ("prompt", "not ours" if version is None else f"llmseg prompt, version {version}"),
            ("framework", card.framework),
            ("edits", str(card.admitted.edits)),
            ("repair turns", str(card.admitted.turns)),
            *network,
            ("origin", card.origin),
            ("its scripts", card.scripts),
        ]
    return [
        ("language model", f"{card.name} ({card.vendor}, {card.cohort})"),
        ("in the study", _standing(card)),
        ("reasoning", _yes_or_no(card.reasoning)),
        ("open weights", _yes_or_no(card.open_weights)),
        *network,
        ("published for", card.published_for),
        ("its conversation", card.origin),
        ("its scripts", card.scripts or "unknown"),
    ]


def describe_outputs(pipeline: Pipeline) -> list[tuple[str, str]]:
    """Return the files that the scripts write, in their order, with what they hold."""
    return [(output.file, output.describe()) for output in pipeline.outputs.files] if pipeline.outputs else []


def _as_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    return align_columns(rows).splitlines() if rows else []


def _yes_or_no(value: object) -> str:
    return "yes" if value else "no"


def _standing(card: zoo.Card) -> str:
    if card.framework != "PyTorch":
        return f"its settings only, for {card.framework}; no training is reported"
    return "yes, one of the nineteen" if card.in_study else "no"


def table_against_code(pipeline: Pipeline) -> list[tuple[str, ...]]:
    """Return what the study printed beside the recipe's own fields, below a head; a dash where either has none."""
    published, actual = pipeline.card.published, dict(pipeline.recipe.items())
    if published is None:
        return []
    loss = [
        f"{name} {write_typed(actual[f'loss.{name}'])}" for name in ("bce", "dice", "reads") if f"loss.{name}" in actual
    ]
    rows = [
        ("parameters", published.parameters, f"{pipeline.card.parameters:,}"),
        ("image size", published.image_size, actual.get("images.size")),
        ("batch size", published.batch_size, actual["fit.batch_size"]),
        ("epochs", published.epochs, actual["fit.epochs"]),
        ("optimizer", published.optimizer, f"{actual['fit.optimizer']}, rate {actual['fit.rate']:g}"),
        ("loss", published.loss, ", ".join(loss) or None),
        ("encoder", published.encoder, actual.get("net.encoder")),
        ("bottleneck", published.bottleneck, actual.get("net.bottleneck")),
        ("decoder", published.decoder, actual.get("net.decoder")),
        ("stages", f"{published.encoder_stages} down, {published.decoder_stages} up", None),
        ("block", published.block, None),
        ("head", published.head, actual["net.output"]),
        ("training time", published.training_time, None),
    ]
    cells = [(name, *("-" if value is None else write_typed(value) for value in pair)) for name, *pair in rows]
    return [("", "printed", "runs"), *cells]


def _describe_disagreement(disagreement: zoo.Disagreement) -> list[str]:
    return [
        f"{disagreement.about} ({disagreement.kind})",
        f"  published: {disagreement.published}",
        f"  code: {disagreement.code}",
        f"  so: {disagreement.consequence}",
        f"  source: {disagreement.source}",
    ]
