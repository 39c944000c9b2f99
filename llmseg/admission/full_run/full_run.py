"""Running scripts in full on a store, with the held-out cases as their test part."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from llmseg.admission.full_run.cases import Given, give_cases, give_coded
from llmseg.admission.full_run.predicted import Mask, list_shown, read_outputs, read_written
from llmseg.admission.full_run.sight import Sight
from llmseg.admission.hard_coded_paths import find_demanded_arguments
from llmseg.admission.observing.record import Record, read_record
from llmseg.admission.runner import Runner
from llmseg.admission.running import ScriptRun
from llmseg.admission.running.epochs import tell_epochs
from llmseg.admission.scripts import read_scripts
from llmseg.data.holdout import Holdout
from llmseg.data.store import Store
from llmseg.files import make_folder
from llmseg.stats.words import count_text

_TRIES = 3
_NAMING_EPOCHS = 2
"""With one, cases that are scored after it may be those of validation or test."""

_UNUSUAL = 987654
"""A number of epochs that no script has, so that each place is found where one stands."""


@dataclass(frozen=True)
class FullRun:
    """What came of scripts on the cases of a store.

    Attributes:
        state: ``"reached"`` if each held-out case has a mask; otherwise as of a stage.
        reason: How the masks came about, or why there are none.
        place: Where in the scripts they ended, as ``file:line``.
    """

    state: str
    reason: str
    place: str = ""


def run_in_full(runner: Runner, store: Store, holdout: Holdout, epochs: int | None, masks: Path) -> FullRun:
    """Run scripts in full, and write the masks that come of it for the held-out cases.

    The scripts divide the cases themselves. So it is found out first, with coded cases, which names of files they test.
    These names are then given to the held-out cases, with masks of other cases: those of their own are nowhere in the
    sandbox. If scripts test fewer cases than are held out, they run several times, on the same training cases.

    Args:
        runner: How the scripts are run.
        store: The cases.
        holdout: The test cases.
        epochs: The number of epochs; ``None`` for that of the scripts.
        masks: A folder for the masks, each called as its case.
    """
    rest, held = list(holdout.rest(store).ids), list(holdout.test_ids)
    channels = 1 if store.read(rest[0]).image.ndim == 2 else 3
    with tempfile.TemporaryDirectory(prefix="llmseg-full-run-") as name:
        found = _find_names(runner, len(rest), len(held), channels, Path(name))
        if isinstance(found, FullRun):
            return found
        names, tested = found
        kept = rest[: len(names) - len(tested)]
        rounds = [held[start : start + len(tested)] for start in range(0, len(held), len(tested))]
        how: set[str] = set()
        for number, part in enumerate(rounds):
            given = give_cases(store, kept, part, names, tested)
            run, record = _run(runner, given, Path(name, f"full-{number}"), epochs, learns=False)
            if not run.outcome.is_finished:
                return _describe_end(run)
            way, predicted = _find_masks(given, run, record)
            how.add(way)
            lacking = [id for id in part if id not in predicted]
            if lacking:
                why = f"{len(lacking)} of {count_text(len(part), 'test case')} have no mask, in no file and no output"
                return FullRun("not decidable", why)
            for id in part:
                path = (masks / id).with_suffix(".png")
                make_folder(path.parent)
                Image.fromarray(predicted[id].astype(np.uint8) * 255).save(path)
    said = [f"masks from {' and '.join(sorted(how))}", f"{count_text(len(held), 'test case')} of {store.name}"]
    if len(rounds) > 1:
        said.append(f"{len(rounds)} runs, as they test {len(tested)} at a time")
    if len(kept) < len(rest):
        said.append(f"{count_text(len(rest) - len(kept), 'training case')} left out, to keep their shares")
    if epochs is not None and not _takes_epochs(runner.folder):
        said.append("it was not seen that they can be told the number of epochs")
    return FullRun("reached", "; ".join(said))


def _run(runner: Runner, given: Given, out: Path, epochs: int | None, learns: bool) -> tuple[ScriptRun, Record]:
    """Run scripts on cases; return the run and what was written down of it.

    Args:
        runner: How they are run.
        given: The cases.
        out: A new folder.
        epochs: The number of epochs that they are told; ``None`` for their own.
        learns: Whether to write down which cases are learnt.
    """
    given.write(out / "cases")
    predictions = {"LLMSEG_PREDICTIONS": "all" if learns else "last"}
    run = runner.run(out / "cases", out / "files", out / "record", epochs=epochs, environment=predictions)
    return run, read_record(out / "record")


def _takes_epochs(folder: Path) -> bool:
    """Return whether scripts can be told the number of epochs: in their text, or by an argument that they demand."""
    scripts = read_scripts(folder)
    _, told = tell_epochs(scripts, _UNUSUAL)
    return bool(told) or any("epoch" in argument.flag for argument in find_demanded_arguments(scripts))


def _describe_end(run: ScriptRun) -> FullRun:
    outcome = run.outcome
    if outcome.ended_by == "harness":
        return FullRun("harness fault", "; ".join(outcome.faults) or "the sandbox failed")
    if outcome.ended_by == "limit":
        return FullRun("limit", f"{outcome.limit}; give --epochs, or more --minutes in another --out", run.place)
    return FullRun("failed", run.exception or outcome.signal or f"exit code {outcome.exit_code}", run.place)


def _find_names(
    runner: Runner, rest: int, held: int, channels: int, out: Path
) -> tuple[tuple[str, ...], set[str]] | FullRun:
    """Return names of files, and which of them the scripts test, so that the others are as many as cases to learn."""
    count, best = rest + held, None
    for number in range(_TRIES):
        given = give_coded(count, channels)
        run, record = _run(runner, given, out / f"naming-{number}", _NAMING_EPOCHS, learns=True)
        if not run.outcome.is_finished:
            return _describe_end(run)
        tested = _find_tested(given, run, record)
        if not tested:
            return FullRun("not decidable", "it was not seen which cases they test, in no file and no output")
        spare = rest - (count - len(tested))
        if spare >= 0 and (best is None or spare < best[0]):
            best = spare, given.names, tested
        if spare == 0:
            break
        count += spare
    if best is None:
        return FullRun("not decidable", "they divide the cases otherwise each time")
    return best[1], best[2]


def _find_tested(given: Given, run: ScriptRun, record: Record) -> set[str]:
    """Return the names of the test part: of masks that are written, or of cases that are scored after the last step."""
    shown = list(list_shown(record, _know(given)))
    last = max((steps for _, steps, _ in shown), default=0)
    before = {name for name, steps, learns in shown if learns or steps < last}
    scored = {name for name, steps, learns in shown if not learns and steps == last} - before - {""}
    # Of the files, some may be pictures of a few cases; where it was seen what a network was given, that counts.
    is_known = any(name for name, _, _ in shown)
    return scored if is_known else set(_read_written(given, run, given.names))


def _find_masks(given: Given, run: ScriptRun, record: Record) -> tuple[str, Mapping[str, Mask]]:
    """Return the masks of held-out cases, and where they are from: files if all are there, otherwise outputs."""
    written = _read_written(given, run, given.held)
    if set(written) == set(given.held):
        return "files that they wrote", _by_case(given, written)
    sizes = {name: given.read(name)[1].shape for name in given.held}
    return "outputs of their network", _by_case(given, read_outputs(record, _know(given), sizes))


def _read_written(given: Given, run: ScriptRun, names: Iterable[str]) -> dict[str, Mask]:
    """Return the masks that scripts wrote, by name; none if cases are counted anew in each folder: names clash then."""
    return read_written(run.outcome.results.masks, given.masks(names)) if run.layout.first_number is None else {}


def _know(given: Given) -> Sight:
    return Sight(given.names, lambda name: given.read(name)[0])


def _by_case(given: Given, masks: Mapping[str, Mask]) -> dict[str, Mask]:
    return {given.held[name]: mask for name, mask in masks.items()}
