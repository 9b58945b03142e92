"""One call for every data set: a manifest's path, or the name of an embedded one."""

from __future__ import annotations

from pathlib import Path

from fusearch.data.dataset import Dataset
from fusearch.data.embedded import DATA_SETS

__all__ = ["load_data"]


def load_data(source: str | Path) -> Dataset:
    """Load a data set.

    Args:
        source: Path of a manifest, or the name of an embedded data set (`wisconsin`, `digits`).

    Raises:
        ManifestError: The manifest cannot be read.
        DataError: The data cannot be used.

    Example:
        >>> load_data("wisconsin").task.labels
        ('benign', 'malignant')
    """
    return DATA_SETS[str(source)].load()
