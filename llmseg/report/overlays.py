"""Predicted masks on their images, as files of a report."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from llmseg.data.store import FOREGROUND, Store
from llmseg.data.store_source import open_source
from llmseg.evaluation.evaluate import THRESHOLD
from llmseg.figures.overlay import draw_agreement, draw_small_overlay, shrink
from llmseg.report.cases import CaseScore
from llmseg.study.results import ContenderRun, choose_run

if TYPE_CHECKING:
    from torch import nn

_SMALL, _LARGE = 320, 1024
"""Longest side of a picture in pixels: about twice the width that pages give it, for sharp displays; and opened."""

NO_RUNS = "overlays need runs; name folders of runs, not only scores"
NO_STORE = "overlays need the images; name the store by --data"


@dataclass(frozen=True, eq=False)
class Overlay:
    """A predicted mask on its image.

    Attributes:
        small: A small picture, uint8 ``[h, w, 3]``.
        image: The image alone, as large as it is opened, uint8 ``[H, W]`` or ``[H, W, 3]``.
        masks: The colours of the masks on a transparent ground, uint8 ``[H, W, 4]``.
    """

    small: np.ndarray
    image: np.ndarray
    masks: np.ndarray


def find_stores(trained: Iterable[ContenderRun], given: Sequence[Store]) -> dict[str, Store]:
    """Return the store of every dataset whose images can be read.

    A store that the user gave comes first. For other datasets, the record of a run says where its images were. What is
    there now is used if it has not changed since.

    Args:
        trained: The runs.
        given: Stores that the user gave.

    Returns:
        Stores by name of the dataset.

    Raises:
        UserError: A store that the user gave is not in the state it had when it was trained on.
    """
    stores = {store.name: store for store in given}
    tried: list[tuple[str, object]] = []
    # Every place is tried once: to compare a digest, all of a store is read.
    for trained_run in trained:
        if trained_run.dataset in stores:
            trained_run.check(stores[trained_run.dataset])
            continue
        source = trained_run.run.source
        if (trained_run.dataset, source) not in tried:
            tried.append((trained_run.dataset, source))
            store = open_source(source)
            if store is not None and trained_run.fits(store):
                stores[trained_run.dataset] = store
    return stores


def draw_overlays(
    wanted: Iterable[CaseScore], trained: Sequence[ContenderRun], stores: Mapping[str, Store]
) -> Iterator[tuple[CaseScore, Overlay]]:
    """Predict cases by the same trainings whose scores are shown, and draw the masks.

    Cases are left out whose run, store or image is not there. One network is in memory at a time.

    Args:
        wanted: The cases.
        trained: The runs.
        stores: Stores by name of the dataset, see :func:`find_stores`.

    Yields:
        A case with its overlay, sorted by run.

    Raises:
        UserError: A case or the weights of a run cannot be read.
    """
    from llmseg.prediction.predict import predict_image

    runs: dict[tuple[str, str, int], list[ContenderRun]] = {}
    for one in trained:
        runs.setdefault((one.contender, one.dataset, one.seed), []).append(one)
    ids = {name: set(store.ids) for name, store in stores.items()}
    # The same few cases are hard for many contenders.
    read = functools.lru_cache(maxsize=64)(lambda dataset, case: stores[dataset].read(case))
    net: nn.Module | None = None
    loaded: ContenderRun | None = None
    pairs = [
        (score, run)
        for score in set(wanted)
        if (run := choose_run(runs.get((score.contender, score.dataset, score.seed), ()), score.case))
        and score.case in ids.get(score.dataset, ())
    ]
    # Sorted by run, so that every network is loaded once.
    for score, run in sorted(pairs, key=_sort_key):
        if run is not loaded:
            net, loaded = run.run.load_net(), run
        case = read(score.dataset, score.case)
        assert net is not None
        predicted = predict_image(net, run.run.recipe, case.image) > THRESHOLD
        yield score, _overlay(case.image, case.mask > FOREGROUND, predicted)


def _sort_key(pair: tuple[CaseScore, ContenderRun]) -> tuple[str, str, int, int, str]:
    score, run = pair
    return score.contender, score.dataset, score.seed, run.fold, score.case


def _overlay(image: np.ndarray, truth: np.ndarray, predicted: np.ndarray) -> Overlay:
    full, *masks = shrink(image, truth, predicted, _LARGE)
    return Overlay(draw_small_overlay(image, truth, predicted, _SMALL), full, draw_agreement(*masks))
