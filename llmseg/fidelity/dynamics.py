"""F4 and bookkeeping: a training, event by event, against a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn
from tqdm import tqdm

from llmseg.data.prepared_cases import PreparedCases, prepare_cases
from llmseg.data.store import Store
from llmseg.fidelity import reference
from llmseg.fidelity.compare import Comparison, Diverged, Figure, field
from llmseg.fidelity.levels import compare_split, places
from llmseg.fidelity.rounding import move
from llmseg.recipe.splits import Split
from llmseg.training.loop import Epoch, EvaluatedBatch, Event, Step, draw_start, run_loop
from llmseg.training.random_streams import RandomStreams
from llmseg.training.state import State
from llmseg.zoo import Pipeline


@dataclass(frozen=True)
class Tolerance:
    """How far figures of a training may lie from the record; relative, scores absolute.

    The numbers are those recommended with the records: rounding grows from step to step, and faster at a high
    learning rate.
    """

    first_loss: float
    loss: float
    first_gradient: float
    gradient: float
    validation_loss: float
    score: float
    weights: float

    @classmethod
    def of_training(cls, rate: float) -> Tolerance:
        """Return the tolerances of a full training at a learning rate."""
        return cls(
            first_loss=1e-5,
            loss=2e-3,
            first_gradient=3e-4,
            gradient=5e-3,
            validation_loss=1e-3 if rate <= 1e-4 else 3e-2,
            score=2e-3,
            weights=1e-5,
        )

    @classmethod
    def of_bookkeeping(cls) -> Tolerance:
        """Return the tolerances of the run with the stand-in network, where nothing is learnt."""
        return cls(1e-5, 1e-5, 1e-5, 1e-5, 1e-5, 1e-5, 1e-5)


def dynamics(
    pipeline: Pipeline, record: dict[str, Any], store: Store, neighbour: int, *, progress: bool
) -> Iterator[Figure]:
    """F4: loss and gradient of every step, epoch losses, validation and test scores, final weights.

    Args:
        pipeline: The pipeline.
        record: The record.
        store: The images of its main run.
        neighbour: Where to start: 0 for the recorded weights, k > 0 for a neighbour of them.
        progress: Whether to show progress bars.
    """
    expected = field(record, "train")
    part = _Part(expected, expected["epochs"], field(record, "test.dice"), field(record, "epochs"), expected["final"])
    split, net, prepared = _start(pipeline, record, store, progress)
    reference.set_weights(net, places(pipeline, net, record))
    move(net, neighbour)
    events = _events(pipeline, record, part, split, net, prepared, progress)
    yield from _figures(events, net, part, Tolerance.of_training(pipeline.recipe.fit.rate))


def bookkeeping(
    pipeline: Pipeline, record: dict[str, Any], store: Store, compare: Comparison, *, progress: bool
) -> None:
    """Averaging, ragged last batches and listed scores, with a stand-in for the network."""
    expected = field(record, "bookkeeping")
    part = _Part(expected, expected["epochs_result"], expected["test_dice"], expected["epochs"], None)
    split, _, prepared = _start(pipeline, record, store, progress)
    parts = {"train": split.train, "val": split.validation, "test": split.test}
    compare_split(expected, pipeline.recipe, parts, compare)
    over = {"sample": "cases", "batch": "batches"}[expected["train_loss_averaged_over"]]
    compare.exact("epoch loss is the mean of", over, pipeline.recipe.fit.epoch_loss)
    net = reference.StandIn(field(record, "output"))
    stream = _events(pipeline, record, part, split, net, prepared, progress)
    for figure in _figures(stream, net, part, Tolerance.of_bookkeeping()):
        compare.take(figure)


@dataclass(frozen=True)
class _Part:
    """What a record says of one training: the main one or that of the bookkeeping."""

    measured: Mapping[str, Any]
    epochs: Mapping[str, Any]
    test: Any
    number_of_epochs: int
    final: Mapping[str, float] | None


def _start(
    pipeline: Pipeline, record: dict[str, Any], store: Store, progress: bool
) -> tuple[Split, nn.Module, PreparedCases]:
    prepared = prepare_cases(store, pipeline.recipe.images, progress=progress)
    split, net = draw_start(pipeline.recipe, store.ids, field(record, "seed"), prepared.size)
    return split, net, prepared


def _events(
    pipeline: Pipeline,
    record: dict[str, Any],
    part: _Part,
    split: Split,
    net: nn.Module,
    prepared: PreparedCases,
    progress: bool,
) -> Iterator[Event]:
    """Train under the rules of the reference runs."""
    streams = RandomStreams(field(record, "seed"), per_epoch=True, spacing=reference.SEEDS_APART)
    recipe = pipeline.recipe.change("fit.epochs", part.number_of_epochs)
    stream = run_loop(recipe, State.begin(recipe.fit, net), prepared, split, streams=streams)
    return iter(tqdm(stream, desc="verify", unit="batch", leave=False, disable=not progress))


def _figures(stream: Iterator[Event], net: nn.Module, part: _Part, tolerance: Tolerance) -> Iterator[Figure]:
    """Yield all figures of a training in the order in which they are measured."""
    steps, epochs = part.measured["steps"], part.epochs
    passes = iter(_passes(part.measured["eval_forwards"]))
    listed: list[float] = []
    tested: list[float] = []
    for event in stream:
        if isinstance(event, Step):
            yield Figure(f"step {event.index}, number of steps", True, event.index < len(steps))
            yield from _of_step(event, net, steps[event.index], tolerance)
        elif isinstance(event, EvaluatedBatch):
            yield from _of_pass(event, next(passes, None), tolerance)
            if event.phase == "test":
                tested += event.listed.tolist()
        else:
            listed += event.listed
            yield from _of_epoch(event, epochs, tolerance)
            if part.final is not None and event.index + 1 == part.number_of_epochs:
                yield from _of_weights(net, part.final, tolerance)
    yield from _of_list("validation scores", numbers(epochs["val_dice"]), listed, tolerance)
    yield from _of_list("test scores", numbers(part.test), tested, tolerance)


def _passes(forwards: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the passes that validate and test.

    Single images without a file name were passed for a figure, and so were those after the test. A script may also pass
    the same files again with the same weights.
    """
    kept: list[dict[str, Any]] = []
    before: list[tuple[Any, Any]] = []
    for forward in forwards:
        this = (forward["after_epoch_start"], forward["files"])
        named = forward["files"] is not None
        if (named and this not in before) or (not named and forward["n"] > 1):
            kept.append(forward)
        before.append(this)
    return kept


