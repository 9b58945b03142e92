"""The sampler that knows what a design costs: the design next is the one that is expected to add most to the front (decision 0048)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.trial import FrozenTrial

from fusearch import pareto
from fusearch.contracts import Objective, feasible
from fusearch.search.bounds import CheapBounds
from fusearch.search.evolution import EvolutionSampler, directions_of
from fusearch.search.expected_gain import expected_gain
from fusearch.search.performance_forest import PerformanceForest
from fusearch.search_space import Candidate
from fusearch.search_space.design.features import Feature, features_of
from fusearch.study import TrialRecord, read_records

if TYPE_CHECKING:
    from fusearch.search_space import SearchSpace

__all__ = ["CostAwareSampler"]

Floats = NDArray[np.float64]


class CostAwareSampler(EvolutionSampler):
    """Learn the performance of designs, know their cost, and try what is expected to add most to the hypervolume.

    A random forest learns what is measured from the features of a design. Candidates are children of the best designs, as evolution
    makes them, a fifth random draws, and the best of those that were not taken before. For each the expected gain in hypervolume has a
    closed form; what a design costs is no guess there but the number that is known before training. As counting it takes milliseconds, it
    is asked for in the order of a forest's guess, until the best that is known is better than all that is guessed. Designs that are being
    evaluated are believed to come out at their predicted mean, so that workers do not all go to one place.

    Args:
        space: The search space.
        seed: Seed of all draws.
        startup: Trials that are complete, or were stopped by a race, before it learns; until then designs are drawn at random.

    References:
        Emmerich, Deutz & Klinkenberg 2011, Hypervolume-based expected improvement: monotonicity properties and exact computation.
        Ginsbourger, Le Riche & Carraro 2010, Kriging is well-suited to parallelize optimization (the believer).
    """

    #: New candidates at each proposal, those that are kept for the next, and those whose cost is asked for at most.
    DRAWN, KEPT, ASKED = 40, 80, 20
    #: Share of random draws, and of children of what looked best at the last proposal, so that it is climbed from there.
    RANDOM_SHARE, NEAR_THE_POOL = 0.2, 0.5
    #: A guess of a cost that is known in the end needs few trees.
    TREES, TREES_OF_COSTS = 40, 10
    #: The forest is grown anew when there are more observations by this share.
    GROWTH = 0.05

    def __init__(self, space: SearchSpace, *, seed: int, startup: int = 10) -> None:
        super().__init__(space, seed=seed, startup=startup)
        self._objectives: Sequence[Objective] = ()
        self._bounds: CheapBounds | None = None
        self._features: dict[str, Mapping[Feature, float]] = {}
        self._rebuilt: dict[int, Candidate] = {}
        self._pool: dict[str, Candidate] = {}
        self._forest: PerformanceForest | None = None
        self._grown_on: tuple[int, tuple[bool, ...]] = 0, ()

    def know(self, objectives: Sequence[Objective], bounds: CheapBounds) -> None:
        """Take in what a study does not tell: what the objectives are, and what a design costs before it is trained."""
        self._objectives, self._bounds = objectives, bounds

    def _next(self, study: optuna.Study, complete: list[FrozenTrial]) -> Candidate | None:
        ways = directions_of(study)
        objectives = self._objectives or [Objective(f"value_{place}", way) for place, way in enumerate(ways)]
        records = read_records(study, [each.name for each in objectives])
        trials = [(record, self._of(record, trial)) for record, trial in zip(records, study.get_trials(deepcopy=False), strict=True)]
        observed = _observed(trials, objectives)
        whole = [each.values for each in observed if each.is_whole]
        scale = _Scale.of(objectives, whole)
        forest = self._grown(observed, scale)
        pool = self._drawn(self._parents(complete, ways), {candidate.digest for _, candidate in trials if candidate is not None})
        if not pool:
            return None
        front = scale.losses([values for values in whole if feasible(objectives, values)])
        if pending := [candidate for record, candidate in trials if candidate is not None and record.state == "running"]:
            front = np.vstack([front, self._known(pending, *_believed(forest, pending), scale)[0]])
        return self._best(pool, forest, front, scale)

    def _best(self, pool: list[Candidate], forest: PerformanceForest, front: Floats, scale: _Scale) -> Candidate:
        """Return the design with the highest expected gain, and keep the next best ones for the next proposal."""
        mean, deviation = _believed(forest, pool)
        gains = expected_gain(mean, deviation, front, scale.reference)
        chosen, found = int(gains.argmax()), -1.0
        for place in np.argsort(-gains, kind="stable")[: self.ASKED].tolist():
            if gains[place] <= found:
                break  # what is known of one is better than what is guessed of the others
            if self._bounds is not None and not self._bounds.allows(pool[place]):
                gains[place] = -1.0
                continue
            belief = self._known([pool[place]], mean[[place]], deviation[[place]], scale)
            gains[place] = expected_gain(*belief, front, scale.reference)[0]
            if gains[place] > found:
                chosen, found = place, gains[place]
        self._pool = {pool[place].digest: pool[place] for place in np.argsort(-gains, kind="stable")[: self.KEPT]}
        return pool[chosen]

    def _drawn(self, parents: list[Candidate], seen: set[str]) -> list[Candidate]:
        """Return designs that no trial holds: what was good before, children of the best, and random draws."""
        found = {digest: candidate for digest, candidate in self._pool.items() if digest not in seen}
        for _ in range(self.DRAWN):
            candidate = self._variant(parents)
            if candidate.digest not in seen:
                found.setdefault(candidate.digest, candidate)
        return list(found.values())

    def _variant(self, parents: list[Candidate]) -> Candidate:
        if self._rng.random() < self.RANDOM_SHARE and self._space.contains(drawn := self._space.sample(self._rng)):
            return drawn
        if self._pool and self._rng.random() < self.NEAR_THE_POOL:
            parents = list(self._pool.values())[: len(parents)]
        parent = self._tournament(parents)
        is_crossed = self._rng.random() < self._crossover
        return self._space.cross(parent, self._tournament(parents), self._rng) if is_crossed else self._space.mutate(parent, self._rng)

    def _of(self, record: TrialRecord, trial: FrozenTrial) -> Candidate | None:
        """Return the candidate of a trial, also of one outside the space; None where it has none (yet), or the trial is someone else's."""
        if record.rebuilt_from is not None:
            if trial.number not in self._rebuilt:
                self._rebuilt[trial.number] = Candidate.from_dict(record.rebuilt_from)
            return self._rebuilt[trial.number]
        # A trial that is being asked for has only the first of its parameters until its candidate is written down.
        return self._decoded(trial) if record.candidate or record.state == "complete" else None

    def _grown(self, observed: Sequence[_Observation], scale: _Scale) -> PerformanceForest:
        """Return the forest, grown anew where there is enough to learn, or the scale has changed."""
        number, logarithmic = self._grown_on
        enough = number + max(1, round(self.GROWTH * number))
        if self._forest is None or len(observed) >= enough or logarithmic != scale.logarithmic:
            for candidate in (each.candidate for each in observed if each.candidate.digest not in self._features):
                self._features[candidate.digest] = features_of(candidate.graph, candidate.recipe.to_dict())
            losses, folds = scale.losses([each.values for each in observed]), np.array([float(each.folds) for each in observed])
            described = [self._features[each.candidate.digest] for each in observed]
            trees = [self.TREES_OF_COSTS if each.cheap else self.TREES for each in scale.objectives]
            self._forest = PerformanceForest(described, losses, folds, trees=trees, seed=int(self._rng.integers(2**31)))
            self._grown_on = len(observed), scale.logarithmic
        return self._forest

    def _known(self, candidates: Sequence[Candidate], mean_CM: Floats, deviation_CM: Floats, scale: _Scale) -> _Belief:
        """Return what is believed of designs, with what they cost in place of what was guessed."""
        for row, candidate in enumerate(candidates):
            costs = {} if self._bounds is None else self._bounds.costs(candidate)
            for axis, objective in enumerate(self._objectives):
                if objective.cheap and objective.name in costs:
                    mean_CM[row, axis], deviation_CM[row, axis] = scale.loss(axis, costs[objective.name]), 0.0
        return mean_CM, deviation_CM


