"""Pareto dominance over trials: non-dominated sets, hypervolume, contributions, knee.

`moocore` computes; this module orients (objectives that are maximized change sign) and refuses values that are not finite,
since a single NaN row silently dominates, or hangs, what follows. Light: no torch, no ray.

Axis letters: N points, M objectives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fusearch.contracts import LOSS_SIGN, Direction, Objective
from fusearch.errors import EvaluationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "contributions",
    "hypervolume",
    "hypervolume_over_trials",
    "is_logarithmic",
    "is_nondominated",
    "knee",
    "losses",
    "ranks",
    "reference_point",
]

#: How far beyond the worst value seen the reference point lies, as a share of the range seen.
MARGIN = 0.1
#: A cost that spans more decades than this is measured by its logarithm.
LOG_DECADES = 1.5


def is_logarithmic(objective: Objective, values: Sequence[float]) -> bool:
    """Whether an objective is drawn, and its hypervolume measured, on a logarithmic scale: a cost over more than one and a half decades.

    Example:
        >>> is_logarithmic(Objective.parse("macs"), [1e3, 1e5]), is_logarithmic(Objective.parse("auroc"), [0.01, 0.9])
        (True, False)
    """
    positive = bool(values) and min(values) > 0
    return objective.cost and positive and math.log10(max(values) / min(values)) > LOG_DECADES


def losses(points: ArrayLike, directions: Sequence[Direction]) -> NDArray[np.float64]:
    """Return the points (N, M) as losses: every column is to be minimized, every value is finite.

    Raises:
        EvaluationError: The number of columns is not the number of directions, or a value is not finite.
    """
    import numpy as np

    points_NM = np.asarray(points, dtype=np.float64)
    if points_NM.size == 0:
        return np.empty((0, len(directions)))
    if points_NM.ndim != 2 or points_NM.shape[1] != len(directions):
        raise EvaluationError(f"points of shape {points_NM.shape}, expected (N, {len(directions)}): a column for each objective")
    broken = np.flatnonzero(~np.isfinite(points_NM).all(axis=1))
    if broken.size:
        raise EvaluationError(f"point {broken[0]} is {points_NM[broken[0]].tolist()}, expected finite numbers")
    return points_NM * np.array([LOSS_SIGN[direction] for direction in directions], dtype=np.float64)


def is_nondominated(points: ArrayLike, directions: Sequence[Direction]) -> NDArray[np.bool_]:
    """Return a mask (N,) of the points that no other point dominates; equal points are all kept.

    Example:
        >>> is_nondominated([[0.9, 10], [0.8, 5], [0.7, 7]], ["maximize", "minimize"]).tolist()
        [True, True, False]
    """
    import moocore

    mask: NDArray[np.bool_] = moocore.is_nondominated(losses(points, directions), keep_weakly=True)
    return mask


def ranks(points: ArrayLike, directions: Sequence[Direction]) -> NDArray[np.int64]:
    """Return the non-domination rank (N,) of each point; 0 is the front (Deb et al. 2002, fast non-dominated sorting)."""
    import moocore
    import numpy as np

    losses_NM = losses(points, directions)
    return np.asarray(moocore.pareto_rank(losses_NM) if len(losses_NM) else np.empty(0), dtype=np.int64)


def reference_point(points: ArrayLike, directions: Sequence[Direction]) -> tuple[float, ...]:
    """Return the reference point of a hypervolume: the worst value seen of each objective, and a tenth of the range seen beyond it.

    The margin lets the extreme points of a front count. Where all values of an objective are equal, its margin is 1. The
    point depends on the points given: hypervolumes are comparable only under one reference point.
    """
    import numpy as np

    losses_NM = losses(points, directions)
    if not len(losses_NM):
        raise EvaluationError("no points to choose a reference point from, expected at least one complete trial")
    worst_M, range_M = losses_NM.max(axis=0), np.ptp(losses_NM, axis=0)
    beyond_M = worst_M + np.where(range_M > 0, MARGIN * range_M, 1.0)
    return tuple(losses([beyond_M], directions)[0].tolist())


def hypervolume(points: ArrayLike, directions: Sequence[Direction], *, reference: Sequence[float]) -> float:
    """Return the volume that the points dominate, up to `reference`, in the units of the objectives multiplied.

    Points beyond the reference point count 0. `reference` is in the objectives' own orientation.

    Example:
        >>> hypervolume([[0.9, 10], [0.8, 5]], ["maximize", "minimize"], reference=[0.0, 20])
        13.0
    """
    import moocore

    return float(moocore.hypervolume(losses(points, directions), ref=losses([reference], directions)[0]))


def hypervolume_over_trials(
    points: ArrayLike, directions: Sequence[Direction], *, reference: Sequence[float] | None = None
) -> NDArray[np.float64]:
    """Return the hypervolume (N,) of the first 1, 2, ..., N points, all under one reference point.

    Without `reference`, the reference point of all N points is taken, so the curve never falls.
    """
    import moocore
    import numpy as np

    losses_NM = losses(points, directions)
    if not len(losses_NM):
        return np.empty(0)
    ref_M = losses([reference_point(points, directions) if reference is None else reference], directions)[0]
    front, volume, curve = losses_NM[:0], 0.0, []
    for loss_M in losses_NM:
        if not (len(front) and (front <= loss_M).all(axis=1).any()):
            front = moocore.filter_dominated(np.vstack([front, loss_M]))
            volume = float(moocore.hypervolume(front, ref=ref_M))
        curve.append(volume)
    return np.asarray(curve)


def contributions(points: ArrayLike, directions: Sequence[Direction], *, reference: Sequence[float]) -> NDArray[np.float64]:
    """Return the hypervolume (N,) that would be lost with each point; dominated and duplicated points have 0."""
    import moocore
    import numpy as np

    losses_NM, ref_M = losses(points, directions), losses([reference], directions)[0]
    if not len(losses_NM):
        return np.empty(0)
    if len(directions) == 1:
        best, *rest = sorted([*losses_NM[:, 0].tolist(), float(ref_M[0])])
        return np.where(losses_NM[:, 0] == best, rest[0] - best, 0.0)
    return np.asarray(moocore.hv_contributions(losses_NM, ref=ref_M, ignore_dominated=False), dtype=np.float64)


def knee(points: ArrayLike, directions: Sequence[Direction]) -> int:
    """Return the index of the point nearest to the ideal, after scaling each objective to [0, 1] over the points given.

    Give it a front. Distance is Euclidean; of equally near points the first is taken. The rule of Guarrasi & Soda 2023.

    Raises:
        EvaluationError: There is no point.
    """
    import numpy as np

    losses_NM = losses(points, directions)
    if not len(losses_NM):
        raise EvaluationError("no points to choose a knee from, expected at least one complete trial")
    range_M: Any = np.ptp(losses_NM, axis=0)
    scaled_NM = (losses_NM - losses_NM.min(axis=0)) / np.where(range_M > 0, range_M, 1.0)
    return int(np.argmin((scaled_NM**2).sum(axis=1)))
