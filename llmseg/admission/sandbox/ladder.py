"""Which rung is used: the best one on which a command that is known to be good runs."""

from __future__ import annotations

import functools
import sys
import tempfile
from pathlib import Path

from llmseg.admission.sandbox.command import Command, Limits, Place, python_places
from llmseg.admission.sandbox.outcome import Outcome
from llmseg.admission.sandbox.run import run_on_rung
from llmseg.admission.sandbox.rungs import Rung, list_rungs
from llmseg.errors import UserError, nearest

_KNOWN_GOOD = "open('answer.txt', 'w').write(str(6 * 7)); print('started')"


def run_in_sandbox(command: Command, rung: str | None = None) -> Outcome:
    """Run a foreign command so that it can harm nothing, and return what came of it.

    Its writable places belong to it while it runs. Afterwards they have their owner again, and links that lead out of
    them are gone.

    Args:
        command: What to run, what it sees, and how much it may use.
        rung: Name of a rung, see :func:`survey_rungs`; ``None`` for the best one that this computer has. The rung
            ``"limits"`` contains little and is only used if it is given.

    Raises:
        UserError: This computer has no such rung, or it cannot do what the command needs, such as hide a file.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> places = (Place(folder, Path("/results"), writable=True), *python_places())
        >>> command = Command((sys.executable, "-c", "print(1 / 0)"), Path("/results"), places)
        >>> outcome = run_in_sandbox(command)  # doctest: +SKIP
        >>> outcome.ended_by, outcome.exception  # doctest: +SKIP
        ('script', 'ZeroDivisionError: division by zero')
    """
    return run_on_rung(command, choose_rung(rung))


def choose_rung(name: str | None = None) -> Rung:
    """Return a rung by its name, or the best one that this computer has.

    Raises:
        UserError: There is none of that name, or it cannot be used here; the message says why.
    """
    rungs = {rung.name: rung for rung in list_rungs()}
    if name is not None and name not in rungs:
        raise UserError(f"no sandbox is called {name!r}; there are {', '.join(rungs)}{nearest(name, rungs)}")
    wanted = [rung for rung in rungs.values() if (not rung.is_asked_for if name is None else rung.name == name)]
    reasons = []
    for rung in wanted:
        reason = find_reason(rung)
        if reason is None:
            return rung
        reasons.append(f"{rung.name}: {reason}")
    advice = "" if name is not None else "; 'limits', which contains little, has to be asked for by name"
    raise UserError(f"no sandbox can be used here ({'; '.join(reasons)}){advice}")


def survey_rungs() -> dict[str, str | None]:
    """Return why each rung cannot be used on this computer, the best rung first; ``None`` if it can.

    Example:
        >>> list(survey_rungs())  # doctest: +SKIP
        ['bubblewrap and cgroup', 'bubblewrap', 'landlock', 'limits']
    """
    return {rung.name: find_reason(rung) for rung in list_rungs()}


@functools.cache
def find_reason(rung: Rung) -> str | None:
    """Return why a rung cannot be used on this computer; ``None`` if a command that is known to be good runs on it."""
    missing = rung.find_missing()
    if missing is not None:
        return missing
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "work")
        folder.mkdir()
        folder.parent.chmod(0o711)  # another user has to come through it, where nothing is mounted
        places = (Place(folder, writable=True), *python_places())
        limits = Limits(seconds=60, cpu_seconds=60, memory_bytes=2**30, processes=64, disk_bytes=2**20)
        command = Command((sys.executable, "-I", "-S", "-c", _KNOWN_GOOD), folder, places, limits=limits)
        outcome = run_on_rung(command, rung)
        answer = folder / "answer.txt"
        if outcome.is_finished and answer.exists() and answer.read_text() == "42":
            return None
    return f"a command that is known to be good does not run in it ({outcome})"
