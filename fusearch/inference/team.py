"""A few different designs together: the mean of what they say. Axis letters: D designs, N rows, B draws, F folds.

Members are added one by one, each time the one that makes the mean best on out-of-fold predictions (Caruana et al. 2004, without
replacement): small and different, as one design of each graph at most is asked. `grow` is that rule, and the only place that knows it.
Best is the loss where designs are picked by it, also beside the metric: a metric of classes jumps, and what makes it jump best on a few
hundred rows is luck (decision 0064).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fusearch.inference.resampling import Resampled, mean_over
from fusearch.study import TrialRecord

__all__ = ["MOST_MEMBERS", "POOL", "grow", "pool_of", "team_on_all_rows", "teams_of"]

Floats = NDArray[np.float64]

#: Most members of a team, and designs that it is chosen from: the best of as many graphs.
MOST_MEMBERS, POOL = 4, 12


def pool_of(designs: Sequence[TrialRecord]) -> NDArray[np.int64]:
    """Return the numbers of the designs that teams are chosen from, the best first: of each graph the best candidate."""
    first: dict[str, int] = {}
    for number, record in enumerate(designs):
        first.setdefault(record.digest, number)
    return np.array(list(first.values())[:POOL], np.int64)


def teams_of(resampled: Resampled, pool: NDArray[np.int64], draws: int) -> list[tuple[int, ...]]:
    """Return the team that is chosen on each of the first draws."""
    return grow(resampled, pool, resampled.drawn[:, :draws])


def team_on_all_rows(resampled: Resampled, pool: NDArray[np.int64]) -> tuple[int, ...]:
    """Return the team that is chosen on all rows."""
    (team,) = grow(resampled, pool, np.ones((len(resampled.drawn), 1)))
    return team


def grow(resampled: Resampled, pool: NDArray[np.int64], weights_NB: Floats) -> list[tuple[int, ...]]:
    """Return the team of each draw, as numbers of designs in their order.

    Args:
        resampled: The designs and the rows.
        pool: Numbers of the designs that it may take, the best first.
        weights_NB: How often each draw holds each row.
    """
    teams: list[tuple[int, ...]] = [()] * weights_NB.shape[1]
    losses_B = np.full(len(teams), np.inf)
    growing = np.ones(len(teams), bool)
    for _ in range(MOST_MEMBERS):
        grown = growing & False
        for team in {teams[draw] for draw in np.flatnonzero(growing)}:
            draws = np.array([draw for draw in np.flatnonzero(growing) if teams[draw] == team])
            others = [int(number) for number in pool if number not in team]
            if not others:
                continue
            with_each = np.stack([_losses(resampled, (*team, other), weights_NB[:, draws]) for other in others])
            with_each = np.where(np.isnan(with_each), np.inf, with_each)
            for draw, best, loss in zip(draws, with_each.argmin(axis=0), with_each.min(axis=0), strict=True):
                if loss < losses_B[draw]:
                    teams[draw], losses_B[draw], grown[draw] = (*team, others[best]), loss, True
        growing = grown
    return [tuple(sorted(team)) for team in teams]


def _losses(resampled: Resampled, team: tuple[int, ...], weights_NB: Floats) -> Floats:
    return mean_over(resampled.losses_of(resampled.outputs_of(team), weights_NB, resampled.criteria[-1]))
