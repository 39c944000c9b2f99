"""What a run says of each stage: from how it ended, what is there, and what the observer saw."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from llmseg.admission.running import ScriptRun
from llmseg.admission.sandbox import Outcome
from llmseg.admission.scripts import Script, Scripts, list_packages
from llmseg.admission.stages.stage import RUN_STAGES, StageVerdict, State
from llmseg.admission.static import StaticStage
from llmseg.errors import escape_controls, name_first

OBSERVED = RUN_STAGES[1:7]
"""The stages that the observer sees."""

_IN_GRAPHS = ("keras", "tensorflow", "tf_keras")
"""Packages whose computations the observer sees only in part."""


def judge_static(static: StaticStage) -> StageVerdict:
    """Return the verdict on the text of scripts.

    A package that this computer lacks is no fault of the scripts: what they do is then not decidable.
    """
    if static.faults:
        places = [f"{fault.path}:{fault.line}" if fault.line else fault.path for fault in static.faults]
        return StageVerdict("static", "failed", f"SyntaxError: {name_first(static.faults)}", places[0])
    undefined = [each for each in static.missing if each.reason == "not defined"]
    if undefined:
        names = ", ".join(each.name for each in undefined[:3])
        return StageVerdict("static", "failed", f"ImportError: no script defines {names}", undefined[0].place)
    if static.missing:
        packages = sorted({each.name for each in static.missing})
        return StageVerdict(
            *("static", "not decidable"),
            f"not installed here: {', '.join(packages)}; install what the scripts need and start again",
            static.missing[0].place,
        )
    if not static.entry:
        return StageVerdict("static", "failed", "no main.py, and no other single file to start; say which by --start")
    return StageVerdict("static", "reached")


def judge_run(run: ScriptRun, scripts: Scripts, reached: Mapping[str, str]) -> tuple[StageVerdict, ...]:
    """Return the verdicts on the stages that a run decides.

    Args:
        run: The run.
        scripts: The scripts that ran.
        reached: The stages that the observer saw, each with its place in the scripts as ``file:line``.
    """
    outcome = run.outcome
    if outcome.is_finished:
        return _judge_finished(run, scripts, reached)
    seen = [stage for stage in OBSERVED if stage in reached]
    ended_at = _find_end(run, scripts, seen)
    # What ended without a place, such as at a limit, may have ended while it was importing.
    is_imported = ended_at != "import" and bool(seen or run.place)
    verdicts = []
    for stage in RUN_STAGES:
        if stage in reached or (stage == "import" and is_imported):
            verdicts.append(StageVerdict(stage, "reached", place=reached.get(stage, "")))
        elif stage == ended_at:
            verdicts.append(StageVerdict(stage, _state(run), name_end(run), run.place))
        elif outcome.ended_by == "harness" or RUN_STAGES.index(stage) < RUN_STAGES.index(ended_at):
            verdicts.append(StageVerdict(stage, "not decidable"))
        else:
            verdicts.append(StageVerdict(stage, "not reached"))
    return tuple(verdicts)


def _judge_finished(run: ScriptRun, scripts: Scripts, reached: Mapping[str, str]) -> tuple[StageVerdict, ...]:
    verdicts = [StageVerdict("import", "reached")]
    nothing = not any(stage in reached for stage in OBSERVED)
    is_hidden = any(package in _IN_GRAPHS for script in scripts for _, package in list_packages(script))
    for stage in OBSERVED:
        if stage in reached:
            verdicts.append(StageVerdict(stage, "reached", place=reached[stage]))
        elif nothing and run.outcome.results.weights:
            # A framework that the observer does not know, for something was trained.
            verdicts.append(StageVerdict(stage, "not decidable", "nothing was observed, yet there are weights"))
        elif not nothing and is_hidden:
            verdicts.append(StageVerdict(stage, "not decidable", "not seen: Keras and TensorFlow compute in graphs"))
        else:
            verdicts.append(StageVerdict(stage, "failed", _name_silent_end(run.outcome)))
    missing = [kind for kind in ("weights", "numbers") if kind not in run.outcome.results.kinds]
    if missing:
        verdicts.append(StageVerdict("artefacts", "failed", f"no file with {' or '.join(missing)} is there"))
    else:
        verdicts.append(StageVerdict("artefacts", "reached"))
    return tuple(verdicts)


def _name_silent_end(outcome: Outcome) -> str:
    lines = outcome.tail.strip().splitlines()
    said = f"; the last line was: {lines[-1][-120:]}" if lines else ""
    return f"the scripts ended without an error, and without it{said}"


def _state(run: ScriptRun) -> State:
    if _lacks_gpu(run):
        return "not decidable"
    states: dict[str, State] = {"script": "failed", "limit": "limit", "harness": "harness fault"}
    return states[run.outcome.ended_by]


def _lacks_gpu(run: ScriptRun) -> bool:
    """Return whether scripts ended because they demand a GPU: none is shown to them, so that is no error of theirs."""
    return run.outcome.ended_by == "script" and bool(re.search(_NO_GPU, run.exception or ""))


_NO_GPU = (
    r"no NVIDIA driver|No CUDA GPUs are|not compiled with CUDA|on a CUDA device but|no CUDA-capable device|"
    r"NVIDIA driver on your system is too old"
)
"""What torch says where it finds no GPU."""


def name_end(run: ScriptRun) -> str:
    """Return why a run ended, in one line."""
    outcome = run.outcome
    if outcome.ended_by == "harness":
        return "; ".join(outcome.faults)
    if outcome.ended_by == "limit":
        return f"ended by the limit of {outcome.limit}"
    error = run.exception or outcome.signal
    if error is None:
        lines = outcome.tail.strip().splitlines()
        error = f"exit code {outcome.exit_code}{f': {lines[-1][-120:]}' if lines else ''}"
    if _lacks_gpu(run):
        error = f"they demand a GPU, and the sandbox has none; let them ask torch.cuda.is_available(): {error}"
    return escape_controls(error)[:300]


def _find_end(run: ScriptRun, scripts: Scripts, seen: list[str]) -> str:
    """Return the stage in which a run ended.

    It is the first one that was not seen after the last that was. The place of an exception tells more: scripts may
    build the network before they read a case, and draw or save before they test.
    """
    following = RUN_STAGES[RUN_STAGES.index(seen[-1]) + 1 if seen else 1]
    script, line = find_place(run.place, scripts)
    if script is None:
        is_import = (run.exception or "").startswith(("ImportError", "ModuleNotFoundError"))
        return "import" if not seen and (is_import or run.outcome.ended_by == "harness") else following
    if not seen and _is_import(script, line, scripts):
        return "import"
    if not seen and any(_is_module(script, node) for node in _list_holders(script, line)):
        return "network"
    names = " ".join(node.name for node in _list_holders(script, line))
    if following == "epoch" and re.search(r"(?i)val|eval", names):
        return "validation"
    is_writing = re.search(_WRITING, describe_line(script, line))
    return "artefacts" if following in ("validation", "test") and is_writing else following


_HOLDERS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

_WRITING = r"(?i)plot|savefig|draw|save|write|to_excel|to_csv|dump"


def _list_holders(script: Script, line: int) -> list[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return the classes and functions that hold a line."""
    return [node for node in script.nodes if isinstance(node, _HOLDERS) and _holds(node, line)]


