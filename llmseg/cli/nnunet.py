"""The commands of nnU-Net: llmseg nnunet prepare, train, predict, import, run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

import llmseg
from llmseg import UserError
from llmseg.cli import options as option
from llmseg.cli import text as cli_text
from llmseg.cli.common import folder_of, print_result, recipe_of, store_of

nnunet_app = typer.Typer(name="nnunet", help="nnU-Net v2 on the same cases, to a budget.", no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--out", help="Folder of the baseline.")]
SplitOf = Annotated[
    str | None, typer.Option(help="Train and validate on the cases of this pipeline, or recipe in JSON.")
]
Validation = Annotated[float, typer.Option(help="Share of validation cases, if no split is taken.", min=0, max=1)]
Points = Annotated[
    int | None, typer.Option(help="Epochs, over which the rate falls; by default nnU-Net's 1000.", min=1)
]
Iterations = Annotated[int | None, typer.Option(help="Training steps in an epoch; by default nnU-Net's 250.", min=1)]
ImagesSeen = Annotated[int | None, typer.Option(help="Images in all training steps together, instead.", min=1)]
Seconds = Annotated[float | None, typer.Option(help="Time of all epochs, instead.", min=0)]
EqualTo = Annotated[str | None, typer.Option(help="What this pipeline sees, or this run folder saw, instead.")]
Equal = Annotated[str, typer.Option(help="What shall equal that of the run: images or seconds.")]
Shares = Annotated[str, typer.Option("--budget", help="Shares of that budget, a training each: 1,5,10,25,100%.")]

DEFAULT_POINTS = 20


@nnunet_app.command()
def prepare(
    out: Folder,
    data: option.Data = None,
    images: option.Images = None,
    masks: option.Masks = None,
    mask_suffix: option.Suffix = None,
    foreground: option.Foreground = None,
    synthetic: option.Synthetic = None,
    cases: option.Cases = 24,
    holdout: option.Holdout = None,
    split_of: SplitOf = None,
    validation: Validation = 0.2,
    seed: option.Seed = 0,
    as_json: option.Json = False,
    quiet: option.Quiet = False,
) -> None:
    """Convert cases for nnU-Net, hold the test cases out, and let nnU-Net plan and preprocess."""
    store = store_of(folder_of(images, masks, mask_suffix, foreground), synthetic, cases, data)
    baseline = _prepared(store, out, holdout, split_of, validation, seed, quiet)
    counts = {part: len(ids) for part, ids in asdict(baseline.split).items()}
    listed = ", ".join(f"{number} {part}" for part, number in counts.items())
    text = f"{baseline.dataset} in {out}: {listed} cases; batches of {baseline.batch_size}"
    print_result({**baseline.record, "batch_size": baseline.batch_size} if as_json else text, as_json)


@nnunet_app.command()
def train(
    out: Folder,
    epochs: Points = None,
    iterations: Iterations = None,
    images_seen: ImagesSeen = None,
    seconds: Seconds = None,
    equal_to: EqualTo = None,
    equal: Equal = "images",
    budget: Shares = "100",
    seed: option.Seed = 0,
    device: option.Device = "auto",
    as_json: option.Json = False,
    quiet: option.Quiet = False,
) -> None:
    """Train nnU-Net to a budget; the same command again continues an interrupted training."""
    baseline = llmseg.nnunet.Baseline.open(out)
    whole = _budget(baseline, epochs, iterations, images_seen, seconds, equal_to, equal)
    done = [
        llmseg.nnunet.train_nnunet(baseline, whole.share(part), seed=seed, device=device, progress=not quiet)
        for part in llmseg.nnunet.budget_shares(budget)
    ]
    folders = [str(training.folder) for training in done]
    print_result(folders if as_json else "\n".join(folders), as_json)


@nnunet_app.command()
def predict(
    out: Folder, device: option.Device = "auto", as_json: option.Json = False, quiet: option.Quiet = False
) -> None:
    """Predict the held-out cases by every training that has ended."""
    trainings = [training for training in llmseg.nnunet.Baseline.open(out).trainings if training.trained]
    if not trainings:
        raise UserError(f"no training in {out} has ended; make one by llmseg nnunet train --out {out}")
    folders = [str(llmseg.nnunet.predict_nnunet(training, device=device, progress=not quiet)) for training in trainings]
    print_result(folders if as_json else "\n".join(folders), as_json)


@nnunet_app.command("import")
def import_results(
    out: Annotated[Path, typer.Option(help="Folder of the baseline, or, with FOLD, of the results.")],
    fold: Annotated[Path | None, typer.Argument(help="Fold folder of a training made elsewhere.")] = None,
    data: option.Data = None,
    images: option.Images = None,
    masks: option.Masks = None,
    mask_suffix: option.Suffix = None,
    foreground: option.Foreground = None,
    synthetic: option.Synthetic = None,
    cases: option.Cases = 24,
    predictions: Annotated[Path | None, typer.Option(help="With FOLD: nnU-Net's masks of test cases.")] = None,
    holdout: option.Holdout = None,
    label: Annotated[str, typer.Option(help="With FOLD: what rows call it.")] = "nnunet-v2",
    seed: Annotated[int, typer.Option(help="With FOLD: number of the training among equal ones.", min=0)] = 0,
    as_json: option.Json = False,
    quiet: option.Quiet = False,
) -> None:
    """Reproduce nnU-Net's own mean Dice from its masks, then score them as everybody is scored."""
    store = store_of(folder_of(images, masks, mask_suffix, foreground), synthetic, cases, data)
    if fold is None:
        trainings = [one for one in llmseg.nnunet.Baseline.open(out).trainings if one.predicted.is_dir()]
        if not trainings:
            raise UserError(f"nothing in {out} is predicted; first llmseg nnunet predict --out {out}")
        found = [llmseg.nnunet.import_training(training, store, progress=not quiet) for training in trainings]
    else:
        manifest = None if holdout is None else llmseg.Holdout.load(holdout)
        options = {"predictions": predictions, "holdout": manifest, "label": label, "seed": seed}
        found = [llmseg.nnunet.import_nnunet(fold, store, out, progress=not quiet, **options)]  # type: ignore[arg-type]
    _print(found, as_json)


