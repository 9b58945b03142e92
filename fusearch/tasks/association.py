"""How well one column of a table alone gives the target: classes by rank, tree and levels, numbers by rank. Axis letter: N samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["class_association", "rank_association"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

#: A tree is grown only for a column that ranks one class against the others this well; below, it could not be right as often.
_WORTH_A_TREE = 0.99
#: Of the rows that the most frequent class gets wrong, the share that a column must get right to count.
_ABOVE_MAJORITY = 0.9


def class_association(values: FloatArray, targets: IntArray, num_numeric: int) -> npt.NDArray[np.float64]:
    """Return the share of rows in which a column alone gives the class; 0 where the most frequent class alone gives it nearly as often.

    Numeric: 0 unless it ranks one class against the others with AUC 0.99 or more (or 0.01 or less), then what a small decision tree
    gets right. Categorical: the share of rows that the most frequent class of their level gets right. Either way it counts where it gives
    nine in ten of the rows that the most frequent class of all gets wrong.

    Args:
        values: (N, columns): numeric columns, then level codes.
        targets: Class codes, (N,).
        num_numeric: How many columns are numeric.
    """
    found = np.zeros(values.shape[1])
    for column in np.flatnonzero(_best_auc(values[:, :num_numeric], targets) >= _WORTH_A_TREE).tolist():
        found[column] = _tree_accuracy(values[:, column], targets)
    for column in range(num_numeric, values.shape[1]):
        found[column] = _purity(values[:, column], targets)
    majority = np.bincount(targets).max() / len(targets)
    return np.where(found - majority >= _ABOVE_MAJORITY * (1 - majority), found, 0.0)


def rank_association(values: FloatArray, targets: npt.NDArray[np.floating], num_numeric: int) -> npt.NDArray[np.float64]:
    """Return the absolute rank correlation of each numeric column with numbers; 0 for a categorical one."""
    found = np.zeros(values.shape[1])
    found[:num_numeric] = np.abs(_rank_correlation(values[:, :num_numeric], targets))
    return found


def _filled(values: FloatArray) -> FloatArray:
    """Put missing values at the low end, where they are a level of their own."""
    return np.where(np.isnan(values), np.float32(np.finfo(np.float32).min), values)


def _best_auc(values: FloatArray, targets: IntArray) -> npt.NDArray[np.float64]:
    """Return, for each column, the best AUC of one class against the others, in either direction."""
    from scipy.stats import rankdata

    ranks = rankdata(_filled(values), axis=0)
    best = np.zeros(values.shape[1])
    for code in np.unique(targets):
        members = targets == code
        inside, outside = int(members.sum()), int((~members).sum())
        if inside < 2 or outside < 2:
            continue
        auc = (ranks[members].sum(axis=0) - inside * (inside + 1) / 2) / (inside * outside)
        best = np.maximum(best, np.maximum(auc, 1 - auc))
    return best


def _tree_accuracy(values: FloatArray, targets: IntArray) -> float:
    from sklearn.tree import DecisionTreeClassifier

    classes = len(np.unique(targets))
    tree = DecisionTreeClassifier(max_leaf_nodes=2 * classes, min_samples_leaf=2, random_state=0)
    column = _filled(values)[:, None]
    return float(tree.fit(column, targets).score(column, targets))


def _purity(codes: FloatArray, targets: IntArray) -> float:
    """Return the share of rows that the most frequent class of their level gets right; 0 where levels are nearly as many as rows."""
    levels, inverse = np.unique(np.where(np.isnan(codes), -2, codes), return_inverse=True)
    if len(levels) > len(codes) / 2:
        return 0.0
    counts = np.zeros((len(levels), int(targets.max()) + 1))
    np.add.at(counts, (inverse, targets), 1)
    return float(counts.max(axis=1).sum() / len(codes))


def _rank_correlation(values: FloatArray, targets: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    from scipy.stats import rankdata

    ranks, target = rankdata(_filled(values), axis=0), rankdata(targets)
    ranks, target = ranks - ranks.mean(axis=0), target - target.mean()
    scale = np.sqrt((ranks**2).sum(axis=0) * (target**2).sum())
    return np.asarray(np.divide(ranks.T @ target, scale, out=np.zeros(values.shape[1]), where=scale > 0))
