"""How much hypervolume a design may be expected to add, in closed form (decision 0048).

Everything here is a loss: smaller is better. Axis letters: C candidates, M objectives, F points of the front, G cells of an axis.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fusearch import pareto
from fusearch.contracts import Direction

__all__ = ["expected_gain", "expected_improvement"]

Floats = NDArray[np.float64]

#: Most cells that the space below the front is cut into; beyond, the points of the front that add least to its hypervolume are left out.
MOST_CELLS = 20_000


def expected_improvement(below: Floats, mean: Floats, deviation: Floats) -> Floats:
    """Return how far a normal loss is expected to fall below a value; where the deviation is 0, how far the mean does.

    References:
        Jones, Schonlau & Welch 1998, Efficient global optimization of expensive black-box functions, equation 15.
    """
    from scipy.special import ndtr

    gain = below - mean
    with np.errstate(divide="ignore", invalid="ignore"):
        z = gain / deviation
        uncertain = gain * ndtr(z) + deviation * np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    return np.where(deviation > 0, np.maximum(uncertain, 0.0), np.maximum(gain, 0.0))


def expected_gain(mean_CM: Floats, deviation_CM: Floats, front_FM: Floats, reference_M: Floats) -> Floats:
    """Return the expected hypervolume improvement (C,) of candidates whose losses are independent and normal.

    A cost that is known has deviation 0. With one performance and one known cost this is the sum over the steps of the front of width
    times expected improvement: between two neighbouring costs of the front a candidate has to fall below the best performance at the
    lower of them, and gains the width of the step, as far as the step costs at least as much as the candidate. With more objectives
    the steps are cells of a grid through the points of the front, and the width of a cell is the product of its sides, of which an
    uncertain one is the difference of the expected improvements at its two ends.

    Args:
        mean_CM: Mean losses.
        deviation_CM: Their standard deviations.
        front_FM: Losses of the designs that are there; dominated ones, and those beyond the reference, change nothing.
        reference_M: The worst corner of the hypervolume.

    References:
        Emmerich, Deutz & Klinkenberg 2011, Hypervolume-based expected improvement: monotonicity properties and exact computation.

    Example:
        >>> front, worst = np.array([[0.2, 3.0], [0.4, 1.0]]), np.array([1.0, 5.0])
        >>> expected_gain(np.array([[0.3, 2.0]]), np.zeros((1, 2)), front, worst).round(6).tolist()
        [0.1]
    """
    num_objectives = len(reference_M)
    front_FM = _front(front_FM[(front_FM < reference_M).all(axis=1)], reference_M)
    edges = [np.concatenate([[-np.inf], np.unique(front_FM[:, axis]), reference_M[axis : axis + 1]]) for axis in range(1, num_objectives)]
    level = np.full([1, *(len(each) - 1 for each in edges)], reference_M[0])  # one cell more stands for no axis at all
    at = [np.searchsorted(edge, front_FM[:, axis]) for axis, edge in enumerate(edges, start=1)]
    np.minimum.at(level, (np.zeros(len(front_FM), dtype=np.intp), *at), front_FM[:, 0])
    for axis in range(1, num_objectives):
        level = np.minimum.accumulate(level, axis=axis)
    levels, cell = np.unique(level[0], return_inverse=True)
    gain = expected_improvement(levels, mean_CM[:, :1], deviation_CM[:, :1])[:, cell.reshape(level[0].shape)]
    for axis in range(num_objectives - 1, 0, -1):
        ends_CG = expected_improvement(edges[axis - 1][1:], mean_CM[:, axis, None], deviation_CM[:, axis, None])
        width_CG = np.diff(ends_CG, axis=1, prepend=0.0)
        gain = np.einsum("c...g,cg->c...", gain, width_CG)
    return np.asarray(gain, dtype=np.float64)


def _front(points_FM: Floats, reference_M: Floats) -> Floats:
    """Return the non-dominated points, in many objectives only as many as the grid can hold, those that add most."""
    directions: list[Direction] = ["minimize"] * len(reference_M)
    front_FM = np.unique(points_FM[pareto.is_nondominated(points_FM, directions)], axis=0) if len(points_FM) else points_FM
    most = len(front_FM) if len(reference_M) < 3 else int(MOST_CELLS ** (1 / (len(reference_M) - 1))) - 1
    if len(front_FM) <= most:
        return front_FM
    gains = pareto.contributions(front_FM, directions, reference=reference_M.tolist())
    return front_FM[np.argsort(-gains, kind="stable")[:most]]
