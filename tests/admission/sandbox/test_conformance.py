"""Every sandbox that this computer has keeps its promises; and what breaks them is seen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import llmseg
from llmseg.admission import check_sandbox
from llmseg.admission.sandbox import conformance, ladder
from llmseg.admission.sandbox.rungs import PROMISES
from llmseg.admission.sandbox.trials import TRIALS

pytestmark = pytest.mark.slow

AS_AN_ORDINARY_USER = """
import sys
from llmseg.admission import check_sandbox, survey_rungs
reason = survey_rungs()[sys.argv[1]]
print(f"skipped: {reason}" if reason else check_sandbox(sys.argv[1], tuple(sys.argv[2:])))
"""


def test_every_promise_is_tried():
    assert {trial.promise for trial in TRIALS} == {*PROMISES}


def test_the_best_sandbox_keeps_its_promises(sandbox):
    found = check_sandbox(sandbox)
    assert found.holds, str(found)
    assert found.checks[0].promise == conformance.KNOWN_GOOD_NAME
    assert {check.promise for check in found.checks[1:]} == {*ladder.choose_rung(sandbox).promises}


def test_without_control_groups(sandbox):
    """Memory and processes are watched, instead of being counted by the kernel."""
    if sandbox == "landlock":
        pytest.skip("bubblewrap cannot be used here")
    found = check_sandbox("bubblewrap", ("memory", "processes", "CPU time"))
    assert found.holds, str(found)


# What differs from the rungs of root: bubblewrap has a user namespace, and without mounts nobody becomes another user.
RUNGS = {
    "bubblewrap": ("reading outside", "hidden files", "namespaces", "memory", "processes"),
    "landlock": ("network", "writing outside", "reading outside", "hidden files", "moved places", "survivors", "disk"),
    "limits": ("memory", "processes", "disk", "links"),
}


@pytest.mark.parametrize("rung", RUNGS)
def test_for_an_ordinary_user(rung):
    printed = run_as_user(rung, *RUNGS[rung])
    if printed.startswith("skipped"):
        pytest.skip(printed)
    assert "BROKEN" not in printed
    assert printed.count("holds") >= len(RUNGS[rung])


def test_what_is_not_contained_is_seen():
    """Nothing is contained by limits, so these trials succeed; a check that cannot fail would show nothing."""
    promises = ("network", "writing outside", "reading outside", "other processes")
    printed = run_as_user("limits", *promises)
    assert [promise for promise in promises if f"BROKEN  {promise}: " not in printed] == []


def run_as_user(*arguments: str) -> str:
    """Return what a check prints that an ordinary user runs; root becomes one to whom only Python is shown in /root."""
    command = [sys.executable, "-c", AS_AN_ORDINARY_USER, *arguments]
    found = [str(Path(llmseg.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(found), "HOME": "/tmp"}
    if os.geteuid() == 0:
        if shutil.which("bwrap") is None:
            pytest.skip("bwrap is not installed, so that root cannot become an ordinary user who reaches Python")
        base = Path(sys.base_prefix)
        above = [parent for parent in reversed(base.parents) if parent.is_relative_to("/root")]
        made = [("--perms", "0755", "--tmpfs" if path == Path("/root") else "--dir", str(path)) for path in above]
        shown = [*(word for words in made for word in words), "--ro-bind", str(base), str(base)]
        become = ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "--bounding-set=-all", "--"]
        command = ["bwrap", "--dev-bind", "/", "/", *shown, "--", *become, *command]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr
    return done.stdout
