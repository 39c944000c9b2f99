"""Admit scripts of the study, and compare what is found out about them with the zoo, which was written by hand.

python benchmarks/admission_nineteen.py SCRIPTS --out admissions --json benchmarks/results/admission_nineteen.json

SCRIPTS holds a folder for each pipeline, called by its id, with the scripts that the study published; they are no part
of this repository. Admissions are kept in --out, so the same command again only compares. Facts, recipe and quirks are
compared with the pipeline of that id, or with another published state of it, such as gpt-o3@rgb, if that is nearer.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path
from typing import Any

import benchmark
import torch

from llmseg import zoo
from llmseg.admission import Admission, Phantoms, admit
from llmseg.recipe import Recipe

STATES = ("", "@rgb", "-no-thinking")
"""What is appended to an id for the states in which its scripts were published."""


def expect_facts(recipe: Recipe) -> dict[str, Any]:
    """Return the facts that a recipe has, as :func:`llmseg.admission.read_facts` names them."""
    loss: Any = recipe.loss
    with torch.device("meta"):
        weights = [each for each in recipe.net.build(recipe.images.channels).parameters() if each.requires_grad]
    return {
        "parameters": sum(each.numel() for each in weights),
        "batch_size": recipe.fit.batch_size,
        "epochs": recipe.fit.epochs,
        "optimizer": {"adam": "Adam", "adamw": "AdamW"}[recipe.fit.optimizer],
        "rate": recipe.fit.rate,
        "loss": {name: weight for name in ("bce", "dice") if (weight := getattr(loss, name))},
        "split": count_parts(recipe),
    }


def count_parts(recipe: Recipe) -> list[int]:
    """Return how many of a thousand cases are trained on, validated and tested."""
    split = recipe.split([f"{number:04d}" for number in range(1000)], torch.Generator().manual_seed(0))
    return [len(split.train), len(split.validation), len(split.test)]


def read_facts(admission: Admission) -> dict[str, Any]:
    """Return the same facts as an admission found them; the split is counted where its recipe is known."""
    facts = {name: admission.facts.get(name) for name in ("parameters", "batch_size", "epochs", "optimizer", "rate")}
    shares = admission.facts.get("split") or {}
    counted = [round(1000 * shares.get(part, 0)) for part in ("training", "validation", "test")]
    return {
        **facts,
        "loss": (admission.facts.get("loss") or {}).get("terms"),
        "split": counted if admission.recipe is None else count_parts(admission.recipe),
    }


def prepares_alike(one: Recipe, other: Recipe) -> bool:
    """Return whether two preparations make the same tensors of a dozen cases, to the last bit."""
    phantoms = Phantoms(channels=3, noisy=True)
    pairs = itertools.product((phantoms.image,), (phantoms.mask, phantoms.noisy_mask), phantoms.ids[:12])
    return all(
        torch.equal(left, right)
        for image, mask, id in pairs
        for left, right in zip(one.images(image(id), mask(id)), other.images(image(id), mask(id)), strict=True)
    )


def compare(admission: Admission, name: str) -> dict[str, Any]:
    """Return what an admission found beside what a pipeline of the zoo says.

    Args:
        admission: The admission.
        name: The pipeline.
    """
    expected = zoo.get(name)
    wanted, found = expect_facts(expected.recipe), read_facts(admission)
    difference = [] if admission.recipe is None else list(expected.recipe.diff(admission.recipe))
    alike = admission.recipe is not None and prepares_alike(expected.recipe, admission.recipe)
    quirks = [] if admission.recipe is None else [quirk.id for quirk in admission.recipe.quirks]
    return {
        "compared_with": name,
        "facts_right": [fact for fact in wanted if wanted[fact] == found[fact]],
        "facts_wrong": {fact: [wanted[fact], found[fact]] for fact in wanted if wanted[fact] != found[fact]},
        "has_recipe": admission.recipe is not None,
        "difference": {each.path: [str(each.left), str(each.right)] for each in difference},
        "gives_the_same": [each.path for each in difference if alike and each.path.startswith("images.")],
        "foreign": admission.foreign,
        "quirks_expected": [quirk.id for quirk in expected.quirks],
        "quirks_found": quirks,
    }


def judge(folder: Path, out: Path, minutes: float) -> dict[str, Any]:
    """Admit the scripts of a folder and compare them with the published state to which they are nearest."""
    admission = admit(folder, out / folder.name, minutes=minutes, probes=False)
    states = [folder.name + state for state in STATES if folder.name + state in zoo.all_names()]
    compared = [compare(admission, name) for name in states]
    nearest = min(compared, key=lambda each: (len(each["facts_wrong"]), len(each["difference"])))
    failed = next((verdict for verdict in admission.verdicts if verdict.state not in ("reached", "not reached")), None)
    return {
        "id": folder.name,
        "stage": admission.stage_reached,
        "ended_by": "" if failed is None else f"{failed.stage}: {failed.reason}",
        "edits": [edit["what"] for edit in admission.run["edits"]],
        "cases": admission.run["phantoms"]["count"],
        "epochs": max((told["now"] for told in admission.run["epochs"]), default=None),
        "seconds_of_processor": round(admission.run["usage"]["cpu_seconds"]),
        **nearest,
        "findings": [finding.id for finding in admission.findings],
    }


def count(pipelines: list[dict[str, Any]]) -> dict[str, int]:
    """Return how many pipelines were recovered, by what of them."""
    unexplained = [set(each["difference"]) - set(each["gives_the_same"]) for each in pipelines]
    return {
        "pipelines": len(pipelines),
        "without_edits": sum(not each["edits"] for each in pipelines),
        "all_facts": sum(not each["facts_wrong"] for each in pipelines),
        "recipe_equal": sum(each["has_recipe"] and not each["difference"] for each in pipelines),
        "recipe_gives_the_same": sum(
            each["has_recipe"] and not left for each, left in zip(pipelines, unexplained, strict=True)
        ),
        "quirks_equal": sum(
            each["has_recipe"] and each["quirks_found"] == each["quirks_expected"] for each in pipelines
        ),
    }


def main() -> int:
    """Admit, compare, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scripts", type=Path, help="folder with a folder of scripts for each pipeline")
    parser.add_argument("--out", type=Path, required=True, help="folder in which admissions are kept")
    parser.add_argument("--minutes", type=float, default=15, help="longest that one run may take")
    parser.add_argument("--only", nargs="+", default=zoo.names(), help="ids of pipelines")
    parser.add_argument("--json", type=Path, default=None, help="file of the results")
    options = parser.parse_args()
    pipelines = []
    for name in options.only:
        if (options.scripts / name).is_dir():
            pipelines.append(judge(options.scripts / name, options.out, options.minutes))
            print(pipelines[-1], flush=True)
    print(count(pipelines))
    if options.json is not None:
        benchmark.write_results(options.json, counts=count(pipelines), pipelines=pipelines)
    return 0


if __name__ == "__main__":
    benchmark.run(main)
