"""Train many pipelines on the same cases, score them on the same held-out cases, and print a leaderboard.

    python benchmarks/run_all.py --quick
    python benchmarks/run_all.py --images DIR --masks DIR --epochs 120 --predict

``--quick`` takes four pipelines of different character and lets them work on small images for a few epochs, which
fits into a couple of minutes on two cores; its scores say that things work, not which pipeline is better.

Test cases are held out first. Every pipeline is replayed on the others, as its script would run. The column ``own`` is
the script's score of its own test part. The column ``dice`` is the score of the held-out cases by the one evaluator,
with a 95 % interval over groups of cases.

``llmseg report`` and ``llmseg figure`` read the folder. With its ``holdout.json``, others such as nnU-Net can be scored
on the same cases. The same command again continues where an interrupted one stopped.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import benchmark
import pandas as pd

import llmseg
from llmseg import zoo
from llmseg.evaluation import evaluate_run_once
from llmseg.figures import clouds
from llmseg.stats import Table, means, rank

QUICK = ("llama-3.1-405b", "gpt-o3", "bing-copilot", "deepseek-v3")
QUICK_EPOCHS = 15
QUICK_CASES = 40
QUICK_SIZE = 64


def main() -> None:
    """Run what the command line asks for."""
    options = _parse_options()
    store = _open_store(options)
    names = options.pipelines or (QUICK if options.quick else zoo.names())
    epochs = options.epochs or (QUICK_EPOCHS if options.quick else None)
    given, out = options.holdout, options.out / store.name
    holdout = llmseg.Holdout.load(given) if given else llmseg.hold_out(store, fraction=options.fraction)
    runs = {name: _replay_and_score(name, store, holdout, epochs, out / name, options) for name in names}
    holdout.save(out / "holdout.json")
    scores = Table.from_evaluations(out / name / "evaluation" for name in names)
    table = make_leaderboard(scores, runs)
    clouds(scores).savefig(out / "leaderboard.png", dpi=150)
    for path in (out / "leaderboard.json", options.json):
        if path:
            _write_json(path, table, store, holdout)
    held = f"{len(holdout.test_ids)} of {len(store.ids)} cases held out"
    print(f"\n{store.name}: {held}, {epochs or 'own number of'} epochs\n")
    print(table.drop(columns=["epochs", "size"]).to_string(index=False, float_format="{:.4f}".format))
    if len(names) > 1:
        print(f"\n{rank(scores).sentence}")
    print(f"\nrun folders: {out}/NAME/run, figures of each run in its folder replay")
    print(f"leaderboard: {out / 'leaderboard.png'}, {out / 'leaderboard.json'}")
    print(f"next: llmseg report {out} --out {out}-report")


def _replay_and_score(
    name: str,
    store: llmseg.Store,
    holdout: llmseg.Holdout,
    epochs: int | None,
    folder: Path,
    options: argparse.Namespace,
) -> llmseg.Run:
    """Replay a pipeline, score it on the held-out cases, and predict if that is asked for; done is what is there."""
    device = options.device
    pipeline = _resize_pipeline(name, options)
    run = llmseg.replay(
        pipeline, store, folder / "run", seed=options.seed, epochs=epochs, device=device, holdout=holdout
    )
    rules = llmseg.study.all_conventions()
    evaluate_run_once(run, store, folder / "evaluation", holdout=holdout, device=device, rules=rules)
    if options.predict:
        net, recipe = llmseg.load_model(run.folder)
        llmseg.predict(net, recipe, options.images, folder / "predictions", device=device)
    return run


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help=f"{', '.join(QUICK)} on {QUICK_CASES} phantoms of {QUICK_SIZE} pixels"
    )
    parser.add_argument("--images", type=Path, help="folder of images; without it, phantoms are drawn")
    parser.add_argument("--masks", type=Path, help="folder of masks")
    parser.add_argument("--holdout", type=Path, help="the test cases, as llmseg data split writes them")
    parser.add_argument("--fraction", type=float, default=0.3, help="share of test cases to draw without --holdout")
    parser.add_argument("--modality", default="dermoscopy", help="kind of phantoms")
    parser.add_argument("--cases", type=int, default=QUICK_CASES, help="number of phantoms")
    parser.add_argument("--pipelines", nargs="+", help="ids; without it, all nineteen")
    parser.add_argument("--epochs", type=int, help="epochs for all, instead of each recipe's own")
    parser.add_argument("--size", type=int, help="working size in pixels for all, instead of each recipe's own")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--predict", action="store_true", help="also predict all images of the folder")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="folder for the run folders")
    parser.add_argument(
        "--json", type=Path, help="file for a second copy of the leaderboard, such as results/NAME.json"
    )
    options = parser.parse_args()
    if options.predict and not options.images:
        parser.error("--predict needs --images DIR")
    return options


def _open_store(options: argparse.Namespace) -> llmseg.Store:
    if options.images:
        return llmseg.FolderStore(options.images, options.masks or options.images)
    return llmseg.SyntheticStore(options.modality, count=options.cases)


def _resize_pipeline(name: str, options: argparse.Namespace) -> llmseg.Pipeline:
    size = options.size or (QUICK_SIZE if options.quick else None)
    pipeline = zoo.get(name)
    if size is None:
        return pipeline
    return dataclasses.replace(pipeline, recipe=pipeline.recipe.change("images.size", (size, size)))


def make_leaderboard(scores: Table, runs: dict[str, llmseg.Run]) -> pd.DataFrame:
    """Return a row per pipeline, best mean Dice first."""
    mean_rows = means(scores).set_index("contender")
    rows = []
    for name, run in runs.items():
        last, mean = run.history.iloc[-1], mean_rows.loc[name]
        rows.append(
            {
                "pipeline": name,
                "dice": mean["mean"],
                "low": mean["low"],
                "high": mean["high"],
                "own": run.scores["value"].mean(),
                "train_loss": last["train_loss"],
                "validation_loss": last["validation_loss"],
                "epochs": run.recipe.fit.epochs,
                "size": run.recipe.images.size,
                "seconds": run.record["seconds"],
            }
        )
    return pd.DataFrame(rows).sort_values("dice", ascending=False, ignore_index=True)


def _write_json(path: Path, table: pd.DataFrame, store: llmseg.Store, holdout: llmseg.Holdout) -> None:
    kept_out = {"held_out": len(holdout.test_ids), "holdout": holdout.digest}
    facts = {"name": store.name, "cases": len(store.ids), "digest": store.digest, **kept_out}
    benchmark.write_results(path, store=facts, rows=table.to_dict(orient="records"))


if __name__ == "__main__":
    benchmark.run(main)
