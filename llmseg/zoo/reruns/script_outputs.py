"""What the scripts of the reruns write, by model and number of the answer."""

from __future__ import annotations

from llmseg.zoo.common_outputs import (
    ABOVE,
    EVERY_EPOCH,
    FROM_ONE,
    PLAIN,
    labelled,
    losses,
    module,
    test,
    validation,
    weights,
)
from llmseg.zoo.outputs import Labels, LossFigure, Output, Outputs, SampleFigure

_LOSS_CURVE = LossFigure(file="loss_curve.png")
# Where no record has the size of a figure, none is stated.
_LOSS_CURVE_UNMEASURED = LossFigure(file="loss_curve.png", size=None)
_LOSS_PLOT_UNMEASURED = LossFigure(file="loss_plot.png", size=None)
_FIVE_CASES_UNMEASURED = SampleFigure(file="test_predictions.png")
_WITH_EPOCH_LABELS = Labels(prefix="Epoch_", start=1)
_LOWER_EPOCH_LABELS = Labels(prefix="epoch_", start=1)

_GPT_4O: dict[int, tuple[Output, ...]] = {
    1: (
        *losses(**ABOVE, index=True, rows=Labels(first=("Epoch", "Loss"))),
        validation(**PLAIN),
        module("model_full.pth"),
        weights("model_state_dict.pth"),
        _LOSS_PLOT_UNMEASURED,
        test(**PLAIN),
        SampleFigure(file="test_predictions.png", names="image"),
    ),
    2: (
        *losses(layout="row", columns=FROM_ONE, rows=Labels(first=("loss",)), index=True),
        validation(),
        module("unet_model.pth"),
        weights("unet_state_dict.pth"),
        test(),
        SampleFigure(file="test_predictions.png", size=(12, 20)),
        LossFigure(file="loss_plot.png"),
    ),
    3: (
        validation(layout="batch-per-row", keeps="last", **PLAIN, **EVERY_EPOCH),
        *losses(**ABOVE),
        weights("unet_state_dict.pth"),
        module("unet_model.pth"),
        _LOSS_CURVE_UNMEASURED,
        test(**PLAIN),
        _FIVE_CASES_UNMEASURED,
    ),
    4: (
        validation(rows=Labels(prefix="Epoch_"), columns=Labels(prefix="Batch_"), index=True, **EVERY_EPOCH),
        *losses(**ABOVE),
        module("model_full.pth"),
        weights("model_state_dict.pth"),
        LossFigure(file="loss_curve.png", grid=True),
        test(rows=Labels(first=("Dice",)), columns=Labels(prefix="Batch_"), index=True),
        SampleFigure(file="test_visualization.png", shows="first of the test part", needs=0, size=(12, 15)),
    ),
    5: (
        *losses(
            layout="row",
            columns=Labels(prefix="Epoch ", start=1),
            index=True,
            train={"rows": Labels(first=("Train",))},
            validation={"rows": Labels(first=("Val",))},
        ),
        validation(),
        module("unet_full_model.pth"),
        weights("unet_state_dict.pth"),
        _LOSS_PLOT_UNMEASURED,
        test(layout="column"),
        SampleFigure(file="predictions.png"),
    ),
    6: (
        *losses(**ABOVE, **EVERY_EPOCH),
        validation(**PLAIN, **EVERY_EPOCH),
        module("unet_model.pt"),
        weights("unet_model_state_dict.pth"),
        _LOSS_CURVE,
        test(**PLAIN),
        SampleFigure(file="test_predictions.png", prediction="probability", size=(12, 20)),
    ),
    7: (
        validation(
            file="validation_dice_scores_epoch_{epoch}.xlsx",
            layout="batch-per-row",
            keeps="file",
            **PLAIN,
            **EVERY_EPOCH,
        ),
        *losses(**ABOVE),
        module("unet_model.pt"),
        weights("unet_model_state_dict.pth"),
        test(layout="column", **PLAIN),
        SampleFigure(file="test_predictions.png", prediction="probability"),
        _LOSS_PLOT_UNMEASURED,
    ),
    8: (
        validation(index=True, **EVERY_EPOCH),
        *losses(**ABOVE),
        module("full_model.pth"),
        weights("model_weights.pth"),
        test(index=True),
        SampleFigure(file="test_predictions.png", shows="first of the test part", size=(12, 15)),
        LossFigure(file="loss_plot.png", size=(8, 6)),
    ),
    9: (
        *losses(**ABOVE),
        validation(),
        module("unet_model.pth"),
        weights("unet_state_dict.pth"),
        _LOSS_CURVE_UNMEASURED,
        test(layout="column"),
        SampleFigure(file="prediction_visualization.png"),
    ),
    10: (
        validation(**PLAIN, **EVERY_EPOCH),
        *losses(**ABOVE),
        module("model_full.pth"),
        weights("model_state.pth"),
        LossFigure(file="loss_plot.png", size=(8, 6)),
        test(**PLAIN),
        SampleFigure(file="predictions.png", needs=0, prediction="probability", size=(12, 15)),
    ),
}

