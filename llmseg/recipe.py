"""The recipe: seven parts that decide a result, as frozen values.

This module knows what the parts are asked for, and nothing of how they do it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from llmseg.errors import UserError
from llmseg.fit import Fit
from llmseg.parts import Part, changed, check_names, differing, field_name, from_text, leaves, parsed, plain
from llmseg.quirks import Quirk, quirks_of, repaired

if TYPE_CHECKING:
    import numpy as np
    import torch


class Images(Part, ABC):
    """Data preparation: bytes of one size, and a table that gives each of the 256 byte values its number.

    Everything that depends on neighbouring pixels (decoding, colour, size) ends in bytes, and everything after it takes
    one byte at a time. So prepared cases can be kept as bytes, and tensors made of them are the same to the last bit
    wherever that happens. A resize that does not round gives values between bytes; it ends in the numbers themselves,
    float32, and no table is asked (:func:`numbers`).
    """

    @property
    @abstractmethod
    def channels(self) -> int:
        """Channels of the image tensor."""

    @abstractmethod
    def image_bytes(self, image: np.ndarray) -> np.ndarray:
        """Prepare an image up to its bytes: uint8 ``[H, W]`` or ``[H, W, 3]`` to ``[channels, h, w]``.

        The type is uint8, or float32 where bytes would round.
        """

    @abstractmethod
    def mask_bytes(self, mask: np.ndarray) -> np.ndarray:
        """Prepare a mask up to its bytes: uint8 ``[H, W]`` to ``[1, h, w]``, uint8 or float32 as an image."""

    @abstractmethod
    def tables(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the numbers of the 256 byte values of images, and of masks (in 0..1): two float32 ``[256]``."""

    def image(self, image: np.ndarray) -> torch.Tensor:
        """Prepare an image alone: uint8 ``[H, W]`` or ``[H, W, 3]`` to float32 ``[channels, h, w]``."""
        return _numbers(self.image_bytes(image), self.tables()[0])

    def mask(self, mask: np.ndarray) -> torch.Tensor:
        """Prepare a mask alone: uint8 ``[H, W]`` to float32 ``[1, h, w]`` in 0..1."""
        return _numbers(self.mask_bytes(mask), self.tables()[1])

    def __call__(self, image: np.ndarray, mask: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Prepare one case.

        Args:
            image: uint8 ``[H, W]`` or ``[H, W, 3]``.
            mask: uint8 ``[H, W]``, 0 background to 255 foreground.

        Returns:
            Image ``[channels, h, w]`` and mask ``[1, h, w]``, float32; the mask in 0..1.
        """
        return self.image(image), self.mask(mask)


def numbers(values: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """Return the numbers of prepared values: those of a table for uint8, the values themselves for float32.

    Example:
        >>> import torch
        >>> numbers(torch.tensor([2, 0], dtype=torch.uint8), torch.arange(256) / 255)
        tensor([0.0078, 0.0000])
    """
    return values if values.is_floating_point() else table.take(values.long())


def _numbers(values: np.ndarray, table: torch.Tensor) -> torch.Tensor:
    import torch

    return numbers(torch.from_numpy(values), table)


@dataclass(frozen=True)
class Split:
    """Case ids of the three parts, each in the order in which it is used.

    No case is in two parts, but validation may be the training part itself.

    Raises:
        UserError: A case is in the split more than once.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        ids = self.train + (() if self.validation == self.train else self.validation) + self.test
        if len(set(ids)) != len(ids):
            twice = next(id for id in ids if ids.count(id) > 1)
            raise UserError(f"case '{twice}' is in the split more than once")

    @property
    def digest(self) -> str:
        """SHA-256 over the ids in order, 64 hexadecimal digits."""
        return hashlib.sha256(json.dumps([self.train, self.validation, self.test]).encode()).hexdigest()


class Splitter(Part, ABC):
    """Split procedure."""

    @abstractmethod
    def __call__(self, ids: Sequence[str], generator: torch.Generator) -> Split:
        """Divide case ids in listing order into three parts."""

    def listing(self, ids: Sequence[str], generator: torch.Generator) -> list[str]:
        """Return the ids in the order in which they are divided: as listed, unless they are shuffled first."""
        return list(ids)


class Net(Part, ABC):
    """Network."""

    output: Literal["logits", "probability"]

    @abstractmethod
    def build(self, in_channels: int) -> torch.nn.Module:
        """Build a module that maps float32 ``[B, in_channels, H, W]`` to ``[B, 1, h, w]``."""

    def start(self, in_channels: int) -> torch.nn.Module:
        """Build the module with the weights a training starts from: freshly drawn, unless a network says otherwise."""
        return self.build(in_channels)


class Loss(Part, ABC):
    """Loss of a batch."""

    @abstractmethod
    def __call__(self, output: torch.Tensor, mask: torch.Tensor, validating: bool = False) -> torch.Tensor:
        """Return the loss of network output ``[B, 1, h, w]`` and mask ``[B, 1, H, W]`` as a scalar."""


class Score(Part, ABC):
    """Score of a batch."""

    over: Literal["batch", "case"]

    @abstractmethod
    def __call__(self, output: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the values the script lists for a batch."""

    @abstractmethod
    def cases(self, output: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return one value per case."""

    @abstractmethod
    def collected(self, batches: Sequence[torch.Tensor]) -> tuple[float, ...]:
        """Return what the script lists for a whole pass."""

    @abstractmethod
    def dice(self, output: torch.Tensor, mask: torch.Tensor, over: Literal["batch", "case"]) -> torch.Tensor:
        """Return the bare formula on output and mask of one size."""


@dataclass(frozen=True)
class Difference:
    """One field in which two recipes differ."""

    path: str
    left: object
    right: object


@dataclass(frozen=True, kw_only=True)
class Recipe(Part):
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
        copy: Recipe = changed(self, path.split("."), value, path)
        return copy

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
        return self.change(path, from_text(text, self.get(path)))

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

        A field that only one of them has (their parts are of different kinds) is paired with ``None``, and so is a part
        that only one of them has, such as a schedule.
        """
        return tuple(
            Difference(*found)
            for part in dataclasses.fields(self)
            for found in differing(part.name, getattr(self, part.name), getattr(other, part.name))
        )

    @property
    def quirks(self) -> tuple[Quirk, ...]:
        """The known quirks that this recipe has, in the order in which they are repaired."""
        return quirks_of(self)

    def repaired(self, id: str) -> Recipe:
        """Return a copy without a quirk.

        Args:
            id: The quirk, of which one field is changed; ``"all"`` for one repair after the other until none is left.

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
