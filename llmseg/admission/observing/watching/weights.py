"""Weights that a script keeps, writes and takes up again."""

from __future__ import annotations

import functools
from typing import Any

import torch

from llmseg.admission.observing.watching.journal import Journal
from llmseg.admission.observing.watching.passes import Passes
from llmseg.admission.observing.watching.tensors import digest_network, digest_weights


def watch(journal: Journal, passes: Passes) -> None:
    """Record weights from now on."""
    module: Any = torch.nn.Module
    save, load, take, state = torch.save, torch.load, module.load_state_dict, module.state_dict

    def record_save(content: Any, file: Any) -> None:
        kind, digest = _describe(content)
        journal.write(
            "save",
            path=_name(file),
            kind=kind,
            weights=digest,
            steps=passes.steps,
            condition=journal.condition(),
            place=journal.place(),
        )

    def record_load(file: Any) -> None:
        journal.write("load", path=_name(file), steps=passes.steps, place=journal.place())

    def record_state(network: torch.nn.Module) -> None:
        journal.write(
            "state",
            network=passes.number_of(network),
            steps=passes.steps,
            condition=journal.condition(),
            place=journal.place(),
        )

    def record_take(network: torch.nn.Module, state: Any) -> None:
        own = {name: value.data_ptr() for name, value in network.state_dict().items()}
        given = {name: value.data_ptr() for name, value in state.items() if isinstance(value, torch.Tensor)}
        same = [name for name in own if own[name] and own[name] == given.get(name)]
        passes.changes += 1
        journal.write(
            "take",
            network=passes.number_of(network),
            tensors=len(own),
            own=len(same),
            weights=_describe(state)[1],
            before=digest_network(network),
            steps=passes.steps,
            place=journal.place(),
        )

    note_save, note_load, note_take = (journal.guarded(each) for each in (record_save, record_load, record_take))
    note_state = journal.guarded(record_state)

    @functools.wraps(state)
    def giving_state(network: torch.nn.Module, *arguments: Any, **named: Any) -> Any:
        # The state of a network asks its modules for theirs, with a prefix.
        if not arguments and not named and next(network.parameters(), None) is not None:
            note_state(network)
        return state(network, *arguments, **named)

    @functools.wraps(save)
    def saving(obj: Any, f: Any, *arguments: Any, **named: Any) -> Any:
        note_save(obj, f)
        return save(obj, f, *arguments, **named)

    @functools.wraps(load)
    def loading(f: Any, *arguments: Any, **named: Any) -> Any:
        note_load(f)
        return load(f, *arguments, **named)

    @functools.wraps(take)
    def taking(network: torch.nn.Module, state_dict: Any, *arguments: Any, **named: Any) -> Any:
        note_take(network, state_dict)
        return take(network, state_dict, *arguments, **named)

    torch.save = saving
    torch.load = loading
    module.load_state_dict = taking
    module.state_dict = giving_state


def _name(file: Any) -> str:
    return str(getattr(file, "name", file))


def _describe(content: Any) -> tuple[str, str | None]:
    """Return what is written, and the digest of the weights in it."""
    if isinstance(content, torch.nn.Module):
        return "network", digest_network(content)
    if isinstance(content, dict):
        tensors = {name: value for name, value in content.items() if isinstance(value, torch.Tensor)}
        if tensors:
            named = ((name, value) for name, value in tensors.items() if not name.endswith("num_batches_tracked"))
            return "weights", digest_weights(named)
        for value in content.values():
            digest = _describe(value)[1]
            if digest is not None:
                return "checkpoint", digest
    return "other", None
