"""Scoring the last batch again after the script has ended, whole and in parts."""

from __future__ import annotations

import atexit
import copy
from typing import Any

import numpy as np
import torch

from llmseg.admission.observing.watching.journal import Journal
from llmseg.admission.observing.watching.passes import Passes
from llmseg.admission.observing.watching.seen import Pass
from llmseg.admission.observing.watching.tensors import list_tensors, to_array

_MOST = 4


def watch(journal: Journal, passes: Passes) -> None:
    """Score the last batches again at the end, in a copy of the network and in the mode in which they were scored."""

    def score() -> None:
        if not journal.forked and passes.scored:
            journal.guarded(_score_again)(journal, list(passes.scored))

    atexit.register(score)


def _score_again(journal: Journal, scored: list[Pass]) -> None:
    last = scored[-1]
    images = [each.images for each in scored if each.images.shape[1:] == last.images.shape[1:]]
    batch = torch.cat([each.detach().clone() for each in images])[-_MOST:]
    network = copy.deepcopy(last.network)
    for module, training in zip(network.modules(), last.modes, strict=True):
        module.training = training
    whole = _predict(network, [batch])
    journal.write(
        "again",
        cases=len(batch),
        training=last.modes[0],
        twice=_compare(whole, _predict(network, [batch])),
        ones=_compare(whole, _predict(network, [batch[n : n + 1] for n in range(len(batch))])),
        twos=_compare(whole, _predict(network, [batch[n : n + 2] for n in range(0, len(batch), 2)])),
    )


def _predict(network: torch.nn.Module, batches: Any) -> np.ndarray[Any, Any]:
    with torch.no_grad():
        return np.concatenate([to_array(next(list_tensors(network(batch)))) for batch in batches])


def _compare(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    return float(np.max(np.abs(one - other)))
