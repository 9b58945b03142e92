"""NSGA-II over subsets as bit vectors, for more candidates than can be listed. Axis letters: P population, S subsets, A candidates.

Whole generations are scored by matrix products, so ten thousand subsets take a fraction of a second (decision 0082).

References:
    Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II", IEEE Trans. Evol. Comput. 6 (2002).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fusearch.errors import SpaceError
from fusearch.pareto import ranks
from fusearch.search.ensembles.predictions import FloatArray, IntArray, Predictions
from fusearch.search.ensembles.scores import OnScored, Scorer, SubsetScores
from fusearch.search.ensembles.subsets import SubsetRules
from fusearch.search.ensembles.voting import Ties

__all__ = ["crowding_distances", "evolve_subsets", "sample_subsets"]

BoolArray = npt.NDArray[np.bool_]

_CROSSOVER = 0.9
#: Draws of whole populations after which rules that nothing keeps are given up.
_DRAWS = 20


def evolve_subsets(
    predictions: Predictions,
    rules: SubsetRules,
    *,
    diversity: str = "correlation",
    ties: Ties = "probability",
    evaluations: int = 40_000,
    population: int = 200,
    seed: int = 0,
    progress: OnScored | None = None,
) -> SubsetScores:
    """Search the subsets: binary tournaments, uniform crossover, a flip of one bit on average, repair, elitist survival.

    Children are repaired to keep the rules, and one seen before is dropped: copies of a few good subsets would fill the population.

    Args:
        predictions: What each candidate predicted.
        rules: Which subsets are allowed.
        diversity: Name of the measure in `DIVERSITIES`.
        ties: How the tie of a vote is broken.
        evaluations: How many subsets to try, repeats included.
        population: Size of a generation.
        seed: Seed of the search.
        progress: `progress(tried, evaluations)`, called after each generation; it may raise to stop.

    Returns:
        Every subset that was scored, once, small ones first.

    Raises:
        SpaceError: No subset keeps the rules.
    """
    rng = np.random.default_rng(seed)
    scorer = Scorer.of(predictions, diversity=diversity, ties=ties)
    children = sample_subsets(predictions.modalities, rules, population, rng)
    seen: set[bytes] = set()
    archive: list[SubsetScores] = []
    survivors = children[:0]
    points: FloatArray = np.empty((0, 2))
    for tried in range(population, max(evaluations, population) + 1, population):
        children = _unseen(children, seen)
        if len(children):
            scores = scorer.score(children)
            archive.append(scores)
            survivors, points = _survive(np.vstack([survivors, children]), np.vstack([points, scores.points]), population)
        if progress is not None:
            progress(min(tried, evaluations), evaluations)
        children = _breed(survivors, population, rng)
        children = _repair(children, predictions.modalities, rules, rng)
        children = children[rules.violations(children, predictions.modalities) == 0]
    subsets = np.vstack([scores.subsets for scores in archive])
    points = np.vstack([scores.points for scores in archive])
    order = np.lexsort((*(~subsets).T[::-1], subsets.sum(axis=1)))
    return SubsetScores(subsets[order], points[order, 0], points[order, 1])


def sample_subsets(modalities: Sequence[str], rules: SubsetRules, num: int, rng: np.random.Generator) -> BoolArray:
    """Draw up to `num` allowed subsets, (S, A): for each modality how many candidates, then which.

    Raises:
        SpaceError: None of many draws keeps the rules.
    """
    found: list[BoolArray] = []
    for _ in range(_DRAWS):
        drawn = np.zeros((num, len(modalities)), dtype=np.bool_)
        for name, (fewest, most) in rules.limits(modalities).items():
            own = np.array(modalities) == name
            drawn[:, own] = _best(rng.random((num, own.sum())), rng.integers(fewest, most + 1, size=num))
        found.append(drawn[rules.violations(drawn, modalities) == 0])
        if sum(map(len, found)) >= num:
            break
    if not any(map(len, found)):
        raise SpaceError(f"no subset of the {len(modalities)} candidates keeps the rules {rules}")
    return np.vstack(found)[:num]


def crowding_distances(points: FloatArray, front: IntArray) -> FloatArray:
    """Return the crowding distance (S,) of each point inside its front (Deb et al. 2002, section III-B); larger is lonelier."""
    distances = np.zeros(len(points))
    for rank in np.unique(front):
        own = np.flatnonzero(front == rank)
        for values in points[own].T:
            order = np.argsort(values, kind="stable")
            span = values[order[-1]] - values[order[0]]
            distances[own[order[[0, -1]]]] = np.inf
            if span > 0 and len(own) > 2:
                distances[own[order[1:-1]]] += (values[order[2:]] - values[order[:-2]]) / span
    return distances


def _survive(subsets: BoolArray, points: FloatArray, num: int) -> tuple[BoolArray, FloatArray]:
    """Keep the best fronts, and of the last one the loneliest; best first."""
    front = ranks(points, ["maximize", "maximize"])
    kept = np.lexsort((-crowding_distances(points, front), front))[:num]
    return subsets[kept], points[kept]


def _breed(parents: BoolArray, num: int, rng: np.random.Generator) -> BoolArray:
    """Make children of parents that stand best first, so a tournament is won by the lower index."""
    winners = rng.integers(len(parents), size=(2, 2, num)).min(axis=0)
    mother, father = parents[winners[0]], parents[winners[1]]
    crossed = (rng.random(mother.shape) < 0.5) & (rng.random((num, 1)) < _CROSSOVER)
    children: BoolArray = np.where(crossed, father, mother) ^ (rng.random(mother.shape) < 1 / mother.shape[1])
    return children


def _repair(subsets: BoolArray, modalities: Sequence[str], rules: SubsetRules, rng: np.random.Generator) -> BoolArray:
    """Drop candidates at random where a modality has too many, add some where it has too few."""
    repaired = subsets.copy()
    for name, (fewest, most) in rules.limits(modalities).items():
        own = np.array(modalities) == name
        taken = subsets[:, own]
        repaired[:, own] = _best(taken + rng.random(taken.shape), taken.sum(axis=1).clip(fewest, most))
    return repaired


def _best(priorities: FloatArray, counts: IntArray) -> BoolArray:
    """Take from each row the `counts` entries of highest priority."""
    places = np.argsort(np.argsort(-priorities, axis=1), axis=1)
    taken: BoolArray = places < counts[:, None]
    return taken


def _unseen(subsets: BoolArray, seen: set[bytes]) -> BoolArray:
    """Return the subsets that were not there before, each once, and remember them."""
    kept = []
    for index, subset in enumerate(np.packbits(subsets, axis=1)):
        key = subset.tobytes()
        if key not in seen:
            seen.add(key)
            kept.append(index)
    return subsets[kept]
