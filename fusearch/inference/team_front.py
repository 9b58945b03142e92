"""What teams reach at what cost: the front of performance against the costs of all members together. Nothing is trained.

Axis letters: D designs, M objectives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fusearch import pareto
from fusearch.contracts import Objective, feasible
from fusearch.inference.kept import NotEstimableError, read_kept
from fusearch.inference.resampling import Resampled, mean_over
from fusearch.inference.team import MOST_MEMBERS, POOL, pool_of
from fusearch.study import TrialRecord
from fusearch.trials import Trials

__all__ = ["TeamPoint", "front_of_teams"]

#: Most teams of a size that are tried with one member more: the best of those that nothing dominates.
BEAM = 12


@dataclass(frozen=True)
class TeamPoint:
    """Two designs or more, whose mean no design and no other team dominates.

    Attributes:
        trials: The trials of its members.
        designs: Digests of their graphs.
        candidates: Digests of the graphs with their recipes.
        plain: The metric of their mean, as the search's rows tell it; teams were chosen on the same rows, so luck made it look better.
        cost: What all of them cost together, by name.
    """

    trials: tuple[int, ...]
    designs: tuple[str, ...]
    candidates: tuple[str, ...]
    plain: float
    cost: Mapping[str, float]


def front_of_teams(trials: Trials) -> tuple[TeamPoint, ...]:
    """Return the teams that reach more than any design, or smaller team, of at most their cost, the cheapest first.

    They grow from pairs of the designs on the front and the best ones, member by member. Empty where predictions are missing, where the
    strategy chose on them, and where no team is worth its cost.

    Args:
        trials: One reading of the run.
    """
    designs, costs = _pool(trials), [objective for objective in trials.costs if objective.cost]
    if len(designs) < 2 or not costs or trials.chosen_on_predictions:
        return ()
    try:
        kept = read_kept(trials.path, designs, trials.described_task)
        rows = Resampled(kept, trials.primary, draws=1)
    except NotEstimableError:
        return ()
    every = np.ones((len(kept.fold), 1))
    spent_DM = np.array([[record.value(objective.name) for objective in costs] for record in designs])
    if rows.is_dense:
        return ()
    points: dict[tuple[int, ...], tuple[float, ...]] = {}

    def place(team: tuple[int, ...]) -> None:
        loss = float(mean_over(rows.losses_of(rows.outputs_of(team), every))[0])
        if np.isfinite(loss):
            points[team] = (loss, *spent_DM[list(team)].sum(axis=0))

    for number in range(len(designs)):
        place((number,))
    beam = list(points)  # every pair is tried; from there on what is dominated grows no more
    for _ in range(MOST_MEMBERS - 1):
        grown = {tuple(sorted((*team, other))) for team in beam for other in range(len(designs)) if other not in team}
        for team in sorted(grown):
            place(team)
        beam = [team for team in _undominated(points) if team in grown][:BEAM]
    found = [_told(trials, costs, [designs[number] for number in team], points[team]) for team in _undominated(points) if len(team) > 1]
    bounded = [each for each in trials.objectives if each in (trials.primary, *costs)]
    values = ({trials.primary.name: each.plain, **each.cost} for each in found)
    allowed = [each for each, known in zip(found, values, strict=True) if feasible(bounded, [known[one.name] for one in bounded])]
    return tuple(sorted(allowed, key=lambda each: next(iter(each.cost.values()))))


def _pool(trials: Trials) -> list[TrialRecord]:
    """Return what teams are grown from: of each graph on the front the best candidate, then the best designs."""
    best = [trials.feasible[number] for number in pool_of(trials.feasible)]
    return list({record.candidate: record for record in (*trials.front[:POOL], *best)}.values())


def _undominated(points: Mapping[tuple[int, ...], tuple[float, ...]]) -> list[tuple[int, ...]]:
    """Return the teams that no other dominates, the best first; of teams that are equal in everything the first."""
    if not points:
        return []
    keep = pareto.is_nondominated(list(points.values()), ["minimize"] * len(next(iter(points.values()))))
    once = {point: team for team, point in reversed([each for each, kept in zip(points.items(), keep, strict=True) if kept])}
    return [once[point] for point in sorted(once)]


def _told(trials: Trials, costs: Sequence[Objective], members: Sequence[TrialRecord], point: Sequence[float]) -> TeamPoint:
    loss, *spent = point
    return TeamPoint(
        tuple(record.number for record in members),
        tuple(record.digest for record in members),
        tuple(record.candidate for record in members),
        trials.primary.loss(loss),
        {objective.name: float(value) for objective, value in zip(costs, spent, strict=True)},
    )
