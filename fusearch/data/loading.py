"""One call for every data set: a manifest's path, or the name of an embedded one."""

from __future__ import annotations

from pathlib import Path

from fusearch.data.assembly.from_manifest import read_dataset
from fusearch.data.dataset import Dataset
from fusearch.data.embedded import DATA_SETS, EmbeddedData
from fusearch.data.manifest.manifest import load_manifest
from fusearch.errors import DataError, suggestion

__all__ = ["find_source", "load_data"]


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
    found = find_source(source)
    return read_dataset(load_manifest(found)) if isinstance(found, Path) else found.load()


def find_source(source: str | Path) -> Path | EmbeddedData:
    """Return the manifest's path, or the embedded data set of that name; a file of the same name comes first.

    Raises:
        DataError: There is neither.
    """
    path = Path(source)
    if path.is_file() or path.suffix in (".yaml", ".yml"):
        return path
    if str(source) in DATA_SETS:
        return DATA_SETS[str(source)]
    raise DataError(f"no manifest and no embedded data set {str(source)!r}, {suggestion(str(source), list(DATA_SETS))}")