#: Mean and deviation of losses, each (C, M).
_Belief = tuple[Floats, Floats]


@dataclass(frozen=True)
class _Observation:
    """What is known of a design.

    Attributes:
        candidate: The design.
        values: Of each objective; NaN where a race stopped the design before there was one.
        is_whole: Whether it was evaluated to the end. Else the values are means over the folds that it had: noisy looks at what the whole
            mean would have been, which the forest learns from and the front never sees.
        folds: How many folds are behind the values; 1 where they are not told.
    """

    candidate: Candidate
    values: Sequence[float]
    is_whole: bool
    folds: int


def _observed(trials: Sequence[tuple[TrialRecord, Candidate | None]], objectives: Sequence[Objective]) -> list[_Observation]:
    """Return what is known of each design that was evaluated, or stopped by a race after some folds; of repeats once."""
    found: dict[str, _Observation] = {}
    for record, candidate in trials:
        looks = [record.partial(each.name) for each in objectives]
        is_whole = record.state == "complete"
        if candidate is None or not (is_whole or any(looks)):
            continue
        values = [*record.objectives.values()] if is_whole else [math.nan if look is None else look[0] for look in looks]
        folds = max(1, *(len(record.by_fold(each.name)) for each in objectives))
        if is_whole or candidate.digest not in found:
            found[candidate.digest] = _Observation(candidate, values, is_whole, folds)
    return list(found.values())


