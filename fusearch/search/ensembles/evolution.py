"""NSGA-II over subsets as bit vectors, for more candidates than can be listed. Axis letters: S subsets, A candidates."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from fusearch.errors import SpaceError
from fusearch.search.ensembles.predictions import Predictions
from fusearch.search.ensembles.scores import Progress, Scorer, SubsetScores
from fusearch.search.ensembles.subsets import SubsetRules
from fusearch.search.ensembles.voting import Ties

__all__ = ["evolve_subsets", "sample_subset"]

BoolArray = npt.NDArray[np.bool_]


def evolve_subsets(
    predictions: Predictions,
    rules: SubsetRules,
    *,
    diversity: str = "correlation",
    ties: Ties = "probability",
    evaluations: int = 4000,
    population: int = 100,
    seed: int = 0,
    progress: Progress | None = None,
) -> SubsetScores:
    """Search the subsets with Optuna's NSGA-II; one bit a candidate, the rules as a constraint, repeats as another.

    The first population is drawn from the allowed subsets, as a random bit vector over many candidates hardly ever keeps the rules.

    Args:
        predictions: What each candidate predicted.
        rules: Which subsets are allowed.
        diversity: Name of the measure in `DIVERSITIES`.
        ties: How the tie of a vote is broken.
        evaluations: How many bit vectors to try.
        population: Size of a generation.
        seed: Seed of the search.
        progress: Called after each evaluation; it may raise to stop.

    Returns:
        Every allowed subset that was seen, once, small ones first.

    References:
        Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II", IEEE Trans. Evol. Comput. 6 (2002).
    """
    import optuna

    scorer = Scorer.of(predictions, diversity=diversity, ties=ties)
    rng = np.random.default_rng(seed)
    names = [str(index) for index in range(len(predictions))]
    bits: dict[str, optuna.distributions.BaseDistribution] = {
        name: optuna.distributions.CategoricalDistribution((False, True)) for name in names
    }
    sampler = optuna.samplers.NSGAIISampler(population_size=population, seed=seed)
    with _quiet_optuna():
        study = optuna.create_study(directions=["maximize", "maximize"], sampler=sampler)
    for _ in range(min(population, evaluations)):
        first = sample_subset(predictions.modalities, rules, rng)
        study.enqueue_trial(dict(zip(names, first.tolist(), strict=True)))
    seen: dict[bytes, tuple[BoolArray, tuple[float, float]]] = {}
    for number in range(evaluations):
        trial = study.ask(bits)
        subset = np.array([trial.params[name] for name in names], dtype=np.bool_)
        key = subset.tobytes()
        violation = int(rules.violations(subset[None], predictions.modalities)[0])
        trial.set_constraint("rules", violation)
        # Without this, copies of a few good subsets fill the population and the search stops.
        trial.set_constraint("repeat", key in seen)
        values = (0.0, 0.0)
        if not violation:
            if key not in seen:
                scores = scorer.score(subset[None])
                seen[key] = subset, (float(scores.evaluation[0]), float(scores.diversity[0]))
            values = seen[key][1]
        study.tell(trial, values)
        if progress is not None:
            progress(number + 1, evaluations)
    found = sorted(seen.values(), key=lambda entry: (int(entry[0].sum()), (~entry[0]).tobytes()))
    points = np.array([values for _, values in found])
    return SubsetScores(np.stack([subset for subset, _ in found]), points[:, 0], points[:, 1])


def sample_subset(modalities: Sequence[str], rules: SubsetRules, rng: np.random.Generator) -> BoolArray:
    """Draw an allowed subset, (A,): for each modality a number of candidates, then which; drawn again until the sizes fit.

    Raises:
        SpaceError: A thousand draws gave none.
    """
    limits = rules.limits(modalities)
    for _ in range(1000):
        subset = np.zeros(len(modalities), dtype=np.bool_)
        for name, (fewest, most) in limits.items():
            own = np.flatnonzero(np.array(modalities) == name)
            subset[rng.permutation(own)[: rng.integers(fewest, most + 1)]] = True
        if not rules.violations(subset[None], modalities)[0]:
            return subset
    raise SpaceError(f"no subset of the {len(modalities)} candidates keeps {rules}")


@contextlib.contextmanager
def _quiet_optuna() -> Iterator[None]:
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
