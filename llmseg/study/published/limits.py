"""What cannot be compared between results and the published figures: other sizes, budgets, cases and scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Set

from llmseg import zoo
from llmseg.data.catalog import get_dataset
from llmseg.errors import shorten_list
from llmseg.recipe.recipe import Recipe
from llmseg.stats.words import range_text
from llmseg.study.plan import count_training_part
from llmseg.study.results import ContenderRun, Results

_SCORES = (
    "Other scores: published are means and medians over batches, by each script's own Dice on its own test images, "
    "which it drew image by image; here every case has a Dice of its own, by one rule for all"
)
_READING = "Published medians and quartiles were read off box plots, to about 0.002; the study has no spread of means"


def list_limits(results: Results, datasets: Mapping[str, str], pipelines: Set[str]) -> tuple[str, ...]:
    """Return what cannot be compared, a sentence each.

    Args:
        results: The results.
        datasets: What the study calls each dataset that is compared, by its name in the results.
        pipelines: The pipelines that are compared.
    """
    limits = [_SCORES, _READING]
    for name, published_as in datasets.items():
        runs = [run for run in results.runs if run.dataset == name and run.contender in pipelines]
        limits += _of_cases(results, name, published_as, runs)
        limits += _of_training(name, published_as, runs)
    return tuple(limits)


def _of_cases(results: Results, name: str, published_as: str, runs: list[ContenderRun]) -> Iterator[str]:
    use = get_dataset(published_as).study
    scored = results.scores.select(dataset=name).frame["case"].nunique()
    trained = range_text([_count_training_cases(run) for run in runs])
    ours = f"trained on {trained} cases and scored on {scored}" if runs else f"scored on {scored} cases"
    which = "" if use and use.known else ", and which is not known"
    theirs = f"; the study took {use.cases:,} in all{which}" if use else ""
    yield f"Other cases of {name}: {ours}{theirs}"


def _of_training(name: str, published_as: str, runs: list[ContenderRun]) -> Iterator[str]:
    """Yield in which fields the recipes of runs differ from the scripts', and how many images each has seen."""
    if not runs:
        yield f"Training on {name}: only scores were given, so how the contenders were trained is not known"
        return
    changed = {path: (had, has) for path, had, has in _changes(runs)}
    if "images.size" in changed:
        had, has = changed.pop("images.size")
        yield f"Other size on {name}: {has} pixels instead of {had}"
    ours, theirs = _images_seen(runs), _images_seen_in_study(runs, published_as)
    if theirs and ours != theirs:
        seen, published = range_text(ours), range_text(theirs)
        yield f"Other budget on {name}: {seen} images seen in training instead of about {published}"
    changed.pop("fit.epochs", None)
    if changed:
        listed = shorten_list(f"{path} ({has} instead of {had})" for path, (had, has) in changed.items())
        yield f"Other recipes on {name}: {listed}"


def _changes(runs: list[ContenderRun]) -> Iterator[tuple[str, str, str]]:
    """Yield the fields that a run changed, with the values in the scripts and in the runs."""
    pairs = [(zoo.get(run.contender).recipe, run.run.recipe) for run in runs]
    paths = dict.fromkeys(difference.path for own, recipe in pairs for difference in own.diff(recipe))
    for path in paths:
        differing = [(own, recipe) for own, recipe in pairs if any(found.path == path for found in own.diff(recipe))]
        yield path, _values(path, [own for own, _ in differing]), _values(path, [recipe for _, recipe in differing])


def _values(path: str, recipes: list[Recipe]) -> str:
    counted = Counter(dict(recipe.items()).get(path) for recipe in recipes)
    return " or ".join(_text(value) for value, _ in counted.most_common())


def _text(value: object) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _images_seen(runs: list[ContenderRun]) -> list[int]:
    return [run.run.recipe.fit.epochs * _count_training_cases(run) for run in runs]


def _count_training_cases(run: ContenderRun) -> int:
    """Return on how many cases a run was trained.

    A collected study names no cases; then it is how many the recipe's own split takes of those that there were.
    """
    if run.has_weights:
        return len(run.run.split.train)
    return _count_share(run.run.recipe, run.run.record["store"]["cases"])


def _count_share(recipe: Recipe, cases: int) -> int:
    """Return how many of some cases a recipe takes for training."""
    return count_training_part(recipe.split, tuple(str(number) for number in range(cases)))


def _images_seen_in_study(runs: list[ContenderRun], published_as: str) -> list[int]:
    """Return how many images each script has seen, if it trained on its own share of all cases of the study."""
    use = get_dataset(published_as).study
    if use is None:
        return []
    recipes = {run.contender: zoo.get(run.contender).recipe for run in runs}
    seen = {name: recipe.fit.epochs * _count_share(recipe, use.cases) for name, recipe in recipes.items()}
    return [seen[run.contender] for run in runs]
