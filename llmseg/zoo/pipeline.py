"""The pipeline: a card, a recipe, and the names that the original script gave to the network's blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llmseg.errors import UserError
from llmseg.files.html import facts_html
from llmseg.recipe.display import recipe_html, recipe_line
from llmseg.recipe.recipe import TEXTBOOK, Recipe
from llmseg.zoo import original_weights
from llmseg.zoo.card import Card
from llmseg.zoo.outputs import Outputs

if TYPE_CHECKING:
    from torch import Tensor, nn

    from llmseg.recipe.quirks import Quirk


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The whole pipeline of a language model, or of a reference.

    Attributes:
        id: The name users type.
        card: Who wrote it and what was published.
        recipe: Everything that decides a result.
        original_names: For every block of the network, our prefix and the original's, as in the state dictionary that
            the original script saves; empty if it saves none.
        outputs: What its scripts write; ``None`` if it is not known. It decides no result, so it is in no digest.

    Example:
        >>> from llmseg import zoo
        >>> pipeline = zoo.get("gemini-2.5-pro")
        >>> pipeline.recipe.fit.epochs, pipeline.card.vendor
        (25, 'Google DeepMind')
    """

    id: str
    card: Card
    recipe: Recipe
    original_names: tuple[tuple[str, str], ...]
    outputs: Outputs | None = None

    def __repr__(self) -> str:
        return f"<Pipeline {self.id}: {self.card.name} ({self.card.vendor}), {recipe_line(self.recipe, TEXTBOOK)}>"

    def _repr_html_(self) -> str:
        facts = {
            "network": self.card.summary,
            "parameters": f"{self.card.parameters:,}",
            "quirks": ", ".join(quirk.id for quirk in self.quirks) or "none",
        }
        model = f"{self.card.name} ({self.card.vendor}{f', {self.card.cohort}' if self.card.cohort else ''})"
        return facts_html(self.id, {"reference" if self.card.is_reference else "language model": model, **facts}) + (
            recipe_html(self.recipe, TEXTBOOK)
        )

    @property
    def quirks(self) -> tuple[Quirk, ...]:
        """The quirks of the recipe, asked anew each time: a changed recipe has others."""
        return self.recipe.quirks

    def build(self, in_channels: int | None = None) -> nn.Module:
        """Build the network with freshly drawn weights.

        Args:
            in_channels: 1 for grey, 3 for RGB images; ``None`` takes what the recipe's images have.
        """
        return self.recipe.net.build(self.recipe.images.channels if in_channels is None else in_channels)

    def load_original(self, path: str | Path) -> nn.Module:
        """Build the network with the weights of a state dictionary saved by the original script.

        Only tensors are read; a file that would execute code is refused. The number of input channels is taken
        from the file.

        Args:
            path: A ``.pth`` state dictionary with the original's names.

        Raises:
            UserError: The script saved no such file; the file is missing, is no state dictionary, or does not fit this
                network.
        """
        if not self.original_names:
            why = f"is written for {self.card.framework} and saves no state dictionary"
            if self.card.admitted is not None:
                why = "was admitted, and how it names its weights is not known"
            raise UserError(f"the script of {self.id} {why}; train it, and give the run")
        return original_weights.load_original(Path(path), self.build, self.original_names, self.id)

    def to_original(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Rename the entries of our state dictionary to the original script's names, if it has any."""
        if not self.original_names:
            return dict(state)
        return original_weights.rename_all(state, self.original_names)
