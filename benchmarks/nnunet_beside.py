"""nnU-Net to a small budget beside pipelines that see as many images, on the same held-out cases, as JSON.

    python benchmarks/nnunet_beside.py --data brain=brain.h5 --pipelines gpt-o3 gpt-4o --json results/nnunet.json

nnU-Net trains and validates on the cases on which the first pipeline does. Its budget is the images which that pipeline
sees in its own epochs; the others get as many epochs as come nearest. All are scored by one evaluator on the held-out
cases, on the images' own grid. ``--side`` shrinks the images first, for everybody, so that nnU-Net, which takes them
as they are, ends on a CPU; ``--size`` is what the pipelines resize them to.

The same command continues an interrupted one.
"""

from __future__ import annotations

import argparse
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import script
from PIL import Image
from results_file import write_results
from sized import sized
from tqdm import tqdm

import llmseg
from llmseg import Evaluation, Recipe, Store, zoo
from llmseg.evaluation.evaluate import evaluate_run_once
from llmseg.stats import Table
from llmseg.stats.intervals import mean_interval


def main() -> None:
    """Train and score all, write the JSON, print a line per contender."""
    options = _options()
    name, _, path = options.data.partition("=")
    store: Store = llmseg.Hdf5Store(path)
    if options.side:
        store = shrunk(store, options.side, options.runs / f"{name}-{options.side}")
    holdout = llmseg.hold_out(store, fraction=options.fraction)
    recipes = {id: sized(zoo.get(id).recipe, options.size) for id in options.pipelines}
    facts, folders = _nnunet(next(iter(recipes.values())), store, holdout, options)
    images = facts[0]["images"]
    for id, recipe in tqdm(recipes.items(), desc=name, unit="pipeline"):
        fact, folder = _pipeline(id, recipe, images, store, holdout, options)
        facts.append(fact)
        folders.append(folder)
    rows = rows_of(facts, folders)
    names = ("fraction", "side", "size", "epochs", "seed")
    settings = {"data": name, **{setting: getattr(options, setting) for setting in names}}
    write_results(options.json, versions={"nnunetv2": metadata.version("nnunetv2")}, settings=settings, rows=rows)
    for row in rows:
        print("{name:42} {images_seen:5} images {seconds:6.0f} s  Dice {dice:.4f} {low:.4f} {high:.4f}".format(**row))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="NAME=STORE.h5, which llmseg data prepare wrote")
    parser.add_argument("--pipelines", nargs="+", required=True, help="ids; the first gives split and budget")
    parser.add_argument("--fraction", type=float, default=0.4, help="share of the cases to hold out")
    parser.add_argument("--side", type=int, default=0, help="pixels to which images are shrunk first; 0 for none")
    parser.add_argument("--size", type=int, default=0, help="pixels of the pipelines' own resize; 0 for each recipe's")
    parser.add_argument("--epochs", type=int, help="of the first pipeline, instead of its own")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=Path, default=Path("nnunet-beside"), help="folder of the trainings")
    parser.add_argument("--json", type=Path, required=True)
    return parser.parse_args()


def shrunk(store: Store, side: int, folder: Path) -> Store:
    """Return a store whose images have a side of so many pixels, written as files; masks are 0 or 255."""
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for id in store.ids:
        case = store.read(id)
        mask = np.where(case.mask > 127, np.uint8(255), np.uint8(0))
        small = [Image.fromarray(values).resize((side, side), Image.Resampling.BOX) for values in (case.image, mask)]
        small[0].save((folder / "images" / id).with_suffix(".png"))
        small[1].point(lambda value: 255 * (value > 127)).save((folder / "masks" / id).with_suffix(".png"))
    return llmseg.FolderStore(folder / "images", folder / "masks")


def _nnunet(
    recipe: Recipe, store: Store, holdout: llmseg.Holdout, options: argparse.Namespace
) -> tuple[list[dict[str, Any]], list[Path]]:
    """Train nnU-Net to the images that a recipe sees."""
    if options.epochs:
        recipe = recipe.change("fit.epochs", options.epochs)
    out = options.runs / "nnunet"
    baseline = llmseg.nnunet.prepare_nnunet(
        store, out, holdout=holdout, recipe=recipe, seed=options.seed, progress=False
    )
    budget = llmseg.nnunet.equal_images(recipe, len(baseline.split.train))
    (found,) = llmseg.nnunet.run_nnunet(baseline, store, [budget], seed=options.seed)
    record = found.record
    plans = {"batch_size": baseline.batch_size, "train_cases": len(baseline.split.train)}
    own = {"own_dice": record["nnunet"]["foreground_mean"], "own_cases": record["nnunet"]["cases"]}
    seen = {"images": budget.images, "images_seen": record["images_seen"], "seconds": record["seconds"]}
    return [{"name": record["label"], "epochs": budget.epochs, **plans, **seen, **own}], [found.evaluation.folder]


def _pipeline(
    id: str, recipe: Recipe, images: int, store: Store, holdout: llmseg.Holdout, options: argparse.Namespace
) -> tuple[dict[str, Any], Path]:
    """Train a pipeline for the epochs in which it sees so many images, as nearly as can be."""
    folder = options.runs / id
    cases = len(llmseg.nnunet.recipe_split(recipe, holdout.rest(store), options.seed).train)
    epochs = max(1, round(images / llmseg.nnunet.equal_images(recipe.change("fit.epochs", 1), cases).images_seen(1)))
    recipe = recipe.change("fit.epochs", epochs)
    run = llmseg.train(
        recipe, store, folder / "run", label=id, seed=options.seed, holdout=holdout, precision="fp32", progress=False
    )
    out = folder / "evaluation"
    rules = llmseg.study.all_conventions()
    evaluate_run_once(run, store, out, holdout=holdout, precision="fp32", rules=rules, progress=False)
    budget = llmseg.nnunet.equal_images(recipe, cases)
    seconds = llmseg.nnunet.equal_to_run(run, "seconds").seconds
    plans = {"batch_size": recipe.fit.batch_size, "train_cases": cases}
    seen = {"images": budget.images, "images_seen": budget.images, "seconds": seconds}
    return {"name": id, "epochs": epochs, **plans, **seen}, out


def rows_of(facts: list[dict[str, Any]], folders: list[Path]) -> list[dict[str, Any]]:
    """Return a row per contender: how it was trained, and its mean scores with an interval of Dice."""
    frame = Table.from_evaluations(folders).frame
    rows = []
    for fact, folder in zip(facts, folders, strict=True):
        own = frame[(frame["pipeline"] == fact["name"]) & (frame["measure"] == "dice")]
        interval = mean_interval(own)
        means = Evaluation.open(folder).record["means"]["native"]
        ends = {"dice": interval.mean, "low": interval.low, "high": interval.high, "cases": len(own)}
        rows.append({**fact, **ends, **{measure: means[measure] for measure in ("iou", "hd95", "nsd")}})
    return rows


if __name__ == "__main__":
    script.run(main)
