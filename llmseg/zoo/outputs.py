"""What a script writes: spreadsheets, model files, figures and copies, in the order in which it writes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from llmseg.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Names of rows or columns: a few fixed ones, then numbered ones.

    Attributes:
        first: The fixed names.
        prefix: What stands before the number; without it, a label is the number itself.
        start: The first number.
        as_text: Whether a bare number is written as text.

    Example:
        >>> Labels(first=("Epoch",), prefix="Batch_", start=1).spell(3)
        ['Epoch', 'Batch_1', 'Batch_2']
        >>> Labels(start=1).spell(2)
        [1, 2]
    """

    first: tuple[str, ...] = ()
    prefix: str = ""
    start: int = 0
    as_text: bool = False

    def spell(self, count: int) -> list[str | int]:
        """Return the first ``count`` labels."""
        numbers = range(self.start, self.start + max(0, count - len(self.first)))
        numbered = [f"{self.prefix}{number}" if self.prefix or self.as_text else number for number in numbers]
        return [*self.first[:count], *numbered]


NUMBERS = Labels()
"""The numbers from 0 that pandas gives rows and columns."""

When = Literal["after every epoch", "after training", "after testing"]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A spreadsheet.

    Attributes:
        file: Its name; ``{epoch}`` stands for the number of the epoch if there is a file per epoch.
        holds: The losses or scores in it.
        layout: One ``row`` or one ``column`` of values; an ``epoch-per-row``; of one epoch, a ``batch-per-row`` or a
            ``batch-per-column``, whose cells are cases; or a ``batch-per-cell``, the text of the array of its cases.
        epochs: Whether the epoch numbers are the row ``above`` the values or the column ``beside`` them.
        columns: Names of the columns, the one of the epochs included.
        rows: Names of the rows.
        corner: Name of the column of row names; ``None`` leaves the cell blank.
        header: Whether the names of the columns are written.
        index: Whether the names of the rows are written.
        renamed: Whether the script's table has numbers for columns, and gives their names when it writes it.
        keeps: Whether ``every`` epoch is kept, the ``last`` one only, or there is a ``file`` or a ``sheet`` per epoch.
        when: When it is written.
    """

    file: str
    holds: Literal["train_loss", "validation_loss", "validation", "test"]
    layout: Literal["row", "column", "epoch-per-row", "batch-per-row", "batch-per-column", "batch-per-cell"]
    epochs: Literal["none", "above", "beside"] = "none"
    columns: Labels = NUMBERS
    rows: Labels = NUMBERS
    corner: str | None = None
    header: bool = True
    index: bool = False
    renamed: bool = False
    keeps: Literal["every", "last", "file", "sheet"] = "every"
    when: When = "after training"

    def describe(self) -> str:
        """Return what is in it, in words."""
        layout = {
            "row": "one row of values",
            "column": "one column of values",
            "epoch-per-row": "a row per epoch" if self.holds != "test" else "one row",
            "batch-per-row": "a row per batch, its cases side by side",
            "batch-per-column": "a column per batch, its cases below each other",
            "batch-per-cell": "a row per epoch, a cell per batch with the text of the array of its cases",
        }[self.layout]
        epochs = {"none": "", "above": " below a row of epoch numbers", "beside": " beside a column of epoch numbers"}
        kept = {
            "every": "",
            "last": "; only the last epoch is left",
            "file": "; a file per epoch",
            "sheet": "; a sheet per epoch",
        }
        header = f"header {_shorten(self.columns)}" if self.header else "no header"
        index = f"index {_shorten(self.rows)}" if self.index else "no index"
        return f"{layout}{epochs[self.epochs]}; {header}, {index}{kept[self.keeps]}; {self.when}"


def _shorten(labels: Labels) -> str:
    names = labels.spell(len(labels.first) or 2)
    return ", ".join(str(name) for name in names) + ("" if labels.first and not labels.prefix else ", ...")


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model file, of the weights that the recipe keeps.

    Attributes:
        file: Its name.
        content: Only the weights, under the script's names, or the whole module.
    """

    file: str
    content: Literal["state dictionary", "whole module"]

    def describe(self) -> str:
        """Return what is in it, in words."""
        return self.content


