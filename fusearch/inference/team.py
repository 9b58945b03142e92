"""A few different designs together: the mean of what they say. Axis letters: D designs, N rows, B draws, F folds.

Designs are added one by one, each time the one that makes the mean best on out-of-fold predictions (Caruana et al. 2004), until none does:
small and different, as one design of each graph at most is asked. How many, and whether one may be added again and so count more, is the
rule of the team (`rule_of`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusearch.inference.resampling import Resampled, mean_over
from fusearch.study import TrialRecord

__all__ = ["FEW", "MOST_MEMBERS", "POOL", "WEIGHTED", "TeamRule", "pool_of", "rule_of", "team_on_all_rows", "teams_of"]

Floats = NDArray[np.float64]

#: Most members of a team, and designs that it is chosen from: the best of as many graphs.
MOST_MEMBERS, POOL = 4, 12


@dataclass(frozen=True)
class TeamRule:
    """How a team is grown.

    Attributes:
        steps: How often a design is added at most.
        again: Whether one may be added again, so that it counts more; of different designs there are `MOST_MEMBERS` at most.
    """

    steps: int
    again: bool


#: A few different designs that count alike.
FEW = TeamRule(MOST_MEMBERS, again=False)
#: A few different designs, some of which count more than others.
WEIGHTED = TeamRule(8, again=True)

#: On fewer rows it is chance which design counts more.
_ROWS_FOR_WEIGHTS = 300


def rule_of(num_rows: int) -> TeamRule:
    """Return how a team is grown where so many rows were held out."""
    return FEW if num_rows < _ROWS_FOR_WEIGHTS else WEIGHTED


def pool_of(designs: Sequence[TrialRecord]) -> NDArray[np.int64]:
    """Return the numbers of the designs that teams are chosen from, the best first: of each graph the best candidate."""
    first: dict[str, int] = {}
    for number, record in enumerate(designs):
        first.setdefault(record.digest, number)
    return np.array(list(first.values())[:POOL], np.int64)


def teams_of(resampled: Resampled, pool: NDArray[np.int64], draws: int, rule: TeamRule | None = None) -> list[tuple[int, ...]]:
    """Return the team that is chosen on each of the first draws: the numbers of its designs; one that counts more stands there again."""
    return _grow(resampled, pool, resampled.drawn[:, :draws], rule or rule_of(len(resampled.drawn)))


def team_on_all_rows(resampled: Resampled, pool: NDArray[np.int64], rule: TeamRule | None = None) -> tuple[int, ...]:
    """Return the team that is chosen on all rows, as `teams_of`."""
    (team,) = _grow(resampled, pool, np.ones((len(resampled.drawn), 1)), rule or rule_of(len(resampled.drawn)))
    return team


def _grow(resampled: Resampled, pool: NDArray[np.int64], weights_NB: Floats, rule: TeamRule) -> list[tuple[int, ...]]:
    teams: list[tuple[int, ...]] = [()] * weights_NB.shape[1]
    losses_B = np.full(len(teams), np.inf)
    growing = np.ones(len(teams), bool)
    for _ in range(rule.steps):
        grown = growing & False
        for team in {teams[draw] for draw in np.flatnonzero(growing)}:
            draws = np.array([draw for draw in np.flatnonzero(growing) if teams[draw] == team])
            is_full = len(set(team)) == MOST_MEMBERS
            others = [int(number) for number in pool if (rule.again if number in team else not is_full)]
            if not others:
                continue
            # Sorted, so that a team is one team whatever the order in which it grew.
            with_each = np.stack([_losses(resampled, tuple(sorted((*team, other))), weights_NB[:, draws]) for other in others])
            with_each = np.where(np.isnan(with_each), np.inf, with_each)
            for draw, best, loss in zip(draws, with_each.argmin(axis=0), with_each.min(axis=0), strict=True):
                if loss < losses_B[draw]:
                    teams[draw], losses_B[draw], grown[draw] = tuple(sorted((*team, others[best]))), loss, True
        growing = grown
    return teams


def _losses(resampled: Resampled, team: tuple[int, ...], weights_NB: Floats) -> Floats:
    return mean_over(resampled.losses_of(resampled.outputs_of(team), weights_NB))