def _of_step(event: Step, net: nn.Module, expected: Mapping[str, Any], tolerance: Tolerance) -> Iterator[Figure]:
    where, first = f"step {event.index} (epoch {event.epoch})", event.index == 0
    yield Figure(f"{where}, cases", list(expected["files"]), list(event.ids))
    allowed = tolerance.first_loss if first else tolerance.loss
    yield Figure(f"{where}, loss", expected["loss"], event.loss.item(), rel=allowed, rounded=not first)
    if "grad_l2" in expected:
        found = reference.norm([p.grad for p in net.parameters() if p.grad is not None])
        allowed = tolerance.first_gradient if first else tolerance.gradient
        yield Figure(f"{where}, gradient norm", expected["grad_l2"], found, rel=allowed, rounded=True)


def _of_pass(event: EvaluatedBatch, expected: Mapping[str, Any] | None, tolerance: Tolerance) -> Iterator[Figure]:
    if expected is None:
        raise Diverged(f"{event.phase} pass of {len(event.ids)} cases: the record has no such pass")
    where = f"{event.phase} pass (epoch {expected['after_epoch_start']})"
    yield Figure(f"{where}, cases", list(expected["files"] or event.ids), list(event.ids))
    found = reference.statistics(event.output)
    for name in ("mean", "std"):
        if f"out_{name}" in expected:
            yield Figure(
                f"{where}, output {name}",
                expected[f"out_{name}"],
                found[name],
                rel=tolerance.validation_loss,
                abs=tolerance.score,
                rounded=True,
            )


def _of_epoch(event: Epoch, expected: Mapping[str, Any], tolerance: Tolerance) -> Iterator[Figure]:
    where, k = f"epoch {event.index}", event.index
    loss, validation_loss = expected["train_loss"][k], expected["val_loss"][k]
    yield Figure(f"{where}, training loss", loss, event.train_loss, rel=tolerance.loss, rounded=True)
    allowed = tolerance.validation_loss
    yield Figure(f"{where}, validation loss", validation_loss, event.validation_loss, rel=allowed, rounded=True)
    yield Figure(f"{where}, learning rate", expected["lr_after_epoch"][k], event.rate, rel=1e-9)


def _of_weights(net: nn.Module, final: Mapping[str, float], tolerance: Tolerance) -> Iterator[Figure]:
    weights = reference.norm(list(net.parameters()))
    yield Figure("weights after training, norm", final["param_l2"], weights, rel=tolerance.weights, rounded=True)
    running = [b for name, b in net.named_buffers() if name.endswith(("running_mean", "running_var"))]
    found = reference.norm(running) if running else 0.0
    where = "running statistics after training, norm"
    yield Figure(where, final["buffer_l2"], found, rel=tolerance.loss, rounded=True)


def _of_list(where: str, expected: Sequence[float], found: Sequence[float], tolerance: Tolerance) -> Iterator[Figure]:
    # A script that overwrites its sheet every epoch leaves the last epoch only.
    kept = found[len(found) - len(expected) :] if 0 < len(expected) < len(found) else found
    yield Figure(f"{where}, number of figures", len(expected), len(kept))
    for position, (e, f) in enumerate(zip(expected, kept, strict=True)):
        yield Figure(f"{where}, figure {position}", e, f, abs=tolerance.score, rounded=True)


def numbers(cells: Any) -> list[float]:
    """Return the numbers of a nested list or mapping of sheets and rows, in order.

    Short rows of a sheet end in empty cells. Where rows before the last do, the sheet has a batch per column.

    Example:
        >>> numbers({"a.xlsx": [[1.0, "nan"], [2.0, None]]})
        [1.0, nan, 2.0]
        >>> numbers([[1.0, 3.0], [2.0, None], [2.5, None]])
        [1.0, 2.0, 2.5, 3.0]
    """
    if cells is None:
        return []
    if isinstance(cells, Mapping):
        cells = list(cells.values())
    if isinstance(cells, list):
        if any(isinstance(row, list) and None in row for row in cells[:-1]):
            cells = [list(column) for column in zip(*cells, strict=True)]
        return [n for cell in cells for n in numbers(cell)]
    return [float(cells)]