_GPT_O4_MINI_HIGH: dict[int, tuple[Output, ...]] = {
    1: (
        validation(layout="batch-per-column", keeps="sheet", **EVERY_EPOCH),
        *losses(layout="row", columns=_LOWER_EPOCH_LABELS),
        module("unet_model.pth"),
        weights("unet_state_dict.pth"),
        _LOSS_CURVE_UNMEASURED,
        test(layout="batch-per-column"),
        _FIVE_CASES_UNMEASURED,
    ),
    2: (
        *losses(layout="row", columns=FROM_ONE),
        validation(**labelled("", "batch_", layout="batch-per-cell")),
        module("unet_full.pth"),
        weights("unet_state.pth"),
        LossFigure(file="loss_plot.png"),
        # The script calls the columns batches, and they are the cases of a batch.
        test(**labelled("", "batch_", layout="batch-per-row")),
        SampleFigure(file="test_predictions.png", shows="first of the test part", size=(9, 15)),
    ),
    3: (
        validation(
            file="validation_dice_scores_epoch{epoch}.xlsx", layout="batch-per-row", keeps="file", **EVERY_EPOCH
        ),
        *losses(**ABOVE),
        module("unet_full.pth"),
        weights("unet_state.pth"),
        _LOSS_CURVE_UNMEASURED,
        test(layout="batch-per-row"),
        SampleFigure(file="test_samples.png", normalised=True),
    ),
    4: (
        *losses(layout="row", columns=_WITH_EPOCH_LABELS, rows=Labels(first=("loss",)), index=True),
        validation(**labelled("Epoch_", "Batch_")),
        module("unet_full.pth"),
        weights("unet_state.pth"),
        _LOSS_CURVE,
        test(**labelled("", "Batch_", rows=Labels(first=("Test",)))),
        SampleFigure(file="visuals/test_predictions.png", needs=0, size=(9, 15), row_per_case=True),
    ),
    5: (
        *losses(layout="row", columns=_LOWER_EPOCH_LABELS, rows=Labels(first=("loss",)), index=True, **EVERY_EPOCH),
        validation(rows=_LOWER_EPOCH_LABELS, index=True, **EVERY_EPOCH),
        module("unet_model_full.pt"),
        weights("unet_model_state_dict.pth"),
        _LOSS_CURVE_UNMEASURED,
        # The script calls the rows epochs, and they are batches.
        test(layout="batch-per-row", rows=_LOWER_EPOCH_LABELS, index=True),
        SampleFigure(file="test_predictions.png", shows="random of all cases"),
    ),
    6: (
        *losses(**ABOVE, **EVERY_EPOCH),
        validation(layout="batch-per-column", keeps="last", **EVERY_EPOCH),
        module("unet_model_full.pth"),
        weights("unet_model_state.pth"),
        _LOSS_CURVE,
        test(layout="batch-per-column"),
        SampleFigure(file="predictions.png", size=(9, 15)),
    ),
    7: (
        *losses(**ABOVE, **EVERY_EPOCH),
        validation(rows=_LOWER_EPOCH_LABELS, corner="Epoch", index=True),
        module("unet_model_full.pth"),
        weights("unet_model_state.pth"),
        _LOSS_CURVE_UNMEASURED,
        test(columns=Labels(prefix="batch_"), corner="Epoch", index=True),
        SampleFigure(file="test_visualization.png"),
    ),
    8: (
        *losses(layout="row", columns=_WITH_EPOCH_LABELS),
        validation(**labelled("Epoch_", "Batch_")),
        module("unet_model_full.pth"),
        weights("unet_model_state.pth"),
        _LOSS_CURVE,
        test(**labelled("Epoch_", "Batch_")),
        SampleFigure(file="test_predictions.png", size=(12, 20)),
    ),
    9: (
        validation(**labelled("Epoch_", "Batch_"), **EVERY_EPOCH),
        *losses(layout="row", columns=Labels(start=1, as_text=True)),
        module("unet_full.pth"),
        weights("unet_state.pth"),
        LossFigure(file="loss_curve.png", size=None, dpi=300),
        test(layout="column", header=False, index=True),
        SampleFigure(file="test_predictions.png", dpi=300),
    ),
    10: (
        *losses(
            layout="row",
            index=True,
            train={"rows": Labels(first=("train",))},
            validation={"rows": Labels(first=("val",))},
            **EVERY_EPOCH,
        ),
        validation(rows=_LOWER_EPOCH_LABELS, index=True, **EVERY_EPOCH),
        module("unet_model.pth"),
        weights("unet_state_dict.pth"),
        _LOSS_CURVE,
        test(rows=Labels(first=("test",)), index=True),
        SampleFigure(file="test_visuals.png", normalised=True, size=(9, 15)),
    ),
}
_MODELS = {"gpt-4o": _GPT_4O, "gpt-o4-mini-high": _GPT_O4_MINI_HIGH}


def find_rerun_outputs(model: str, run: int) -> Outputs:
    """Return what the scripts of a rerun write."""
    return Outputs(_MODELS[model][run])
