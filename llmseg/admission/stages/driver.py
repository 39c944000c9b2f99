"""Admission of a folder of scripts: stage by stage, each kept as soon as it is decided."""

from __future__ import annotations

import functools
import hashlib
import re
import shlex
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmseg.admission.probes import PROBES
from llmseg.admission.runner import Runner
from llmseg.admission.running.files import digest_folder
from llmseg.admission.sandbox import Limits
from llmseg.admission.sandbox.ladder import choose_rung
from llmseg.admission.scripts import read_scripts
from llmseg.admission.stages.admission import Admission, join_findings
from llmseg.admission.stages.card import write_card
from llmseg.admission.stages.code_error import CodeError, find_errors, write_errors
from llmseg.admission.stages.contest import (
    Contenders,
    Contest,
    Ranked,
    find_contest,
    run_contest,
    run_contest_of_scripts,
    say_ended,
)
from llmseg.admission.stages.folder import AdmissionFolder, open_folder
from llmseg.admission.stages.judge import judge_static
from llmseg.admission.stages.known_good import write_known_good
from llmseg.admission.stages.mistakes import extract, judge_probes, make_bench, probe, read_finding
from llmseg.admission.stages.replayed import replay
from llmseg.admission.stages.stage import StageVerdict, read_verdict
from llmseg.admission.stages.tiny_run import Seen, run_tiny
from llmseg.admission.stages.turns import read_chat
from llmseg.admission.static import check_statically, find_entry
from llmseg.data.given import GivenHoldout, GivenStore
from llmseg.errors import UserError
from llmseg.files import clean_name, read_bytes, write_text
from llmseg.recipe import Recipe
from llmseg.study.variants import Variant

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from llmseg.study.options import TrainingOptions

_MOST_MINUTES = 10080

Tell = Callable[[object], object]


def admit(
    folders: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    name: str | None = None,
    chat: str | Path | None = None,
    minutes: float = 10,
    probes: bool = True,
    rung: str | None = None,
    start: Sequence[str] = (),
    tell: Tell = lambda said: None,
    data: GivenStore | None = None,
    holdout: GivenHoldout | None = None,
    against: Contenders | None = None,
    **options: Unpack[TrainingOptions],
) -> Admission:
    """Admit the scripts of a folder: how far they run, what broke, and what is silently wrong.

    Scripts run in the sandbox, for a few epochs on a few dyed cases. What is decided is kept in ``out`` at once, and
    the same call goes on where an earlier one was ended.

    Args:
        folders: The folder of the scripts. Several are the successive answers of one chat: the last is admitted, and
            those before it tell which errors were repaired.
        out: A new folder, or that of the same admission.
        name: What the pipeline is called; by default as its folder.
        chat: A text file with the chat, in place of several folders; the errors in it are counted.
        minutes: The longest that one run may take.
        probes: Whether the scripts run again on changed cases.
        rung: The sandbox, see :func:`llmseg.admission.survey_rungs`; ``None`` for the best one.
        start: The file to start and its arguments, such as ``("train.py", "--fast")``; empty for what the text of the
            scripts shows, see :func:`llmseg.admission.check_statically`.
        tell: Is told every verdict and what each probe says, as soon as it is known.
        data: Cases to rank the pipeline on: a store, or the path of a file or folder, see
            :func:`llmseg.data.find_store`. ``None`` for no ranking.
        holdout: The test cases of these, or their manifest. Without them, cases are drawn by group with seed 0.
        against: Whom to rank it against, as for :func:`llmseg.compare`; ``None`` for a few of the zoo.
        **options: How all are trained: ``seeds``, ``epochs``, ``device``, ``precision``, ``tolerance``, ``retry`` and
            ``progress``, as for :func:`llmseg.run_study`. Contenders that fail are left out.

    Raises:
        UserError: There are no scripts, or not the one to start, the name cannot be one of a folder, ``out`` holds
            something else, no sandbox can be used here, a pipeline that is known to be good does not run in it, or
            cases and contenders cannot be found.

    Example:
        >>> admission = admit("answers/my-llm", "admissions/my-llm")  # doctest: +SKIP
        >>> admission.stage_reached, [finding.id for finding in admission.findings]  # doctest: +SKIP
        ('probes', ['wrong-weights'])
    """
    *earlier, folder = [Path(each) for each in ([folders] if isinstance(folders, str | Path) else folders)]
    if chat is not None and earlier:
        raise UserError("several folders and --chat both tell of the repairs; give one of them")
    called = name if name is not None else clean_name(folder.resolve().name, also="-_.")
    if not re.fullmatch(r"\w[\w.-]{0,99}", called):
        raise UserError(f"name '{called[:80]}': give letters, digits, '-', '_' and '.', such as my-llm")
    if not 0.1 <= minutes <= _MOST_MINUTES:
        raise UserError(f"{minutes:g} minutes: give 0.1 to {_MOST_MINUTES}")
    if rung is not None:
        choose_rung(rung)  # refuses one that is not there before anything is written
    find_entry(read_scripts(folder), start)  # refuses a file that is not there
    contest = find_contest(called, data, holdout, against, options)
    asked = {
        "scripts": _digest(folder),
        "name": called,
        "earlier": [_digest(each) for each in earlier],
        "chat": "" if chat is None else hashlib.sha256(read_bytes(chat, hint="give the chat as text")).hexdigest(),
        "minutes": minutes,
        "start": shlex.join(start),
    }
    with open_folder(Path(out), asked) as kept:
        limits = Limits(seconds=60 * minutes, cpu_seconds=120 * minutes)
        room = _Room(kept, Runner(folder, limits=limits, rung=rung, start=tuple(start)), tell)
        turns = _run_earlier(earlier, room) if chat is None else [*read_chat(Path(chat))]
        return _decide(turns, room, probes, contest)


