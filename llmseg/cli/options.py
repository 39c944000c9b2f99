"""The options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Name = Annotated[str, typer.Argument(help="A pipeline's id or alias; see llmseg list.")]
Images = Annotated[Path | None, typer.Option(help="Folder of images.")]
Masks = Annotated[Path | None, typer.Option(help="Folder of masks; by default that of the images.")]
Suffix = Annotated[str | None, typer.Option(help="What a mask's name has after the image's, such as _seg.")]
Foreground = Annotated[int | None, typer.Option(help="Mask value that means foreground, if masks are not 0 and 255.")]
Synthetic = Annotated[str | None, typer.Option(help="Use phantoms of this modality instead of files.")]
Cases = Annotated[int, typer.Option(help="Number of phantoms.")]
Data = Annotated[Path | None, typer.Option(help="A store that llmseg data prepare wrote, instead of folders.")]
Holdout = Annotated[Path | None, typer.Option(help="Manifest of test cases that llmseg data split wrote.")]
Epochs = Annotated[int | None, typer.Option(help="Number of epochs instead of the recipe's.", min=1)]
Seed = Annotated[int, typer.Option(help="Seed of what the recipe leaves to chance.", min=0)]
DrawSeed = Annotated[int, typer.Option("--seed", help="Seed of the draw, where one is needed.", min=0)]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
Set = Annotated[list[str], typer.Option("--set", help="Change a field of the recipe: path=value; repeatable.")]
Every = Annotated[float, typer.Option(help="Seconds between checkpoints.", min=0)]
Precision = Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")]
Exact = Annotated[bool, typer.Option("--exact", help="Compute as the original scripts do, bit for bit.")]
Compile = Annotated[bool, typer.Option("--compile", help="Compile the network before the first step.")]
Tf32 = Annotated[bool, typer.Option("--tf32", help="Allow TF32 in fp32.")]
AtOnce = Annotated[int | None, typer.Option(help="Cases in the network at once; less memory, but slower.", min=1)]
MaxMemory = Annotated[float | None, typer.Option(help="Gigabytes the training may take.", min=0)]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Do not keep prepared cases on disk.")]
Model = Annotated[str, typer.Argument(help="A run folder, or a pipeline's id together with --weights.")]
Weights = Annotated[Path | None, typer.Option(help="State dictionary saved by the original script.")]
Together = Annotated[int | None, typer.Option("--batch-size", help="Images at once instead of the recipe's number.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bars.")]
