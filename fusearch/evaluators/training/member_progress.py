"""Where one member of a stack stands."""

from __future__ import annotations

import math

from fusearch.errors import EvaluationError
from fusearch.evaluators.training.optimization import Fit, finite
from fusearch.evaluators.training.phase import Phase

__all__ = ["MemberProgress"]


class MemberProgress:
    """Where one member stands: its epochs, the best of them, and whether it failed."""

    def __init__(self, phase: Phase) -> None:
        self.phase = phase
        self.epoch, self.best_epoch, self.best_loss = 0, 0, math.inf
        self.error: EvaluationError | None = None
        self.values: dict[str, float] = {}
        self.improved = False

    @property
    def goes_on(self) -> bool:
        """Whether the member trains for another epoch."""
        settings = self.phase.settings
        waits = self.phase.held is not None and self.epoch - self.best_epoch >= settings.patience
        return self.error is None and self.epoch < settings.epochs and not waits

    def judge(self, loss: float, validation: float | None) -> None:
        """Take note of the losses of an epoch."""
        self.epoch += 1
        try:
            self.values = {"loss": finite(loss, "training", self.epoch)}
            if validation is not None:
                self.values["val_loss"] = finite(validation, "validation", self.epoch)
        except EvaluationError as error:
            self.error, self.improved = error, False
            return
        last = self.epoch == self.phase.settings.epochs
        self.improved = last if validation is None else validation < self.best_loss
        if self.improved:
            self.best_epoch, self.best_loss = self.epoch, math.nan if validation is None else validation

    def tell(self) -> None:
        """Tell whoever listens of the epoch."""
        if self.error is None and self.phase.on_epoch is not None:
            self.phase.on_epoch(self.epoch, self.values)

    def result(self) -> Fit | EvaluationError:
        """Return what the optimization did, or why it failed."""
        return self.error or Fit(self.best_epoch, self.epoch, self.best_loss)
