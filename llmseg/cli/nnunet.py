"""The commands of nnU-Net: llmseg nnunet prepare, train, predict, import, run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

import llmseg
from llmseg import UserError
from llmseg.cli import completion
from llmseg.cli import options as option
from llmseg.cli.groups import note_independent_cases
from llmseg.cli.help import Command, Group
from llmseg.cli.options import CasesAndHoldout
from llmseg.cli.output import OutputWithProgress
from llmseg.cli.spread import spread
from llmseg.cli.text.layout import align_columns
from llmseg.zoo.given import find_recipe

nnunet_app = typer.Typer(
    cls=Group, name="nnunet", help="nnU-Net v2 on the same cases, to a budget.", no_args_is_help=True
)

Folder = Annotated[Path, typer.Option("--out", "-o", help="Folder of the baseline.")]

DEFAULT_EPOCHS = 20
"""Epochs of a budget in images or seconds, which may be far less than the 1000 epochs of nnU-Net's own training."""


@dataclass(frozen=True)
class PreparationOptions:
    """Which cases train and which validate."""

    split_of: Annotated[
        str | None, typer.Option(help="Train and validate on the cases of this pipeline, or recipe in a file.")
    ] = None
    validation: Annotated[
        float, typer.Option(help="Share of validation cases, if no split is taken.", min=0, max=1)
    ] = 0.2

    def prepare(
        self, store: llmseg.Store, out: Path, cases: CasesAndHoldout, seed: int, progress: bool
    ) -> llmseg.nnunet.Baseline:
        """Convert a store for nnU-Net, and let nnU-Net plan and preprocess."""
        llmseg.nnunet.check_installed()  # before the draw, which reads all cases
        if cases.holdout is not None and self.split_of is None:
            note_independent_cases(store)
        return llmseg.nnunet.prepare_nnunet(
            store,
            out,
            holdout=cases.load_or_draw_holdout(store, progress),
            recipe=None if self.split_of is None else find_recipe(self.split_of)[1],
            validation=self.validation,
            seed=seed,
            progress=progress,
        )


@dataclass(frozen=True)
class BudgetOptions:
    """What a training may take, named in one of four ways, and shares of it."""

    epochs: Annotated[
        int | None, typer.Option(help="Epochs, over which the rate falls; by default nnU-Net's 1000.", min=1)
    ] = None
    iterations: Annotated[
        int | None, typer.Option(help="Training steps in an epoch; by default nnU-Net's 250.", min=1)
    ] = None
    images_seen: Annotated[int | None, typer.Option(help="Images in all training steps together, instead.", min=1)] = (
        None
    )
    seconds: Annotated[float | None, typer.Option(help="Time of all epochs, instead.", min=0)] = None
    equal_to: Annotated[
        str | None,
        typer.Option(
            help="What this pipeline sees, or this run folder saw, instead.", autocompletion=completion.PIPELINES
        ),
    ] = None
    equal: Annotated[str, typer.Option(help="What shall equal that of the run: images or seconds.")] = "images"
    budget: Annotated[str, typer.Option(help="Shares of that budget, a training each: 1,5,10,25,100%.")] = "100"

    def shares(self) -> tuple[float, ...]:
        """Return the shares in percent."""
        return llmseg.nnunet.parse_shares(self.budget)

    def check(self) -> None:
        """Refuse two budgets.

        Raises:
            UserError: The options name two.
        """
        ways = {
            "--iterations": self.iterations,
            "--images-seen": self.images_seen,
            "--seconds": self.seconds,
            "--equal-to": self.equal_to,
        }
        named = [name for name, value in ways.items() if value is not None]
        if len(named) > 1:
            raise UserError(f"{named[0]} and {named[1]} are two budgets; give one")

    def whole(self, baseline: llmseg.nnunet.Baseline) -> llmseg.nnunet.Budget:
        """Return the budget of which shares are taken.

        Raises:
            UserError: The options name two budgets, or one that cannot be.
        """
        self.check()
        if self.equal_to is not None:
            return _equal_budget(baseline, self.equal_to, self.equal)
        epochs = self.epochs or DEFAULT_EPOCHS
        if self.images_seen is not None:
            return llmseg.nnunet.Budget(epochs=epochs, images=self.images_seen)
        if self.seconds is not None:
            return llmseg.nnunet.Budget(epochs=epochs, seconds=self.seconds)
        chosen = {"epochs": self.epochs, "per_epoch": self.iterations}
        return llmseg.nnunet.Budget.of_epochs(**{name: value for name, value in chosen.items() if value is not None})


@dataclass(frozen=True)
class ElsewhereOptions:
    """What is said of a training that was made elsewhere."""

    predictions: Annotated[Path | None, typer.Option(help="With FOLD: nnU-Net's masks of test cases.")] = None
    label: Annotated[str, typer.Option(help="With FOLD: what rows call it.")] = "nnunet-v2"
    seed: Annotated[int, typer.Option(help="With FOLD: number of the training among equal ones.", min=0)] = 0


@nnunet_app.command(cls=Command)
@spread
def prepare(
    out: Folder,
    cases: CasesAndHoldout,
    preparation: PreparationOptions,
    output: OutputWithProgress,
    seed: option.Seed = 0,
) -> None:
    """Convert cases for nnU-Net, hold the test cases out, and let nnU-Net plan and preprocess.

    Example: llmseg nnunet prepare --data brain.h5 -o nnunet
    """
    baseline = preparation.prepare(cases.open(), out, cases, seed, output.progress)
    counts = ", ".join(f"{len(ids)} {part}" for part, ids in asdict(baseline.split).items())
    if output.as_json:
        output.print({**baseline.record, "batch_size": baseline.batch_size})
    else:
        output.print(f"{baseline.dataset} in {out}: {counts} cases; batches of {baseline.batch_size}")


