"""Run a study file, print a leaderboard of every dataset with its verdict, and write a report as HTML pages.

    python benchmarks/run_all.py --quick                    # four pipelines on phantoms, in two minutes
    python benchmarks/run_all.py                            # the main comparison, on the datasets that are prepared
    python benchmarks/run_all.py my-study.toml --out mine   # any other study, see docs/how-to/study-file.md

The same command again continues, also after a kill, and may run several times at once. Datasets that are not prepared
are named, with the command that prepares them, and left out.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import benchmark
import pandas as pd

import llmseg
from llmseg.report import Question, judge
from llmseg.study import StudyFile, open_design, read_results, read_study_file, run_study_file

STUDIES = Path(__file__).parent / "studies"


def main() -> None:
    """Run what the command line asks for."""
    options = _parse_options()
    file = options.study or STUDIES / ("quick.toml" if options.quick else "main.toml")
    out = options.out or Path("runs") / file.stem
    grid = _read_grid(file, options)
    studies = run_study_file(grid, out, device=options.device, leave_out_failing=True)
    if "nnunet" in grid.pipelines:
        llmseg.nnunet.run_beside_studies(studies, device=options.device)
    written = [_print_leaderboard(study) for study in studies]
    for path in (out / "leaderboard.json", options.json):
        if path:
            benchmark.write_results(path, study=file.name, datasets=written)
    report = llmseg.write_report(out, f"{out}-report", title=f"{file.stem}: leaderboard and report")
    if len(studies) > 1:
        print(f"\nall datasets: {report.analysis.verdict}")
    print(f"\nreport: {report.index}\nleaderboard as JSON: {out / 'leaderboard.json'}")


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, nargs="?", help="a study file; without it, studies/main.toml")
    parser.add_argument("--quick", action="store_true", help="studies/quick.toml")
    parser.add_argument("--pipelines", nargs="+", help="other pipelines than those of the file")
    parser.add_argument("--seeds", type=int, help="another number of seeds")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, help="folder of the study; without it, runs/ and the name of the file")
    parser.add_argument("--json", type=Path, help="file for a copy of the leaderboard, such as results/NAME.json")
    options = parser.parse_args()
    if options.quick and options.study:
        parser.error("--quick is a study file of its own; leave one of both out")
    return options


def _read_grid(file: Path, options: argparse.Namespace) -> StudyFile:
    """Read the study file, with other pipelines and seeds if these are given; what is not there is left out."""
    given = {"pipelines": options.pipelines and tuple(options.pipelines), "seeds": options.seeds}
    grid = replace(read_study_file(file), **{name: value for name, value in given.items() if value is not None})
    if "nnunet" in grid.pipelines:
        try:
            llmseg.nnunet.check_installed()
        except llmseg.UserError as error:
            print(f"left out: nnunet: {error}", file=sys.stderr)
            grid = replace(grid, pipelines=tuple(name for name in grid.pipelines if name != "nnunet"))
    return grid.without_missing()


def _print_leaderboard(study: llmseg.Study) -> dict[str, Any]:
    """Print the contenders of a study, best first, and return them with what they were trained and scored on."""
    means = pd.concat([study.means(), study.means_beside()]).sort_values("mean", ascending=False, ignore_index=True)
    verdict = " ".join(judge(read_results([study.folder]).scores, Question.of()).values())
    design, record = open_design(study.folder), study.record
    count, held = len(design.store.ids), sum(len(fold.test_ids) for fold in design.folds)
    print(f"\n{design.store.name}: {held} of {count} cases are scored\n{verdict}\n")
    print(means.to_string(index=False, float_format="{:.4f}".format, na_rep="-"))
    facts = {**record["store"], "cases": count, "held_out": held, "holdout": record["holdout"], "verdict": verdict}
    trained = {name: _describe_trainings(study.runs(name)) for name in study.variants}
    rows = means.astype(object).where(means.notna(), None).to_dict("records")  # JSON has no not-a-number
    return {**facts, "rows": [{**row, **trained.get(row["variant"], {})} for row in rows]}


def _describe_trainings(runs: tuple[llmseg.Run, ...]) -> dict[str, Any]:
    """Return what a pipeline was trained with and, for every seed, its own score, its last losses and its time."""
    losses = {name: [float(run.history[name].iloc[-1]) for run in runs] for name in ("train_loss", "validation_loss")}
    own, seconds = [float(run.scores["value"].mean()) for run in runs], [run.record["seconds"] for run in runs]
    recipe = runs[0].recipe
    return {"own": own, **losses, "seconds": seconds, "epochs": recipe.fit.epochs, "size": recipe.images.size}


if __name__ == "__main__":
    benchmark.run(main)
