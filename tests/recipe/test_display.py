"""How recipes and pipelines show themselves: in a line, and as a table in a notebook."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from llmseg import SyntheticStore, hold_out, zoo
from llmseg.recipe import Cosine, Recipe


class Cells(HTMLParser):
    """Collects the rows of the tables of a page, and the elements that were not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        assert attrs == []
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "td" in self.open:
            self.rows[-1][-1] += data


@pytest.mark.parametrize("name", zoo.all_names())
def test_a_line_is_short(name):
    pipeline = zoo.get(name)
    for shown in (repr(pipeline.recipe), repr(pipeline)):
        assert len(shown) < 320
        assert "\n" not in shown
    assert name in repr(pipeline)


def test_a_line_says_what_differs():
    recipe = zoo.TEXTBOOK.change("fit.schedule", Cosine(warmup=2, final=0.0)).change("images.size", None)
    fields = "images.size=none, fit.schedule.kind=Cosine, fit.schedule.warmup=2, fit.schedule.final=0.0"
    assert repr(recipe) == f"<Recipe: the textbook recipe with {fields}>"
    assert repr(zoo.TEXTBOOK) == "<Recipe: the textbook recipe>"


def test_fields_that_do_not_fit_are_counted():
    long = replace(zoo.TEXTBOOK, net=replace(zoo.TEXTBOOK.net, encoder=(1000,) * 60, decoder=(1000,) * 60))
    assert repr(long) == "<Recipe: the textbook recipe with 2 other fields>"
    recipe = zoo.get("gpt-4o").recipe
    shown = repr(recipe).count("=")
    different = [difference for difference in zoo.TEXTBOOK.diff(recipe) if difference.right is not None]
    assert f"{len(different) - shown} more>" in repr(recipe)


class TestInANotebook:
    def test_what_differs_and_all_fields(self):
        recipe = zoo.TEXTBOOK.change("fit.epochs", 3)
        page = Cells(recipe._repr_html_())
        assert page.open == []
        assert page.rows[1] == ["fit.epochs", "25", "3"]
        # Two heads, the field that differs, and all fields.
        assert len(page.rows) == 3 + len(list(recipe.items()))
        assert "It is the textbook recipe." in zoo.TEXTBOOK._repr_html_()

    @pytest.mark.parametrize("name", ["gpt-4o", "monai-dynunet", "gpt-4@tensorflow"])
    def test_a_pipeline_with_its_card_and_quirks(self, name):
        pipeline = zoo.get(name)
        page = Cells(pipeline._repr_html_())
        assert page.open == []
        facts = dict(row for row in page.rows if len(row) == 2)
        assert facts["quirks"] == (", ".join(quirk.id for quirk in pipeline.quirks) or "none")
        assert facts["parameters"] == f"{pipeline.card.parameters:,}"
        assert facts["reference" if pipeline.card.is_reference else "language model"].startswith(pipeline.card.name)

    def test_names_are_text(self):
        pipeline = replace(zoo.get("gpt-4"), id="<script>alert(1)</script>")
        assert "<script>" not in pipeline._repr_html_()


def test_equal_recipes_show_the_same():
    recipe = zoo.get("gpt-4o").recipe
    assert repr(Recipe.from_json(recipe.to_json())) == repr(recipe)


def test_other_values_are_short_too():
    quirk = zoo.get("grok-3-mini").quirks[0]
    assert repr(quirk) == f"<Quirk double-sigmoid (mistake): {quirk.sentence}>"
    store = SyntheticStore("fundus", count=10)
    assert repr(hold_out(store)) == "<Holdout: 1 of 10 cases of synthetic-fundus, grouped, seed 0>"