@nnunet_app.command()
def run(
    out: Folder,
    data: option.Data = None,
    images: option.Images = None,
    masks: option.Masks = None,
    mask_suffix: option.Suffix = None,
    foreground: option.Foreground = None,
    synthetic: option.Synthetic = None,
    cases: option.Cases = 24,
    holdout: option.Holdout = None,
    split_of: SplitOf = None,
    validation: Validation = 0.2,
    epochs: Points = None,
    iterations: Iterations = None,
    images_seen: ImagesSeen = None,
    seconds: Seconds = None,
    equal_to: EqualTo = None,
    equal: Equal = "images",
    budget: Shares = "100",
    seed: option.Seed = 0,
    device: option.Device = "auto",
    as_json: option.Json = False,
    quiet: option.Quiet = False,
) -> None:
    """Prepare, train, predict and import in one go; the same command again continues."""
    parts = llmseg.nnunet.budget_shares(budget)
    store = store_of(folder_of(images, masks, mask_suffix, foreground), synthetic, cases, data)
    baseline = _prepared(store, out, holdout, split_of, validation, seed, quiet)
    whole = _budget(baseline, epochs, iterations, images_seen, seconds, equal_to, equal)
    budgets = [whole.share(part) for part in parts]
    found = llmseg.nnunet.run_nnunet(baseline, store, budgets, seed=seed, device=device, progress=not quiet)
    _print(found, as_json)


def _prepared(
    store: llmseg.Store,
    out: Path,
    holdout: Path | None,
    split_of: str | None,
    validation: float,
    seed: int,
    quiet: bool,
) -> llmseg.nnunet.Baseline:
    return llmseg.nnunet.prepare_nnunet(
        store,
        out,
        holdout=None if holdout is None else llmseg.Holdout.load(holdout),
        recipe=None if split_of is None else recipe_of(split_of)[1],
        validation=validation,
        seed=seed,
        progress=not quiet,
    )


def _budget(
    baseline: llmseg.nnunet.Baseline,
    epochs: int | None,
    iterations: int | None,
    images_seen: int | None,
    seconds: float | None,
    equal_to: str | None,
    equal: str,
) -> llmseg.nnunet.Budget:
    """Return the budget that the options name in one of four ways."""
    ways = {"--iterations": iterations, "--images-seen": images_seen, "--seconds": seconds, "--equal-to": equal_to}
    given = [name for name, value in ways.items() if value is not None]
    if len(given) > 1:
        raise UserError(f"{given[0]} and {given[1]} are two budgets; give one")
    if equal_to is not None:
        return _equal(baseline, equal_to, equal)
    points = epochs or DEFAULT_POINTS
    if images_seen is not None:
        return llmseg.nnunet.Budget(epochs=points, images=images_seen)
    if seconds is not None:
        return llmseg.nnunet.Budget(epochs=points, seconds=seconds)
    chosen = {"epochs": epochs, "per_epoch": iterations}
    return llmseg.nnunet.Budget.of_epochs(**{name: value for name, value in chosen.items() if value is not None})


def _equal(baseline: llmseg.nnunet.Baseline, name: str, by: str) -> llmseg.nnunet.Budget:
    if by not in ("images", "seconds"):
        raise UserError(f"--equal {by}: must be images or seconds")
    if (Path(name) / "run.json").is_file():
        return llmseg.nnunet.equal_to_run(llmseg.Run.open(name), "images" if by == "images" else "seconds")
    if by == "seconds":
        raise UserError(f"how long {name} takes is known of a run only; give the folder of one to --equal-to")
    return llmseg.nnunet.equal_images(recipe_of(name)[1], len(baseline.split.train))


def _print(found: Sequence[llmseg.nnunet.Imported], as_json: bool) -> None:
    print_result([one.record for one in found] if as_json else _table(found), as_json)


def _table(found: Sequence[llmseg.nnunet.Imported]) -> str:
    """Return nnU-Net's own figure and ours, a line per training."""
    heads = ("name", "images seen", "seconds", "nnU-Net's own Dice (validation)", "cases", "Dice", "cases")
    rows = []
    for one in found:
        record = one.record
        own, cases = record["nnunet"], str(one.evaluation.record["cases"])
        seen = str(record.get("images_seen") or "")
        mine = (f"{own['foreground_mean']:.4f}", str(own["cases"]), f"{record['dice']:.4f}", cases)
        rows.append((record["label"], seen, f"{record['seconds']:.0f}", *mine))
    return "\n".join([cli_text.columns([heads, *rows]), *(f"scores in {one.evaluation.folder}" for one in found)])
