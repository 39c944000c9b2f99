"""Train and score many pipelines on the same cases, and print a leaderboard.

    python benchmarks/run_all.py --quick
    python benchmarks/run_all.py --images DIR --masks DIR --epochs 1 --predict

``--quick`` takes four pipelines of different character and lets them work on small images for a few epochs, which
fits into a couple of minutes on two cores; its scores say that things work, not which pipeline is better.

Every pipeline is replayed as its script would run it, with its own split, so the test cases of two pipelines can
differ; the column ``own`` is the score as the script computes it. The column ``dice`` is one rule for all: per test
case, probability above one half against the mask in native size, 1 if both are empty.

The same command again continues where an interrupted one stopped.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import pandas as pd
import script
import torch
from matplotlib.figure import Figure
from results_file import write_results

import llmseg
from llmseg import zoo

QUICK = ("llama-3.1-405b", "gpt-o3", "bing-copilot", "deepseek-v3")
QUICK_EPOCHS = 15
QUICK_CASES = 40
QUICK_SIZE = 64


def main() -> None:
    """Run what the command line asks for."""
    options = _options()
    store = _store(options)
    names = options.pipelines or (QUICK if options.quick else zoo.names())
    epochs = options.epochs or (QUICK_EPOCHS if options.quick else None)
    out = options.out / store.name
    rows, cases = [], []
    for name in names:
        run = llmseg.replay(
            _pipeline(name, options), store, out / name, seed=options.seed, epochs=epochs, device=options.device
        )
        scores = common_scores(run, store)
        cases += [{"pipeline": name, "case": case, "dice": value} for case, value in scores.items()]
        rows.append(_row(name, run, scores))
        if options.predict:
            net, recipe = llmseg.load_model(run.folder)
            llmseg.predict(net, recipe, options.images, run.folder / "predictions", device=options.device)
    table = pd.DataFrame(rows).sort_values("dice", ascending=False, ignore_index=True)
    per_case = pd.DataFrame(cases)
    per_case.to_csv(out / "cases.csv", index=False)
    figure(per_case, list(table["pipeline"]), store.name).savefig(out / "leaderboard.png", dpi=150)
    for path in (out / "leaderboard.json", options.json):
        if path:
            _write_json(path, table, store)
    print(f"\n{store.name}: {len(store.ids)} cases, {epochs or 'own number of'} epochs\n")
    print(table.drop(columns=["epochs", "size"]).to_string(index=False, float_format="{:.4f}".format))
    print(f"\nrun folders: {out}/NAME, figures of each run in its folder replay")
    print(f"leaderboard: {out / 'leaderboard.png'}, {out / 'leaderboard.json'}, {out / 'cases.csv'}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help=f"{', '.join(QUICK)} on {QUICK_CASES} phantoms of {QUICK_SIZE} pixels"
    )
    parser.add_argument("--images", type=Path, help="folder of images; without it, phantoms are drawn")
    parser.add_argument("--masks", type=Path, help="folder of masks")
    parser.add_argument("--modality", default="endoscopy", help="kind of phantoms")
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


def _store(options: argparse.Namespace) -> llmseg.Store:
    if options.images:
        return llmseg.FolderStore(options.images, options.masks or options.images)
    return llmseg.SyntheticStore(options.modality, count=options.cases)


def _pipeline(name: str, options: argparse.Namespace) -> llmseg.Pipeline:
    size = options.size or (QUICK_SIZE if options.quick else None)
    pipeline = zoo.get(name)
    if size is None:
        return pipeline
    return dataclasses.replace(pipeline, recipe=pipeline.recipe.change("images.size", (size, size)))


def common_scores(run: llmseg.Run, store: llmseg.Store) -> dict[str, float]:
    """Return the Dice of every test case by one rule for all pipelines."""
    score = dataclasses.replace(zoo.TEXTBOOK.test, reads="output")
    net, recipe = run.load_net(), run.recipe
    scores = {}
    for id in run.split.test:
        case = store.read(id)
        predicted = torch.from_numpy(llmseg.probability(net, recipe, case.image))[None, None]
        mask = (torch.from_numpy(case.mask)[None, None] > 127).float()
        scores[id] = score.cases(predicted, mask).item()
    return scores


def _row(name: str, run: llmseg.Run, scores: dict[str, float]) -> dict[str, object]:
    last = run.history.iloc[-1]
    return {
        "pipeline": name,
        "dice": pd.Series(scores).mean(),
        "own": run.scores["value"].mean(),
        "train_loss": last["train_loss"],
        "validation_loss": last["validation_loss"],
        "test_cases": len(scores),
        "epochs": run.recipe.fit.epochs,
        "size": run.recipe.images.size,
        "seconds": run.record["seconds"],
    }


def figure(cases: pd.DataFrame, order: list[str], title: str) -> Figure:
    """Show the Dice of every test case, and their mean, pipeline by pipeline."""
    drawing = Figure(figsize=(7, 1.2 + 0.35 * len(order)), layout="constrained")
    axes = drawing.subplots()
    for place, name in enumerate(order):
        values = cases.loc[cases["pipeline"] == name, "dice"]
        axes.plot(values, [place] * len(values), "o", color="#0072B2", alpha=0.5, markersize=5)
        axes.plot([values.mean()], [place], "D", color="#D55E00", markersize=7)
    axes.set_yticks(range(len(order)), order)
    axes.invert_yaxis()
    axes.set(xlim=(-0.02, 1.02), xlabel="Dice of a test case (diamond: mean)", title=title)
    axes.grid(axis="x", alpha=0.3)
    return drawing


def _write_json(path: Path, table: pd.DataFrame, store: llmseg.Store) -> None:
    facts = {"name": store.name, "cases": len(store.ids), "digest": store.digest}
    write_results(path, store=facts, rows=table.to_dict(orient="records"))


if __name__ == "__main__":
    script.run(main)
