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
from llmseg.figures.overlay import draw_small_overlay
from llmseg.files import encode_png
from llmseg.report.cases import Seen
from llmseg.study.results import ContenderRun

if TYPE_CHECKING:
    from torch import nn

_SIDE = 320
"""Longest side of an image in pixels."""

NO_RUNS = "overlays need runs; name folders of runs, not only scores"
NO_STORE = "overlays need the images; name the store by --data"


@dataclass(frozen=True)
class Drawn:
    """An image of the report.

    Attributes:
        width: In pixels.
        height: In pixels.
        png: The file's bytes.
    """

    width: int
    height: int
    png: bytes


def reachable(trained: Iterable[ContenderRun], given: Sequence[Store]) -> dict[str, Store]:
    """Return the store of every dataset whose images are there.

    A store that was given comes first. Else a run's record says where its images were; what is there now is taken if
    nothing of it has changed.

    Args:
        trained: The runs.
        given: Stores that a user named.

    Raises:
        UserError: A store that was given is not as it was when it was trained on.
    """
    stores = {store.name: store for store in given}
    tried: list[tuple[str, object]] = []
    for one in trained:
        if one.dataset in stores:
            one.check(stores[one.dataset])
            continue
        source = one.run.record.get("source")
        if (one.dataset, source) not in tried:
            tried.append((one.dataset, source))
            store = open_source(source)
            if store is not None and one.fits(store):
                stores[one.dataset] = store
    return stores


def draw(
    wanted: Iterable[Seen], trained: Sequence[ContenderRun], stores: Mapping[str, Store]
) -> Iterator[tuple[Seen, Drawn]]:
    """Predict cases by the very trainings that scored on them, and draw the masks.

    What lacks its run, its images or its case is left out. One network is in memory at a time.

    Args:
        wanted: The cases.
        trained: The runs.
        stores: Images by dataset, see :func:`reachable`.

    Raises:
        UserError: A case or the weights of a run cannot be read.
    """
    from llmseg.prediction.predict import predict_image

    runs = {(one.contender, one.dataset, one.seed): one for one in trained}
    ids = {name: set(store.ids) for name, store in stores.items()}
    read = functools.lru_cache(maxsize=64)(lambda dataset, case: stores[dataset].read(case))
    net: nn.Module | None = None
    loaded: ContenderRun | None = None
    for seen in sorted(set(wanted), key=lambda one: (one.contender, one.dataset, one.seed, one.case)):
        run = runs.get((seen.contender, seen.dataset, seen.seed))
        if run is None or seen.case not in ids.get(seen.dataset, ()):
            continue
        if run is not loaded:
            net, loaded = run.run.load_net(), run
        case = read(seen.dataset, seen.case)
        assert net is not None
        predicted = predict_image(net, run.run.recipe, case.image) > THRESHOLD
        yield seen, _drawn(case.image, case.mask > FOREGROUND, predicted)


def _drawn(image: np.ndarray, truth: np.ndarray, predicted: np.ndarray) -> Drawn:
    pixels = draw_small_overlay(image, truth, predicted, _SIDE)
    height, width, _ = pixels.shape
    return Drawn(width, height, encode_png(pixels))
