"""The commands about studies: llmseg ablate, llmseg compare, llmseg gap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import typer

import llmseg
from llmseg import UserError
from llmseg.cli import options as option
from llmseg.cli.options import CasesAndFolds, Changes, Computing, load_recipe
from llmseg.cli.output import OutputWithProgress
from llmseg.cli.spread import spread
from llmseg.cli.text.study import cohort_table, contribution_table, gain_table, mean_table, report_hint
from llmseg.recipe import split_typed
from llmseg.study.contenders import NNUNET

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
        list[str] | None, typer.Option(help="A field and the values it takes: path=value,value; repeatable.")
    ] = None
    crossed: Annotated[bool, typer.Option("--crossed", help="Every combination, not one field at a time.")] = False
    repair: Annotated[str | None, typer.Option(help="each quirk alone, all together, or ids with commas.")] = None
    transplant: Annotated[str | None, typer.Option(help="Parts to take from another, with commas.")] = None
    source: Annotated[str | None, typer.Option("--from", help="The other pipeline, or recipe in JSON.")] = None

    def variants(
        self, recipe: llmseg.Recipe, own: llmseg.Recipe, epochs: int | None
    ) -> tuple[llmseg.study.Variant, ...]:
        """Return the recipe and what becomes of it.

        Args:
            recipe: The recipe with what is set for all variants.
            own: The recipe without.
            epochs: Number of epochs of all variants, ``None`` for those of their recipes.

        Raises:
            UserError: The options ask for changes in several ways or in none, or a change is impossible.
        """
        if sum((bool(self.field), self.repair is not None, self.transplant is not None)) != 1:
            raise UserError(
                "say what to change in one way: --field PATH=VALUE,VALUE, --repair each, or --transplant PART"
            )
        if self.field:
            values = dict(_parse_field(recipe, text) for text in self.field)
            return llmseg.study.ablations(recipe, values, crossed=self.crossed)
        if self.repair is not None:
            return llmseg.study.repairs(
                recipe, self.repair, own=own, settings=() if epochs is None else ("fit.epochs",)
            )
        if self.source is None:
            raise UserError("--transplant needs --from PIPELINE")
        donor_name, donor = load_recipe(self.source)
        parts = [part.strip() for part in str(self.transplant).split(",")]
        return llmseg.study.transplants(recipe, donor, parts, donor_name)


@spread
def ablate(
    name: option.RecipeName,
    out: Annotated[Path, typer.Option(help="Folder of the study.")],
    ablation: AblationOptions,
    cases: CasesAndFolds,
    trainings: ComparisonOptions,
    changes: Changes,
    output: OutputWithProgress,
) -> None:
    """Change one thing at a time and measure what it is worth; the same command again continues.

    Without --holdout, test cases are drawn by group with seed 0.
    """
    label, recipe = load_recipe(name)
    variants = ablation.variants(changes.apply(recipe), recipe, trainings.epochs)
    store = cases.open()
    study = llmseg.run_study(
        label,
        variants,
        store,
        out,
        holdout=cases.load_or_draw_folds(store, output.progress),
        progress=output.progress,
        **trainings.keywords,
    )
    _draw_differences(study)
    output.print(study.all_differences().to_dict("records") if output.as_json else describe_gains(study))


@spread
def compare(
    names: Annotated[
        list[str], typer.Argument(help="Pipelines, patterns such as 'gpt-4o@run-*', recipes in JSON, or nnunet.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the study.")],
    cases: CasesAndFolds,
    trainings: ComparisonOptions,
    changes: Changes,
    output: OutputWithProgress,
) -> None:
    """Train several pipelines on the same cases and compare them with the first; the same command again continues.

    'study' stands for the nineteen of the study, '2024' and '2025' for their cohorts, 'references' for those. 'nnunet'
    trains nnU-Net on the cases of the first pipeline, to as many images as that sees. Without --holdout, test cases are
    drawn by group with seed 0.
    """
    with_nnunet = NNUNET in names
    variants = _load_variants(names, changes, least=1 if with_nnunet else 2)
    if with_nnunet:
        llmseg.nnunet.check_installed()
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
        str, typer.Argument(help="A pipeline, a recipe in JSON, several with commas, or a cohort: 2024 or 2025.")
    ],
    right: Annotated[str, typer.Argument(help="What it is compared with.")],
    out: Annotated[Path, typer.Option(help="Folder for the trainings and the result.")],
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
    """
    left_variants, right_variants = _load_side(left, changes), _load_side(right, changes)
    one_pair = len(left_variants) == len(right_variants) == 1
    if one_pair and left_variants[0].name == right_variants[0].name:
        raise UserError(f"there is one recipe to compare, {left_variants[0].name}; name at least two different ones")
    if not one_pair:
        llmseg.study.check_cohorts(left_variants, right_variants)
    store = cases.open()
    options: dict[str, Any] = {
        "holdout": cases.load_or_draw_folds(store, output.progress),
        "swaps": cast(Any, swaps),
        "orders": orders,
        "progress": output.progress,
        **trainings.keywords,
    }
    if one_pair:
        _print_gap(llmseg.run_gap(left_variants[0], right_variants[0], store, out, **options), output)
    else:
        result = llmseg.study.run_cohort_gap(left_variants, right_variants, store, out, **options)
        _print_cohort_gap(result, output)


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
        return gain_table(differences, study.folder, folds, study.measures[0])
    by_measure = differences.groupby("measure", sort=False)
    tables = [gain_table(own, study.folder, folds, str(measure), own["role"].iloc[0]) for measure, own in by_measure]
    return "\n\n".join(tables)


def describe_means(study: llmseg.Study) -> str:
    """Return the verdict and the means of all contenders, best first, for each measure of the study."""
    verdicts = judge(study)
    several = len(study.measures) > 1
    tables = []
    for measure, verdict in verdicts.items():
        role = ("primary" if measure == study.measures[0] else "secondary") if several else ""
        means, beside = study.means(measure), study.means_beside(measure)
        tables.append(mean_table(means, study.folder, beside, verdict, study.folds, measure, role))
    return "\n\n".join(tables)


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


def _load_variants(names: list[str], changes: Changes, least: int) -> tuple[llmseg.study.Variant, ...]:
    """Return the recipes that names, patterns and files stand for, all changed alike."""
    variants = _change_all(llmseg.study.find_contenders(names), changes)
    if not variants:
        raise UserError(f"{NNUNET} needs a pipeline beside it, which gives it cases and budget; name one")
    if len(variants) < least:
        raise UserError(f"there is one recipe to compare, {variants[0].name}; name at least two different ones")
    return variants


def _load_side(text: str, changes: Changes) -> tuple[llmseg.study.Variant, ...]:
    """Return the recipes of one side of a gap: of a cohort, or of names with commas."""
    return _change_all(llmseg.study.find_contenders(name.strip() for name in text.split(",")), changes)


def _change_all(variants: Iterable[llmseg.study.Variant], changes: Changes) -> tuple[llmseg.study.Variant, ...]:
    return tuple(llmseg.study.Variant(variant.name, changes.apply(variant.recipe)) for variant in variants)


def _parse_field(recipe: llmseg.Recipe, text: str) -> tuple[str, list[object]]:
    """Read a field and its values as they are typed; those of a field that is a list are separated by semicolons."""
    path, equals, typed = text.partition("=")
    if not equals:
        raise UserError(f"'{text}' names no values; write path=value,value, for example fit.batch_size=4,8")
    separator = ";" if isinstance(recipe.get(path), tuple) else ","
    return path, [recipe.change_text(f"{path}={value}").get(path) for value in split_typed(typed, separator)]
