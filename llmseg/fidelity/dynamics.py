"""F4 and bookkeeping: a training against a record, from its first step to its last score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn
from tqdm import tqdm

from llmseg.data.prepared_cases import PreparedCases, move_to_device, prepare_cases
from llmseg.data.store import Store
from llmseg.fidelity import recorded_inputs
from llmseg.fidelity.compare import ComparedValue, Comparison, Divergence
from llmseg.fidelity.levels import compare_split, find_positions
from llmseg.fidelity.place import CPU, Place
from llmseg.fidelity.records import get_entry
from llmseg.fidelity.rounding import move_to_neighbour
from llmseg.fidelity.score_calls import flatten_cells
from llmseg.recipe.splits import Split
from llmseg.training.events import Epoch, EvaluatedBatch, Event, Step
from llmseg.training.loop import draw_start, run_loop
from llmseg.training.random_streams import RandomStreams
from llmseg.training.state import State
from llmseg.zoo import Pipeline


@dataclass(frozen=True)
class Tolerance:
    """How far values of a training may lie from the record; scores absolute, all others relative.

    The numbers are those that the records recommend (``tests/golden/GOLDEN.md``, section 5): rounding grows from step
    to step, and faster at a high learning rate.
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


def measure_dynamics(
    pipeline: Pipeline, record: dict[str, Any], store: Store, neighbour: int, *, progress: bool, place: Place = CPU
) -> Iterator[ComparedValue]:
    """F4: loss and gradient of every step, epoch losses, validation and test scores, final weights.

    Args:
        pipeline: The pipeline.
        record: The record.
        store: The images of its main run.
        neighbour: Where to start: 0 for the recorded weights, k > 0 for a neighbour of them, see
            :func:`llmseg.fidelity.rounding.move_to_neighbour`.
        progress: Whether to show progress bars.
        place: Where the training computes.

    Example:
        >>> from llmseg import zoo
        >>> values = measure_dynamics(zoo.get("gpt-4"), record, store, 0, progress=False)  # doctest: +SKIP
        >>> next(value for value in values if not value.agrees)  # doctest: +SKIP
    """
    train = get_entry(record, "train")
    recorded = _RecordedTraining(
        train, train["epochs"], get_entry(record, "test.dice"), get_entry(record, "epochs"), train["final"]
    )
    split, net, prepared = _draw_start(pipeline, record, store, progress)
    recorded_inputs.set_weights(net, find_positions(pipeline, net, record))
    move_to_neighbour(net, neighbour)
    net = place.move_net(net)
    events = _train(pipeline, record, recorded, split, net, prepared, progress, place)
    yield from _training_values(events, net, recorded, Tolerance.of_training(pipeline.recipe.fit.rate))


def check_bookkeeping(
    pipeline: Pipeline,
    record: dict[str, Any],
    store: Store,
    comparison: Comparison,
    *,
    progress: bool,
    place: Place = CPU,
) -> None:
    """Averaging, incomplete last batches and listed scores, with a network that learns nothing.

    Args:
        pipeline: The pipeline.
        record: The record.
        store: The images of its bookkeeping run.
        comparison: Compares and counts.
        progress: Whether to show progress bars.
        place: Where losses and scores are computed.

    Raises:
        Divergence: A value is not the recorded one.
    """
    expected = get_entry(record, "bookkeeping")
    recorded = _RecordedTraining(expected, expected["epochs_result"], expected["test_dice"], expected["epochs"], None)
    split, _, prepared = _draw_start(pipeline, record, store, progress)
    parts = {"train": split.train, "val": split.validation, "test": split.test}
    compare_split(expected, pipeline.recipe, parts, comparison)
    averaged_over = {"sample": "cases", "batch": "batches"}[expected["train_loss_averaged_over"]]
    comparison.require_equal("epoch loss is the mean of", averaged_over, pipeline.recipe.fit.epoch_loss)
    net = place.move_net(recorded_inputs.StandInNetwork(get_entry(record, "output")))
    events = _train(pipeline, record, recorded, split, net, prepared, progress, place)
    for value in _training_values(events, net, recorded, Tolerance.of_bookkeeping()):
        comparison.require(value)


