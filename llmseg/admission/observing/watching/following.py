"""What a script does with the output of a network.

Every tensor that was computed from an output is followed until the next pass: through which functions it goes, with
which other tensors it is compared, and to which numbers it leads. So a loss or a score is seen, however it is written.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from llmseg.admission.observing.watching.journal import Journal
from llmseg.admission.observing.watching.seen import Pass
from llmseg.admission.observing.watching.tensors import list_tensors, to_array

_MOST = 400
"""Functions after one pass."""

_FEW = 64
"""Numbers of a list that are written down, such as one for each case of a batch."""

_PLAIN = (int, float, bool, str)


class Follower(TorchFunctionMode):
    """Follows the tensors that come from the output of the last pass."""

    def __init__(self, journal: Journal, passes: Any) -> None:
        super().__init__()
        self._journal = journal
        self._passes = passes
        self._pass: Pass | None = None
        self._known: dict[int, tuple[weakref.ref[torch.Tensor], int]] = {}
        self._targets: list[weakref.ref[torch.Tensor]] = []
        self._last: tuple[str, Any, weakref.ref[torch.Tensor] | None] = ("", None, None)
        self._count = 0
        self._numbered = 0
        self._note = journal.guarded(self._record)
        self._note_inside = journal.guarded(self._record_inside)

    def begin(self, seen: Pass) -> None:
        """Forget the pass before."""
        self._pass = seen
        self._known.clear()
        self._targets.clear()
        self._count = self._numbered = 0
        self._last = ("", None, None)

    def follow(self, outputs: Iterable[torch.Tensor]) -> None:
        """Follow these tensors from now on; they have the numbers 0, 1 and so on."""
        for output in outputs:
            self._give_number(output)

    def made_by(self, output: torch.Tensor) -> list[Any]:
        """Return the function that made an output, and the sizes of its input, if it was the last one."""
        name, about, result = self._last
        return [name, about] if result is not None and result() is output else ["", None]

    def number_of(self, tensor: torch.Tensor) -> int | None:
        """Return the number of a tensor that is followed, otherwise ``None``."""
        known = self._known.get(id(tensor))
        return known[1] if known is not None and known[0]() is tensor else None

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if self._journal.silent or self._journal.forked or self._pass is None:
            return result
        if self._passes.inside:
            if isinstance(result, torch.Tensor):
                self._note_inside(func, args, kwargs, result)
        elif self._count < _MOST and any(self.number_of(each) is not None for each in list_tensors([args, kwargs])):
            self._note(func, args, kwargs, result)
        return result

    def _record_inside(self, func: Any, args: Any, kwargs: Any, result: torch.Tensor) -> None:
        name = getattr(func, "__name__", "")
        if name == "__get__" or name.startswith("has_"):
            return
        shapes = [list(each.shape) for each in list_tensors(args)]
        numbers = [each for each in args if isinstance(each, _PLAIN)]
        plain = {key: value for key, value in kwargs.items() if isinstance(value, _PLAIN)}
        self._last = (name, [shapes[:1], numbers, plain], weakref.ref(result))

    def _record(self, func: Any, args: Any, kwargs: Any, result: Any) -> None:
        name = getattr(func, "__name__", "")
        tensors = list(list_tensors(result))
        if name == "__get__":
            for each in tensors:
                if each.dim():
                    self._give_number(each)
            return
        if not (tensors or isinstance(result, float | int | list)) or name in ("dim", "size", "numel", "__len__"):
            return
        assert self._pass is not None
        self._count += 1
        described = [self._describe(each) for each in args], {key: self._describe(v) for key, v in kwargs.items()}
        results = [self._describe_result(each) for each in tensors]
        number = float(result) if isinstance(result, int | float) else None
        self._journal.write(
            "function",
            number=self._pass.number,
            name=name,
            arguments=described[0],
            named=described[1],
            results=results,
            value=number,
            place=self._journal.place(),
        )

    def _give_number(self, tensor: torch.Tensor) -> int:
        self._known[id(tensor)] = (weakref.ref(tensor), self._numbered)
        self._numbered += 1
        return self._numbered - 1

    def _describe_result(self, tensor: torch.Tensor) -> dict[str, Any]:
        about = {"tensor": self._give_number(tensor), "shape": list(tensor.shape), "dtype": str(tensor.dtype)}
        if tensor.numel() == 1 and tensor.dtype != torch.bool:
            about["value"] = float(to_array(tensor).reshape(-1)[0])
        elif tensor.dim() == 1 and tensor.numel() <= _FEW and tensor.is_floating_point():
            about["values"] = to_array(tensor).tolist()
        return about

    def _describe(self, value: Any) -> Any:
        """Describe an argument: a tensor that is followed by its number, another one by what it holds."""
        if isinstance(value, _PLAIN) or value is None:
            return value
        if isinstance(value, list | tuple):
            return [self._describe(each) for each in value[:8]]
        if not isinstance(value, torch.Tensor):
            return str(value)[:80]
        number = self.number_of(value)
        if number is not None:
            return {"tensor": number, "shape": list(value.shape)}
        if value.numel() == 1:
            return {"constant": float(to_array(value).reshape(-1)[0])}
        return self._describe_target(value)

    def _describe_target(self, tensor: torch.Tensor) -> dict[str, Any]:
        """Describe what an output is compared with; its numbers are written once for each tensor."""
        about: dict[str, Any] = {"shape": list(tensor.shape), "dtype": str(tensor.dtype)}
        known = next((number for number, each in enumerate(self._targets) if each() is tensor), None)
        if known is None:
            known = len(self._targets)
            self._targets.append(weakref.ref(tensor))
            array = to_array(tensor)
            about["array"] = self._journal.keep(array)
            assert self._pass is not None
            if self._pass.target is None and self._pass.output is not None and array.size >= 64:
                self._pass.target = array
        return {**about, "other": known}