def _digest(folder: Path) -> str:
    read_scripts(folder)  # refuses what is no folder of scripts
    return digest_folder(folder)


@dataclass(frozen=True)
class _Room:
    """What the stages of one admission share.

    Attributes:
        kept: The folder of the admission.
        runner: How the scripts are run.
        tell: Is told every verdict.
    """

    kept: AdmissionFolder
    runner: Runner
    tell: Tell


def _decide(turns: Sequence[CodeError | None], room: _Room, probes: bool, contest: Contest | None) -> Admission:
    """Decide all stages of the scripts, and write what came of them."""
    verdicts, run = _run(room)
    folder, seen = room.runner.folder, Seen(room.kept.path / "tiny", run)
    extraction: dict[str, Any] = {}
    probed: list[dict[str, Any]] = []
    if run:
        extraction = room.kept.keep("extraction", lambda: extract(seen, folder))
        verdicts.append(_note(read_verdict(extraction["verdict"]), room))
    if run and probes:
        probed = _probe(verdicts, run, room)
        verdicts.append(_note(judge_probes(probed, verdicts), room))
    found = [*extraction.get("findings", ()), *(each for probe in probed for each in probe["findings"])]
    scripts = read_scripts(folder)
    errors = (*filter(None, turns), *find_errors(verdicts, scripts))
    fitted = extraction.get("recipe", {})
    recipe = None if not fitted.get("recipe") else Recipe.from_dict(fitted["recipe"])
    record: dict[str, Any] = {"levels": [], "fault": ""}
    if recipe is not None:
        name, out = room.kept.asked["name"], room.kept.path / "record"
        record = room.kept.keep("replayed", lambda: replay(seen, name, recipe, out))
    admission = Admission(
        room.kept.asked["name"],
        folder,
        room.kept.path,
        tuple(verdicts),
        run,
        extraction.get("facts", {}),
        recipe,
        fitted.get("foreign", {}),
        tuple(extraction.get("helped", ())),
        join_findings([read_finding(each) for each in found]),
        tuple(probed),
        errors,
        len(turns),
        tuple(dict.fromkeys([*run.get("faults", ()), *_list_faults(verdicts), *filter(None, [record["fault"]])])),
        replayed=tuple(record["levels"]),
    )
    write_text(room.kept.path / "errors.csv", write_errors(admission.name, errors))
    if recipe is not None:
        write_card(admission, recipe, scripts)  # before the ranking, which may take long
    if contest is not None:
        admission = _rank(admission, contest, room)
        if recipe is not None:
            write_card(admission, recipe, scripts)
    return admission