def compute_bookkeeping(
    pipeline: Pipeline, record: dict[str, Any], store: Store
) -> tuple[Split, list[Epoch], list[float]]:
    """Repeat the bookkeeping run.

    Args:
        pipeline: The pipeline.
        record: The record.
        store: The images of its bookkeeping run.

    Returns:
        The split, the epochs with their losses and listed scores, and the listed scores of the test.
    """
    expected = get_entry(record, "bookkeeping")
    recorded = _RecordedTraining(expected, expected["epochs_result"], expected["test_dice"], expected["epochs"], None)
    split, _, prepared = _draw_start(pipeline, record, store, progress=False)
    net = recorded_inputs.StandInNetwork(get_entry(record, "output"))
    epochs: list[Epoch] = []
    test_scores: list[float] = []
    for event in _train(pipeline, record, recorded, split, net, prepared, progress=False):
        if isinstance(event, Epoch):
            epochs.append(event)
        elif isinstance(event, EvaluatedBatch) and event.phase == "test":
            test_scores += event.listed.tolist()
    return split, epochs, test_scores


@dataclass(frozen=True)
class _RecordedTraining:
    """What a record says of one training: the main one or that of the bookkeeping.

    Attributes:
        content: Its ``steps`` and ``eval_forwards``.
        epochs: Lists with a value per epoch.
        test_scores: The test scores, nested as the script's sheets were.
        epoch_count: How many epochs it took.
        final: Norms of the final weights and running statistics, if the training learnt anything.
    """

    content: Mapping[str, Any]
    epochs: Mapping[str, Any]
    test_scores: Any
    epoch_count: int
    final: Mapping[str, float] | None


def _draw_start(
    pipeline: Pipeline, record: dict[str, Any], store: Store, progress: bool
) -> tuple[Split, nn.Module, PreparedCases]:
    prepared = prepare_cases(store, pipeline.recipe.images, progress=progress)
    split, net = draw_start(pipeline.recipe, store.ids, get_entry(record, "seed"), prepared.size)
    return split, net, prepared


def _train(
    pipeline: Pipeline,
    record: dict[str, Any],
    recorded: _RecordedTraining,
    split: Split,
    net: nn.Module,
    prepared: PreparedCases,
    progress: bool,
    place: Place = CPU,
) -> Iterator[Event]:
    """Train under the rules by which the records were made."""
    streams = RandomStreams(get_entry(record, "seed"), per_epoch=True, spacing=recorded_inputs.SEEDS_APART)
    recipe = pipeline.recipe.change("fit.epochs", recorded.epoch_count)
    numerics, cases = place.numerics, move_to_device(prepared, place.device)
    events = run_loop(recipe, State.begin(recipe.fit, net), cases, split, streams=streams, numerics=numerics)
    return iter(tqdm(events, desc="verify", unit="batch", leave=False, disable=not progress))


def _training_values(
    events: Iterator[Event], net: nn.Module, recorded: _RecordedTraining, tolerance: Tolerance
) -> Iterator[ComparedValue]:
    """Yield all values of a training in the order in which they are measured."""
    steps, epochs = recorded.content["steps"], recorded.epochs
    passes = iter(_select_passes(recorded.content["eval_forwards"]))
    validation_scores: list[float] = []
    test_scores: list[float] = []
    for event in events:
        if isinstance(event, Step):
            # Whoever compares stops here if the record has no such step.
            yield ComparedValue(f"step {event.index}, number of steps", True, event.index < len(steps))
            yield from _step_values(event, net, steps[event.index], tolerance)
        elif isinstance(event, EvaluatedBatch):
            yield from _pass_values(event, next(passes, None), tolerance)
            if event.phase == "test":
                test_scores += event.listed.tolist()
        else:
            validation_scores += event.listed
            yield from _epoch_values(event, epochs, tolerance)
            if recorded.final is not None and event.index + 1 == recorded.epoch_count:
                yield from _weight_values(net, recorded.final, tolerance)
    yield from _score_values("validation scores", flatten_cells(epochs["val_dice"]), validation_scores, tolerance)
    yield from _score_values("test scores", flatten_cells(recorded.test_scores), test_scores, tolerance)