@nnunet_app.command(cls=Command)
@spread
def train(
    out: Folder,
    budget: BudgetOptions,
    output: OutputWithProgress,
    seed: option.Seed = 0,
    device: option.Device = "auto",
) -> None:
    """Train nnU-Net to a budget; the same command again continues an interrupted training.

    Example: llmseg nnunet train -o nnunet --images-seen 2000
    """
    baseline = llmseg.nnunet.Baseline.open(out)
    whole = budget.whole(baseline)
    trainings = [
        llmseg.nnunet.train_nnunet(baseline, whole.share(percent), seed=seed, device=device, progress=output.progress)
        for percent in budget.shares()
    ]
    _print_folders([training.folder for training in trainings], output)


@nnunet_app.command(cls=Command)
@spread
def predict(out: Folder, output: OutputWithProgress, device: option.Device = "auto") -> None:
    """Predict the held-out cases by every training that has ended.

    Example: llmseg nnunet predict -o nnunet
    """
    trainings = [training for training in llmseg.nnunet.Baseline.open(out).trainings if training.trained]
    if not trainings:
        raise UserError(f"no training in {out} has ended; make one by llmseg nnunet train --out {out}")
    folders = [
        llmseg.nnunet.predict_nnunet(training, device=device, progress=output.progress) for training in trainings
    ]
    _print_folders(folders, output)


@nnunet_app.command("import", cls=Command)
@spread
def import_results(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the baseline, or, with FOLD, of the results.")],
    cases: CasesAndHoldout,
    elsewhere: ElsewhereOptions,
    output: OutputWithProgress,
    fold: Annotated[Path | None, typer.Argument(help="Fold folder of a training made elsewhere.")] = None,
) -> None:
    """Reproduce nnU-Net's own mean Dice from its masks, then score them as everybody is scored.

    Example: llmseg nnunet import --data brain.h5 -o nnunet
    """
    store = cases.open()
    if fold is None:
        trainings = [training for training in llmseg.nnunet.Baseline.open(out).trainings if training.predicted.is_dir()]
        if not trainings:
            raise UserError(f"nothing in {out} is predicted; first llmseg nnunet predict --out {out}")
        results = [llmseg.nnunet.import_training(training, store, progress=output.progress) for training in trainings]
    else:
        results = [
            llmseg.nnunet.import_nnunet(
                fold, store, out, holdout=cases.load_holdout(), progress=output.progress, **asdict(elsewhere)
            )
        ]
    _print_results(results, output)


@nnunet_app.command(cls=Command)
@spread
def run(
    out: Folder,
    cases: CasesAndHoldout,
    preparation: PreparationOptions,
    budget: BudgetOptions,
    output: OutputWithProgress,
    seed: option.Seed = 0,
    device: option.Device = "auto",
) -> None:
    """Prepare, train, predict and import in one go; the same command again continues.

    Example: llmseg nnunet run --data brain.h5 --epochs 20 -o nnunet
    """
    # Budgets are read first: preparing takes minutes, and a mistyped share would be told only after it.
    shares = budget.shares()
    budget.check()
    store = cases.open()
    baseline = preparation.prepare(store, out, cases, seed, output.progress)
    whole = budget.whole(baseline)
    budgets = [whole.share(percent) for percent in shares]
    results = llmseg.nnunet.run_nnunet(baseline, store, budgets, seed=seed, device=device, progress=output.progress)
    _print_results(results, output)


def _equal_budget(baseline: llmseg.nnunet.Baseline, name: str, by: str) -> llmseg.nnunet.Budget:
    """Return the budget that equals what a run took, or what a pipeline would see of the training cases."""
    if by not in ("images", "seconds"):
        raise UserError(f"--equal {by}: must be images or seconds")
    if (Path(name) / "run.json").is_file():
        return llmseg.nnunet.equal_to_run(llmseg.Run.open(name), "images" if by == "images" else "seconds")
    if by == "seconds":
        raise UserError(f"how long {name} takes is known of a run only; give the folder of one to --equal-to")
    return llmseg.nnunet.equal_images(find_recipe(name)[1], len(baseline.split.train))


def _print_folders(folders: Sequence[Path], output: OutputWithProgress) -> None:
    names = [str(folder) for folder in folders]
    output.print(names if output.as_json else "\n".join(names))


def _print_results(results: Sequence[llmseg.nnunet.ImportedTraining], output: OutputWithProgress) -> None:
    output.print([result.record for result in results] if output.as_json else _result_table(results))


def _result_table(results: Sequence[llmseg.nnunet.ImportedTraining]) -> str:
    """Return nnU-Net's own Dice and that of our evaluation, a line per training."""
    heads = ("name", "images seen", "seconds", "nnU-Net's own Dice (validation)", "cases", "Dice", "cases")
    rows = []
    for result in results:
        record = result.record
        own, cases = record["nnunet"], str(result.evaluation.record["cases"])
        seen = str(record.get("images_seen") or "")
        dice = (f"{own['foreground_mean']:.4f}", str(own["cases"]), f"{record['dice']:.4f}", cases)
        rows.append((record["label"], seen, f"{record['seconds']:.0f}", *dice))
    return "\n".join([align_columns([heads, *rows]), *(f"scores in {result.evaluation.folder}" for result in results)])
