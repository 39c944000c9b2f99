"""A step of nnU-Net in a process of its own: ``python -m llmseg.nnunet.process STEP ...``.

The environment says where its folders are. The process ends when the one that started it has ended, so that the same
command, given again, never meets another training in its folder.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path


def plan(processes: str) -> None:
    """Fingerprint, plan and preprocess the 2D configuration of dataset 1."""
    from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprints, plan_experiments, preprocess

    # On a CPU, the environment has 0 here: no processes that augment. Planning takes the same variable for its number
    # of threads, and fails with 0.
    os.environ["nnUNet_n_proc_DA"] = processes  # noqa: SIM112
    count = int(processes)
    extract_fingerprints([1], num_processes=count, check_dataset_integrity=True, show_progress_bar=False)
    plan_experiments([1])
    preprocess([1], configurations=("2d",), num_processes=(count,), show_progress_bar=False)


def train(dataset: str, trainer: str, device: str) -> None:
    """Train fold 0 from its last checkpoint, or from the start, and predict its validation cases."""
    import torch
    from nnunetv2.run.run_training import run_training

    if device == "cuda":
        # The processes that augment need the processor; this one only waits for the GPU. nnU-Net's own command does so.
        torch.set_num_threads(1)
    run_training(dataset, "2d", 0, trainer_class_name=trainer, continue_training=True, device=torch.device(device))


def predict(model: str, images: str, out: str, device: str) -> None:
    """Predict all images of a folder by fold 0."""
    import torch
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    predictor = nnUNetPredictor(device=torch.device(device), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(model, (0,), "checkpoint_final.pth")
    Path(out).mkdir(parents=True, exist_ok=True)
    if device == "cpu":
        # Without the processes that read and write beside a GPU: here they would take the network's processor time.
        predictor.predict_from_files_sequential(images, out, overwrite=True)
    else:
        predictor.predict_from_files(images, out, overwrite=True)


STEPS: dict[str, Callable[..., None]] = {"plan": plan, "train": train, "predict": predict}


def _end_with(parent: int) -> None:
    """Wait until the parent has ended, then end this process."""
    # A process whose parent has ended is given to another one, so its parent's number changes.
    while os.getppid() == parent:
        time.sleep(1)
    # sys.exit would end this thread only.
    os._exit(1)


def main() -> None:
    """Run the step that the command line names."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    step, *arguments = sys.argv[1:]
    STEPS[step](*arguments)


if __name__ == "__main__":
    main()
