"""Check for every recipe that it learns the same with fast numerics as with exact ones, and write the curves as JSON.

    python benchmarks/fast_numerics.py --precision bf16 --json benchmarks/results/equivalence_bf16.json

Three trainings start from the same weights and see the same cases in the same order. ``faithful`` computes as the
original scripts do, ``fast`` computes in the precision under test. ``planted`` computes as the scripts do, but with a
learning rate that is a tenth higher: a change that the comparison must find. All train on phantoms for few epochs.

The distance of a training from the faithful one is the median of the relative differences between their losses, over
all starts and all steps but the first, which comes before any update. A fast training agrees if its distance is at most
``--band`` times that of the planted one. A recipe whose planted training has the distance 0 learns nothing on these
phantoms, so nothing can be said about it.
"""

from __future__ import annotations

import argparse
import copy
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path

import benchmark
import torch
from tqdm import tqdm

import llmseg
from llmseg import Recipe, zoo
from llmseg.data import PreparedCases, prepare_cases
from llmseg.training import (
    EXACT_NUMERICS,
    Epoch,
    EvaluatedBatch,
    Numerics,
    RandomStreams,
    State,
    Step,
    choose_device,
    choose_kernels,
    choose_numerics,
    draw_start,
    run_loop,
)

PLANTED = 1.1
"""What the planted twin's learning rate is multiplied with."""


@dataclass(frozen=True)
class Curve:
    """What a twin gave: the loss of every step, both losses of every epoch, its score on the test cases."""

    steps: tuple[float, ...]
    train_losses: tuple[float, ...]
    validation_losses: tuple[float, ...]
    dice: float


def main() -> int:
    """Train the twins, print a line per recipe, write the JSON; 1 if a fast twin leaves the band."""
    options = _parse_options()
    device = choose_device(options.device)
    fast = choose_numerics(device, options.precision)
    rows: list[dict[str, object]] = []
    for name in tqdm(options.pipelines or zoo.names(), desc="equivalence", unit="recipe"):
        rows.append(compare_twins(name, fast, device, options))
        tqdm.write("{pipeline:18} fast {fast:.5f}  planted {planted:.5f}  {verdict}".format(**rows[-1]))
        if options.json:
            _write(options, fast, rows)
    return 0 if all(row["verdict"] != "differs" for row in rows) else 1


def _write(options: argparse.Namespace, fast: Numerics, rows: list[dict[str, object]]) -> None:
    settings = {name: getattr(options, name) for name in ("band", "cases", "epochs", "size", "starts")}
    benchmark.write_results(options.json, numerics=asdict(fast), settings=settings, rows=rows)


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipelines", nargs="+", help="ids; without it, all nineteen")
    parser.add_argument("--precision", default="auto", help="fp32, bf16, fp16 or what the device is made for")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--band", type=float, default=0.5, help="largest distance, as a share of the planted one")
    parser.add_argument("--cases", type=int, default=16, help="number of phantoms")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--size", type=int, default=64, help="pixels")
    parser.add_argument("--starts", type=int, default=1, help="seeds")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def compare_twins(name: str, fast: Numerics, device: torch.device, options: argparse.Namespace) -> dict[str, object]:
    """Train the three twins of a recipe from every start, and return a row of the result.

    Args:
        name: The pipeline.
        fast: The numerics under test.
        device: Where all of them compute.
        options: ``size``, ``cases``, ``epochs``, ``starts`` and ``band``, as on the command line.
    """
    recipe = zoo.get(name).recipe.change("images.size", (options.size, options.size))
    recipe = recipe.change("fit.epochs", options.epochs).change("fit.own_seed", None)
    store = llmseg.SyntheticStore("dermoscopy", count=options.cases)
    prepared = prepare_cases(store, recipe.images)
    net = recipe.net.build(recipe.images.channels)
    fast = choose_kernels(fast, net, device, (recipe.images.channels, *prepared.size))
    planted = recipe.change("fit.rate", recipe.fit.rate * PLANTED)
    curves: dict[str, list[Curve]] = {"faithful": [], "fast": [], "planted": []}
    for seed in range(options.starts):
        for twin, own, numerics in (
            ("faithful", recipe, EXACT_NUMERICS),
            ("fast", recipe, fast),
            ("planted", planted, EXACT_NUMERICS),
        ):
            curves[twin].append(train_twin(own, prepared, seed, numerics, device))
    distances = {twin: measure_distance(curves["faithful"], curves[twin]) for twin in ("fast", "planted")}
    agrees = distances["fast"] <= options.band * distances["planted"]
    verdict = "learns nothing" if not distances["planted"] else "agrees" if agrees else "differs"
    written = {twin: [asdict(curve) for curve in of_twin] for twin, of_twin in curves.items()}
    return {"pipeline": name, **distances, "verdict": verdict, "winograd": fast.winograd, "curves": written}


def train_twin(recipe: Recipe, prepared: PreparedCases, seed: int, numerics: Numerics, device: torch.device) -> Curve:
    """Train one twin from the weights and orders of a seed."""
    split, net = draw_start(recipe, prepared.ids, seed, prepared.size)
    state = State.begin(recipe.fit, numerics.place(copy.deepcopy(net), device), numerics)
    events = list(
        run_loop(recipe, state, prepared, split, streams=RandomStreams(seed, per_epoch=True), numerics=numerics)
    )
    epochs = [event for event in events if isinstance(event, Epoch)]
    scores = [v for e in events if isinstance(e, EvaluatedBatch) and e.phase == "test" for v in e.cases.tolist()]
    return Curve(
        steps=tuple(event.loss.item() for event in events if isinstance(event, Step)),
        train_losses=tuple(epoch.train_loss for epoch in epochs),
        validation_losses=tuple(epoch.validation_loss for epoch in epochs),
        dice=sum(scores) / len(scores) if scores else float("nan"),
    )


def measure_distance(left: list[Curve], right: list[Curve]) -> float:
    """Return the median relative difference of the losses of all steps after the first."""
    pairs = [p for a, b in zip(left, right, strict=True) for p in zip(a.steps[1:], b.steps[1:], strict=True)]
    return statistics.median(abs(b - a) / abs(a) for a, b in pairs)


if __name__ == "__main__":
    benchmark.run(main)
