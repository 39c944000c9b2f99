"""F4 and bookkeeping: a training, event by event, against a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn
from tqdm import tqdm

from llmseg.data.prepared import prepare, working_size
from llmseg.data.store import Store
from llmseg.fidelity import reference
from llmseg.fidelity.compare import Comparison, Diverged, field
from llmseg.fidelity.levels import compare_split, places
from llmseg.loop import Chance, Epoch, Evaluated, Event, Step, draw_start, training
from llmseg.state import State
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


def dynamics(pipeline: Pipeline, record: dict[str, Any], store: Store, compare: Comparison, *, progress: bool) -> None:
    """F4: loss and gradient of every step, epoch losses, validation and test scores, final weights."""
    events = _events(pipeline, record, store, None, field(record, "epochs"), progress)
    tolerance = Tolerance.of_training(pipeline.recipe.fit.rate)
    expected = field(record, "train")
    net, stream = events
    _follow(
        stream,
        net,
        expected["steps"],
        expected["epochs"],
        expected["eval_forwards"],
        tolerance,
        compare,
        test=field(record, "test.dice"),
        final=expected["final"],
    )


def bookkeeping(
    pipeline: Pipeline, record: dict[str, Any], store: Store, compare: Comparison, *, progress: bool
) -> None:
    """Averaging, ragged last batches and listed scores, with a stand-in for the network."""
    expected = field(record, "bookkeeping")
    form = field(record, "output")
    net, stream = _events(
        pipeline,
        record,
        store,
        reference.StandIn(form),
        expected["epochs"],
        progress,
        expected,
        compare,
    )
    over = {"sample": "cases", "batch": "batches"}[expected["train_loss_averaged_over"]]
    compare.exact("epoch loss is the mean of", over, pipeline.recipe.fit.epoch_loss)
    _follow(
        stream,
        net,
        expected["steps"],
        expected["epochs_result"],
        expected["eval_forwards"],
        Tolerance.of_bookkeeping(),
        compare,
        test=expected["test_dice"],
        final=None,
    )


def _events(
    pipeline: Pipeline,
    record: dict[str, Any],
    store: Store,
    stand_in: nn.Module | None,
    epochs: Any,
    progress: bool,
    split_record: dict[str, Any] | None = None,
    compare: Comparison | None = None,
) -> tuple[nn.Module, Iterator[Event]]:
    """Start a training under the rules of the reference runs."""
    seed = field(record, "seed")
    prepared = prepare(store, pipeline.recipe.images, progress=progress)
    split, net = draw_start(pipeline.recipe, store.ids, seed, working_size(prepared))
    if split_record is not None and compare is not None:
        parts = {"train": split.train, "val": split.validation, "test": split.test}
        compare_split(split_record, pipeline.recipe, parts, compare)
    if stand_in is None:
        reference.set_weights(net, places(pipeline, net, record))
    else:
        net = stand_in
    chance = Chance(seed, per_epoch=True, apart=reference.SEEDS_APART)
    recipe = pipeline.recipe.change("fit.epochs", epochs)
    stream = training(recipe, State.begin(recipe.fit, net), prepared, split, chance=chance)
    return net, iter(tqdm(stream, desc="verify", unit="batch", leave=False, disable=not progress))


def _follow(
    stream: Iterator[Event],
    net: nn.Module,
    steps: Sequence[dict[str, Any]],
    epochs: Mapping[str, Any],
    forwards: Sequence[dict[str, Any]],
    tolerance: Tolerance,
    compare: Comparison,
    *,
    test: Any,
    final: Mapping[str, float] | None,
) -> None:
    # Passes without file names were made for a figure; passes after the test, too.
    passes = iter([f for f in forwards if f["files"] is not None or f["n"] > 1])
    listed: list[float] = []
    tested: list[float] = []
    for event in stream:
        if isinstance(event, Step):
            compare.exact(f"step {event.index}, number of steps", True, event.index < len(steps))
            _compare_step(event, net, steps[event.index], tolerance, compare)
        elif isinstance(event, Evaluated):
            _compare_pass(event, next(passes, None), tolerance, compare)
            if event.phase == "test":
                tested += event.listed.tolist()
        else:
            listed += event.listed
            _compare_epoch(event, epochs, tolerance, compare)
            if final is not None and event.index + 1 == len(epochs["lr_after_epoch"]):
                _compare_final(net, final, tolerance, compare)
    _compare_lists("validation scores", numbers(epochs["val_dice"]), listed, tolerance, compare)
    _compare_lists("test scores", numbers(test), tested, tolerance, compare)


def _compare_step(
    event: Step, net: nn.Module, expected: Mapping[str, Any], tolerance: Tolerance, compare: Comparison
) -> None:
    where, first = f"step {event.index} (epoch {event.epoch})", event.index == 0
    compare.exact(f"{where}, cases", list(expected["files"]), list(event.ids))
    allowed = tolerance.first_loss if first else tolerance.loss
    compare.close(f"{where}, loss", expected["loss"], event.loss.item(), rel=allowed)
    if "grad_l2" in expected:
        gradients = [p.grad for p in net.parameters() if p.grad is not None]
        allowed = tolerance.first_gradient if first else tolerance.gradient
        compare.close(f"{where}, gradient norm", expected["grad_l2"], reference.norm(gradients), rel=allowed)


def _compare_pass(
    event: Evaluated, expected: Mapping[str, Any] | None, tolerance: Tolerance, compare: Comparison
) -> None:
    if expected is None:
        raise Diverged(f"{event.phase} pass of {len(event.ids)} cases: the record has no such pass")
    where = f"{event.phase} pass (epoch {expected['after_epoch_start']})"
    compare.exact(f"{where}, cases", list(expected["files"] or event.ids), list(event.ids))
    found = reference.statistics(event.output)
    for name in ("mean", "std"):
        if f"out_{name}" in expected:
            compare.close(
                f"{where}, output {name}",
                expected[f"out_{name}"],
                found[name],
                rel=tolerance.validation_loss,
                abs=tolerance.score,
            )


def _compare_epoch(event: Epoch, expected: Mapping[str, Any], tolerance: Tolerance, compare: Comparison) -> None:
    where, k = f"epoch {event.index}", event.index
    compare.close(f"{where}, training loss", expected["train_loss"][k], event.train_loss, rel=tolerance.loss)
    allowed = tolerance.validation_loss
    compare.close(f"{where}, validation loss", expected["val_loss"][k], event.validation_loss, rel=allowed)
    compare.close(f"{where}, learning rate", expected["lr_after_epoch"][k], event.rate, rel=1e-9)


def _compare_final(net: nn.Module, final: Mapping[str, float], tolerance: Tolerance, compare: Comparison) -> None:
    weights = reference.norm(list(net.parameters()))
    compare.close("weights after training, norm", final["param_l2"], weights, rel=tolerance.weights)
    running = [b for name, b in net.named_buffers() if name.endswith(("running_mean", "running_var"))]
    found = reference.norm(running) if running else 0.0
    compare.close("running statistics after training, norm", final["buffer_l2"], found, rel=tolerance.loss)


def _compare_lists(
    where: str, expected: Sequence[float], found: Sequence[float], tolerance: Tolerance, compare: Comparison
) -> None:
    # A script that overwrites its sheet every epoch leaves the last epoch only.
    kept = found[len(found) - len(expected) :] if 0 < len(expected) < len(found) else found
    compare.all_close(where, expected, kept, abs=tolerance.score)


def numbers(cells: Any) -> list[float]:
    """Return the numbers of a nested list or mapping of sheets and rows, in order.

    Example:
        >>> numbers({"a.xlsx": [[1.0, "nan"], [2.0]]})
        [1.0, nan, 2.0]
    """
    if isinstance(cells, Mapping):
        cells = list(cells.values())
    if isinstance(cells, list):
        return [n for cell in cells for n in numbers(cell)]
    return [float(cells)]
