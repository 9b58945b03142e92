"""What mattered: how much of the differences between trials hangs on each choice, by a random forest whose inputs are shuffled.

Axis letters: N trials, C columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fusearch.amounts import counted
from fusearch.inference.resampling import QUANTILES
from fusearch.reports.wording import sentence_case
from fusearch.search_space.design.features import ENCODER, FACTORS, features_of
from fusearch.trials import Trials

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fusearch.search_space import FusionGraph
    from fusearch.study import TrialRecord

    Floats = NDArray[np.float64]

__all__ = ["Influence", "InfluenceOfChoice", "influence_of_choices", "influence_sentence"]

#: Below so many graphs a forest says nothing.
_LEAST_GRAPHS = 20
_DRAWS, _TREES, _SHUFFLES = 20, 30, 3


@dataclass(frozen=True)
class InfluenceOfChoice:
    """One choice.

    Attributes:
        choice: What is chosen, such as `Level` or `Learning rate`.
        share: Of the differences between trials in rank, the share that is no longer told where this choice is shuffled.
        low: 5 % quantile of that over draws of the designs.
        high: 95 % quantile.
    """

    choice: str
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Influence:
    """What mattered.

    Attributes:
        explained: Share of the differences in rank that the choices tell of designs that the forest has not seen; below 0 it tells nothing.
        choices: The choices, the most influential first; none where the forest tells nothing.
        trials: Trials that it was told from.
        reason: Why there are no choices.
    """

    explained: float | None
    choices: tuple[InfluenceOfChoice, ...]
    trials: int
    reason: str | None = None


def influence_of_choices(trials: Trials, *, seed: int = 0) -> Influence:
    """Tell how much the rank of a trial by the main objective hangs on each choice.

    A forest is grown on designs that are drawn with replacement, and asked about those left out, once as they are and once with all columns
    of a choice shuffled among them. Trials of one graph stay together.

    Args:
        trials: One reading of the run.
        seed: What the draws hang on.
    """
    import numpy as np

    records = sorted((record for record in trials.evaluated if record.digest in trials.graphs), key=lambda record: record.number)
    digests, graph_of = np.unique([record.digest for record in records], return_inverse=True)
    if len(digests) < _LEAST_GRAPHS:
        return Influence(None, (), len(records), f"{counted(len(digests), 'design')} are too few to tell, {_LEAST_GRAPHS} are needed")
    losses = [trials.primary.loss(record.value(trials.primary.name)) for record in records]
    ranks = np.argsort(np.argsort(losses, kind="stable")).astype(float)
    columns = _columns(records, trials.graphs)
    rng = np.random.default_rng(seed)
    draws = [_draw(rng, columns, ranks, graph_of, len(digests)) for _ in range(_DRAWS)]
    told = float(np.mean([explained for explained, _ in draws]))
    if told <= 0:
        return Influence(told, (), len(records), "the choices do not tell which trials did well")
    lost = np.stack([each for _, each in draws])
    means, (low, high) = lost.mean(axis=0), np.quantile(lost, QUANTILES, axis=0)
    choices = [InfluenceOfChoice(name, float(means[at]), float(low[at]), float(high[at])) for at, name in enumerate(columns)]
    return Influence(told, tuple(sorted(choices, key=lambda each: -each.share)), len(records))


def influence_sentence(told: Influence) -> str:
    """Say what the shares are shares of."""
    return (
        f"A random forest that knows the choices tells {100 * (told.explained or 0.0):.0f} % of the differences in rank between designs "
        f"that it has not seen ({counted(told.trials, 'trial')}); with one choice shuffled that share is lost. Choices that go together "
        "share their influence, and the search decides what is tried."
    )


def _draw(
    rng: np.random.Generator, columns: Mapping[str, list[Floats]], ranks: Floats, graph_of: NDArray[np.int64], num_graphs: int
) -> tuple[float, Floats]:
    """Return the share of the differences that a forest tells of the graphs left out, and what of it is lost with each choice."""
    import numpy as np
    from sklearn.ensemble import RandomForestRegressor

    table_NC = np.column_stack([column for parts in columns.values() for column in parts])
    drawn = np.bincount(rng.integers(0, num_graphs, num_graphs), minlength=num_graphs)[graph_of]
    out = np.flatnonzero(drawn == 0)
    forest = RandomForestRegressor(_TREES, min_samples_leaf=2, max_features=0.5, random_state=int(rng.integers(1 << 31)))
    forest.fit(np.repeat(table_NC, drawn, axis=0), np.repeat(ranks, drawn))
    asked, end = [table_NC[out]], 0
    for parts in columns.values():
        start, end = end, end + len(parts)
        for _ in range(_SHUFFLES):
            asked.append(table_NC[out])
            asked[-1][:, start:end] = asked[-1][rng.permutation(len(out)), start:end]
    said = forest.predict(np.concatenate(asked)).reshape(len(asked), len(out))
    errors = ((said - ranks[out]) ** 2).mean(axis=1) / (np.var(ranks[out]) or 1.0)
    return float(1 - errors[0]), errors[1:].reshape(len(columns), _SHUFFLES).mean(axis=1) - errors[0]


def _columns(records: Sequence[TrialRecord], graphs: Mapping[str, FusionGraph]) -> dict[str, list[Floats]]:
    """Return the columns of each choice that differs between trials: 0 and 1 for what a design has, numbers as they are."""
    import numpy as np

    described = [features_of(graphs[record.digest], record.recipe) for record in records]
    settings = {name: sentence_case(name.replace("_", " ")) for record in records for name in record.recipe}
    # The operators tell their class.
    titles = {name: name for name in (*FACTORS, ENCODER) if name != "Operator class"} | settings
    choices: dict[str, list[Floats]] = {}
    for choice, title in titles.items():
        features = sorted({feature for each in described for feature in each if feature[0] == choice})
        columns = [np.array([each.get(feature, 0.0) for each in described]) for feature in features]
        choices[title] = [column for column in columns if np.ptp(column) > 0]
    return {title: columns for title, columns in choices.items() if columns}
