"""The commands about studies: llmseg ablate, llmseg compare, llmseg gap."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import typer

import llmseg
from llmseg.cli import completion
from llmseg.cli import options as option
from llmseg.cli.options import CasesAndFolds, Changes, Computing
from llmseg.cli.output import OutputWithProgress
from llmseg.cli.spread import spread
from llmseg.cli.text.study import cohort_table, contribution_table, gain_table, mean_table, report_hint
from llmseg.zoo.given import find_recipe

_FORMATS = ("pdf", "png")


@dataclass(frozen=True)
class TrainingOptions(Computing):
    """How the recipes of a study are trained; the names are those of the parameters of :func:`llmseg.run_study`."""

    seeds: Annotated[int, typer.Option(help="Number of seeds.", min=1)] = 3
    epochs: option.Epochs = None
    leave_out_failing: option.LeaveOutFailing = False
    retry: option.Retry = None

    @property
    def keywords(self) -> dict[str, Any]:
        """The options as :func:`llmseg.run_study` takes them."""
        return {**asdict(self), "retry": self.retry or ()}


@dataclass(frozen=True)
class ComparisonOptions(TrainingOptions):
    """How the recipes of a study are trained, and in which measures they are compared."""

    measure: option.Measures = None

    @property
    def keywords(self) -> dict[str, Any]:
        """The options as :func:`llmseg.run_study` takes them."""
        keywords = super().keywords
        measures = keywords.pop("measure")
        return {**keywords, **({"measures": measures} if measures else {})}


@dataclass(frozen=True)
class AblationOptions:
    """What an ablation changes in a recipe, in one of three ways."""

    field: Annotated[
        list[str] | None,
        typer.Option(
            help="A field and the values it takes: path=value,value; repeatable.", autocompletion=completion.CHANGES
        ),
    ] = None
    crossed: Annotated[bool, typer.Option("--crossed", help="Every combination, not one field at a time.")] = False
    repair: Annotated[
        str | None,
        typer.Option(help="each quirk alone, all together, or ids with commas.", autocompletion=completion.QUIRKS),
    ] = None
    transplant: Annotated[str | None, typer.Option(help="Parts to take from another, with commas.")] = None
    from_: Annotated[
        str | None,
        typer.Option("--from", help="The other pipeline, or recipe in a file.", autocompletion=completion.PIPELINES),
    ] = None

    @property
    def keywords(self) -> dict[str, Any]:
        """The options as :func:`llmseg.ablate` takes them."""
        return {**asdict(self), "field": self.field or ()}


@spread
def ablate(
    name: option.RecipeName,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the study.")],
    ablation: AblationOptions,
    cases: CasesAndFolds,
    trainings: ComparisonOptions,
    changes: Changes,
    output: OutputWithProgress,
) -> None:
    """Change one thing at a time and measure what it is worth; the same command again continues.

    Without --holdout, test cases are drawn by group with seed 0.

    Example: llmseg ablate llama-3.1-405b --field fit.rate=1e-3,1e-4 --synthetic fundus --epochs 1 --seeds 2
        --set images.size=64,64 -o studies/rate
    """
    base = find_recipe(name)[0]
    variants = llmseg.study.find_ablation(name, set=changes.changes or (), epochs=trainings.epochs, **ablation.keywords)
    store = cases.open()
    study = llmseg.run_study(
        base,
        variants,
        store,
        out,
        holdout=cases.load_or_draw_folds(store, output.progress),
        progress=output.progress,
        **trainings.keywords,
    )
    _draw_differences(study)
    if output.as_json:
        output.print(study.all_differences().to_dict("records"))
    else:
        output.print(f"{describe_gains(study)}\n{report_hint(study.folder, study.measures)}")


@spread
def compare(
    names: Annotated[
        list[str],
        typer.Argument(
            help="Pipelines, patterns such as 'gpt-4o@run-*', recipes in files, or nnunet.",
            autocompletion=completion.CONTENDERS,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the study.")],
    cases: CasesAndFolds,
    trainings: ComparisonOptions,
    changes: Changes,
    output: OutputWithProgress,
) -> None:
    """Compare several pipelines, trained on the same cases, with the first; the same command again continues.

    'study' stands for the nineteen of the study, '2024' and '2025' for their cohorts, 'references' for those. 'nnunet'
    trains nnU-Net on the cases of the first pipeline, to as many images as that sees. Without --holdout, test cases are
    drawn by group with seed 0.

    Example: llmseg compare llama-3.1-405b gpt-o3 --synthetic fundus --epochs 1 --seeds 2 --set
        images.size=64,64 -o studies/two
    """
    variants, with_nnunet = llmseg.nnunet.find_compared(names, changes.changes or ())
    store = cases.open()
    holdout = cases.load_or_draw_folds(store, output.progress)
    study = llmseg.run_study(
        None, variants, store, out, holdout=holdout, progress=output.progress, **trainings.keywords
    )
    if len(study.variants) > 1:
        _draw_differences(study)
    if with_nnunet:
        llmseg.nnunet.run_beside(study, store, holdout=holdout, device=trainings.device, progress=output.progress)
    if output.as_json:
        output.print(list_means(study))
    else:
        output.print(f"{describe_means(study)}\n{report_hint(study.folder, study.measures)}")


@spread
def gap(
    left: Annotated[
        str,
        typer.Argument(
            help="A pipeline, a recipe in a file, several with commas, or a cohort: 2024 or 2025.",
            autocompletion=completion.CONTENDERS,
        ),
    ],
    right: Annotated[str, typer.Argument(help="What it is compared with.", autocompletion=completion.CONTENDERS)],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the trainings and the result.")],
    cases: CasesAndFolds,
    trainings: TrainingOptions,
    changes: Changes,
    output: OutputWithProgress,
    swaps: Annotated[
        str, typer.Option(help="single: each part alone, both ways; all: every mixture; sampled: some orders.")
    ] = "single",
    orders: Annotated[int, typer.Option(help="Number of orders for --swaps sampled.", min=1)] = 4,
) -> None:
    """Say which parts make one pipeline better than another; the same command again continues.

    Of several pipelines on a side, all pairs are made, and the table shows means over the pairs. --set changes both
    sides. Without --holdout, test cases are drawn by group with seed 0.

    Example: llmseg gap llama-3.1-405b bing-copilot --synthetic fundus --epochs 1 --seeds 1 --set
        images.size=64,64 -o gap
    """
    ours, theirs = llmseg.study.find_sides(left, right, changes.changes or ())
    store = cases.open()
    options: dict[str, Any] = {
        "holdout": cases.load_or_draw_folds(store, output.progress),
        "swaps": cast(Any, swaps),
        "orders": orders,
        "progress": output.progress,
        **trainings.keywords,
    }
    if len(ours) == len(theirs) == 1:
        _print_gap(llmseg.run_gap(ours[0], theirs[0], store, out, **options), output)
    else:
        _print_cohort_gap(llmseg.study.run_cohort_gap(ours, theirs, store, out, **options), output)


def _print_gap(result: llmseg.study.Gap, output: OutputWithProgress) -> None:
    contributions = result.contributions()
    for extension in _FORMATS:
        path = result.folder / f"gap.{extension}"
        llmseg.figures.draw_contributions(contributions, path, left=result.left.name, right=result.right.name)
    _draw_differences(result.study)
    output.print(contributions.to_dict("records") if output.as_json else contribution_table(contributions, result))


def _print_cohort_gap(result: llmseg.study.CohortGap, output: OutputWithProgress) -> None:
    facts = {"means": result.means.to_dict("records"), "pairs": result.pairs.to_dict("records")}
    output.print(facts if output.as_json else cohort_table(result))


def _draw_differences(study: llmseg.Study) -> None:
    base, measure = study.record["label"] or study.variants[0], study.measures[0]
    differences, name = study.differences(measure), llmseg.report.name_measure(measure)
    for extension in _FORMATS:
        path = study.folder / f"differences.{extension}"
        llmseg.figures.draw_differences(differences, path, measure=name, base=base)


def describe_gains(study: llmseg.Study) -> str:
    """Return what variants gain over the base, a table for each measure of the study."""
    differences, folds = study.all_differences(), study.folds
    if len(study.measures) == 1:
        tables = [gain_table(differences, study.folder, folds, study.measures[0])]
    else:
        by_measure = differences.groupby("measure", sort=False)
        tables = [gain_table(own, study.folder, folds, str(name), own["role"].iloc[0]) for name, own in by_measure]
    return "\n".join(["\n\n".join(tables), *describe_learning(study)])


def describe_means(study: llmseg.Study) -> str:
    """Return the verdict and the means of all contenders, best first, for each measure of the study."""
    verdicts = judge(study)
    several = len(study.measures) > 1
    tables = []
    for measure, verdict in verdicts.items():
        role = ("primary" if measure == study.measures[0] else "secondary") if several else ""
        means, beside = study.means(measure), study.means_beside(measure)
        tables.append(mean_table(means, study.folder, beside, verdict, study.folds, measure, role))
    return "\n".join(["\n\n".join(tables), *describe_learning(study)])


def describe_learning(study: llmseg.Study) -> list[str]:
    """Return a line that names the contenders that have learnt next to nothing, if there are any."""
    scores = llmseg.stats.Table.from_evaluations(study.folder)
    return [f"remark: {sentence}" for sentence in llmseg.report.remark_on_learning(scores, study.measures[0])]


def list_means(study: llmseg.Study) -> list[dict[Any, Any]]:
    """Return a row per contender and measure, with the verdict of the measure."""
    return [
        {**row, "verdict": verdict, "measure": measure}
        for measure, verdict in judge(study).items()
        for table in (study.means(measure), study.means_beside(measure))
        for row in table.to_dict("records")
    ]


def judge(study: llmseg.Study) -> dict[str, str]:
    """Return which difference among the first is established, by measure, as a report of the study says it."""
    question = llmseg.report.Question.of(study.measures)
    return llmseg.report.judge(llmseg.study.read_results([study.folder]).scores, question)