def _rank(admission: Admission, contest: Contest, room: _Room) -> Admission:
    """Score what was admitted beside other contenders, by its recipe or by the masks of its scripts."""
    ended = say_ended(admission.verdicts, admission.run)
    if admission.recipe is not None:
        ranked = run_contest(contest, Variant(admission.name, admission.recipe), admission.out / "ranked")
    elif ended:
        ranked = Ranked(ended)
    else:
        runner = room.runner.with_help(admission.run)
        ranked = run_contest_of_scripts(contest, admission.name, runner, room.kept)
    verdicts = [_note(verdict, room) for verdict in ranked.verdicts]
    return replace(
        admission,
        verdicts=(*admission.verdicts, *verdicts),
        faults=(*admission.faults, *_list_faults(verdicts)),
        study=ranked.study,
        leaderboard=ranked.leaderboard,
    )


def _list_faults(verdicts: Sequence[StageVerdict]) -> list[str]:
    return [verdict.reason for verdict in verdicts if verdict.state == "harness fault"]


def _note(verdict: StageVerdict, room: _Room) -> StageVerdict:
    """Write down a verdict and tell it; return it."""
    room.kept.write(f"stages/{verdict.stage.replace(' ', '-')}", verdict.to_dict())
    room.tell(verdict)
    return verdict


def _run(room: _Room) -> tuple[list[StageVerdict], dict[str, Any]]:
    """Return the verdicts on the text and on the tiny run, and what came of that; nothing if it was not made."""
    runner = room.runner
    verdicts = [_note(judge_static(check_statically(runner.folder, runner.start)), room)]
    if verdicts[0].state != "reached":
        return verdicts, {}
    room.kept.keep("known-good", lambda: _check_known_good(room))
    run = room.kept.keep("run", lambda: run_tiny(runner, room.kept.path / "tiny").to_dict())
    return verdicts + [_note(read_verdict(each), room) for each in run["verdicts"]], run


def _check_known_good(room: _Room) -> dict[str, Any]:
    """Run the pipeline that is known to be good.

    Raises:
        UserError: It does not reach every stage, so nothing can be said of other scripts on this computer.
    """
    with tempfile.TemporaryDirectory(prefix="llmseg-known-good-") as name:
        write_known_good(Path(name, "scripts"))
        run = run_tiny(Runner(Path(name, "scripts"), rung=room.runner.rung), Path(name, "out")).to_dict()
        findings = extract(Seen(Path(name, "out"), run), Path(name, "scripts"))["findings"]
    failing = next((str(read_verdict(each)) for each in run["verdicts"] if each["state"] != "reached"), None)
    if failing is None and not findings:
        return {"sandbox": run["sandbox"]}
    why = failing or f"a mistake is seen in it, {findings[0]['id']}"
    raise UserError(
        f"a pipeline that is known to be good does not run here ({why}), so nothing is said of other "
        "scripts; see what llmseg.admission.check_sandbox() says"
    )


def _probe(verdicts: Sequence[StageVerdict], run: dict[str, Any], room: _Room) -> list[dict[str, Any]]:
    """Return what each probe says; nothing if the scripts do not reach the end by themselves."""
    if any(verdict.state not in ("reached", "not decidable") for verdict in verdicts):
        return []
    bench = make_bench(room.runner, room.kept.path / "probed", run)
    probed = []
    for id in PROBES:
        probed.append(room.kept.keep(f"probes/{id}", functools.partial(probe, id, bench)))
        room.tell(f"{id} {probed[-1]['state']}: {probed[-1]['reason']}")
    return probed


def _run_earlier(folders: Sequence[Path], room: _Room) -> list[CodeError | None]:
    """Return the error that ended each earlier answer, ``None`` for one that ran to the end."""
    errors: list[CodeError | None] = []
    for number, folder in enumerate(folders, start=1):
        place = room.kept.path / "earlier" / str(number)
        record = room.kept.keep(f"earlier/{number}", functools.partial(_find_error, folder, place, room))
        errors += [CodeError(**each) for each in record["errors"]] or [None]
    return errors


def _find_error(folder: Path, out: Path, room: _Room) -> dict[str, Any]:
    # An earlier answer may have other files.
    start = room.runner.start
    earlier = replace(room.runner, folder=folder, start=start if start and (folder / start[0]).is_file() else ())
    verdicts = [judge_static(check_statically(folder, earlier.start))]
    if verdicts[0].state == "reached":
        verdicts += run_tiny(earlier, out).verdicts
    found = find_errors(verdicts, read_scripts(folder))
    is_final = all(verdict.state != "harness fault" for verdict in verdicts)
    return {"errors": [asdict(error) for error in found], "is_final": is_final}
