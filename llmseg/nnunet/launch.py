"""Starting nnU-Net in processes of its own, watching them, and saying how they failed."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from llmseg.errors import Terminated, UserError
from llmseg.files import make_folder
from llmseg.files.interruption import collect_notices, describe_signal
from llmseg.files.notes import note

_MODULE = ("-m", "llmseg.nnunet.process")
_TRAINERS = Path(__file__).parent / "trainers"
_MACHINE_SETTINGS = ("nnUNet_n_proc_DA", "nnUNet_def_n_proc", "nnUNet_compile")
"""The user's own settings that are kept on a GPU: they say how the machine is used."""

_QUOTED_LINES = 3
"""Last lines of the log that the message of a failure quotes."""


def check_installed() -> None:
    """Refuse to go on without nnU-Net.

    Raises:
        UserError: It is missing.

    Example:
        >>> check_installed()  # doctest: +SKIP
    """
    if importlib.util.find_spec("nnunetv2") is None:
        raise UserError(
            "nnunetv2 is not installed; install it by pip install 'llmseg[nnunet]' (or pip install nnunetv2)"
        )


def installed_version() -> str:
    """Return the version of nnU-Net."""
    return metadata.version("nnunetv2")


def make_environment(
    folder: Path, device: str = "cpu", results: Path | None = None, budget: Path | None = None
) -> dict[str, str]:
    """Return the environment of a process of nnU-Net, with the baseline's paths in place of the user's.

    On a CPU, augmentation runs in the process itself and nothing is compiled, so that a training with the same seed is
    the same to the last bit. On a GPU, nnU-Net decides, or the user by nnU-Net's own variables.

    Args:
        folder: Folder of the baseline; all paths lie in it.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        results: Folder of results, by default ``results`` in the folder.
        budget: File of the budget, which the trainer reads.
    """
    variables = {name: value for name, value in os.environ.items() if not name.lower().startswith("nnunet_")}
    # The process imports llmseg, which may lie in a folder that only this process has on its path.
    package = str(Path(__file__).parents[2])
    variables["PYTHONPATH"] = os.pathsep.join([package, *filter(None, [variables.get("PYTHONPATH")])])
    paths = {"nnUNet_raw": folder / "raw", "nnUNet_preprocessed": folder / "preprocessed"}
    paths |= {"nnUNet_results": results or folder / "results", "nnUNet_extTrainer": _TRAINERS}
    if budget is not None:
        paths["LLMSEG_NNUNET_BUDGET"] = budget
    variables |= {name: str(path.absolute()) for name, path in paths.items()}
    if device == "cpu":
        return {**variables, "nnUNet_n_proc_DA": "0", "nnUNet_def_n_proc": "1", "nnUNet_compile": "f"}
    # nnU-Net trains on the first GPU that it sees.
    if ":" in device:
        variables["CUDA_VISIBLE_DEVICES"] = device.partition(":")[2]
    return variables | {name: os.environ[name] for name in _MACHINE_SETTINGS if name in os.environ}


def run_step(
    folder: Path,
    step: str,
    *arguments: str,
    log: Path,
    device: str = "cpu",
    results: Path | None = None,
    budget: Path | None = None,
    watch: Callable[[], None] = lambda: None,
    progress: bool = True,
) -> None:
    """Run a step of :mod:`llmseg.nnunet.process` to its end.

    Args:
        folder: Folder of the baseline.
        step: ``plan``, ``train`` or ``predict``.
        arguments: Arguments of the step.
        log: File for all that the step prints.
        device: As for :func:`make_environment`.
        results: As for :func:`make_environment`.
        budget: As for :func:`make_environment`.
        watch: Called about twice a second, to show how far the step is.
        progress: Whether to say what is done.

    Raises:
        UserError: The step failed; the message quotes the end of its log.
        Terminated: This process was told to stop, and the step was stopped.
    """
    check_installed()
    if progress:
        note(f"nnU-Net: {step}")
    make_folder(log.parent)
    command = [sys.executable, *_MODULE, step, *arguments]
    with log.open("wb") as output, collect_notices() as notices:
        process = subprocess.Popen(
            command, env=make_environment(folder, device, results, budget), stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while process.poll() is None:
                if notices:
                    stopped = f"stopped by {describe_signal(notices[0])} while nnU-Net did {step}"
                    raise Terminated(f"{stopped}; the same command goes on", notices[0])
                watch()
                time.sleep(0.5)
        finally:
            # Also on an error or Ctrl-C: the step must not go on in a folder that nobody watches.
            _stop(process)
    # Once more, for what the step did after the last look.
    watch()
    if process.returncode:
        raise UserError(
            f"nnU-Net's {step} ended with exit code {process.returncode}: {log_end(log)} (all of it: {log})"
        )


def log_end(log: Path) -> str:
    r"""Return the last lines of a log as one line.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "log"
        >>> _ = path.write_text("a\n\nb  c\n")
        >>> log_end(path)
        'a | b c'
    """
    lines = [
        re.sub(r"\s+", " ", line).strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
    ]
    return " | ".join([line for line in lines if line][-_QUOTED_LINES:]) or "it printed nothing"


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