def _believed(forest: PerformanceForest, candidates: Sequence[Candidate]) -> _Belief:
    """Return mean and deviation of the losses of designs."""
    return forest.predict([features_of(candidate.graph, candidate.recipe.to_dict()) for candidate in candidates])


@dataclass(frozen=True)
class _Scale:
    """How objectives are measured in the hypervolume: as losses, costs over many decades by their logarithm, down to the worst corner."""

    objectives: Sequence[Objective]
    logarithmic: tuple[bool, ...]
    least: tuple[float, ...]
    reference: Floats

    @classmethod
    def of(cls, objectives: Sequence[Objective], values: Sequence[Sequence[float]]) -> _Scale:
        """Choose the scale by what was found; a bound is where the hypervolume of an objective ends."""
        columns = list(zip(*values, strict=True))
        logarithmic = tuple(pareto.is_logarithmic(each, column) for each, column in zip(objectives, columns, strict=True))
        scale = cls(objectives, logarithmic, tuple(map(min, columns)), np.empty(0))
        losses_NM = scale.losses(values)
        worst_M = np.array(pareto.reference_point(losses_NM, ["minimize"] * len(objectives)))
        bounded = [(axis, each.bound) for axis, each in enumerate(objectives) if each.bound is not None]
        for axis, bound in bounded:
            worst_M[axis] = min(worst_M[axis], scale.loss(axis, bound))
        return cls(objectives, logarithmic, scale.least, worst_M)

    def losses(self, values: Sequence[Sequence[float]]) -> Floats:
        """Return the losses (N, M) of values."""
        found = [[self.loss(axis, value) for axis, value in enumerate(each)] for each in values]
        return np.array(found, dtype=np.float64).reshape(len(found), len(self.objectives))

    def loss(self, axis: int, value: float) -> float:
        """Return the loss of a value; a logarithmic one ends a decade below the least that was found."""
        measure = math.log10(max(value, self.least[axis] / 10)) if self.logarithmic[axis] else value
        return self.objectives[axis].loss(measure)
