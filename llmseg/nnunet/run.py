"""nnU-Net from prepared cases to scores, for one budget or several."""

from __future__ import annotations

from collections.abc import Sequence

from llmseg.data.store import Store
from llmseg.nnunet.budget import Budget
from llmseg.nnunet.folder import Baseline
from llmseg.nnunet.importing import ImportedTraining, import_training
from llmseg.nnunet.train import predict_nnunet, train_nnunet


def run_nnunet(
    baseline: Baseline,
    store: Store,
    budgets: Sequence[Budget],
    *,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
) -> tuple[ImportedTraining, ...]:
    """Train, predict and import; what an earlier call has finished is kept.

    Every budget is a training of its own, with a learning rate that falls to zero within it.

    Args:
        baseline: The prepared cases, see :func:`llmseg.nnunet.prepare_nnunet`.
        store: The cases they were prepared from.
        budgets: What the trainings may take.
        seed: Seed of the trainings.
        device: As for :func:`llmseg.nnunet.train_nnunet`.
        progress: Whether to show what is done.

    Returns:
        The results, in the order of the budgets.

    Raises:
        UserError: As :func:`llmseg.nnunet.train_nnunet` and :func:`llmseg.nnunet.import_training`.
        Terminated: The process received SIGTERM; the same call goes on.

    Example:
        >>> store = Hdf5Store("hrf.h5")  # doctest: +SKIP
        >>> baseline = prepare_nnunet(store, "nnunet/hrf")  # doctest: +SKIP
        >>> full = Budget.of_epochs(100)  # doctest: +SKIP
        >>> run_nnunet(baseline, store, [full.share(percent) for percent in (1, 10, 100)])  # doctest: +SKIP
    """
    imported = []
    for budget in budgets:
        training = train_nnunet(baseline, budget, seed=seed, device=device, progress=progress)
        predict_nnunet(training, device=device, progress=progress)
        imported.append(import_training(training, store, progress=progress))
    return tuple(imported)
