"""The price list: the Dice that the repair of each quirk gains, per pipeline and dataset."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd
import torch

from llmseg import __version__, zoo
from llmseg.data.draw_holdout import hold_out
from llmseg.data.store import Store
from llmseg.errors import UserError, nearest
from llmseg.files import check_kind, make_folder, read_json, write_text
from llmseg.prediction.load import load_model
from llmseg.recipe.given import change_all
from llmseg.recipe.quirks import Quirk, get_quirk, quirk_names
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Score
from llmseg.study.design import Design
from llmseg.study.grid import run_designs
from llmseg.study.options import Launch
from llmseg.study.prices.contrasts import Contrast, find_contrast
from llmseg.study.study import Study
from llmseg.study.variants import BASE, Variant, resized
from llmseg.training.hardware import hardware
from llmseg.training.run import Run

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from llmseg.study.options import LaunchOptions

TEXTBOOK = "textbook"
"""Name of the textbook recipe in a price list."""

QuirkKind = Literal["mistake", "choice", "all"]


@dataclass(frozen=True, kw_only=True)
class PriceSettings:
    """How the trainings behind a price list are made; a list holds prices of one setting only.

    Attributes:
        fraction: Share of the cases that is held out and scored.
        size: Height and width in pixels for all recipes; ``None`` for each recipe's own.
        batch_size: Cases per step for all recipes; ``None`` for each recipe's own.
        epochs: Epochs for all recipes; ``None`` for each recipe's own.
        seeds: Number of seeds.
        textbook: Changes of the textbook recipe, each as ``path=value``.

    Example:
        >>> PriceSettings(size=64, epochs=8, seeds=5).fraction
        0.4
    """

    fraction: float = 0.4
    size: int | None = None
    batch_size: int | None = None
    epochs: int | None = None
    seeds: int = 3
    textbook: tuple[str, ...] = ()

    @property
    def imposed(self) -> frozenset[str]:
        """Paths of the fields that have one value for all recipes, so that no quirk of theirs can be priced."""
        given = {"images.size": self.size, "fit.epochs": self.epochs}
        return frozenset(path for path, value in given.items() if value)

    def recipe(self, pipeline: str) -> Recipe:
        """Return the recipe of a pipeline, or the textbook's, in the size that is trained."""
        base = change_all(zoo.TEXTBOOK, self.textbook) if pipeline == TEXTBOOK else zoo.get(pipeline).recipe
        return resized(base, size=self.size, batch_size=self.batch_size)


@dataclass(frozen=True)
class PriceList:
    """A price list on disk.

    Attributes:
        path: A JSON file: hardware, versions, settings, and a row per dataset, pipeline and quirk.
    """

    path: Path

    @property
    def record(self) -> dict[str, Any]:
        """The content of the file.

        Raises:
            UserError: It is missing, or no price list.
        """
        return read_json(self.path, {"settings": dict, "datasets?": dict, "rows": list[dict[str, object]]})

    @property
    def rows(self) -> pd.DataFrame:
        """A row per dataset, pipeline and quirk.

        ``gained`` is the Dice that the repair gains, with the interval ``low`` to ``high``; ``dice_having`` and
        ``dice_without`` are the mean Dice with the quirk and without it. For a quirk of a score, ``own_before`` and
        ``own_after`` are the pipeline's own test score as it is and as the repaired score would have it.
        """
        frame: pd.DataFrame = pd.DataFrame(self.record["rows"])
        return frame


def run_prices(
    store: Store,
    out: str | Path,
    pipelines: Sequence[str] = (),
    *,
    settings: PriceSettings | None = None,
    kind: QuirkKind = "all",
    leave_out: Sequence[str] = (),
    **options: Unpack[LaunchOptions],
) -> PriceList:
    """Train pipelines as they are and with each of their quirks repaired, and write what every repair gains.

    All masks are scored by one evaluator on held-out cases. The textbook recipe is trained, too, with every quirk
    planted that one of its fields can bring in, with a value that some pipeline has there. A quirk of a score changes
    no mask: its price is what the pipeline's own test score becomes when the same network is scored with the repaired
    one.

    The same call continues an interrupted list. A call with another store or other pipelines adds to the list.

    Args:
        store: The cases.
        out: Folder of the trainings and of ``prices.json``.
        pipelines: Names as for :func:`llmseg.zoo.get`, and ``textbook``; the nineteen and ``textbook`` if empty.
        settings: How the trainings are made; by default as each recipe says, with three seeds.
        kind: Whether to price ``mistake``, ``choice`` or ``all`` quirks.
        leave_out: Ids of quirks that are not priced, for example because a dataset is too small for the repair.
        **options: Options of :func:`llmseg.run_study`: ``device``, ``precision``, ``progress``, and
            ``leave_out_failing``, which leaves out quirks whose repair, and pipelines whose recipe fails.

    Raises:
        UserError: The folder has a list of other settings, there is no such pipeline or quirk, or as
            :func:`llmseg.run_study`.

    Example:
        >>> prices = run_prices(store, "prices", ["gpt-4"])  # doctest: +SKIP
        >>> prices.rows[["quirk", "gained", "low", "high"]]  # doctest: +SKIP
    """
    settings = settings or PriceSettings()
    names = [name if name == TEXTBOOK else zoo.get(name).id for name in pipelines] or [*zoo.names(), TEXTBOOK]
    quirks = _chosen_quirks(kind, leave_out)
    prices = PriceList(Path(out) / "prices.json")
    folder = prices.path.parent
    check_kind(folder, "price list", holds=prices.path.is_file() or any(folder.rglob("study.json")))
    datasets, rows = _read_earlier(prices, settings)
    facts = {"cases": len(store.ids), "digest": store.digest}
    if datasets.setdefault(store.name, facts) != facts:
        raise UserError(f"{prices.path} has prices of another {store.name}; choose another --out")
    holdout = hold_out(store, fraction=settings.fraction, progress=False)
    contrasts = {name: _find_contrasts(name, quirks, settings) for name in names}
    designs = [
        Design.of(
            options,
            folder=folder / store.name / name,
            label=name,
            variants=(Variant(BASE, settings.recipe(name)), *(c.variant for c in contrasts[name] if c.changes_masks)),
            store=store,
            folds=(holdout,),
            seeds=settings.seeds,
            epochs=settings.epochs,
            essential=frozenset({BASE}),
        )
        for name in names
        if contrasts[name]
    ]
    studies = run_designs(designs, Launch.of(options))
    for name in names:
        study = next(studies) if contrasts[name] else None
        priced = _price_pipeline(study, store, contrasts[name]) if study else []
        rows = [row for row in rows if (row["dataset"], row["pipeline"]) != (store.name, name)]
        rows += [{"dataset": store.name, "pipeline": name, **row} for row in priced]
        _write(prices.path, settings, datasets, rows)
    return prices


