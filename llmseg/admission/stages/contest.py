"""The stages *full run* and *rank*: an admitted pipeline is scored beside contenders, all on the same cases.

Its recipe is trained as theirs are. If it has none, its scripts run in full, and the masks are scored that come of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from llmseg.admission.full_run import run_in_full
from llmseg.admission.runner import Runner
from llmseg.admission.stages.folder import AdmissionFolder
from llmseg.admission.stages.stage import StageVerdict, State, read_verdict
from llmseg.data.given import GivenHoldout, GivenStore, find_holdout, find_store
from llmseg.data.holdout import Holdout
from llmseg.data.store import Store
from llmseg.errors import UserError
from llmseg.evaluation.evaluate import evaluate_masks
from llmseg.files import clean_name
from llmseg.recipe.given import GivenRecipe
from llmseg.stats.columns import sign
from llmseg.stats.words import count_text
from llmseg.study.contenders import NNUNET, find_contenders, list_contenders
from llmseg.study.conventions import all_conventions
from llmseg.study.design import Design
from llmseg.study.grid import list_failures, run_designs
from llmseg.study.launching.failures import FailureKind, read_failures
from llmseg.study.options import Launch
from llmseg.study.questions import choose_folds
from llmseg.study.study import BESIDE, Study
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

    def design(self, mine: Variant | None, out: Path) -> Design:
        """Return the study in which the contenders are trained.

        The name of its folder has a digest of what is asked, so that another question has a folder of its own.

        Args:
            mine: The admitted recipe; ``None`` for the other contenders alone.
            out: The folder of all such studies.
        """
        own = () if mine is None else (mine,)
        design = Design.of(
            self.options,
            folder=out,
            label=None,
            variants=(*own, *self.against),
            store=self.store,
            folds=(self.holdout,),
            essential=frozenset(variant.name for variant in own),
        )
        return replace(design, folder=out / self._name(design.facts))

    @property
    def full_run(self) -> str:
        """The name under which a full run of scripts is kept: others may be asked for later."""
        asked = {"store": self.store.digest, "holdout": self.holdout.digest, "epochs": self.options.get("epochs")}
        return f"{self._name(asked)}-scripts"

    def _name(self, asked: Mapping[str, Any]) -> str:
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:8]
        return f"{clean_name(self.store.name, also='-_.')}-{digest}"


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
    contest.design(None, Path())
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
    if study is None:
        why = f"no other contender can be trained: {'; '.join(map(str, failures))}"
        return Ranked((StageVerdict("full run", "not decidable", why), StageVerdict("rank", "not decidable", why)))
    return _rank(study, mine.name, _describe_run(contest, study, mine))


def _rank(study: Study, name: str, full_run: StageVerdict) -> Ranked:
    """Return the place of a contender that is in a study or beside it."""
    board = list_leaderboard(study)
    own = next(row for row in board if row["contender"] == name)
    reason = f"place {own['place']} of {len(board)}, Dice {own['mean']:.4f}"
    if study.failures:
        reason += f"; left out: {'; '.join(map(str, study.failures))}"
    return Ranked((full_run, StageVerdict("rank", "reached", reason)), study.folder, board)


def run_contest_of_scripts(contest: Contest, name: str, runner: Runner, kept: AdmissionFolder) -> Ranked:
    """Run scripts in full, score the masks that come of it, and rank them among contenders that are trained.

    The scripts run once, with the seeds that they set themselves; the same call again does not run them again.

    Args:
        contest: The cases and the others.
        name: What the pipeline is called.
        runner: How the scripts are run.
        kept: The folder of the admission.

    Raises:
        UserError: As for :func:`run_contest`.
    """
    out = kept.path / "ranked"
    masks = out / contest.full_run / "masks"
    verdict = read_verdict(kept.keep(f"ranked/{contest.full_run}/run", lambda: _run_scripts(contest, runner, masks)))
    if verdict.state != "reached":
        return Ranked((verdict, StageVerdict("rank", "not reached", "without its scores there is no rank")))
    design = contest.design(None, out)
    (study,) = run_designs([design], Launch.of({**contest.options, "leave_out_failing": True}))
    if study is None:
        why = f"no other contender can be trained: {list_failures(design)}"
        return Ranked((verdict, StageVerdict("rank", "not decidable", why)))
    evaluate_masks(
        *(masks, contest.store, study.folder / BESIDE / name),
        label=name,
        holdout=contest.holdout,
        tolerance=design.tolerance,
        rules=all_conventions(),
        seed=0,
        progress=contest.options.get("progress", True),
    )
    return _rank(study, name, verdict)


def _run_scripts(contest: Contest, runner: Runner, masks: Path) -> dict[str, Any]:
    """Return the verdict on a full run as values that JSON can hold."""
    try:
        ran = run_in_full(runner, contest.store, contest.holdout, contest.options.get("epochs"), masks)
        verdict = StageVerdict("full run", cast(State, ran.state), ran.reason, ran.place)
    except UserError:
        raise
    except Exception as error:  # whatever scripts wrote there, the other verdicts stand
        verdict = StageVerdict("full run", "harness fault", f"{type(error).__name__}: {error}"[:300])
    return {**verdict.to_dict(), "is_final": verdict.state != "harness fault"}


def list_leaderboard(study: Study) -> tuple[dict[str, Any], ...]:
    """Return the contenders of a study and beside it, best first, with intervals; equal means share a place."""
    measure = study.measures[0]
    means = pd.concat([study.means(measure), study.means_beside(measure)], ignore_index=True)
    table = means.sort_values("mean", ascending=sign(measure) < 0, kind="stable")
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


def say_ended(verdicts: Sequence[StageVerdict], run: Mapping[str, Any]) -> tuple[StageVerdict, ...]:
    """Return the verdicts on the two stages where scripts did not get to their end; nothing where they did.

    Args:
        verdicts: Those on the stages before.
        run: What came of the tiny run; empty if there was none.
    """
    if run and run["ended_by"] == "script" and run["exit_code"] == 0:
        return ()
    stage = next((verdict.stage for verdict in verdicts if verdict.state != "reached"), "test")
    why = f"they had ended before, at the stage {stage}"
    return tuple(StageVerdict(each, "not reached", why) for each in ("full run", "rank"))
