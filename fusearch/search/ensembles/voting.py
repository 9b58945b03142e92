"""Hard majority voting of many subsets at once. Axis letters: S subsets, A candidates, N rows, C classes.

Votes and tie-breaking probabilities of a subset are one matrix product of its indicator with a table, in exact arithmetic: votes are whole
numbers and probabilities multiples of 2^-20, so neither the order of the candidates nor the BLAS in use can break a tie differently.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from fusearch.errors import DataError
from fusearch.search.ensembles.predictions import FloatArray, IntArray, Predictions

__all__ = ["Ties", "VoteTable", "majority_vote"]

BoolArray = npt.NDArray[np.bool_]

#: How a tie is broken: by the mean probability of the tied classes over all voters (then the lowest code), or by the lowest code at once.
Ties = Literal["probability", "lowest"]

#: Probabilities are compared in steps of 2^-20.
_STEP_BITS = 20


def majority_vote(probabilities_ANC: FloatArray, ties: Ties = "probability") -> IntArray:
    """Return the class (N,) that most of the A voters find most probable.

    Args:
        probabilities_ANC: Class probabilities of each voter.
        ties: How a tie is broken.

    Example:
        >>> majority_vote(np.array([[[0.9, 0.1]], [[0.4, 0.6]]])).tolist()
        [0]
    """
    votes_ANC = _votes(probabilities_ANC, ties)
    winners: IntArray = votes_ANC.sum(axis=0).argmax(axis=-1)
    return winners


@dataclass(frozen=True, eq=False)
class VoteTable:
    """What each candidate adds to the margins by which each wrong class beats the right one.

    Attributes:
        margins: (A, N * (C - 1)); summed over a subset, the lead of each wrong class over the right one.
        limits: (N * (C - 1),); a class whose lead is above its limit takes the row. Equal votes go to the
            lower code.
        row_weights: Weight of each row in the mean over members of means over rows, (N,).
    """

    margins: FloatArray
    limits: FloatArray
    row_weights: FloatArray

    @classmethod
    def of(cls, predictions: Predictions, ties: Ties = "probability") -> VoteTable:
        """Tabulate the votes of all candidates.

        Raises:
            DataError: There are fewer than two classes.
        """
        num_candidates, num_rows, num_classes = predictions.probabilities.shape
        if num_classes < 2:
            raise DataError(f"a vote over {num_classes} class, expected two or more")
        votes_ANC = _votes(predictions.probabilities, ties)
        right_ANC = np.take_along_axis(votes_ANC, predictions.targets[None, :, None], axis=2)
        wrong_NC = np.arange(num_classes) != predictions.targets[:, None]
        margins = (votes_ANC - right_ANC)[:, wrong_NC].reshape(num_candidates, num_rows * (num_classes - 1))
        before_NC = np.arange(num_classes) < predictions.targets[:, None]
        half_step = 0.5 * _weight(num_candidates) * 2.0**-_STEP_BITS
        return cls(margins, np.where(before_NC[wrong_NC], -half_step, half_step), predictions.row_weights)

    @property
    def columns(self) -> int:
        """Numbers of one subset while it is scored."""
        return len(self.limits)

    def accuracy(self, subsets_SA: BoolArray) -> FloatArray:
        """Return the accuracy (S,) of the majority vote of each subset, mean over members."""
        lost = subsets_SA.astype(np.float64) @ self.margins > self.limits
        num_rows = len(self.row_weights)
        lost_SN = lost if self.columns == num_rows else lost.reshape(len(subsets_SA), num_rows, -1).any(axis=2)
        error: FloatArray = lost_SN @ self.row_weights
        return 1.0 - error


def _weight(num_voters: int) -> float:
    """Weight of a probability beside a vote: a power of two so small that all voters' probabilities together weigh less than one vote."""
    return float(2.0 ** -(math.ceil(math.log2(num_voters + 1)) + 1))


def _votes(probabilities_ANC: FloatArray, ties: Ties) -> FloatArray:
    """Return one vote for the most probable class, plus, to break ties, a little for the probability of every class."""
    num_classes = probabilities_ANC.shape[2]
    votes_ANC: FloatArray = np.eye(num_classes)[probabilities_ANC.argmax(axis=2)]
    if ties == "lowest":
        return votes_ANC
    if ties != "probability":
        raise DataError(f"ties {ties!r}, expected 'probability' or 'lowest'")
    steps = np.round(probabilities_ANC.astype(np.float64) * 2.0**_STEP_BITS) * 2.0**-_STEP_BITS
    votes_ANC += _weight(len(probabilities_ANC)) * steps
    return votes_ANC
