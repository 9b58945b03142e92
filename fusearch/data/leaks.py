"""Columns that should not be there: an identifier, or a column that alone gives the label."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from fusearch.data.dataset import Dataset
from fusearch.data.tables import TableSchema

__all__ = ["identifier_columns", "label_columns"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

#: Below so many rows, distinct whole numbers say nothing.
_MIN_ROWS = 20
#: Share of distinct values from which a column tells samples, not properties.
_DISTINCT = 0.95
#: A column that ranks or predicts the target this well gives it away.
_GIVES_AWAY = 0.99

_ID_NAME = re.compile(r"(^|[_\W])(id|ids|nr|no|number|index|idx|mrn|barcode|accession|subject|patient|case|record)($|[_\W])", re.IGNORECASE)


def identifier_columns(values: FloatArray, schema: TableSchema) -> list[str]:
    """Return the columns that name samples.

    Numeric: whole numbers, nearly all distinct, that are named like an id, rise or fall from row to row, or count without large gaps.
    Categorical: nearly every row has a level of its own.

    Args:
        values: (N, columns), only rows that have the modality.
        schema: Names of the columns.
    """
    found = []
    for column, name in enumerate(schema.columns):
        known = values[:, column][~np.isnan(values[:, column])].astype(np.float64)
        distinct = np.unique(known)
        if len(known) < _MIN_ROWS or len(distinct) < _DISTINCT * len(known):
            continue
        if name in schema.categorical:
            found.append(name)
            continue
        steps = np.diff(known)
        counts_on = distinct[-1] - distinct[0] < 2 * len(known)
        ordered = bool((steps > 0).all() or (steps < 0).all())
        if bool((known == np.round(known)).all()) and (_ID_NAME.search(name) or ordered or counts_on):
            found.append(name)
    return found


def label_columns(data: Dataset, name: str) -> list[tuple[str, float]]:
    """Return the columns of a table that alone give the target on the training rows, with how well they do.

    Classification: a numeric column that ranks one class against the others with AUC 0.99 or more (or 0.01 or less) and by which a small
    decision tree is right in 99 % of the rows; a categorical column whose levels hold one class each in 99 % of the rows. Regression: an
    absolute rank correlation of 0.99 or more.
    """
    rows = data.rows("train")
    rows = rows[data.present[name][rows]]
    if len(rows) < _MIN_ROWS:
        return []
    values, targets, schema = data.raw[name][rows], data.targets[rows], data.columns[name]
    num_numeric = len(schema.numeric)
    found: list[tuple[str, float]] = []
    if data.task.kind == "classification":
        suspects = np.flatnonzero(_best_auc(values[:, :num_numeric], targets) >= _GIVES_AWAY)
        scores = {schema.numeric[column]: _tree_accuracy(values[:, column], targets) for column in suspects}
        for column, level_column in enumerate(schema.categorical, start=num_numeric):
            scores[level_column] = _purity(values[:, column], targets)
    else:
        correlations = np.abs(_rank_correlation(values[:, :num_numeric], targets))
        scores = dict(zip(schema.numeric, correlations.tolist(), strict=True))
    found += [(column, float(score)) for column, score in scores.items() if score >= _GIVES_AWAY]
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


def _rank_correlation(values: FloatArray, targets: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    from scipy.stats import rankdata

    ranks, target = rankdata(_filled(values), axis=0), rankdata(targets)
    ranks, target = ranks - ranks.mean(axis=0), target - target.mean()
    scale = np.sqrt((ranks**2).sum(axis=0) * (target**2).sum())
    return np.asarray(np.divide(ranks.T @ target, scale, out=np.zeros(values.shape[1]), where=scale > 0))
