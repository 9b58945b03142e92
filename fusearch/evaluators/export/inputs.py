"""What the model of a bundle reads: `inputs.json`, the one file that `predict.py` needs beside the model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data import Dataset, load_manifest
from fusearch.data.modality import Modality
from fusearch.data.readers.array_file import ArrayKeys

__all__ = ["describe_inputs", "raw_shapes", "raw_values"]

#: Options of `predict.py` of its own; a modality of such a name takes another option.
_TAKEN = frozenset({"out", "help"})


def describe_inputs(data: Dataset, modalities: Sequence[Modality]) -> dict[str, Any]:
    """Return the content of `inputs.json`.

    Args:
        data: The data set that the model was fitted on.
        modalities: What the design reads.

    Returns:
        `id`, the column that joins the files (None: a column `id` where there is one, else the order of the rows); `outputs`, the names of
        the model's numbers; and for each modality its command-line `option`, `kind`, `shape` of one sample's raw values, `key` in an NPZ
        file that holds several arrays, and, of a table, the `numeric` columns and the `categorical` ones with their levels in the order of
        their codes.
    """
    source = Path(data.source) if data.source else None
    manifest = load_manifest(source) if source is not None and source.is_file() else None
    shapes = raw_shapes(data, modalities)
    entries: dict[str, Any] = {}
    for modality in modalities:
        option = f"--{modality.name}" if modality.name not in _TAKEN else f"--{modality.name}_file"
        keys = manifest.modalities[modality.name] if manifest is not None else None
        key = keys.key if isinstance(keys, ArrayKeys) else None
        entry: dict[str, Any] = {"option": option, "kind": modality.kind, "shape": list(shapes[modality.name]), "key": key or modality.name}
        schema = data.columns.get(modality.name)
        if schema is not None:
            entry["numeric"] = list(schema.numeric)
            entry["categorical"] = {name: list(levels) for name, levels in schema.categorical.items()}
        entries[modality.name] = entry
    return {
        "id": manifest.id if manifest is not None else None,
        "outputs": list(data.task.outputs),
        "modalities": entries,
    }


def raw_shapes(data: Dataset, modalities: Sequence[Modality]) -> dict[str, tuple[int, ...]]:
    """Return modality -> shape of one sample's raw values."""
    return {modality.name: data.raw[modality.name].shape[1:] for modality in modalities}


def raw_values(data: Dataset, modalities: Sequence[Modality], rows: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.float32]]:
    """Return what a deployed model reads for some rows: modality -> (n, *raw shape), all NaN where a sample lacks the modality."""
    values = {modality.name: np.array(data.raw[modality.name][rows]) for modality in modalities}
    for name, array in values.items():
        array[~data.present[name][rows]] = np.nan
    return values
