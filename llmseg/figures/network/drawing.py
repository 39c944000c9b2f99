"""The drawing of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmseg.errors import escape_controls
from llmseg.figures.canvas import make_sheet, styled
from llmseg.figures.network.oddities import find_oddities
from llmseg.figures.network.placing import place
from llmseg.figures.network.planning import plan_network
from llmseg.figures.network.shapes import paint
from llmseg.figures.network.trace import trace
from llmseg.recipe.quirks.quirk import value_at
from llmseg.zoo.given import find_recipe

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from llmseg.recipe.given import GivenRecipe

USUAL_SIZE = (256, 256)
"""Height and width for which the network of a recipe is drawn whose images keep their own."""


@styled
def draw_network(given: GivenRecipe, *, size: tuple[int, int] | None = None) -> Figure:
    """Draw the network of a recipe: stages with their channels and sizes, skips, and what is unusual about it.

    The drawing is made from what the network computes, so it fits any network, also one from outside the package.
    Numbers in black discs mark what is unusual, and sentences below say what it is: the quirks of the recipe that
    concern its network, and what its maps show beyond them.

    Args:
        given: The name of a pipeline, a pipeline, a recipe, a run, or a file with a recipe in JSON.
        size: Height and width of the image; ``None`` takes those of the recipe, or 256 x 256 where it states none.

    Raises:
        UserError: There is no such recipe, the network does not take such an image, or a package it needs is missing.

    Example:
        >>> figure = draw_network("gpt-4o")
        >>> texts = [text.get_text() for text in figure.axes[0].texts]
        >>> "1 → 64, 64" in texts, "cropped-skips" in texts
        (True, True)
    """
    name, recipe = find_recipe(given)
    stated = value_at(recipe, "images.size")
    used = size or (stated if isinstance(stated, tuple) else USUAL_SIZE)
    plan = plan_network(trace(recipe.net, recipe.images.channels, used))
    remark = "" if size or isinstance(stated, tuple) else "; images keep the size of their files"
    sheet = place(plan, find_oddities(recipe, plan), escape_controls(name), getattr(recipe.net, "output", ""), remark)
    figure, axes = make_sheet(sheet.width, sheet.height)
    for shape in sheet.shapes:
        paint(axes, shape)
    return figure
