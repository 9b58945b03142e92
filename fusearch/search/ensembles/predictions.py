"""Validation predictions of unimodal networks, side by side. Axis letters: A candidates, N rows, C classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.errors import DataError

__all__ = ["FloatArray", "IntArray", "Predictions"]

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.integer[Any]]

#: Probabilities may miss a sum of one by this much.
_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Predictions:
    """What every candidate predicted for every validation row.

    A row is a sample in the validation part of one *member* (a fold with a seed); with several seeds a sample is a row of each. Every
    objective is computed inside a member and then averaged over members, as the method paper averages over folds.

    Attributes:
        names: Name of each candidate, (A,).
        modalities: Modality that each candidate reads, (A,).
        probabilities: Class probabilities, (A, N, C).
        targets: Class code of each row, (N,).
        members: Number of the member of each row, (N,).
    """

    names: tuple[str, ...]
    modalities: tuple[str, ...]
    probabilities: FloatArray
    targets: IntArray
    members: IntArray

    def __post_init__(self) -> None:
        shape = self.probabilities.shape
        if len(shape) != 3 or 0 in shape:
            raise DataError(f"predictions of shape {shape}, expected (candidates, rows, classes), none of them 0")
        num_candidates, num_rows, num_classes = shape
        for what, values in (("names", self.names), ("modalities", self.modalities)):
            if len(values) != num_candidates:
                raise DataError(f"{len(values)} {what} for the predictions of {num_candidates} candidates")
        if len(set(self.names)) != num_candidates:
            raise DataError(f"candidates {', '.join(self.names)}: a name stands twice")
        for what, codes in (("targets", self.targets), ("members", self.members)):
            if codes.shape != (num_rows,) or not np.issubdtype(codes.dtype, np.integer):
                raise DataError(f"{what} of shape {codes.shape} and type {codes.dtype}, expected ({num_rows},) integers")
        if self.targets.min() < 0 or self.targets.max() >= num_classes:
            raise DataError(f"targets from {self.targets.min()} to {self.targets.max()}, expected class codes below {num_classes}")
        if not np.isfinite(self.probabilities).all() or self.probabilities.min() < -_TOLERANCE:
            raise DataError("predicted probabilities are negative or not finite, expected numbers from 0 to 1")
        if np.abs(self.probabilities.sum(axis=2) - 1).max() > _TOLERANCE:
            raise DataError("predicted probabilities do not sum to 1 over the classes")

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def classes(self) -> IntArray:
        """Class that each candidate votes for, (A, N): the most probable one, the lowest code of equals."""
        classes: IntArray = self.probabilities.argmax(axis=2)
        return classes

    @cached_property
    def correct(self) -> npt.NDArray[np.bool_]:
        """Whether each candidate's vote is right, (A, N)."""
        correct: npt.NDArray[np.bool_] = self.classes == self.targets
        return correct

    @cached_property
    def row_weights(self) -> FloatArray:
        """Weight of each row in a mean over members of means over rows, (N,); they sum to 1."""
        _, member, counts = np.unique(self.members, return_inverse=True, return_counts=True)
        return 1.0 / (counts[member] * len(counts))

    @cached_property
    def accuracies(self) -> FloatArray:
        """Accuracy of each candidate alone, mean over members, (A,)."""
        return self.correct @ self.row_weights

    def take(self, candidates: Sequence[int]) -> Predictions:
        """Return the predictions of those candidates alone, in that order."""
        return Predictions(
            tuple(self.names[index] for index in candidates),
            tuple(self.modalities[index] for index in candidates),
            self.probabilities[list(candidates)],
            self.targets,
            self.members,
        )
