"""Sheets and model files in the forms that many scripts share."""

from __future__ import annotations

from typing import Any

from llmseg.zoo.outputs import Labels, Model, Sheet

TRAIN_FILE, VALIDATION_FILE = "train_losses.xlsx", "val_losses.xlsx"
EVERY_EPOCH: dict[str, Any] = {"when": "after every epoch"}
FROM_ONE = Labels(start=1)
PLAIN: dict[str, Any] = {"header": False}
ABOVE: dict[str, Any] = {"layout": "row", "epochs": "above", "header": False}


def losses(**settings: Any) -> tuple[Sheet, Sheet]:
    """Return the two sheets of losses.

    Args:
        settings: Fields of both sheets. ``train`` and ``validation`` hold those in which the two differ.
    """
    train, validation = settings.pop("train", {}), settings.pop("validation", {})
    return (
        Sheet(file=TRAIN_FILE, holds="train_loss", **{**settings, **train}),
        Sheet(file=VALIDATION_FILE, holds="validation_loss", **{**settings, **validation}),
    )


def named_losses(train: str, validation: str, **settings: Any) -> tuple[Sheet, Sheet]:
    """Return the two sheets of losses where these stand in a named column beside one of the epochs."""
    return losses(
        layout="column",
        epochs="beside",
        train={"columns": Labels(first=("Epoch", train))},
        validation={"columns": Labels(first=("Epoch", validation))},
        **settings,
    )


def validation(**settings: Any) -> Sheet:
    """Return the sheet of validation scores: a row per epoch under column numbers, unless said otherwise."""
    return Sheet(
        **{"file": "validation_dice_scores.xlsx", "holds": "validation", "layout": "epoch-per-row", **settings}
    )


def test(**settings: Any) -> Sheet:
    """Return the sheet of test scores: one row under column numbers, unless said otherwise."""
    settings = {"layout": "epoch-per-row", "when": "after testing", **settings}
    return Sheet(file="test_dice_scores.xlsx", holds="test", **settings)


def weights(file: str) -> Model:
    """Return a file of weights."""
    return Model(file=file, content="state dictionary")


def module(file: str) -> Model:
    """Return a file of the whole module."""
    return Model(file=file, content="whole module")


def labelled(row: str, column: str, **settings: Any) -> dict[str, Any]:
    """Return the settings of a sheet whose rows and columns are numbered from 1 after these words."""
    rows, columns = Labels(prefix=row, start=1), Labels(prefix=column, start=1)
    return {"rows": rows, "columns": columns, "index": True, **settings}
