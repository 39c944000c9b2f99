"""The stages *full run* and *rank*: an admitted recipe is trained beside contenders, and all are scored alike."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from llmseg.admission.stages.stage import StageVerdict, State
from llmseg.data.given import GivenHoldout, GivenStore, find_holdout, find_store
from llmseg.data.holdout import Holdout
from llmseg.data.store import Store
from llmseg.errors import UserError
from llmseg.files import clean_name
from llmseg.recipe.given import GivenRecipe
from llmseg.stats.columns import sign
from llmseg.stats.words import count_text
from llmseg.study.contenders import NNUNET, find_contenders, list_contenders
from llmseg.study.design import Design
from llmseg.study.grid import run_designs
from llmseg.study.launching.failures import FailureKind, read_failures
from llmseg.study.options import Launch
from llmseg.study.questions import choose_folds
from llmseg.study.study import Study
from llmseg.study.variants import Variant
from llmseg.training.device import choose_device
from llmseg.training.numerics import choose_numerics

if TYPE_CHECKING:
    from llmseg.study.options import TrainingOptions

AGAINST = ("gpt-o3", "gpt-4", "monai-basic-unet")
"""Against whom a pipeline is ranked if nobody is named: one of each cohort of the study, and a reference."""

_STATES: dict[FailureKind, State] = {"out-of-memory": "limit", "error": "harness fault"}

Contenders = Iterable[Variant | GivenRecipe] | Variant | GivenRecipe
"""Against whom a pipeline is ranked: one or several of what :func:`llmseg.compare` takes."""


@dataclass(frozen=True)
class Contest:
    """On which cases, and against whom, an admitted pipeline is ranked.

    Attributes:
        store: The cases.
        holdout: The test cases, on which all are scored.
        against: The other contenders.
        options: How all are trained: seeds, epochs, device and so on.
    """

    store: Store
    holdout: Holdout
    against: tuple[Variant, ...]
    options: TrainingOptions

    def design(self, mine: Variant, out: Path) -> Design:
        """Return the study in which a recipe and the other contenders are trained.

        The name of its folder has a digest of what is asked, so that another question has a folder of its own.
        """
        design = Design.of(
            self.options,
            folder=out,
            label=None,
            variants=(mine, *self.against),
            store=self.store,
            folds=(self.holdout,),
            essential=frozenset({mine.name}),
        )
        digest = hashlib.sha256(json.dumps(design.facts, sort_keys=True).encode()).hexdigest()[:8]
        return replace(design, folder=out / f"{clean_name(self.store.name, also='-_.')}-{digest}")


@dataclass(frozen=True)
class Ranked:
    """What came of a contest.

    Attributes:
        verdicts: Of the stages *full run* and *rank*.
        study: The study with all contenders; ``None`` if nothing could be compared.
        leaderboard: The contenders, best first, each with ``place``, ``contender``, ``mean``, ``low``, ``high`` and
            ``seeds``, in the measure Dice.
    """

    verdicts: tuple[StageVerdict, ...]
    study: Path | None = None
    leaderboard: tuple[dict[str, Any], ...] = ()


def find_contest(
    name: str,
    data: GivenStore | None,
    holdout: GivenHoldout | None,
    against: Contenders | None,
    options: TrainingOptions,
) -> Contest | None:
    """Return the contest that is asked for; ``None`` without cases.

    Args:
        name: What the admitted pipeline is called.
        data: The cases.
        holdout: The test cases; ``None`` to draw them by group with seed 0.
        against: The other contenders; ``None`` for :data:`AGAINST`.
        options: How all are trained.

    Raises:
        UserError: Cases cannot be read, a contender is not known or has the same name, or nobody is left.
    """
    if data is None:
        given = [
            name for name, value in {"against": against, "holdout": holdout, **options}.items() if value is not None
        ]
        if given:
            words = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise UserError(f"{words} without cases to rank on; give --data STORE, too")
        return None
    listed = list_contenders(AGAINST if against is None else against)
    if NNUNET in listed:
        raise UserError(
            f"{NNUNET} is no recipe; name pipelines here, and give OUT/recipe/{name}.json and {NNUNET} to llmseg "
            "compare"
        )
    others = find_contenders(listed)
    if not others:
        raise UserError("there is nobody to rank against; give --against PIPELINE")
    if name in [other.name for other in others]:
        raise UserError(f"a contender is called {name}, too; give the admitted pipeline another --name")
    store = find_store(data)
    chosen = None if holdout is None else find_holdout(holdout)
    (fold,) = choose_folds(store, chosen, None, progress=options.get("progress", True))
    contest = Contest(store, fold, others, options)
    # What is wrong with the options is said now, and not after the scripts have run.
    contest.design(others[0], Path())
    device = choose_device(Launch.of(options).device)
    choose_numerics(device, options.get("precision", "auto"))
    return contest


def run_contest(contest: Contest, mine: Variant, out: Path) -> Ranked:
    """Train a recipe and the other contenders, and score all on the test cases; the same call again goes on.

    Contenders that fail are left out.

    Args:
        contest: The cases and the others.
        mine: The recipe, under the name of the admitted pipeline.
        out: A folder for studies, which holds one per contest.

    Raises:
        UserError: The cases cannot be read, or something keeps all from being trained.
    """
    design = contest.design(mine, out)
    (study,) = run_designs([design], Launch.of({**contest.options, "leave_out_failing": True}))
    failures = [each for each in read_failures(design.folder) if each.kind != "killed"]
    own = next((failure for failure in failures if failure.variant == mine.name), None)
    if own is not None:
        verdict = StageVerdict("full run", _STATES.get(own.kind, "failed"), own.cause)
        return Ranked((verdict, StageVerdict("rank", "not reached", "without its scores there is no rank")))
    others = "; ".join(str(failure) for failure in failures)
    if study is None:
        why = f"no other contender can be trained: {others}"
        return Ranked((StageVerdict("full run", "not decidable", why), StageVerdict("rank", "not decidable", why)))
    board = list_leaderboard(study)
    return Ranked((_describe_run(contest, study, mine), _describe_place(board, mine.name, others)), study.folder, board)


def list_leaderboard(study: Study) -> tuple[dict[str, Any], ...]:
    """Return the contenders of a study, best first, with the intervals of their means; equal means share a place."""
    measure = study.measures[0]
    table = study.means(measure).sort_values("mean", ascending=sign(measure) < 0, kind="stable")
    places = table["mean"].rank(ascending=sign(measure) < 0, method="min")
    return tuple(
        {"place": int(place), "contender": str(row["variant"])}
        | {key: float(row[key]) for key in ("mean", "low", "high")}
        | {"seeds": int(row["seeds"])}
        for place, row in zip(places, table.to_dict("records"), strict=True)
    )


def _describe_run(contest: Contest, study: Study, mine: Variant) -> StageVerdict:
    recipe, seeds = mine.recipe, study.record["seeds"]
    epochs = contest.options.get("epochs") or recipe.fit.epochs
    cases = f"{count_text(len(contest.holdout.test_ids), 'test case')} of {contest.store.name}"
    return StageVerdict("full run", "reached", f"{count_text(epochs, 'epoch')}, {count_text(seeds, 'seed')}; {cases}")


def _describe_place(board: Sequence[dict[str, Any]], name: str, left_out: str) -> StageVerdict:
    own = next(row for row in board if row["contender"] == name)
    reason = f"place {own['place']} of {len(board)}, Dice {own['mean']:.4f}"
    return StageVerdict("rank", "reached", f"{reason}; left out: {left_out}" if left_out else reason)


def say_without_recipe(verdicts: Sequence[StageVerdict], foreign: Mapping[str, str]) -> tuple[StageVerdict, ...]:
    """Return the verdicts on the two stages where no recipe is known.

    Args:
        verdicts: Those on the stages before.
        foreign: The parts that no field says.
    """
    ended = next((verdict for verdict in verdicts if verdict.state in ("failed", "limit")), None)
    if ended is not None:
        state, why = "not reached", f"they had ended before, at the stage {ended.stage}"
    else:
        parts = f", for no field says {' and '.join(foreign)}" if foreign else ""
        state, why = "not decidable", f"recipes are trained here, and there is none{parts}"
    return tuple(StageVerdict(stage, cast(State, state), why) for stage in ("full run", "rank"))
