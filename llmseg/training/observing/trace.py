"""Where the time goes, by a trace of torch's profiler: the share of every group of operations.

A trace is what ``torch.profiler.profile(...).export_chrome_trace`` writes, read as JSON. A device does one thing at a
time, so the time is cut into pieces and every piece belongs to one group.

- **On a GPU**, a piece is a kernel or a copy. Its group is that of the operation that started it. Where nothing runs,
  the GPU waits: for the batch, if the host is preparing one, which counts as data.
- **On a CPU**, a piece is the innermost operation that runs in the thread of the training. Between two operations
  Python is at work, which counts as waiting. So does what processes that train together tell each other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from llmseg.errors import UserError
from llmseg.training.observing.marks import GROUPS, STEPS, find_group

_OPERATIONS, _MARKS = "cpu_op", "user_annotation"
_LAUNCHES = ("cuda_runtime", "cuda_driver")
_DEVICE = ("kernel", "gpu_memcpy", "gpu_memset")
_END = float("inf")


class Span(NamedTuple):
    """Something that a trace says of a stretch of time.

    Attributes:
        start: When it began, in microseconds.
        end: When it ended.
        name: What it was.
        kind: Which kind of thing, as the trace calls it (``cat``).
        lane: The thread or the stream in which it happened.
        link: The number that a kernel shares with the call that started it.
    """

    start: float
    end: float
    name: str
    kind: str
    lane: tuple[Any, Any]
    link: int | None


class Piece(NamedTuple):
    """A stretch of time in which one thing was done.

    Attributes:
        start: When it began, in microseconds.
        end: When it ended.
        name: The operation, kernel or mark; empty if there is none.
        group: One of :data:`~llmseg.training.observing.marks.GROUPS`.
    """

    start: float
    end: float
    name: str
    group: str


@dataclass(frozen=True)
class Timeline:
    """What the device did from one moment to another.

    Attributes:
        seconds: How long that was.
        pieces: What it did, in order and without gaps.
    """

    seconds: float
    pieces: tuple[Piece, ...]

    @property
    def shares(self) -> dict[str, float]:
        """The share of every group; together they are 1."""
        shares = self._add_up("group")
        return {group: shares[group] for group in GROUPS}

    @property
    def names(self) -> dict[str, float]:
        """The share of every operation, kernel and mark, the largest first."""
        shares = self._add_up("name")
        return {name: shares[name] for name in sorted(shares, key=lambda name: -shares[name]) if name}

    def _add_up(self, field: Literal["group", "name"]) -> dict[str, float]:
        shares: dict[str, float] = defaultdict(float)
        for piece in self.pieces:
            shares[getattr(piece, field)] += (piece.end - piece.start) / 1e6 / self.seconds
        return shares


def measure_shares(trace: Mapping[str, Any]) -> dict[str, float]:
    """Return which share of the time each group of operations takes in a trace; together they are 1.

    Args:
        trace: The content of a trace file of torch's profiler.

    Returns:
        The shares of ``convolution``, ``normalisation`` (batch norm and its kin), ``optimizer``, ``data``, ``other``
        and ``waiting``. They are shares of the time within the mark ``llmseg: steps``; without that mark, of the time
        from the first operation to the last.

    Raises:
        UserError: This is no trace, or it has no operations.

    Example:
        >>> def span(name, start, length, kind="cpu_op"):
        ...     return {"ph": "X", "cat": kind, "name": name, "pid": 1, "tid": 1, "ts": start, "dur": length}
        >>> convolution, relu = span("aten::conv2d", 0, 60), span("aten::relu", 60, 15)
        >>> shares = measure_shares({"traceEvents": [convolution, relu, span("aten::add", 90, 10)]})
        >>> {group: round(share, 2) for group, share in shares.items() if share}
        {'convolution': 0.6, 'other': 0.25, 'waiting': 0.15}
    """
    return read_timeline(trace).shares


def read_timeline(trace: Mapping[str, Any]) -> Timeline:
    """Return what the device did by a trace; see :func:`measure_shares`.

    Raises:
        UserError: This is no trace, or it has no operations.
    """
    try:
        spans = _read_spans(trace)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError("this is no trace of torch's profiler; record one by llmseg train --profile") from error
    start, end, main = _find_window(spans)
    spans = [span for span in spans if span.name != STEPS]
    kernels = [span for span in spans if span.kind in _DEVICE]
    pieces: list[Piece] = []
    groups: dict[int, str] = {}
    for thread in {span.lane for span in spans if span.kind not in _DEVICE}:
        found, started = _flatten(span for span in spans if span.lane == thread)
        pieces += found if thread == main else []
        groups |= started
    if kernels:
        data = [piece for piece in pieces if piece.group == "data"]
        pieces = list(_fill_gaps(_label_kernels(kernels, groups), data))
    return Timeline((end - start) / 1e6, tuple(_fill(pieces, start, end)))


def _find_window(spans: list[Span]) -> tuple[float, float, tuple[Any, Any]]:
    """Return when the steps began and ended, and the thread that they were taken in: that with most operations."""
    mark = next((span for span in spans if span.name == STEPS and span.kind == _MARKS), None)
    about = [span for span in spans if span.kind != _MARKS] if mark is None else [mark]
    if not any(span.end > span.start for span in about):
        raise UserError("this trace of torch's profiler has no operations; record some steps of a training")
    lanes = Counter(span.lane for span in about if span.kind not in _DEVICE) or Counter(span.lane for span in about)
    return min(span.start for span in about), max(span.end for span in about), lanes.most_common(1)[0][0]


def _read_spans(trace: Mapping[str, Any]) -> list[Span]:
    kinds = (_OPERATIONS, _MARKS, *_LAUNCHES, *_DEVICE)
    return [
        Span(
            float(event["ts"]),
            float(event["ts"]) + float(event.get("dur", 0)),
            str(event["name"]),
            event["cat"],
            (event.get("pid"), event.get("tid")),
            event.get("args", {}).get("correlation"),
        )
        for event in trace.get("traceEvents", ())
        if event.get("ph") == "X" and event.get("cat") in kinds
    ]


def _flatten(spans: Iterable[Span]) -> tuple[list[Piece], dict[int, str]]:
    """Cut the nested spans of a thread into pieces, each of the innermost span.

    Returns:
        The pieces, without the time in which no operation ran; and the group of every call that started a kernel.
    """
    pieces: list[Piece] = []
    started: dict[int, str] = {}
    open_spans: list[tuple[Span, str | None]] = []
    now = -_END
    ending = Span(_END, _END, "", "", (None, None), None)
    for span in (*sorted(spans, key=lambda span: (span.start, -span.end)), ending):
        while open_spans and (done := open_spans[-1][0]).end <= span.start:
            now = _add_piece(pieces, open_spans, now, done.end)
            open_spans.pop()
        now = _add_piece(pieces, open_spans, now, span.start)
        group = find_group(span.name) or (open_spans[-1][1] if open_spans else None)
        if group is None and span.kind == _OPERATIONS:
            group = "other"
        open_spans.append((span, group))
        if span.link is not None:
            started[span.link] = group or "other"
    return pieces, started


def _add_piece(pieces: list[Piece], open_spans: list[tuple[Span, str | None]], start: float, end: float) -> float:
    """Add the time up to ``end`` to the innermost open span; return from when on nothing is added yet."""
    if open_spans and end > start:
        span, group = open_spans[-1]
        if group is not None:
            pieces.append(Piece(max(start, span.start), end, span.name, group))
    return max(start, end)


def _label_kernels(kernels: Iterable[Span], groups: Mapping[int, str]) -> Iterator[Piece]:
    """Yield the kernels in order, with the groups of the calls that started them.

    A graph of kernels is started by a single call, and a compiled network by calls that no operation surrounds. There
    the name of the kernel has to tell.
    """
    now = -_END
    for kernel in sorted(kernels, key=lambda kernel: kernel.start):
        group = "other" if kernel.link is None else groups.get(kernel.link, "other")
        if group == "other":
            group = find_group(kernel.name) or "other"
        # Of kernels that run at the same time, the first counts.
        if kernel.end > now:
            yield Piece(max(kernel.start, now), kernel.end, kernel.name, group)
            now = kernel.end


def _fill_gaps(kernels: Iterable[Piece], data: list[Piece]) -> Iterator[Piece]:
    """Yield the kernels, and between them the time in which the GPU waits while the host prepares data."""
    now, waiting = -_END, iter(data)
    preparing = next(waiting, None)
    for kernel in (*kernels, Piece(_END, _END, "", "other")):
        while preparing is not None and preparing.start < kernel.start:
            start, end = max(preparing.start, now), min(preparing.end, kernel.start)
            if end > start:
                yield Piece(start, end, preparing.name, "data")
            if preparing.end > kernel.start:
                break
            preparing = next(waiting, None)
        if kernel.end < _END:
            yield kernel
            now = kernel.end


def _fill(pieces: Iterable[Piece], start: float, end: float) -> Iterator[Piece]:
    """Yield the pieces from one moment to another; what is between them is waiting."""
    now = start
    for piece in pieces:
        first, last = max(piece.start, now), min(piece.end, end)
        if last <= first:
            continue
        if first > now:
            yield Piece(now, first, "", "waiting")
        yield piece._replace(start=first, end=last)
        now = last
    if end > now:
        yield Piece(now, end, "", "waiting")
