"""The recipe: seven parts that decide a result, as frozen values.

This module knows what the parts are asked for, and nothing of how they do it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from llmseg.errors import UserError
from llmseg.parts import Part, check_names, field_name, leaves, parsed, plain

if TYPE_CHECKING:
    import numpy as np
    import torch

    from llmseg.data.splits import Split
    from llmseg.fit import Fit


class Images(Protocol):
    """Data preparation: one image and mask as 8-bit arrays in, two float32 tensors out."""

    @property
    def channels(self) -> int: ...
    def image(self, image: np.ndarray) -> torch.Tensor: ...
    def __call__(self, image: np.ndarray, mask: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]: ...


class Splitter(Protocol):
    """Split procedure: case ids in listing order in, training, validation and test ids out."""

    def __call__(self, ids: Sequence[str], generator: torch.Generator) -> Split: ...


class Net(Protocol):
    """Network: builds a module that maps ``[B, C, H, W]`` to ``[B, 1, h, w]``."""

    @property
    def output(self) -> Literal["logits", "probability"]: ...
    def build(self, in_channels: int) -> torch.nn.Module: ...


class Loss(Protocol):
    """Loss of a batch: network output and mask in, a scalar tensor out."""

    def __call__(self, output: torch.Tensor, mask: torch.Tensor, validating: bool = False) -> torch.Tensor: ...


class Score(Protocol):
    """Score of a batch: the values the script lists, and one value per case."""

    @property
    def over(self) -> Literal["batch", "case"]: ...
    def __call__(self, output: torch.Tensor, mask: torch.Tensor) -> torch.Tensor: ...
    def dice(self, output: torch.Tensor, mask: torch.Tensor, over: Literal["batch", "case"]) -> torch.Tensor: ...
    def collected(self, batches: Sequence[torch.Tensor]) -> tuple[float, ...]: ...
    def cases(self, output: torch.Tensor, mask: torch.Tensor) -> torch.Tensor: ...


@dataclass(frozen=True)
class Difference:
    """One field in which two recipes differ."""

    path: str
    left: object
    right: object


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides a result, and nothing else.

    Attributes:
        images: Preparation of image and mask.
        split: How the cases are divided.
        net: The network.
        loss: The objective.
        fit: Batch size, epochs, optimiser, rate, which weights are kept.
        score: Score in validation.
        test: Score at the end; ``None`` for a script that runs no test.

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

    def change(self, path: str, value: object) -> Recipe:
        """Return a copy with one field changed.

        Args:
            path: Dotted path of a field, such as ``"fit.epochs"``, or of a whole part, such as ``"loss"``.
            value: The new value; must fit the field's type.

        Raises:
            UserError: The path names no field, or the value does not fit.

        Example:
            >>> from llmseg import zoo
            >>> zoo.get("gpt-4").recipe.change("fit.batch_size", 4).fit.batch_size
            4
        """
        changed: Recipe = _changed(self, path.split("."), value, path)
        return changed

    def change_text(self, assignment: str) -> Recipe:
        """Return a copy with one field changed by text as typed on a command line.

        Args:
            assignment: ``path=value``; tuples are written with commas, absence as ``none``.

        Raises:
            UserError: The text is no assignment, or as for :meth:`change`.

        Example:
            >>> from llmseg import zoo
            >>> zoo.get("gpt-4").recipe.change_text("images.size=128,128").images.size
            (128, 128)
        """
        path, equals, text = assignment.partition("=")
        if not equals or not path:
            raise UserError(f"'{assignment}' is no assignment; write path=value, for example fit.epochs=120")
        return self.change(path, _from_text(text, self.get(path)))

    def get(self, path: str) -> object:
        """Return the value at a dotted path.

        Raises:
            UserError: The path names no field.
        """
        value: object = self
        for name in path.split("."):
            value = getattr(value, field_name(value, name, path))
        return value

    def items(self) -> Iterator[tuple[str, object]]:
        """Yield every (dotted path, plain value), the kind of each part first under ``part.kind``."""
        for part in dataclasses.fields(self):
            yield from leaves(part.name, getattr(self, part.name))

    def diff(self, other: Recipe) -> tuple[Difference, ...]:
        """Return the fields in which two recipes differ, in field order.

        A field that only one of them has (their parts are of different kinds) is paired with ``None``.
        """
        left, right = dict(self.items()), dict(other.items())
        paths = list(left) + [path for path in right if path not in left]
        return tuple(
            Difference(path, left.get(path), right.get(path))
            for path in paths
            if (path in left) != (path in right) or left.get(path) != right.get(path)
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, 64 hexadecimal digits; equal exactly for equal recipes."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries and lists, each part with its ``kind``."""
        return {field.name: plain(getattr(self, field.name)) for field in dataclasses.fields(self)}

    def to_json(self) -> str:
        """Return the recipe as indented JSON; :meth:`from_json` gives back an equal recipe."""
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Recipe:
        """Rebuild a recipe from :meth:`to_dict`.

        Raises:
            UserError: A part is missing or unknown, a field is missing, unknown or of the wrong type.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        check_names("recipe", data, names)
        return cls(**{name: parsed(name, data[name]) for name in names})

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Rebuild a recipe from :meth:`to_json`; raises :class:`UserError` as :meth:`from_dict` does."""
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise UserError(f"this is no recipe in JSON: {error}") from error
        if not isinstance(data, dict):
            raise UserError(f"a recipe in JSON is an object with seven parts, not {type(data).__name__}")
        return cls.from_dict(data)


def _changed(value: Any, names: Sequence[str], new: object, path: str) -> Any:
    name = field_name(value, names[0], path)
    if len(names) > 1:
        new = _changed(getattr(value, name), names[1:], new, path)
    elif isinstance(value, Recipe):
        _check_part(name, new)
    return dataclasses.replace(value, **{name: new})


def _check_part(name: str, new: object) -> None:
    if not isinstance(new, Part) and not (new is None and name == "test"):
        raise UserError(f"'{name}' is a whole part and {new!r} is none; change a field of it, such as '{name}.…'")


def _from_text(text: str, present: object) -> object:
    """Read a value as typed; the present value tells a number from a word where both would do."""
    if text.lower() in ("none", "null"):
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if "," in text or isinstance(present, tuple):
        return tuple(_from_text(piece.strip(), None) for piece in text.split(",") if piece.strip())
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
