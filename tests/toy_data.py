"""Small data with a known signal, for tests that train."""

from __future__ import annotations

import numpy as np

from fusearch.data import Dataset
from fusearch.data.modality import Modality

TABLES = (Modality("a", "tabular", (4,)), Modality("b", "tabular", (3,)), Modality("c", "tabular", (5,)))


def make_data(*, rows: int = 90, task: str = "classification", classes: int = 2, seed: int = 0) -> Dataset:
    """Three tables; the target depends on one column of each of the first two, and `b` is missing in every tenth row."""
    rng = np.random.default_rng(seed)
    tables = {modality.name: rng.normal(size=(rows, modality.shape[0])) for modality in TABLES}
    signal = tables["a"][:, 0] + tables["b"][:, 0] + 0.3 * rng.normal(size=rows)
    present = {name: np.ones(rows, dtype=bool) for name in tables}
    present["b"][::10] = False
    codes = np.searchsorted(np.quantile(signal, np.arange(1, classes) / classes), signal)
    targets = 100 + 5 * signal if task == "regression" else codes
    return Dataset.from_arrays("toy", modalities=tables, targets=targets, task=task, present=present)
