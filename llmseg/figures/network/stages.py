"""A network as stages, each with maps of one size, and the skips between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Direction = Literal["down", "up", "same"]
Size = tuple[int, int]

SLIGHT = 2
"""Rows and columns by which maps may differ and still count as equally large."""


@dataclass(frozen=True)
class Layer:
    """A layer with weights and what follows it.

    Attributes:
        name: In words, such as ``3x3 convolution, batch norm, ReLU``.
        channels: Channels that it gives.
    """

    name: str
    channels: int


@dataclass(frozen=True)
class Joined:
    """Maps that join those of a stage.

    Attributes:
        how: Such as ``concatenated``.
        channels: How many maps there are afterwards, less those before, where they are concatenated; else 0.
        first: Whether they stand before the others.
    """

    how: str
    channels: int
    first: bool


@dataclass(frozen=True)
class Stage:
    """What a network does with maps of one size.

    Attributes:
        direction: Whether its maps are smaller (``down``) or larger (``up``) than those of the stage before.
        entry: How they became so, in words; empty where nothing stands between the two stages.
        entering: Channels that enter.
        parts: Layers and what joins, in order.
        size: Height and width of the maps that it gives.
        fitted: Height and width before they were cut or resized to those of a skip; ``None`` if they were not.
        fitted_by_cut: Whether they were cut, not resized.
        inner: How often maps of the stage join later ones of it, by how they join.
        dropout: Share of the values dropped in training, 0 for none.
        channels: Channels that it gives.
    """

    direction: Direction
    entry: str
    entering: int
    parts: tuple[Layer | Joined, ...]
    size: Size
    fitted: Size | None
    fitted_by_cut: bool
    inner: tuple[str, ...]
    dropout: float
    channels: int

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Its layers with weights."""
        return tuple(part for part in self.parts if isinstance(part, Layer))


@dataclass(frozen=True)
class Skip:
    """Maps of a stage that join a later one.

    Attributes:
        source: Index of the stage from which they come.
        target: Index of the stage that they join.
        how: Such as ``concatenated``.
        at_entry: Whether they are taken as they enter their stage, such as after a pooling, before its layers.
        size: Their height and width where they are taken; as where they join, if they are no maps there.
        joined: Their height and width where they join.
        resized: Whether they were resized on the way, not cut.
        layers: How many layers with weights they pass.
    """

    source: int
    target: int
    how: str
    at_entry: bool
    size: Size
    joined: Size
    resized: bool
    layers: int


@dataclass(frozen=True)
class Plan:
    """A network as stages.

    Attributes:
        image: Channels, height and width of the image.
        stages: The stages in the order in which they are computed.
        skips: The skips.
        tail: What makes the output of the last stage, in words, in order.
        output: Channels, height and width of the output.
        parameters: How many parameters the network has.
        last_activation: Name of the function of the activation before the output or before its sigmoid; empty for none.
    """

    image: tuple[int, int, int]
    stages: tuple[Stage, ...]
    skips: tuple[Skip, ...]
    tail: tuple[str, ...]
    output: tuple[int, int, int]
    parameters: int
    last_activation: str

    @property
    def bottom(self) -> int:
        """Index of the last stage before the maps become larger again."""
        ups = [index for index, stage in enumerate(self.stages) if stage.direction == "up"]
        return ups[0] - 1 if ups else len(self.stages) - 1

    @property
    def is_u(self) -> bool:
        """Whether maps become smaller up to the bottom, and only larger after it."""
        return all(stage.direction != "down" for stage in self.stages[self.bottom + 1 :])