def _select_passes(forwards: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the recorded forward passes that validate and test.

    Scripts also pass single images without a file name to draw a figure, during the training or after the test. Some
    pass the same files twice with the same weights. llmseg does neither.
    """
    selected: list[dict[str, Any]] = []
    earlier: list[tuple[Any, Any]] = []
    for forward in forwards:
        epoch_and_files = (forward["after_epoch_start"], forward["files"])
        has_names = forward["files"] is not None
        if (has_names and epoch_and_files not in earlier) or (not has_names and forward["n"] > 1):
            selected.append(forward)
        earlier.append(epoch_and_files)
    return selected


def _step_values(
    event: Step, net: nn.Module, expected: Mapping[str, Any], tolerance: Tolerance
) -> Iterator[ComparedValue]:
    where, first = f"step {event.index} (epoch {event.epoch})", event.index == 0
    yield ComparedValue(f"{where}, cases", list(expected["files"]), list(event.ids))
    allowed = tolerance.first_loss if first else tolerance.loss
    yield ComparedValue(f"{where}, loss", expected["loss"], event.loss.item(), rel=allowed, carries_rounding=not first)
    if "grad_l2" in expected:
        norm = recorded_inputs.compute_norm([p.grad for p in net.parameters() if p.grad is not None])
        allowed = tolerance.first_gradient if first else tolerance.gradient
        yield ComparedValue(f"{where}, gradient norm", expected["grad_l2"], norm, rel=allowed, carries_rounding=True)


def _pass_values(
    event: EvaluatedBatch, expected: Mapping[str, Any] | None, tolerance: Tolerance
) -> Iterator[ComparedValue]:
    if expected is None:
        raise Divergence(f"{event.phase} pass of {len(event.ids)} cases: the record has no such pass")
    where = f"{event.phase} pass (epoch {expected['after_epoch_start']})"
    yield ComparedValue(f"{where}, cases", list(expected["files"] or event.ids), list(event.ids))
    statistics = recorded_inputs.compute_statistics(event.output)
    for name in ("mean", "std"):
        if f"out_{name}" in expected:
            yield ComparedValue(
                f"{where}, output {name}",
                expected[f"out_{name}"],
                statistics[name],
                rel=tolerance.validation_loss,
                abs=tolerance.score,
                carries_rounding=True,
            )


def _epoch_values(event: Epoch, expected: Mapping[str, Any], tolerance: Tolerance) -> Iterator[ComparedValue]:
    where, index = f"epoch {event.index}", event.index
    loss, validation_loss = expected["train_loss"][index], expected["val_loss"][index]
    yield ComparedValue(f"{where}, training loss", loss, event.train_loss, rel=tolerance.loss, carries_rounding=True)
    allowed = tolerance.validation_loss
    yield ComparedValue(
        f"{where}, validation loss", validation_loss, event.validation_loss, rel=allowed, carries_rounding=True
    )
    yield ComparedValue(f"{where}, learning rate", expected["lr_after_epoch"][index], event.rate, rel=1e-9)


def _weight_values(net: nn.Module, final: Mapping[str, float], tolerance: Tolerance) -> Iterator[ComparedValue]:
    weights = recorded_inputs.compute_norm(list(net.parameters()))
    yield ComparedValue(
        "weights after training, norm", final["param_l2"], weights, rel=tolerance.weights, carries_rounding=True
    )
    running = [buffer for name, buffer in net.named_buffers() if name.endswith(("running_mean", "running_var"))]
    norm = recorded_inputs.compute_norm(running) if running else 0.0
    where = "running statistics after training, norm"
    yield ComparedValue(where, final["buffer_l2"], norm, rel=tolerance.loss, carries_rounding=True)


def _score_values(
    where: str, expected: Sequence[float], measured: Sequence[float], tolerance: Tolerance
) -> Iterator[ComparedValue]:
    # A script that overwrites its sheet every epoch leaves the last epoch only.
    kept = measured[len(measured) - len(expected) :] if 0 < len(expected) < len(measured) else measured
    yield ComparedValue(f"{where}, number of figures", len(expected), len(kept))
    for index, (left, right) in enumerate(zip(expected, kept, strict=True)):
        yield ComparedValue(f"{where}, figure {index}", left, right, abs=tolerance.score, carries_rounding=True)
