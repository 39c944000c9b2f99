"""The option that says which dataset of the catalogue a dataset of results is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from llmseg import UserError

PreparedAs = Annotated[
    list[str] | None,
    typer.Option(
        "--as",
        metavar="NAME=DATASET",
        help="What a dataset is, where its store was not made by llmseg data prepare: scans=brain; repeatable.",
    ),
]


def read_dataset_names(texts: Iterable[str] | None) -> dict[str, str]:
    """Return the dataset of the catalogue by the name of the dataset in results.

    Raises:
        UserError: A text is not of the form ``NAME=DATASET``, or a name stands twice.

    Example:
        >>> read_dataset_names(["scans=brain"])
        {'scans': 'brain'}
    """
    names: dict[str, str] = {}
    for text in texts or ():
        name, sign, dataset = text.rpartition("=")
        if not (name and sign and dataset):
            raise UserError(f"--as takes the name of a dataset, =, and what it is, such as scans=brain; not '{text}'")
        if name in names:
            raise UserError(f"--as says twice what '{name}' is; give it once")
        names[name] = dataset
    return names
