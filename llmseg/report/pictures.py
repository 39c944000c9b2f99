"""Pictures of a report: cases small and at full size, and drawings of networks, as files."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from llmseg.data.store import Store
from llmseg.errors import UserError
from llmseg.files import encode_png
from llmseg.recipe.recipe import Recipe
from llmseg.report import overlays
from llmseg.report.cases import CaseScore
from llmseg.report.profiles import Profile
from llmseg.study.results import ContenderRun
from llmseg.study.variants import Variant

_PIXELS_PER_INCH = 96
"""How many pixels of a page an inch of a drawing is."""


@dataclass(frozen=True)
class Picture:
    """A picture among the files of a report.

    Attributes:
        path: Path of the file, relative to the folder of the report.
        width: Width in pixels.
        height: Height in pixels.
        page: Place on a page that shows it at full size, likewise relative; empty if there is none.
    """

    path: str
    width: int
    height: int
    page: str = ""


@dataclass(frozen=True)
class Prediction:
    """A predicted mask of a case at full size.

    Attributes:
        score: What the mask scored.
        anchor: Its place on the page of the case.
        mask: Path of the file with the colours of the masks on a transparent ground, relative to the folder.
    """

    score: CaseScore
    anchor: str
    mask: str


@dataclass(frozen=True)
class CasePage:
    """A page that shows a case at full size, with all masks that were predicted for it.

    Attributes:
        path: Path of the page, relative to the folder of the report.
        dataset: Name of the dataset.
        case: Id of the case.
        image: The image without masks.
        predictions: The masks.
    """

    path: str
    dataset: str
    case: str
    image: Picture
    predictions: tuple[Prediction, ...]


def draw_cases(
    wanted: Sequence[CaseScore],
    trained: Sequence[ContenderRun],
    stores: Mapping[str, Store],
    profiles: Mapping[str, Profile],
    pages: Mapping[str, str],
    folder: Path,
    advance: Callable[[str], object],
) -> tuple[dict[CaseScore, Picture], tuple[CasePage, ...]]:
    """Write the pictures of cases.

    Args:
        wanted: Which masks on which cases.
        trained: The runs that predict them.
        stores: Stores with the images, by name of the dataset.
        profiles: The contenders by name.
        pages: Names of the pages of datasets, without extension, by dataset.
        folder: The folder of the report.
        advance: Is told what is done next, once per picture.

    Returns:
        Small pictures by the score they belong to, and what the pages of the cases show.
    """
    pictures: dict[CaseScore, Picture] = {}
    images: dict[tuple[str, str], tuple[str, Picture]] = {}
    predictions: dict[tuple[str, str], list[Prediction]] = {}
    for score, overlay in overlays.draw_overlays(wanted, trained, stores):
        advance("predict masks")
        key = (score.dataset, score.case)
        # Numbered: ids of cases may hold anything, and two may differ in capitals only.
        if key not in images:
            name = f"{pages[score.dataset]}-{len(images)}"
            images[key] = f"cases/{name}.html", _write(folder, f"images/cases/{name}.png", overlay.image)
        page, _ = images[key]
        profile = profiles[score.contender]
        anchor = f"{profile.page}-seed-{score.seed}"
        name = f"images/{profile.page}/{pages[score.dataset]}-{len(pictures)}"
        pictures[score] = replace(_write(folder, f"{name}.png", overlay.small), page=f"{page}#{anchor}")
        masks = _write(folder, f"{name}-masks.png", overlay.masks)
        predictions.setdefault(key, []).append(Prediction(score, anchor, masks.path))
    return pictures, tuple(
        CasePage(page, *key, image, tuple(predictions[key])) for key, (page, image) in images.items()
    )


def draw_networks(
    profiles: Mapping[str, Profile], folder: Path, advance: Callable[[str], object]
) -> dict[str, Picture]:
    """Draw the networks of contenders whose recipes are known; return the drawings by contender.

    Args:
        profiles: The contenders by name.
        folder: The folder of the report.
        advance: Is told what is done next, once per contender.
    """
    drawings = {}
    for name, profile in profiles.items():
        advance("draw networks")
        if profile.recipe is None:
            continue
        try:
            svg, width, height = _draw_network(name, profile.recipe)
        except UserError:  # a network of somebody's own may not run on an image without numbers
            continue
        path = f"images/{profile.page}/network.svg"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(svg)
        drawings[name] = Picture(path, width, height)
    return drawings


@functools.cache
def _draw_network(name: str, recipe: Recipe) -> tuple[bytes, int, int]:
    """Return a drawing as the content of an SVG file, with its width and height in pixels."""
    from llmseg.figures import draw_network, save

    figure = draw_network(Variant(name, recipe))
    with TemporaryDirectory() as folder:
        svg = save(figure, Path(folder) / "network.svg", keep_text=True).read_bytes()
    width, height = (round(_PIXELS_PER_INCH * side) for side in figure.get_size_inches())
    return svg, width, height


def _write(folder: Path, path: str, pixels: np.ndarray) -> Picture:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(encode_png(pixels))
    return Picture(path, pixels.shape[1], pixels.shape[0])
