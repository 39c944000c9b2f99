"""Optimisers, schedules, and the order of clearing gradients, going backward and stepping."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch.optim import lr_scheduler
from torch.optim.optimizer import Optimizer, register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from llmseg.admission.observing.watching.journal import Journal
from llmseg.admission.observing.watching.passes import Passes
from llmseg.admission.observing.watching.tensors import list_tensors, measure_norm, to_array

_PLAIN = (int, float, bool, str, tuple, list)


def watch(journal: Journal, passes: Passes) -> None:
    """Record learning from now on."""
    Learning(journal, passes).watch()


class Learning:
    """What optimisers and schedules of a process do."""

    def __init__(self, journal: Journal, passes: Passes) -> None:
        self.journal = journal
        self.passes = passes
        self._optimizers: list[Optimizer] = []
        self._schedulers: list[Any] = []
        self._in_schedule = 0

    def watch(self) -> None:
        """Record from now on."""
        guarded = self.journal.guarded
        _record_around(Optimizer, "__init__", after=guarded(self._optimizer_made))
        _record_around(Optimizer, "zero_grad", before=guarded(self._cleared))
        _record_around(torch.nn.Module, "zero_grad", before=guarded(self._cleared))
        register_optimizer_step_pre_hook(guarded(self._step_begins))
        register_optimizer_step_post_hook(guarded(self._step_ends))
        backward, record = torch.autograd.backward, guarded(self._backward)

        @functools.wraps(backward)
        def going_backward(tensors: Any, *arguments: Any, **named: Any) -> None:
            record(tensors)
            backward(tensors, *arguments, **named)

        torch.autograd.backward = going_backward
        for schedule in list(vars(lr_scheduler).values()):
            if isinstance(schedule, type) and issubclass(schedule, lr_scheduler.LRScheduler):
                self._watch_schedule(schedule)

    def _optimizer_made(self, optimizer: Optimizer, *_: Any, **__: Any) -> None:
        if any(known is optimizer for known in self._optimizers):
            return
        self._optimizers.append(optimizer)
        groups = [
            {key: value for key, value in group.items() if isinstance(value, _PLAIN) and key != "params"}
            | {"parameters": sum(p.numel() for p in group["params"])}
            for group in optimizer.param_groups
        ]
        number = len(self._optimizers) - 1
        self.journal.write(
            "optimizer", optimizer=number, name=type(optimizer).__name__, groups=groups, place=self.journal.place()
        )

    def _cleared(self, *_: Any, **__: Any) -> None:
        self.journal.write("clear", place=self.journal.place())

    def _backward(self, tensors: Any) -> None:
        losses, last = list(list_tensors(tensors)), self.passes.last
        if last is None or not losses:
            return
        before = measure_norm(p.grad for p in last.network.parameters())
        value = float(to_array(losses[0]).reshape(-1)[0])
        self.journal.write(
            "backward",
            number=last.number,
            value=value,
            tensor=self.passes.number_of_tensor(losses[0]),
            size=losses[0].numel(),
            gradient_before=before,
            place=self.journal.place(),
        )

    def _step_begins(self, optimizer: Optimizer, *_: Any) -> None:
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
        last = self.passes.last
        named = list(last.network.named_parameters()) if last is not None else []
        learnable = [(name, p) for name, p in named if p.requires_grad]
        self.journal.write(
            "step",
            optimizer=next((n for n, known in enumerate(self._optimizers) if known is optimizer), None),
            number=None if last is None else last.number,
            rates=[float(group["lr"]) for group in optimizer.param_groups],
            gradient=measure_norm(p.grad for _, p in named),
            held=sum(id(p) in held for _, p in learnable),
            learnable=len(learnable),
            left_out=[name for name, p in learnable if id(p) not in held and p.grad is not None][:20],
            place=self.journal.place(),
        )

    def _step_ends(self, *_: Any) -> None:
        self.passes.steps += 1
        self.passes.changes += 1

    def _watch_schedule(self, schedule: type) -> None:
        """Record the steps of a kind of schedule; the first is made by the schedule itself when it is constructed."""
        if "__init__" in vars(schedule):
            _record_around(schedule, "__init__", before=self._enter, after=self._schedule_made)
        if "step" in vars(schedule):
            _record_around(schedule, "step", before=self._schedule_steps, after=self._leave)

    def _enter(self, *_: Any, **__: Any) -> None:
        self._in_schedule += 1

    def _leave(self, *_: Any, **__: Any) -> None:
        self._in_schedule -= 1

    def _schedule_made(self, schedule: Any, *_: Any, **__: Any) -> None:
        self._in_schedule -= 1
        self.journal.guarded(self._describe_schedule)(schedule)

    def _describe_schedule(self, schedule: Any) -> None:
        if self._in_schedule or any(known is schedule for known in self._schedulers):
            return
        self._schedulers.append(schedule)
        settings = {key: value for key, value in vars(schedule).items() if isinstance(value, int | float | str | bool)}
        number = len(self._schedulers) - 1
        self.journal.write(
            "schedule", schedule=number, name=type(schedule).__name__, settings=settings, place=self.journal.place()
        )

    def _schedule_steps(self, schedule: Any, *arguments: Any, **named: Any) -> None:
        if not self._in_schedule:
            self.journal.guarded(self._describe_step)(schedule, [*arguments, *named.values()])
        self._in_schedule += 1

    def _describe_step(self, schedule: Any, arguments: list[Any]) -> None:
        number = next((n for n, known in enumerate(self._schedulers) if known is schedule), None)
        numbers = [float(each) for each in arguments if isinstance(each, int | float | torch.Tensor)]
        numbers += [float(each) for each in arguments if hasattr(each, "dtype") and not isinstance(each, torch.Tensor)]
        self.journal.write(
            "schedule step",
            schedule=number,
            metric=numbers[0] if numbers else None,
            steps=self.passes.steps,
            place=self.journal.place(),
        )


def _record_around(
    owner: type,
    name: str,
    before: Callable[..., None] | None = None,
    after: Callable[..., None] | None = None,
) -> None:
    """Let a method of a class be recorded before it begins, or after it has ended."""
    method = getattr(owner, name)

    @functools.wraps(method)
    def recorded(self: Any, *arguments: Any, **named: Any) -> Any:
        if before is not None:
            before(self, *arguments, **named)
        try:
            return method(self, *arguments, **named)
        finally:
            if after is not None:
                after(self, *arguments, **named)

    setattr(owner, name, recorded)