def describe_line(script: Script, line: int) -> str:
    """Return a line of a script, after the names of the classes and functions that hold it."""
    lines = script.text.splitlines()
    text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    return " ".join([*(node.name for node in _list_holders(script, line)), text])


def _is_module(script: Script, node: ast.AST) -> bool:
    bases = node.bases if isinstance(node, ast.ClassDef) else []
    return any(script.dotted(base).endswith("Module") for base in bases)


def find_place(place: str, scripts: Scripts) -> tuple[Script | None, int]:
    """Return the script and the line that ``file:line`` names, ``None`` if it is no place in the scripts."""
    path, _, line = place.rpartition(":")
    return next((script for script in scripts if script.path == path), None), int(line) if line.isdigit() else 0


def _is_import(script: Script, line: int, scripts: Scripts) -> bool:
    """Return whether a line runs when the script is imported: an import, or what stands outside of all functions."""
    if any(isinstance(node, ast.Import | ast.ImportFrom) and _holds(node, line) for node in script.nodes):
        return True
    functions = (node for node in script.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    if any(_holds(node, line) for node in functions):
        return False
    return any(script.module == name for other in scripts for name in _list_imported(other))


def _list_imported(script: Script) -> set[str]:
    """Return the modules that a script imports."""
    names = {node.module for node in script.nodes if isinstance(node, ast.ImportFrom) and node.module}
    return names | {alias.name for node in script.nodes if isinstance(node, ast.Import) for alias in node.names}


def _holds(node: ast.AST, line: int) -> bool:
    return bool(getattr(node, "lineno", 0) <= line <= (getattr(node, "end_lineno", 0) or 0))
