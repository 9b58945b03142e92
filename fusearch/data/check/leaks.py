"""Columns that should not be there: an identifier, or a column that alone gives the label."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from fusearch.data.dataset import Dataset
from fusearch.data.table_schema import TableSchema

__all__ = ["identifier_columns", "label_columns"]

FloatArray = npt.NDArray[np.float32]

#: Below so many rows, distinct whole numbers say nothing.
_MIN_ROWS = 20
#: Share of distinct values from which a column tells samples, not properties.
_DISTINCT = 0.95
#: A column that alone gives the target this well gives it away.
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

    That is 0.99 or more, as the task measures it (`Task.association`).
    """
    rows = data.rows("train")
    rows = rows[data.present[name][rows]]
    if len(rows) < _MIN_ROWS:
        return []
    schema = data.columns[name]
    scores = data.task.association(data.raw[name][rows], data.targets[rows], len(schema.numeric))
    return [(column, float(score)) for column, score in zip(schema.columns, scores, strict=True) if score >= _GIVES_AWAY]
