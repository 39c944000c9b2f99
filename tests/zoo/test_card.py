"""What the cards of all pipelines state: complete, about fields that exist, with sources that can be opened."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from llmseg import zoo

PIPELINES = {name: zoo.get(name) for name in zoo.all_names(reference=False)}
DISAGREEMENTS = [(name, point) for name, pipeline in PIPELINES.items() for point in pipeline.card.disagreements]
ROOT = Path(__file__).parents[2]

SCRIPT = r"(Modells 202[45]|run_to_run variability test)/[^/]+/(dataset|model|train|main)\.py(:[1-9]\d*)?"
CHAT = r"(Modells 202[45]|run_to_run variability test)/[^/]+/[^/]+ chat\.json"
ANSWER = r"Models Comparison/Results/Tensorflow/[^/]+ chat_Tf\.json"


def test_complete():
    for name, pipeline in PIPELINES.items():
        card = pipeline.card
        for field in ("name", "vendor", "published_for", "origin", "summary", "scripts"):
            assert getattr(card, field).strip(), (name, field)
        assert card.cohort in (2024, 2025), name
        assert (card.published is not None) == card.in_study, name
        assert all(edit.strip() for edit in card.author_edits), name
    for name, point in DISAGREEMENTS:
        assert all(str(value).strip() for value in dataclasses.asdict(point).values()), name


def test_text_is_text():
    """A tuple of one text without its comma is a text, and would be read letter by letter."""
    for name, pipeline in PIPELINES.items():
        card = pipeline.card
        assert isinstance(card.author_edits, tuple), name
        assert isinstance(card.disagreements, tuple), name
        assert all(isinstance(point, zoo.Disagreement) for point in card.disagreements), name
        if card.published:
            assert all(isinstance(widths, tuple) for widths in (card.published.encoder, card.published.decoder)), name


def test_a_disagreement_is_about_a_field():
    for name, point in DISAGREEMENTS:
        value: object = PIPELINES[name]
        if not point.about.startswith("card."):
            PIPELINES[name].recipe.get(point.about)  # raises an error that names the path
        else:
            for field in point.about.split("."):
                assert field in {f.name for f in dataclasses.fields(value)}, (name, point.about)
                value = getattr(value, field)


def test_a_source_can_be_opened():
    """A file of the pipeline's own scripts, with the line; or a page of the documentation."""
    for name, point in DISAGREEMENTS:
        if point.source.startswith("docs/"):
            assert PIPELINES[name].card.name in (ROOT / point.source).read_text(encoding="utf-8"), name
        else:
            assert re.fullmatch(f"{SCRIPT}|{CHAT}|{ANSWER}", point.source), (name, point.source)
            scripts = PIPELINES[name].card.scripts
            assert point.source == scripts or point.source.startswith(f"{scripts}/"), (name, point.source)


def test_scripts_are_each_pipelines_own():
    """A variant in colour is the published state of the same scripts."""
    folders = {name: pipeline.card.scripts for name, pipeline in PIPELINES.items() if not name.endswith("@rgb")}
    assert len(set(folders.values())) == len(folders)


def test_variants_are_by_the_same_language_model():
    """Those of one framework are one pipeline in two states; other answers are pipelines of their own."""
    for name, variant in PIPELINES.items():
        base = PIPELINES[name.partition("@")[0]]
        own = variant.card.framework != base.card.framework or "@run-" in name
        assert (variant.card == base.card) == (not own), name
        for field in ("name", "vendor", "cohort", "in_study", "reasoning", "open_weights"):
            assert getattr(variant.card, field) == getattr(base.card, field), (name, field)
        assert (variant.recipe == base.recipe) == (base.id == name), name
