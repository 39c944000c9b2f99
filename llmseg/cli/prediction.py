"""The commands that use a trained network: llmseg predict, llmseg export."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import llmseg
from llmseg import UserError
from llmseg.cli import completion
from llmseg.cli import options as option
from llmseg.cli.options import Computing, ImageReadingOptions
from llmseg.cli.output import Output, OutputWithProgress, print_message
from llmseg.cli.spread import spread
from llmseg.cli.text.layout import megabytes
from llmseg.data.reading import Reading, complete, find_contradiction, images_only, name_options, without
from llmseg.files.notes import note
from llmseg.stats.words import count_text

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class WeightsOption:
    """Where the weights of a model come from."""

    weights: Annotated[Path | None, typer.Option(help="State dictionary saved by the original script.")] = None
    contender: Annotated[str | None, typer.Option(help="Which contender, if the model is a study.")] = None
    seed: Annotated[int | None, typer.Option(help="Which seed of it; the first without it.", min=0)] = None

    def find_run(self, model: str) -> Path | None:
        """Return the run folder that a run, a cell or a study stands for; ``None`` for weights of an original script.

        Raises:
            UserError: A contender or seed is missing or unknown.
        """
        return None if self.weights else llmseg.study.find_run(model, self.contender, self.seed)

    def load(self, model: str) -> tuple[nn.Module, llmseg.Recipe]:
        """Return network and recipe of a training, or of a pipeline with the weights of its original script."""
        return llmseg.study.find_model(model, **asdict(self))


Model = Annotated[
    str,
    typer.Argument(
        help="A run folder, a study with --contender, or a pipeline's id with --weights.",
        autocompletion=completion.PIPELINES,
    ),
]


@spread
def predict(
    model: Model,
    images: Annotated[Path, typer.Option(help="Folder of images, or one image.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for masks and probabilities.")],
    weights: WeightsOption,
    reading: ImageReadingOptions,
    computing: Computing,
    output: OutputWithProgress,
    exact: option.Exact = False,
    batch_size: Annotated[int | None, typer.Option(help="Images at once instead of the recipe's number.")] = None,
) -> None:
    """Write a probability map and a mask for every image, on the image's own grid.

    Example: llmseg predict runs/llama --images brain/images -o predicted
    """
    run = weights.find_run(model)
    net, recipe = weights.load(model) if run is None else llmseg.load_model(run)
    chosen = reading.reading if run is None else _read_as_run(reading.reading, llmseg.Run.open(run))
    masks = llmseg.predict(
        net,
        recipe,
        images,
        out,
        exact=exact,
        batch_size=batch_size,
        reading=chosen,
        progress=output.progress,
        **asdict(computing),
    )
    output.print(
        [str(mask) for mask in masks] if output.as_json else f"{count_text(len(masks), 'mask')} in {out / 'masks'}"
    )


def _read_as_run(given: Reading, run: llmseg.Run) -> Reading:
    """Return how images are read: as those that the run was trained on, where nothing else is said."""
    of_run = images_only(run.reading)
    taken = name_options(without(of_run, given))
    if taken:
        note(f"note: images are read as those of the run: {taken}")
    contradiction = find_contradiction(complete(given, of_run), of_run)
    if contradiction:
        print_message(f"warning: images are read otherwise than those the run was trained on: {contradiction}")
    return complete(given, of_run)


@spread
def export(
    model: Model,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file: .pt2 for torch.export, .onnx for ONNX.")],
    weights: WeightsOption,
    output: Output,
    size: Annotated[str | None, typer.Option(help="Height and width instead of the recipe's, as 256,256.")] = None,
    free_size: Annotated[bool, typer.Option("--free-size", help="Take every size that the network takes.")] = False,
) -> None:
    """Write a network as a file that runs without llmseg, and check that both agree.

    Example: llmseg export runs/llama -o llama.pt2
    """
    net, recipe = weights.load(model)
    chosen = None if size is None else _parse_size(size)
    path = llmseg.export_model(net, recipe, out, size=chosen, free_size=free_size)
    difference = llmseg.prediction.compare_export(net, recipe, path, size=chosen)
    sizes = llmseg.prediction.read_export_sizes(path)
    assert sizes is not None  # None is for files of earlier versions
    count = path.stat().st_size
    if output.as_json:
        shown = {"path": str(path), **asdict(sizes), "bytes": count, "difference": difference}
        output.print(shown)
    else:
        output.print(f"{path} ({megabytes(count)}) for images of {sizes}; largest difference {difference:.1e}")


def _parse_size(text: str) -> tuple[int, int]:
    try:
        height, width = (int(side) for side in text.split(","))
    except ValueError:
        raise UserError(f"--size {text} is not height and width; write it as 256,256") from None
    return height, width
