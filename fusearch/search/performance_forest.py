"""What is believed of designs that were not evaluated: a random forest over their features, with how unsure it is.

Axis letters: N observations, C candidates, P features, M objectives, T trees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fusearch.search_space.design.features import Feature

__all__ = ["PerformanceForest"]

Floats = NDArray[np.float64]


class PerformanceForest:
    """Mean and deviation of the losses of a design: scikit-learn's random forest, one for each objective.

    The deviation is that between trees, each grown to single designs of its own draw of them. So it holds the noise of evaluations, and
    is small where designs that are alike have come out alike: nothing is left to be learned from one more of them. (Leaves of several
    designs, with the spread inside them added, are as well calibrated, but stay unsure for ever of designs that are known.)

    Args:
        described: Features of the designs that were evaluated.
        losses_NM: Their losses; NaN where one is not known.
        weights_N: How much each counts, such as the number of folds behind it.
        trees: How many trees each objective has.
        seed: What the draws hang on.

    References:
        Hutter, Hoos & Leyton-Brown 2011, Sequential model-based optimization for general algorithm configuration.
    """

    #: Of the features each split of a tree looks at.
    SHARE_OF_FEATURES = 0.5

    def __init__(
        self,
        described: Sequence[Mapping[Feature, float]],
        losses_NM: Floats,
        weights_N: Floats,
        *,
        trees: Sequence[int],
        seed: int,
    ) -> None:
        from sklearn.ensemble import RandomForestRegressor

        self._place = {feature: place for place, feature in enumerate(sorted({feature for each in described for feature in each}))}
        table_NP = self._table(described)
        self._trees = []
        for column_N, number in zip(losses_NM.T, trees, strict=True):
            forest = RandomForestRegressor(number, max_features=self.SHARE_OF_FEATURES, random_state=seed)
            known = np.isfinite(column_N)
            forest.fit(table_NP[known], column_N[known], sample_weight=weights_N[known])
            self._trees.append([each.tree_ for each in forest.estimators_])

    def predict(self, described: Sequence[Mapping[Feature, float]]) -> tuple[Floats, Floats]:
        """Return mean and deviation (C, M) of designs; a feature that no evaluated design has counts for nothing."""
        table_CP = self._table(described).astype(np.float32)
        means, deviations = [], []
        for trees in self._trees:
            said_TC = np.stack([tree.value[tree.apply(table_CP), 0, 0] for tree in trees])
            means.append(said_TC.mean(axis=0))
            deviations.append(said_TC.std(axis=0))
        return np.stack(means, axis=1), np.stack(deviations, axis=1)

    def _table(self, described: Sequence[Mapping[Feature, float]]) -> Floats:
        table = np.zeros((len(described), len(self._place)))
        for row, each in enumerate(described):
            for feature, value in each.items():
                if feature in self._place:
                    table[row, self._place[feature]] = value
        return table
