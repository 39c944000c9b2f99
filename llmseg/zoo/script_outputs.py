"""What the scripts of the first answers write; an entry finds its own by id.

Sizes of figures are those that were measured when the scripts ran. What is shown in them is told in words by
``llmseg show``.
"""

from __future__ import annotations

from typing import Any

from llmseg.zoo.common_outputs import (
    ABOVE,
    EVERY_EPOCH,
    PLAIN,
    labelled,
    losses,
    module,
    named_losses,
    test,
    validation,
    weights,
)
from llmseg.zoo.outputs import Copies, Labels, LossFigure, Output, Outputs, SampleFigure

_LOSSES_6_BY_5 = LossFigure(file="losses.png", size=(6, 5))
_FIRST_OF_BATCHES = SampleFigure(file="predictions.png", shows="first of each test batch", needs=0, size=(12, 15))
_EPOCHS_IN_A_ROW = losses(layout="row", columns=Labels(prefix="Epoch ", start=1))


def _loss_plot(file: str = "loss_plot.png", **settings: Any) -> LossFigure:
    return LossFigure(**{"file": file, "size": (10, 5), **settings})


_FILES: dict[str, tuple[Output, ...]] = {
    "bing-copilot": (
        weights("unet_model.pth"),
        module("unet_model_full.pth"),
        *_EPOCHS_IN_A_ROW,
        validation(),
        _LOSSES_6_BY_5,
        test(layout="column"),
        _FIRST_OF_BATCHES,
    ),
    "claude-3.5-sonnet": (
        weights("best_model.pth"),
        module("best_model_full.pth"),
        *named_losses("Loss", "Loss", renamed=True),
        validation(),
        _LOSSES_6_BY_5,
        test(layout="column"),
        SampleFigure(file="predictions.png", shows="first of the test part", needs=0, size=(12, 15)),
    ),
    "claude-4-sonnet": (
        module("complete_model.pth"),
        weights("model_state_dict.pth"),
        *named_losses("Training_Loss", "Validation_Loss"),
        validation(epochs="beside", columns=Labels(first=("Epoch",), prefix="Batch_", start=1)),
        _loss_plot(size=(10, 6), dpi=300, validation_colour="red", grid=True, cropped=True),
        test(columns=Labels(prefix="Batch_", start=1)),
        SampleFigure(
            file="test_predictions.png",
            titles="figure",
            needs=0,
            prediction="probability",
            names="all",
            size=(12, 20),
            dpi=300,
            cropped=True,
        ),
    ),
    "deepseek-r1": (
        *losses(layout="column", header=False, index=True),
        validation(**labelled("Epoch ", "Batch ", corner="Epoch")),
        weights("unet_model.pth"),
        module("unet_full.pth"),
        _loss_plot(first_epoch=0),
        test(**labelled("", "Batch ", corner="Split", rows=Labels(first=("Test",)))),
        SampleFigure(
            file="sample_predictions.png",
            titles="figure",
            shows="first of the test part",
            normalised=True,
            names="image",
            size=(10, 15),
        ),
    ),
    "deepseek-v3": (
        *named_losses("Train Loss", "Validation Loss"),
        validation(),
        weights("model_state_dict.pth"),
        module("model.pth"),
        _loss_plot(first_epoch=0),
        test(),
        SampleFigure(
            file="sample_results.png",
            titles="figure",
            shows="random of the first test batch",
            needs=0,
            normalised=True,
            names="image",
            size=(15, 25),
        ),
    ),
    "gemini-1.5-flash": (
        weights("unet_model.pth"),
        *losses(layout="column", index=True),
        validation(index=True),
        _loss_plot(size=(6.4, 4.8), first_epoch=0),
    ),
    "gemini-1.5-pro": (
        Copies(apart=False),
        validation(**PLAIN, **EVERY_EPOCH),
        *named_losses("Train Loss", "Val Loss", **EVERY_EPOCH),
        module("unet_model.pth"),
        weights("unet_model_weights.pth"),
        _LOSSES_6_BY_5,
        test(**PLAIN),
        _FIRST_OF_BATCHES,
    ),
    "gemini-2.5-pro": (
        weights("unet_model_state_dict.pth"),
        module("unet_model_full.pth"),
        *named_losses("Loss", "Loss"),
        validation(**labelled("", "Batch_", corner="Epoch")),
        _loss_plot(grid=True),
        test(**labelled("", "Batch_", corner="Epoch")),
        SampleFigure(
            file="test_predictions.png",
            titles="figure",
            shows="random of all cases",
            normalised=True,
            names="image",
            size=(15, 25),
        ),
    ),
    "github-copilot": (
        weights("unet_model.pth"),
        module("unet_model_full.pth"),
        *named_losses("Train Loss", "Val Loss"),
        validation(),
        _LOSSES_6_BY_5,
        test(layout="column"),
        SampleFigure(
            file="predictions.png", titles="every row", shows="first of random test batches", prediction="probability"
        ),
    ),
    "gpt-4": (
        validation(**PLAIN, **EVERY_EPOCH),
        weights("model_state.pth"),
        module("model.pth"),
        *losses(layout="column"),
        _LOSSES_6_BY_5,
        test(**PLAIN),
        SampleFigure(
            file="predictions.png",
            shows="first of each test batch",
            needs=0,
            prediction="output above one half",
            size=(12, 15),
        ),
    ),
    "gpt-4o": (
        validation(**PLAIN, **EVERY_EPOCH),
        module("unet_model.pth"),
        weights("unet_model_state_dict.pth"),
        *_EPOCHS_IN_A_ROW,
        _LOSSES_6_BY_5,
        test(**PLAIN),
        _FIRST_OF_BATCHES,
    ),
    "gpt-o1-preview": (
        Copies(),
        validation(**PLAIN, **EVERY_EPOCH),
        module("unet_model.pth"),
        weights("unet_model_state_dict.pth"),
        *losses(**ABOVE),
        _LOSSES_6_BY_5,
        test(**PLAIN),
        SampleFigure(file="test_predictions.png", titles="every row", names="image", size=(12, 20)),
    ),
    "gpt-o3": (
        *losses(
            **ABOVE,
            **EVERY_EPOCH,
            index=True,
            train={"rows": Labels(first=("Epoch", "train_loss"))},
            validation={"rows": Labels(first=("Epoch", "val_loss"))},
        ),
        validation(rows=Labels(prefix="epoch_", start=1), index=True, **EVERY_EPOCH),
        module("unet_full_model.pth"),
        weights("unet_state_dict.pth"),
        LossFigure(file="loss_curve.png"),
        test(rows=Labels(prefix="epoch_", start=1), index=True),
        SampleFigure(file="sample_predictions.png", titles="first row", size=(9, 15)),
    ),
    "gpt-o4-mini-high": (
        *losses(**ABOVE),
        validation(**labelled("Epoch ", "Batch ")),
        module("unet_model.pth"),
        weights("unet_model_state_dict.pth"),
        LossFigure(file="loss_curves.png", size=(8, 6), grid=True),
        test(**labelled("Epoch ", "Batch ")),
        SampleFigure(
            file="test_predictions.png", titles="first row", shows="random of all cases", names="all", size=(12, 20)
        ),
    ),
    "grok-3-mini": (
        *named_losses("Average Train Loss", "Average Val Loss"),
        validation(),
        module("model.pth"),
        weights("model_state_dict.pth"),
        _loss_plot("losses_plot.png"),
        test(),
        SampleFigure(
            file="test_visualization.png",
            titles="figure",
            shows="random of the first test batch",
            names="image",
            size=(15, 25),
        ),
    ),
    "grok-3": (
        validation(**EVERY_EPOCH),
        *named_losses("Loss", "Loss", renamed=True),
        module("full_model.pth"),
        weights("model_state_dict.pth"),
        _loss_plot(first_epoch=0),
        test(),
        SampleFigure(file="predictions.png", names="all", size=(15, 25)),
    ),
    "llama-3.1-405b": (
        validation(**PLAIN, **EVERY_EPOCH),
        module("unet_model.pth"),
        weights("unet_model_state_dict.pth"),
        *losses(layout="column"),
        _LOSSES_6_BY_5,
        test(**PLAIN),
        _FIRST_OF_BATCHES,
    ),
    "llama-4-maverick": (
        *named_losses("Loss", "Loss"),
        validation(),
        weights("model.pth"),
        module("model_full.pth"),
        LossFigure(file="losses.png"),
        test(),
        SampleFigure(file="predictions.png", normalised=True, names="image", size=(15, 20)),
    ),
    "mistral-medium-3": (
        *named_losses("Train Loss", "Val Loss"),
        validation(),
        weights("unet_model.pth"),
        module("unet_model_full.pth"),
        _loss_plot(),
        test(),
        SampleFigure(file="predictions.png", titles="figure", needs=0, names="of another case", size=(15, 25)),
    ),
    "qwen-3-235b-no-thinking": (
        *losses(layout="column", epochs="beside", header=False, **EVERY_EPOCH),
        validation(index=True, **EVERY_EPOCH),
        weights("model_state.pth"),
        module("model_full.pth"),
        _loss_plot(first_epoch=0),
        test(),
        # Five numbers of cases are drawn and compared with numbers of batches. If none fits, the figure fails.
        SampleFigure(
            file="sample_predictions.png", shows="first of test batches hit", needs=1, prediction="probability"
        ),
    ),
    "qwen-3-235b": (
        *losses(**ABOVE, **EVERY_EPOCH),
        validation(**EVERY_EPOCH),
        weights("model_state.pth"),
        module("model_full.pth"),
        _loss_plot("loss_curve.png", first_epoch=0),
        # Where this figure fails, the sheet of the test scores is missing.
        SampleFigure(file="test_predictions.png", names="image", size=(12, 20)),
        test(),
    ),
}


def find_outputs(id: str) -> Outputs | None:
    """Return what the scripts of a pipeline write; ``None`` if it is not known."""
    return Outputs(_FILES[id]) if id in _FILES else None