def _chosen_quirks(kind: QuirkKind, leave_out: Sequence[str]) -> list[Quirk]:
    if kind not in get_args(QuirkKind):
        allowed = ", ".join(get_args(QuirkKind))
        raise UserError(f"no kind of quirks '{kind}'{nearest(kind, get_args(QuirkKind))}; there are: {allowed}")
    left_out = {get_quirk(id).id for id in leave_out}
    quirks = [get_quirk(id) for id in quirk_names() if id not in left_out]
    return [quirk for quirk in quirks if kind in (quirk.kind, "all")]


def _find_contrasts(name: str, quirks: Sequence[Quirk], settings: PriceSettings) -> list[Contrast]:
    base = settings.recipe(name)
    contrasts = [contrast for quirk in quirks if (contrast := find_contrast(base, quirk, plant=name == TEXTBOOK))]
    # A field that has one value for all recipes, whatever they say, cannot be repaired.
    return [contrast for contrast in contrasts if contrast.field not in settings.imposed]


def _price_pipeline(study: Study, store: Store, contrasts: Sequence[Contrast]) -> list[dict[str, Any]]:
    """Return a row per quirk, without those whose repair failed."""
    differences = study.differences().set_index("variant")
    return [
        {
            "planted": contrast.planted,
            "quirk": contrast.quirk.id,
            "kind": contrast.quirk.kind,
            "changes_masks": contrast.changes_masks,
            **(
                _describe_gain(differences.loc[contrast.variant.name], planted=contrast.planted)
                if contrast.changes_masks
                else _describe_own_scores(study, store, contrast)
            ),
        }
        for contrast in contrasts
        if not contrast.changes_masks or contrast.variant.name in differences.index
    ]


def _describe_gain(row: Any, *, planted: bool) -> dict[str, Any]:
    """Return what the repair gains: the variant over the base or, for a planted quirk, the base over the variant."""
    sign = -1 if planted else 1
    base, variant = float(row["base"]), float(row["mean"])
    having, without = (variant, base) if planted else (base, variant)
    # Adding zero turns a negative zero into zero.
    low, high = sorted((sign * float(row["low"]) + 0.0, sign * float(row["high"]) + 0.0))
    gained = sign * float(row["difference"]) + 0.0
    means = {"dice_having": having, "dice_without": without, "gained": gained, "low": low, "high": high}
    return {**means, "groups": int(row["groups"]), "seeds": int(row["seeds"])}


def _describe_own_scores(study: Study, store: Store, contrast: Contrast) -> dict[str, Any]:
    """Return that no mask changes, and the pipeline's own score as it is and as it becomes."""
    runs = study.runs(BASE)
    part = "score" if contrast.field.startswith("score") else "test"
    scores = [getattr(recipe, part) for recipe in (contrast.having, contrast.without)]
    before, after = (statistics.fmean(compute_own_score(run, store, score) for run in runs) for score in scores)
    return {"gained": 0.0, "low": 0.0, "high": 0.0, "seeds": len(runs), "own_before": before, "own_after": after}


def compute_own_score(run: Run, store: Store, score: Score | None) -> float:
    """Return the mean of what a script would list for its own test part by a score; not-a-number without a score."""
    if score is None:
        return math.nan
    net, recipe = load_model(run.folder)
    ids = run.split.test
    listed = []
    for first in range(0, len(ids), recipe.fit.batch_size):
        cases = [store.read(id) for id in ids[first : first + recipe.fit.batch_size]]
        images, masks = zip(*(recipe.images(case.image, case.mask) for case in cases), strict=True)
        with torch.no_grad():
            listed.append(score(net.eval()(torch.stack(images)), torch.stack(masks)))
    return statistics.fmean(score.collect(listed))


def _read_earlier(prices: PriceList, settings: PriceSettings) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return datasets and rows that the list has; one of other settings is not mixed with this one."""
    if not prices.path.is_file():
        return {}, []
    record = prices.record
    wanted = json.loads(json.dumps(asdict(settings)))
    differing = [name for name, value in wanted.items() if record["settings"].get(name) != value]
    if differing:
        there = record["settings"].get(differing[0])
        raise UserError(f"{prices.path} was made with {differing[0]} {there}; choose another --out")
    return dict(record.get("datasets", {})), list(record["rows"])


def _write(path: Path, settings: PriceSettings, datasets: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    content = {
        "hardware": hardware(),
        "versions": {"llmseg": __version__, "torch": torch.__version__},
        "settings": asdict(settings),
        "datasets": datasets,
        "rows": rows,
    }
    make_folder(path.parent)
    write_text(path, json.dumps(content, indent=1) + "\n")
