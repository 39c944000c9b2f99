"""Budgets: how long nnU-Net trains, in iterations, images or seconds, and shares of these."""

from __future__ import annotations

import math
from dataclasses import dataclass

from llmseg.errors import UserError

EPOCHS = 1000
"""Epochs of nnU-Net's standard trainer."""

PER_EPOCH = 250
"""Iterations in each of them, whatever the number of cases."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a training of nnU-Net may take, and the epochs that divide it evenly.

    The learning rate falls to zero over these epochs, and an epoch is a point of the training curve. A budget of
    seconds is over with the first training step that ends after them; the validation of that epoch still follows.

    Attributes:
        epochs: Number of epochs.
        iterations: Number of training steps in all, or ``None``.
        images: Images in all training steps together, or ``None``. They become iterations when the batch size is known.
        seconds: Time of all epochs, validation included, or ``None``.

    Raises:
        UserError: Not exactly one of iterations, images and seconds is given, it is not above 0, or there are more
            epochs than iterations.

    Example:
        >>> Budget(epochs=20, iterations=5000).share(1)
        Budget(epochs=1, iterations=50, images=None, seconds=None)
    """

    epochs: int
    iterations: int | None = None
    images: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if sum(amount is not None for amount in (self.iterations, self.images, self.seconds)) != 1:
            raise UserError("a budget is a number of iterations, of images, or of seconds: give one of them")
        if self.epochs < 1:
            raise UserError(f"{self.epochs} epochs: at least one is needed")
        if not 0 < self._amount < math.inf:
            raise UserError(f"a budget of {self._amount:g} {self._unit}: must be above 0")
        if self.iterations is not None and self.iterations < self.epochs:
            raise UserError(
                f"{self.iterations} iterations are not one for each of {self.epochs} epochs; give fewer epochs"
            )

    @classmethod
    def of_epochs(cls, epochs: int = EPOCHS, per_epoch: int = PER_EPOCH) -> Budget:
        """Return epochs of equally many iterations; without arguments, nnU-Net's own training.

        Raises:
            UserError: The number of epochs or of iterations per epoch is below 1.
        """
        return cls(epochs=epochs, iterations=epochs * per_epoch)

    def planned(self, batch_size: int) -> Budget:
        """Return the budget with iterations in place of images, rounded to whole batches; other budgets as they are.

        Args:
            batch_size: That of nnU-Net's plans.

        Example:
            >>> Budget(epochs=20, images=260).planned(12).iterations
            22
        """
        if self.images is None:
            return self
        iterations = max(1, round(self.images / batch_size))
        return Budget(epochs=min(self.epochs, iterations), iterations=iterations)

    def share(self, percent: float) -> Budget:
        """Return a part of the budget, with the same part of its epochs, at least one of each.

        Args:
            percent: How large the part is.

        Raises:
            UserError: The share is not above 0.
        """
        if not percent > 0:
            raise UserError(f"a share of {percent:g} %: must be above 0")
        part = percent / 100
        epochs = max(1, round(self.epochs * part))
        if self.seconds is not None:
            return Budget(epochs=epochs, seconds=self.seconds * part)
        amount = max(1, round(self._amount * part))
        if self.images is not None:
            return Budget(epochs=epochs, images=amount)
        return Budget(epochs=min(epochs, amount), iterations=amount)

    def images_seen(self, batch_size: int) -> int | None:
        """Return the images of all training steps together, ``None`` for a budget in seconds."""
        iterations = self.planned(batch_size).iterations
        return None if iterations is None else iterations * batch_size

    @property
    def name(self) -> str:
        """A name, fit for a folder.

        Example:
            >>> Budget.of_epochs(2, 3).name, Budget(epochs=5, seconds=60.0).name
            ('6-iterations-2-epochs', '60-seconds-5-epochs')
        """
        return f"{self._amount:.10g}-{self._unit}-{self.epochs}-epochs"

    @property
    def _unit(self) -> str:
        return next(unit for unit in ("iterations", "images", "seconds") if getattr(self, unit) is not None)

    @property
    def _amount(self) -> float:
        return float(getattr(self, self._unit))


def parse_shares(text: str) -> tuple[float, ...]:
    """Return the shares in a text, in percent.

    Args:
        text: Numbers with commas between them; a percent sign may follow each.

    Raises:
        UserError: A share is no number above 0.

    Example:
        >>> parse_shares("1,5,100%")
        (1.0, 5.0, 100.0)
    """
    try:
        shares = tuple(float(part.strip().removesuffix("%")) for part in text.split(","))
    except ValueError:
        shares = ()
    if not shares or not all(0 < share < math.inf for share in shares):
        raise UserError(f"--budget {text} is no list of shares above 0; write it as 1,5,10,25,100%")
    return shares
