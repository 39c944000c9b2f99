"""Passes of batches through networks."""

from __future__ import annotations

import functools
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from llmseg.admission.observing.watching.following import Follower
from llmseg.admission.observing.watching.journal import Journal
from llmseg.admission.observing.watching.seen import Pass
from llmseg.admission.observing.watching.tensors import digest_network, list_tensors, to_array

_BATCH_NORM = torch.nn.modules.batchnorm._NormBase
_DROPOUT = torch.nn.modules.dropout._DropoutNd
_OWN_WAYS = (torch.nn.MultiheadAttention, torch.nn.TransformerEncoderLayer)
"""Modules that compute in another way when functions are followed."""


class Passes:
    """All passes of a process.

    Attributes:
        last: The last one.
        steps: How often an optimiser has stepped.
        changes: How often weights were changed by a step, or by being loaded.
        scored: The last passes that nothing is learnt from.
        trained: The network that is trained and the shape of an image for it, as soon as there was a pass in training.
    """

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.last: Pass | None = None
        self.steps = 0
        self.changes = 0
        self.scored: deque[Pass] = deque(maxlen=4)
        self.trained: tuple[torch.nn.Module, torch.Size] | None = None
        self._count = 0
        self._inside = False
        self._used: list[torch.nn.Module] | None = None
        self._networks: dict[int, torch.nn.Module] = {}
        self._made: weakref.WeakKeyDictionary[torch.nn.Module, np.ndarray[Any, Any]] = weakref.WeakKeyDictionary()
        self._state = np.zeros(0, np.uint8)
        self._digested: tuple[int, int] | None = None
        self._follower = Follower(journal, self)
        self._begin = journal.guarded(self._record_begin)
        self._end = journal.guarded(self._record_end)

    def watch(self) -> None:
        """Observe every network from now on."""
        follower: Any = self._follower
        follower.__enter__()
        module: Any = torch.nn.Module
        call = module.__call__
        passes = self

        @functools.wraps(call)
        def calling(network: torch.nn.Module, *arguments: Any, **named: Any) -> Any:
            if passes._used is not None:
                passes._used.append(network)
            if passes._inside or passes.journal.silent or passes.journal.forked or not passes._is_network(network):
                return call(network, *arguments, **named)
            passes._inside = True
            try:
                passes._begin(network, [*arguments, *named.values()])
                with passes._followed(network):
                    result = call(network, *arguments, **named)
                passes._end(result)
                return result
            finally:
                passes._inside = False

        module.__call__ = calling

    @property
    def inside(self) -> bool:
        """Whether a network is computing."""
        return self._inside

    def number_of_tensor(self, tensor: torch.Tensor) -> int | None:
        """Return the number of a tensor that was computed from the last output, otherwise ``None``."""
        return self._follower.number_of(tensor)

    def note_made(self, network: torch.nn.Module) -> None:
        """Keep the state of torch's generator from before a module draws its weights."""
        state = to_array(torch.get_rng_state())
        if not np.array_equal(state, self._state):
            self._state = state
        self._made[network] = self._state

    def number_of(self, network: torch.nn.Module) -> int:
        """Return the number of a network, from 0; one that is seen for the first time is described."""
        for number, known in self._networks.items():
            if known is network:
                return number
        number = len(self._networks)
        self._networks[number] = network
        kinds = [type(module).__name__ for module in network.modules()]
        made = self._made.get(network)
        self.journal.write(
            "network",
            network=number,
            name=type(network).__name__,
            parameters=[[name, list(p.shape), p.requires_grad] for name, p in network.named_parameters()],
            modules=kinds,
            dropout=sorted({module.p for module in network.modules() if isinstance(module, _DROPOUT) and module.p > 0}),
            generator=None if made is None else self.journal.keep(made),
            place=self.journal.place(),
        )
        return number

    def _is_network(self, network: torch.nn.Module) -> bool:
        return next(network.parameters(), None) is not None

    @contextmanager
    def _followed(self, network: torch.nn.Module) -> Iterator[None]:
        """Leave functions inside of a network unfollowed if following them would change how it computes."""
        if any(isinstance(module, _OWN_WAYS) for module in network.modules()) or hasattr(network, "_orig_mod"):
            with torch._C.DisableTorchFunction():
                yield
        else:
            yield

    def _record_begin(self, network: torch.nn.Module, arguments: list[Any]) -> None:
        images = next((each for each in list_tensors(arguments) if each.dim() >= 3), None)
        self.last = None
        if images is None:
            return
        modules = list(network.modules())
        self.last = Pass(self._count, network, images, [module.training for module in modules])
        self._count += 1
        norms = [m for m in modules if isinstance(m, _BATCH_NORM) and m.track_running_stats]
        drops = [m for m in modules if isinstance(m, _DROPOUT) and m.p > 0]
        grad = torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
        self.journal.write(
            "pass",
            number=self.last.number,
            network=self.number_of(network),
            training=network.training,
            norms=[len(norms), sum(m.training for m in norms)],
            drops=[len(drops), sum(m.training for m in drops)],
            grad=grad,
            steps=self.steps,
            images=self.journal.keep(to_array(images)),
            weights=None if network.training and grad else self._digest(network),
            place=self.journal.place(),
        )
        self._follower.begin(self.last)
        self._used = [] if network.training and grad and self.trained is None else None

    def _digest(self, network: torch.nn.Module) -> str | None:
        """Return the digest of a network that is new or was changed since the last digest."""
        state = self.number_of(network), self.changes
        if state == self._digested:
            return None
        self._digested = state
        return digest_network(network)

    def _record_end(self, result: Any) -> None:
        output = next(list_tensors(result), None)
        if self.last is None or output is None:
            return
        if self._used is not None:
            self._keep_weights(self._used)
            self.trained = self.last.network, self.last.images.shape[1:]
        self.last.output = output
        self.journal.write(
            "output",
            number=self.last.number,
            output=self.journal.keep(to_array(output)),
            outputs=len(list(list_tensors(result))),
            made_by=self._follower.made_by(output),
            grad_fn=type(output.grad_fn).__name__ if output.grad_fn is not None else None,
        )
        if not output.requires_grad:
            self.scored.append(self.last)
        self._follower.follow(list(list_tensors(result)))
        if output.requires_grad and output.is_floating_point():
            self._watch_gradient(self.last, output)

    def _keep_weights(self, used: list[torch.nn.Module]) -> None:
        """Write the weights of the first training pass, in the order in which the network uses them."""
        self._used = None
        parameters = [value for module in dict.fromkeys(used) for value in module.parameters(recurse=False)]
        tensors = [self.journal.keep(to_array(value)) for value in parameters]
        self.journal.write("weights", tensors=tensors)

    def _watch_gradient(self, seen: Pass, output: torch.Tensor) -> None:
        def record(gradient: torch.Tensor) -> None:
            if not seen.gradient:
                seen.gradient = True
                self.journal.write("gradient", number=seen.number, gradient=self.journal.keep(to_array(gradient)))

        guarded = self.journal.guarded(record)
        watched: Any = output
        watched.register_hook(lambda gradient: guarded(gradient))
