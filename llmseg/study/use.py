"""``llmseg.predict``, ``llmseg.export`` and ``llmseg.evaluate``: what is done with a training, however it is given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from llmseg.data.given import GivenHoldout, GivenStore
from llmseg.data.reading import DEFAULT, Foreground, Reading, images_only
from llmseg.errors import UserError, name_first
from llmseg.evaluation.evaluate import TOLERANCE, evaluate_masks, evaluate_run
from llmseg.evaluation.evaluation import Evaluation
from llmseg.files import clean_name
from llmseg.prediction.export import export_model
from llmseg.prediction.load import load_model
from llmseg.prediction.predict import predict as predict_images
from llmseg.recipe.recipe import Recipe
from llmseg.stats.words import count_text
from llmseg.study.conventions import all_conventions
from llmseg.study.trained import GivenModel, GivenTraining, find_model, find_run, is_training
from llmseg.training.run import Run

if TYPE_CHECKING:
    from torch import nn


@overload
def predict(
    model: GivenModel,
    images: str | Path,
    out: str | Path,
    *,
    weights: str | Path | None = None,
    contender: str | None = None,
    seed: int | None = None,
    device: str = "auto",
    precision: str = "auto",
    exact: bool = False,
    batch_size: int | None = None,
    reading: Reading | None = None,
    progress: bool = True,
) -> tuple[Path, ...]: ...


@overload
def predict(
    model: nn.Module,
    recipe: Recipe,
    images: str | Path,
    out: str | Path,
    *,
    device: str = "auto",
    precision: str = "auto",
    exact: bool = False,
    batch_size: int | None = None,
    reading: Reading | None = None,
    progress: bool = True,
) -> tuple[Path, ...]: ...


def predict(
    model: Any,
    *places: Any,
    weights: str | Path | None = None,
    contender: str | None = None,
    seed: int | None = None,
    reading: Reading | None = None,
    **options: Any,
) -> tuple[Path, ...]:
    """Write a probability map and a mask for every image, on the image's own grid, as ``llmseg predict`` does.

    What is written, and how, is said at :func:`llmseg.prediction.predict.predict`, which this function calls.

    Args:
        model: A run, its folder, a study or its folder, a pipeline or its name with ``weights``, or network and recipe.
            These may also be two arguments: ``predict(net, recipe, images, out)``.
        *places: ``images``, a folder of images or one image; and ``out``, the folder for masks and probabilities.
        weights: A state dictionary that the original script saved.
        contender: Which contender, if the model is a study.
        seed: Which seed of it; the first without it.
        reading: How pixels are read; ``None`` for those of a run as its own images.
        **options: ``device``, ``precision``, ``exact``, ``batch_size`` and ``progress``.

    Returns:
        The paths of the masks, in the order of the image names.

    Raises:
        UserError: The model is no training, or there are several and none is chosen; or as
            :func:`llmseg.prediction.predict.predict`.

    Example:
        >>> from llmseg import predict
        >>> masks = predict("runs/gpt-4", "images", "predicted")  # doctest: +SKIP
        >>> masks = predict("studies/brain", "images", "predicted", contender="gpt-o3")  # doctest: +SKIP
    """
    if isinstance(places[0] if places else options.get("recipe"), Recipe):
        return predict_images(model, *places, reading=reading or DEFAULT, **options)
    run = None if weights is not None or not is_training(model) else find_run(model, contender, seed)
    if run is None:
        net, recipe = find_model(model, weights=weights, contender=contender, seed=seed)
    else:
        net, recipe = load_model(run)
    if reading is None:
        reading = DEFAULT if run is None else images_only(Run.open(run).reading)
    return predict_images(net, recipe, *places, reading=reading, **options)


def export(
    model: GivenModel,
    out: str | Path,
    *,
    weights: str | Path | None = None,
    contender: str | None = None,
    seed: int | None = None,
    size: tuple[int, int] | None = None,
    free_size: bool = False,
    format: str | None = None,
) -> Path:
    """Write a network as a file that runs without this library, as ``llmseg export`` does.

    Args:
        model: As for :func:`predict`.
        out: The file: ``.pt2`` for ``torch.export``, ``.onnx`` for ONNX.
        weights: As for :func:`predict`.
        contender: As for :func:`predict`.
        seed: As for :func:`predict`.
        size: As for :func:`llmseg.export_model`.
        free_size: As for :func:`llmseg.export_model`.
        format: As for :func:`llmseg.export_model`.

    Raises:
        UserError: As :func:`predict` and :func:`llmseg.export_model`.

    Example:
        >>> from llmseg import export
        >>> path = export("runs/gpt-4", "gpt-4.onnx")  # doctest: +SKIP
    """
    net, recipe = find_model(model, weights=weights, contender=contender, seed=seed)
    return export_model(net, recipe, out, format=format, size=size, free_size=free_size)


def evaluate(
    what: GivenTraining,
    store: GivenStore,
    out: str | Path | None = None,
    *,
    holdout: GivenHoldout | None = None,
    allow_overlap: bool = False,
    tolerance: float = TOLERANCE,
    label: str = "",
    predicted_foreground: Foreground = None,
    contender: str | None = None,
    seed: int | None = None,
    device: str = "auto",
    precision: str = "auto",
    progress: bool = True,
) -> Evaluation:
    """Score a training, or masks from elsewhere, case by case, as everybody is scored and as ``llmseg evaluate`` does.

    Args:
        what: A run or its folder, a study or its folder, or a folder of masks from elsewhere.
        store: The cases: a store, or the path of a file or folder, see :func:`llmseg.data.find_store`.
        out: Folder of the evaluation; ``None`` for ``NAME-evaluation`` beside what is scored.
        holdout: The held-out test set, or its manifest.
        allow_overlap: As for :func:`llmseg.evaluate_run`.
        tolerance: As for :func:`llmseg.evaluate_run`.
        label: Of masks: what rows call their maker; the folder's name if empty.
        predicted_foreground: Of masks: which values are foreground, as for :func:`llmseg.evaluation.evaluate_masks`.
        contender: Of a study: which contender.
        seed: Of a study: which seed of it; the first without it.
        device: As for :func:`llmseg.predict`.
        precision: As for :func:`llmseg.predict`.
        progress: Whether to show progress bars.

    Raises:
        UserError: As :func:`llmseg.evaluate_run` and :func:`llmseg.evaluation.evaluate_masks`.

    Example:
        >>> from llmseg import evaluate
        >>> evaluate("runs/gpt-4", "brain.h5", holdout="brain-test.json")  # doctest: +SKIP
    """
    run = find_run(what, contender, seed) if is_training(what) or contender is not None or seed is not None else None
    if run is None and not isinstance(what, str | Path):
        raise UserError(f"a training or a folder of masks is needed, not {type(what).__name__}")
    scored = Path(run or str(what))
    if run is None and (inner := [path.parent for path in sorted(scored.glob("*/run.json"))]):
        raise UserError(
            f"{scored} holds {count_text(len(inner), 'run')} and is none itself; name one: {name_first(inner)}"
        )
    out = _name_evaluation(what, scored, contender) if out is None else out
    common: dict[str, Any] = {"holdout": holdout, "tolerance": tolerance, "rules": all_conventions()}
    if run is None:
        return evaluate_masks(
            scored, store, out, label=label, foreground=predicted_foreground, progress=progress, **common
        )
    return evaluate_run(
        run, store, out, allow_overlap=allow_overlap, device=device, precision=precision, progress=progress, **common
    )


def _name_evaluation(what: GivenTraining, scored: Path, contender: str | None) -> Path:
    """Return a folder beside what is given, so that none is written into a study."""
    given = Path(what) if isinstance(what, str | Path) else scored
    part = "" if contender is None else f"-{clean_name(contender, also='-_.')}"
    return given.resolve().with_name(f"{given.resolve().name}{part}-evaluation")