@dataclass(frozen=True, kw_only=True)
class LossFigure:
    """Training and validation loss over the epochs.

    Attributes:
        file: Its name.
        size: Width and height in inches; ``None`` where no source states it.
        dpi: Pixels per inch.
        first_epoch: The number of the first epoch on the axis.
        validation_colour: Colour of the validation loss; the training loss is blue.
        grid: Whether it has a grid.
        cropped: Whether margins are cut off, so that the size follows the text.
    """

    file: str
    size: tuple[float, float] | None = (6.4, 4.8)
    dpi: int = 100
    first_epoch: Literal[0, 1] = 1
    validation_colour: str = "tab:orange"
    grid: bool = False
    cropped: bool = False

    def describe(self) -> str:
        """Return what it shows, in words."""
        return f"training and validation loss over epochs, counted from {self.first_epoch}"


Chosen = Literal[
    "first of the test part",
    "first of each test batch",
    "random of the test part",
    "random of all cases",
    "first of random test batches",
    "random of the first test batch",
    "first of test batches hit",
]


@dataclass(frozen=True, kw_only=True)
class SampleFigure:
    """Up to five cases: image, mask and prediction side by side.

    Attributes:
        file: Its name, with a folder if it lies in one.
        shows: Which cases.
        needs: How many cases (or batches) there must be; with fewer, the script fails at this figure and writes
            nothing that comes later. 0 if it shows those that there are.
        prediction: What is shown as prediction: a ``mask`` (probability above one half), the ``probability``, or
            ``output above one half``, without a sigmoid.
        normalised: Whether the image is shown as it enters the network, after it was normalised.
        names: Above which panels the name of a case stands; ``of another case`` if the script mixes them up.
        titles: Whether the figure has a title, or the panels of the ``first row`` or of ``every row`` have theirs.
        size: Width and height in inches; ``None`` where no source states it.
        dpi: Pixels per inch.
        row_per_case: Whether the height is that of the cases shown; else there are always five rows.
        cropped: Whether margins are cut off, so that the size follows the text.
    """

    file: str
    shows: Chosen = "random of the test part"
    needs: int = 5
    prediction: Literal["mask", "probability", "output above one half"] = "mask"
    normalised: bool = False
    names: Literal["none", "image", "all", "of another case"] = "none"
    titles: Literal["none", "figure", "first row", "every row"] = "none"
    size: tuple[float, float] | None = None
    dpi: int = 100
    row_per_case: bool = False
    cropped: bool = False

    def describe(self) -> str:
        """Return what it shows, in words."""
        extra = ["the image normalised"] if self.normalised else []
        extra += {
            "none": [],
            "image": ["name above the image"],
            "all": ["name above every panel"],
            "of another case": ["above the image the name of another case"],
        }[self.names]
        extra += {
            "none": [],
            "figure": ["a title"],
            "first row": ["titles above the first row"],
            "every row": ["titles above every row"],
        }[self.titles]
        text = ", ".join([f"five cases ({self.shows}), prediction as {self.prediction}", *extra])
        return f"{text}; fails with fewer than five" if self.needs else text


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Folders ``train``, ``val`` and ``test`` with copies of images and masks.

    Attributes:
        file: Its name in lists.
        apart: Whether images and masks lie in two folders of their own; else masks replace images of the same name.
    """

    file: str = "train, val, test"
    apart: bool = True

    def describe(self) -> str:
        """Return what is in them, in words."""
        where = "in folders images and masks" if self.apart else "in one folder, where a mask replaces its namesake"
        return f"copies of images and masks, {where}"


Output = Sheet | Model | LossFigure | SampleFigure | Copies


@dataclass(frozen=True)
class Outputs:
    """All that a script writes, in the order in which it does.

    Attributes:
        files: The files; a sheet that is written after every epoch stands where it is first written.

    Raises:
        UserError: Two of them have the same name.

    Example:
        >>> from llmseg import zoo
        >>> [output.file for output in zoo.get("gpt-4").outputs.files][:2]
        ['validation_dice_scores.xlsx', 'model_state.pth']
    """

    files: tuple[Output, ...]

    def __post_init__(self) -> None:
        names = [output.file for output in self.files]
        if len(set(names)) < len(names):
            raise UserError(f"two outputs of one name among {', '.join(names)}")
