"""How long and in what portions to train. No torch: the command line reads its defaults here."""

from __future__ import annotations

from dataclasses import dataclass

from fusearch.errors import EvaluationError

__all__ = ["TrainingSettings"]


@dataclass(frozen=True)
class TrainingSettings:
    """How long and in what portions to train; the numbers that a comparison hangs on stand in the `Recipe`.

    Attributes:
        epochs: Most epochs of one optimization.
        patience: Epochs without a better validation loss after which it stops.
        batch_size: Rows of one step.
        mixed_precision: Whether to use bfloat16 (float16 where the device lacks it) for matrix products on CUDA.
    """

    epochs: int = 60
    patience: int = 10
    batch_size: int = 64
    mixed_precision: bool = True

    def __post_init__(self) -> None:
        for name in ("epochs", "patience", "batch_size"):
            if getattr(self, name) < 1:
                raise EvaluationError(f"{name} is {getattr(self, name)}, expected at least 1")
