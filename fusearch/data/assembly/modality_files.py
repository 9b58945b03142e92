"""The file of a modality, read by the reader of its format and brought into the order of the labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from fusearch.data.assembly.arrays import RawModality, has_values
from fusearch.data.assembly.label_file import LabelFile
from fusearch.data.kinds import KINDS
from fusearch.data.manifest.manifest import Manifest
from fusearch.data.readers import Source, find_reader
from fusearch.errors import DataError

__all__ = ["read_modality"]

IntArray = npt.NDArray[np.int64]
StrArray = npt.NDArray[np.str_]


def read_modality(manifest: Manifest, name: str, labels: LabelFile) -> RawModality:
    """Read one modality and bring its rows into the order of the labels.

    A sample without a row, or whose values are all missing, lacks the modality.

    Raises:
        ManifestError: The file, a column or an array is missing.
        DataError: Duplicate ids, row counts that differ, values that are not numbers.
    """
    keys = manifest.modalities[name]
    kind = KINDS[keys.kind]
    path = manifest.resolve(keys.file, f"modalities.{name}.file")
    source = Source(name, kind, keys, path, manifest.path, manifest.id, _reserved(manifest, path))
    rows = find_reader(kind, keys.file).read(source)
    positions, unlabelled = _join(rows.ids, rows.count, labels, path.name)
    values, schema = rows.take(positions[positions >= 0])
    aligned = np.full((len(positions), *values.shape[1:]), np.nan, np.float32)
    aligned[positions >= 0] = values
    return RawModality(kind.name, aligned, has_values(aligned), schema, unlabelled)


def _join(ids: StrArray | None, num_rows: int, labels: LabelFile, place: str) -> tuple[IntArray, int]:
    """Return the row in the file of each sample (-1: none), and the number of rows of the file that no sample has."""
    if ids is None:
        if num_rows != len(labels.ids):
            raise DataError(
                f"{place}: {num_rows} rows, expected {len(labels.ids)} as in {labels.place} (without ids, rows join by position)"
            )
        return np.arange(num_rows), 0
    row_of = {identity: row for row, identity in enumerate(ids.tolist())}
    positions = np.array([row_of.get(identity, -1) for identity in labels.ids.tolist()], np.int64)
    if (positions < 0).all():
        theirs, ours = str(ids[0]), str(labels.ids[0])
        raise DataError(
            f"{place}: none of its {len(ids)} ids is in {labels.place} (its first is {theirs!r}), expected ids such as {ours!r}"
        )
    return positions, num_rows - int((positions >= 0).sum())


def _reserved(manifest: Manifest, path: Path) -> dict[str, str]:
    """Return the columns of a file that are no measurements, and what they are."""
    reserved = {} if manifest.id is None else {manifest.id: "id"}
    if path.samefile(manifest.path.parent / manifest.task.file):
        reserved |= dict.fromkeys(manifest.task.columns.values(), "target")
        marks = {manifest.splits.column: "split", manifest.splits.group: "group"}
        reserved |= {column: what for column, what in marks.items() if column is not None}
    for keys in manifest.modalities.values():
        if (manifest.path.parent / keys.file).resolve() == path.resolve():
            reserved |= keys.marks()
    return reserved
