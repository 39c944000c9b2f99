"""What every quirk costs: Dice gained by its repair, per pipeline and data set, as JSON and as a page of the docs.

    python benchmarks/price_list.py --data synthetic:mri-tumour --data brain=brain.h5 --json results/price_list.json
    python benchmarks/price_list.py --page docs/price-list.md --json results/price_list.json

Every pipeline is trained as it is and with each of its quirks repaired alone, with several seeds, and all masks are
scored by one evaluator on cases that were held out. The textbook recipe is trained too, with every quirk planted that
one of its fields can bring in, with a value that some pipeline has there. A quirk of a score changes no mask: its price
is what the pipeline's own test score becomes when the same network is scored with the repaired one.

The same command continues an interrupted list, and one with other data or pipelines adds to it. A full one needs the
real data sets, ``--size 0`` and ``--batch-size 0`` (each recipe's own), no ``--epochs``, and at least five seeds.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import statistics
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import script
import torch
from price_list_page import page
from results_file import write_results
from sized import sized
from tqdm import tqdm

import llmseg
from llmseg import Recipe, Run, Store, Study, zoo
from llmseg.recipe import Quirk
from llmseg.recipe.scores import Score
from llmseg.study import Variant
from llmseg.study.variants import same_masks

PLANTED = "textbook"
"""What the textbook recipe is called in the list."""


def main() -> None:
    """Train, write the JSON after every pipeline, print a line per price; with --page, write the page only."""
    options = _options()
    if options.page:
        record = json.loads(options.json.read_text(encoding="utf-8"))
        options.page.write_text(page(record), encoding="utf-8")
        return
    rows = _earlier(options)
    for text in options.data:
        name, store = _store(text, options.cases)
        holdout = llmseg.hold_out(store, fraction=options.fraction)
        for pipeline in tqdm(options.pipelines or [*zoo.names(), PLANTED], desc=name, unit="pipeline"):
            rows = [row for row in rows if (row["dataset"], row["pipeline"]) != (name, pipeline)]
            for row in _prices(pipeline, name, store, holdout, options):
                rows.append(row)
                tqdm.write("{dataset:14} {pipeline:18} {quirk:28} {gained:+.4f} {low:+.4f} {high:+.4f}".format(**row))
            write_results(options.json, settings=_settings(options), rows=rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", action="append", default=[], help="synthetic:MODALITY, or NAME=STORE.h5; repeatable")
    parser.add_argument("--pipelines", nargs="+", help=f"ids, and {PLANTED}; without it, the nineteen and {PLANTED}")
    parser.add_argument("--kind", choices=["mistake", "choice", "all"], default="all")
    parser.add_argument("--leave-out", nargs="+", default=[], help="quirks that a set is too small for")
    parser.add_argument("--cases", type=int, default=40, help="number of phantoms")
    parser.add_argument("--fraction", type=float, default=0.4, help="share of the cases to hold out")
    parser.add_argument("--size", type=int, default=64, help="pixels; 0 for each recipe's own")
    parser.add_argument("--batch-size", type=int, default=4, help="cases per step; 0 for each recipe's own")
    parser.add_argument("--epochs", type=int, help="instead of each recipe's")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--textbook", action="append", default=[], help="PATH=VALUE, a change of it; repeatable")
    parser.add_argument("--runs", type=Path, default=Path("price-list"), help="folder of the trainings")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--page", type=Path, help="write this page from the JSON, and train nothing")
    return parser.parse_args()


def _store(text: str, cases: int) -> tuple[str, Store]:
    kind, _, modality = text.partition(":")
    if kind == "synthetic":
        store = llmseg.SyntheticStore(modality, count=cases)
        return store.name, store
    name, given, path = text.partition("=")
    if not given:
        raise llmseg.UserError(f"--data {text} is neither synthetic:MODALITY nor NAME=STORE.h5")
    return name, llmseg.Hdf5Store(path)


def _prices(
    pipeline: str, dataset: str, store: Store, holdout: llmseg.Holdout, options: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """Yield a row per quirk."""
    base = _textbook(options.textbook) if pipeline == PLANTED else zoo.get(pipeline).recipe
    base = sized(base, options.size, options.batch_size)
    imposed = {path for path, given in (("images.size", options.size), ("fit.epochs", options.epochs)) if given}
    pairs = {q: pair for q, pair in _pairs(pipeline, base, options.kind, imposed) if q.id not in options.leave_out}
    scored_only = {quirk for quirk, (without, having) in pairs.items() if same_masks(without, having)}
    others = {q: p for q, p in pairs.items() if q not in scored_only}
    name = {q: f"{'with' if pipeline == PLANTED else 'without'} {q.id}" for q in others}
    changed = {q: having if pipeline == PLANTED else without for q, (without, having) in others.items()}
    variants = [Variant("base", base), *(Variant(name[q], recipe) for q, recipe in changed.items())]
    study = llmseg.run_study(
        pipeline,
        variants,
        store,
        options.runs / dataset / pipeline,
        holdout=holdout,
        seeds=options.seeds,
        epochs=options.epochs,
        progress=False,
    )
    known = {"dataset": dataset, "pipeline": pipeline, "planted": pipeline == PLANTED}
    differences = study.differences().set_index("variant") if others else None
    for quirk, (without, having) in pairs.items():
        facts = {**known, "quirk": quirk.id, "kind": quirk.kind, "changes_masks": quirk in others}
        if differences is None or quirk in scored_only:
            yield {**facts, **_rescored(study, store, quirk, without, having)}
        else:
            yield {**facts, **_gained(differences.loc[name[quirk]], planted=pipeline == PLANTED)}


def _pairs(
    pipeline: str, base: Recipe, kind: str, imposed: Collection[str]
) -> Iterator[tuple[Quirk, tuple[Recipe, Recipe]]]:
    """Yield quirks with the recipe without and with them; those of a field that the options impose are left out."""
    for quirk in map(llmseg.recipe.get_quirk, llmseg.recipe.quirk_names()):
        if kind not in (quirk.kind, "all"):
            continue
        mended = quirk.repair(base) if quirk.applies(base) else None
        having = base if mended else planted(base, quirk) if pipeline == PLANTED else None
        if having is not None and quirk.change(having)[0] not in imposed:
            yield quirk, (mended or base, having)


def planted(recipe: Recipe, quirk: Quirk) -> Recipe | None:
    """Return a recipe with a quirk, by one field as some pipeline has it; ``None`` where none brings it in and trains.

    The field that the quirk's repair changes is tried first.
    """
    every = zoo.all_names(reference=False)
    donors = {id: zoo.get(id).recipe for id in (*zoo.all_names(reference=False, quirk=quirk.id), *every)}
    repaired_fields = [(quirk.change(donor)[0], donor) for donor in donors.values() if quirk.applies(donor)]
    others = [(d.path, donor) for donor in donors.values() for d in recipe.diff(donor) if "." in d.path]
    for path, donor in (*repaired_fields, *others):
        try:
            having = recipe.change(path, donor.get(path))
        except llmseg.UserError:
            continue
        if not quirk.applies(having) or _decides(recipe, having) != _decides(quirk.repair(having), having):
            continue
        if _computes(having):
            return having
    return None


def _decides(without: Recipe, having: Recipe) -> bool:
    """Whether a change changes masks; one that brings in a quirk of a score shall not."""
    return not same_masks(without, having)


@functools.cache
def _computes(recipe: Recipe) -> bool:
    """Whether network and loss fit together; logits in a loss of probabilities end a training at its first step."""
    channels = recipe.images.channels
    try:
        with torch.no_grad():
            recipe.loss(recipe.net.build(channels)(torch.rand(1, channels, 64, 64)), torch.ones(1, 1, 64, 64))
    except (llmseg.UserError, RuntimeError, ValueError):
        return False
    return True


def _textbook(changes: list[str]) -> Recipe:
    return functools.reduce(Recipe.change_text, changes, zoo.TEXTBOOK)


def _gained(row: Any, *, planted: bool) -> dict[str, Any]:
    """Return what the repair gains: the variant over the base, or for a planted quirk the base over the variant."""
    # Adding nothing turns a negative zero into zero.
    sign = -1 if planted else 1
    base, variant = float(row["base"]), float(row["mean"])
    low, high = sorted((sign * float(row["low"]) + 0.0, sign * float(row["high"]) + 0.0))
    spread = {"groups": int(row["groups"]), "seeds": int(row["seeds"])}
    having, without = (variant, base) if planted else (base, variant)
    facts = {"dice_having": having, "dice_without": without, "gained": sign * float(row["difference"]) + 0.0}
    return {**facts, "low": low, "high": high, **spread}


def _rescored(study: Study, store: Store, quirk: Quirk, without: Recipe, having: Recipe) -> dict[str, Any]:
    """Return that no mask changes, and what the pipeline's own score becomes."""
    runs = study.runs("base")
    part = "score" if quirk.change(having)[0].startswith("score") else "test"
    scores = [getattr(recipe, part) for recipe in (having, without)]
    before, after = (statistics.fmean(own_score(run, store, score) for run in runs) for score in scores)
    return {"gained": 0.0, "low": 0.0, "high": 0.0, "seeds": len(runs), "own_before": before, "own_after": after}


def own_score(run: Run, store: Store, score: Score | None) -> float:
    """Return the mean of what a script lists for its own test part by a score; not-a-number without a score."""
    if score is None:
        return math.nan
    net, recipe = llmseg.load_model(run.folder)
    ids = run.split.test
    listed = []
    for first in range(0, len(ids), recipe.fit.batch_size):
        cases = [store.read(id) for id in ids[first : first + recipe.fit.batch_size]]
        images, masks = zip(*(recipe.images(case.image, case.mask) for case in cases), strict=True)
        with torch.no_grad():
            listed.append(score(net.eval()(torch.stack(images)), torch.stack(masks)))
    return statistics.fmean(score.collect(listed))


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    names = ("cases", "fraction", "size", "batch_size", "epochs", "seeds", "textbook")
    return {name: getattr(options, name) for name in names}


def _earlier(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the rows that are there; a list with other settings is not mixed with this one."""
    if not options.json.is_file():
        return []
    record = json.loads(options.json.read_text(encoding="utf-8"))
    if record["settings"] != _settings(options):
        raise SystemExit(f"{options.json} was made with {record['settings']}; give other settings a file of their own")
    return list(record["rows"])


if __name__ == "__main__":
    script.run(main)
