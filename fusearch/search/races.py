"""Who races against whom: a candidate against the finished designs that cost no more, where its costs are known before training."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusearch import pareto
from fusearch.contracts import Objective, feasible
from fusearch.inference.race import Race, Rival
from fusearch.study import TrialFacts

__all__ = ["Races"]


@dataclass(frozen=True, eq=False)
class _Finished:
    """A finished design.

    Attributes:
        trial: Its trial.
        values: Its objectives by name.
        losses: Of each metric its losses by fold, (folds,).
        means: Their means.
    """

    trial: int
    values: Mapping[str, float]
    losses: Mapping[str, NDArray[np.float64]]
    means: Mapping[str, float]


class Races:
    """The finished designs that can be raced against.

    A candidate races only where each objective either is known before training (`cheap`) or has a value in each fold. What it has to beat
    are the finished designs that keep all bounds, cost no more in each known objective, and are beaten by no other of them.

    Args:
        objectives: What is optimized.
        criteria: What designs are picked by; those that are no objectives, such as the loss, count beside them where they are told by fold,
            so that no design is stopped that would have been picked.
    """

    #: Finished designs before the first race: from them it is learned by how much folds differ.
    FEWEST = 5
    #: Designs that this is learned from, the newest ones.
    NEWEST = 300
    #: Folds below which there are no races.
    FEWEST_FOLDS = 3
    #: Designs, the newest ones, of which it is counted how many lose after the first fold; and how many lost, of how many, before any.
    COUNTED, PRIOR = 50, (1, 3)

    def __init__(self, objectives: Sequence[Objective], criteria: Sequence[Objective] = ()) -> None:
        self._objectives = tuple(objectives)
        self._beside = tuple(each for each in criteria if each.name not in {objective.name for objective in objectives})
        self._front: list[_Finished] = []
        self._newest: list[_Finished] = []
        self._folds: tuple[int, ...] = ()
        self._told: tuple[Objective, ...] = ()
        self._lost_at_once: deque[bool] = deque(maxlen=self.COUNTED)

    def add(self, trial: int, values: Sequence[float], facts: TrialFacts, *, is_reference: bool = False) -> None:
        """Take note of a finished design; one that does not tell its folds, or fewer than others do, is passed over.

        A metric may have no value in a fold, so the folds are those of the designs that have most.

        Args:
            trial: Its trial.
            values: Its objectives; empty where a race stopped it.
            facts: What was found.
            is_reference: Whether it is one: references say nothing of how many designs lose at once.
        """
        if not is_reference:
            self._count(values, facts)
        if facts.raced:
            return
        told = {each.name: each for each in (*self._objectives, *self._beside) if facts.by_fold(each.name)}
        folds = {name: facts.by_fold(name) for name in told}
        self._told = self._told or tuple(told.values())
        widest = tuple(sorted(min(folds.values(), key=len, default=())))
        if len(widest) > len(self._folds):
            self._folds, self._front, self._newest = widest, [], []
        if len(self._folds) < self.FEWEST_FOLDS or any(set(folds.get(each.name, ())) != set(self._folds) for each in self._told):
            return
        losses = {each.name: np.array([each.loss(folds[each.name][fold]) for fold in self._folds]) for each in self._told}
        means = {name: float(each.mean()) for name, each in losses.items()}
        design = _Finished(trial, dict(zip([each.name for each in self._objectives], values, strict=True)), losses, means)
        self._newest = [*self._newest[1 - self.NEWEST :], design]
        if feasible(self._objectives, values):
            self._front = _unbeaten([*self._front, design], self._all_losses)

    def race(self, costs: Mapping[str, float]) -> Race | None:
        """Return what a candidate races against; None where nothing that costs no more is finished, or too little is known.

        Args:
            costs: What is known of it before training, by name.
        """
        known = [objective for objective in self._objectives if objective.name in costs]
        metrics = tuple(each for each in self._told if each.name not in costs)
        measured = {objective.name for objective in self._objectives} - costs.keys()
        if len(self._newest) < self.FEWEST or not metrics or not measured <= {each.name for each in metrics}:
            return None
        cheaper = [design for design in self._front if not any(each.better(costs[each.name], design.values[each.name]) for each in known)]
        rivals = _unbeaten(cheaper, lambda design: [design.means[each.name] for each in metrics])
        lost, of = self.PRIOR
        share = (sum(self._lost_at_once) + lost) / (len(self._lost_at_once) + of)
        return Race(metrics, tuple(self._rival(design, metrics) for design in rivals), share) if rivals else None

    def _rival(self, design: _Finished, metrics: Sequence[Objective]) -> Rival:
        scores = {
            metric.name: {fold: metric.loss(loss) for fold, loss in zip(self._folds, design.losses[metric.name].tolist(), strict=True)}
            for metric in metrics
        }
        others = [other for other in self._newest if other is not design]
        spread = {
            metric.name: float(
                np.sqrt(np.median(np.var([other.losses[metric.name] - design.losses[metric.name] for other in others], axis=1, ddof=1)))
            )
            for metric in metrics
        }
        return Rival(design.trial, scores, spread)

    def _count(self, values: Sequence[float], facts: TrialFacts) -> None:
        """Take note of whether a design lost after its first fold, or would have, had it raced."""
        if facts.raced:
            if "folds" in facts.raced:  # else it left among other recipes
                self._lost_at_once.append(facts.raced["folds"] == 1)
            return
        race = self.race({each.name: value for each, value in zip(self._objectives, values, strict=True) if each.cheap})
        if race is not None:
            told = {metric.name: facts.by_fold(metric.name) for metric in race.metrics}
            first = {name: {fold: folds[fold] for fold in self._folds[:1] if fold in folds} for name, folds in told.items()}
            self._lost_at_once.append(race.judge(first) is not None)

    def _all_losses(self, design: _Finished) -> list[float]:
        return [*(each.loss(design.values[each.name]) for each in self._objectives), *design.means.values()]


def _unbeaten(designs: Sequence[_Finished], losses: Callable[[_Finished], Sequence[float]]) -> list[_Finished]:
    """Return the designs that no other one equals or beats in everything; of equals the first."""
    points = [tuple(losses(design)) for design in designs]
    first: dict[tuple[float, ...], _Finished] = {}
    if designs:
        for point, design, keep in zip(points, designs, pareto.is_nondominated(points, ["minimize"] * len(points[0])), strict=True):
            if keep:
                first.setdefault(point, design)
    return list(first.values())
