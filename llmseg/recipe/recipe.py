"""The recipe: seven parts that decide a result, as frozen values.

This module imports the modules of all kinds of parts in the package, so that any recipe can be read from JSON.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmseg.errors import UserError
from llmseg.recipe import textbook
from llmseg.recipe.display import recipe_html, recipe_line
from llmseg.recipe.fit import Fit
from llmseg.recipe.images import Images
from llmseg.recipe.losses import Loss
from llmseg.recipe.nets import encoder_decoder, keras_unet, pooled_skip_unet, references, unet  # noqa: F401
from llmseg.recipe.nets.net import Net
from llmseg.recipe.part import Part, check_names, parse, to_plain
from llmseg.recipe.quirks import Quirk, quirks_of, repaired
from llmseg.recipe.scores import Score
from llmseg.recipe.splits import Splitter
from llmseg.recipe.yaml_text import read_yaml, write_yaml

MAX_SIDE = 10_000
MAX_WIDTH = 10_000
MAX_LEVELS = 64
"""What a recipe may ask for at most: pixels a side, channels of a layer, and layers that a field lists.

Recipes come in files from elsewhere, and a network of 10^9 channels is refused before it is built.
"""


@dataclass(frozen=True, kw_only=True)
class Recipe(Part):
    """Everything that decides a result, and nothing else.

    Attributes:
        images: Preparation of image and mask.
        split: How the cases are divided into training, validation and test.
        net: The network.
        loss: The loss.
        fit: Batch size, epochs, optimizer, learning rate, which weights are kept.
        score: Score in validation.
        test: Score in the test; ``None`` for a script that runs no test.

    Example:
        >>> from llmseg import zoo
        >>> recipe = zoo.get("gpt-4").recipe
        >>> [d.path for d in recipe.diff(recipe.change("fit.epochs", 120))]
        ['fit.epochs']
    """

    images: Images
    split: Splitter
    net: Net
    loss: Loss
    fit: Fit
    score: Score
    test: Score | None

    def __post_init__(self) -> None:
        super().__post_init__()
        for path, value in self.items():
            limit = MAX_SIDE if path.startswith("images.") else MAX_WIDTH if path.startswith("net.") else None
            numbers = value if isinstance(value, tuple) else (value,)
            if limit and any(type(number) is int and number > limit for number in numbers):
                raise UserError(f"{path} is {value}: more than {limit} is not allowed, it would fill any memory")
            if (
                path.startswith("net.")
                and isinstance(value, tuple)
                and any(type(number) is int and number < 1 for number in value)
            ):
                raise UserError(f"{path} is {value}: each number must be at least 1")
            if limit and len(numbers) > MAX_LEVELS:
                raise UserError(f"{path} has {len(numbers)} numbers; at most {MAX_LEVELS} are allowed")

    def __repr__(self) -> str:
        return f"<Recipe: {recipe_line(self, TEXTBOOK)}>"

    def _repr_html_(self) -> str:
        return recipe_html(self, TEXTBOOK)

    @property
    def quirks(self) -> tuple[Quirk, ...]:
        """The known quirks that this recipe has, in the order in which they are repaired."""
        return quirks_of(self)

    def repaired(self, id: str) -> Recipe:
        """Return a copy without a quirk.

        Args:
            id: The quirk; its repair changes one field. ``"all"`` repairs one quirk after the other until none is left.

        Raises:
            UserError: There is no such quirk, or this recipe does not have it.

        Example:
            >>> from llmseg import zoo
            >>> recipe = zoo.get("grok-3-mini").recipe
            >>> [(d.path, d.right) for d in recipe.diff(recipe.repaired("double-sigmoid"))]
            [('loss.reads', 'probability')]
            >>> recipe.repaired("all").quirks
            ()
        """
        return repaired(self, id)

    @property
    def digest(self) -> str:
        """SHA-256 of the recipe's JSON with sorted keys, 64 hexadecimal digits; equal recipes have equal digests."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries and lists, each part with its ``kind``."""
        return {field.name: to_plain(getattr(self, field.name)) for field in dataclasses.fields(self)}

    def to_json(self) -> str:
        """Return the recipe as indented JSON; :meth:`from_json` gives back an equal recipe."""
        return json.dumps(self.to_dict(), indent=2)

    def to_yaml(self) -> str:
        """Return the recipe as YAML; :meth:`from_yaml` gives back an equal recipe.

        Example:
            >>> from llmseg import zoo
            >>> zoo.get("gpt-4").recipe.to_yaml().splitlines()[:3]
            ['images:', '  kind: Prepare', '  colour: grey']
        """
        return write_yaml(self.to_dict())

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Recipe:
        """Rebuild a recipe from :meth:`to_dict`.

        Raises:
            UserError: A part is missing or unknown, a field is missing, unknown or of the wrong type.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        check_names("recipe", data, names)
        return cls(**{name: parse(name, data[name]) for name in names})

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Rebuild a recipe from :meth:`to_json`; raises :class:`UserError` as :meth:`from_dict` does."""
        try:
            data = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise UserError(f"this is no recipe in JSON: {error}") from error
        return cls._from_object(data, "JSON")

    @classmethod
    def from_yaml(cls, text: str) -> Recipe:
        """Rebuild a recipe from :meth:`to_yaml`; raises :class:`UserError` as :meth:`from_dict` does.

        Example:
            >>> from llmseg import zoo
            >>> recipe = zoo.get("gpt-4").recipe
            >>> Recipe.from_yaml(recipe.to_yaml()).digest == recipe.digest
            True
        """
        return cls._from_object(read_yaml(text), "YAML")

    @classmethod
    def _from_object(cls, data: object, form: str) -> Recipe:
        if not isinstance(data, dict):
            raise UserError(f"a recipe in {form} is an object with seven parts, not {type(data).__name__}")
        return cls.from_dict(data)


TEXTBOOK = Recipe(
    images=textbook.IMAGES,
    split=textbook.SPLIT,
    net=textbook.NET,
    loss=textbook.LOSS,
    fit=textbook.FIT,
    score=textbook.SCORE,
    test=textbook.SCORE,
)
"""What a textbook would write; a recipe shows itself by what differs from it."""
