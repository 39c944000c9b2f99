"""Scores of predicted masks against the references, at the size of the image and at that of the network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from llmseg.data.read_ahead import map_ahead
from llmseg.data.store import FOREGROUND
from llmseg.data.subset import Subset
from llmseg.errors import UserError
from llmseg.evaluation.evaluation import ScoredCase
from llmseg.evaluation.measures import Counts, measure_case


@dataclass(frozen=True)
class Prediction:
    """The predicted mask of a case.

    Attributes:
        case: Id of the case.
        native: bool ``[H, W]`` at the size of the image.
        working: bool ``[h, w]`` at the size of the network's output; ``None`` for masks from elsewhere.
    """

    case: str
    native: np.ndarray
    working: np.ndarray | None


def score_predictions(predictions: Iterable[Prediction], cases: Subset, tolerance: float) -> Iterator[ScoredCase]:
    """Yield the scores of every predicted mask, at one size or two; masks are asked for as scoring goes on.

    Args:
        predictions: The masks.
        cases: The cases with their references.
        tolerance: Distance in pixels up to which NSD counts a boundary as met.

    Raises:
        UserError: A mask has another size than its case.
    """

    def score(prediction: Prediction) -> list[ScoredCase]:
        reference = cases.read(prediction.case).mask > FOREGROUND
        if prediction.native.shape != reference.shape:
            height, width = prediction.native.shape
            raise UserError(
                f"the mask of '{prediction.case}' is {width}x{height}, the case "
                f"{reference.shape[1]}x{reference.shape[0]} (width x height); make them equal"
            )
        pairs = {"native": (prediction.native, reference)}
        if prediction.working is not None:
            pairs["working"] = (prediction.working, _resize_nearest(reference, prediction.working.shape))
        group = cases.groups[prediction.case]
        return [
            ScoredCase(prediction.case, group, size, measure_case(*pair, tolerance=tolerance), Counts.of(*pair))
            for size, pair in pairs.items()
        ]

    for scores in map_ahead(score, predictions):
        yield from scores


def _resize_nearest(mask: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Bring a mask, bool ``[H, W]``, to another height and width by its nearest pixels."""
    resized = Image.fromarray(mask).resize((shape[1], shape[0]), Image.Resampling.NEAREST)
    return np.asarray(resized, dtype=bool)
