"""The file of a modality, read and brought into the order of the labels."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fusearch.data.arrays import RawModality, has_values, shape_array, text_array
from fusearch.data.files import read_array, read_image, read_table
from fusearch.data.labels import Labels, need_column, read_ids
from fusearch.data.manifest import TABLES, Image2d, Manifest, Tabular, TimeSeries
from fusearch.data.modality import Kind
from fusearch.data.tables import TableSchema, encode_table
from fusearch.errors import DataError, ManifestError, suggestion

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_modality"]

IntArray = npt.NDArray[np.int64]
StrArray = npt.NDArray[np.str_]


def read_modality(manifest: Manifest, name: str, labels: Labels) -> RawModality:
    """Read one modality and bring its rows into the order of the labels; a sample without a row lacks the modality.

    Raises:
        ManifestError: The file, a column or an array is missing.
        DataError: Duplicate ids, row counts that differ, values that are not numbers.
    """
    spec = manifest.modalities[name]
    path = manifest.resolve(spec.file, f"modalities.{name}.file")
    if path.name.lower().endswith(TABLES):
        frame = read_table(path, () if manifest.id is None else (manifest.id,))
        ids = None if manifest.id is None else read_ids(manifest, frame, path, f"modalities.{name}.file")
        positions, unlabelled = _join(ids, len(frame), labels, path.name)
        if isinstance(spec, Tabular):
            return _read_columns(manifest, name, spec, frame, path, positions, unlabelled)
        return _read_images(manifest, name, spec, frame, path, positions, unlabelled)
    array, array_ids = read_array(path, spec.key, manifest.id)
    ids = None if array_ids is None else text_array(array_ids, "id", path.name)
    positions, unlabelled = _join(ids, len(np.atleast_1d(array)), labels, path.name)
    if isinstance(spec, Tabular):
        import pandas as pd

        frame = pd.DataFrame(shape_array(array, "tabular", path.name)).add_prefix(f"{name}_")
        return _read_columns(manifest, name, spec, frame, path, positions, unlabelled)
    return _place(spec.kind, shape_array(array, spec.kind, path.name), positions, unlabelled)


def _read_columns(
    manifest: Manifest, name: str, spec: Tabular, frame: pd.DataFrame, path: Path, positions: IntArray, unlabelled: int
) -> RawModality:
    reserved = _reserved(manifest, path)
    legal = [column for column in frame.columns if column not in reserved]

    def choose(patterns: Sequence[str], key: str) -> list[str]:
        chosen: list[str] = []
        for pattern in patterns:
            place = f"{manifest.path.name}: modalities.{name}.{key}"
            if pattern in reserved:
                raise ManifestError(f"{place}: {pattern!r} is the {reserved[pattern]}, expected a column of measurements")
            matches = [pattern] if pattern in legal else [column for column in legal if fnmatchcase(column, pattern)]
            if not matches:
                raise ManifestError(f"{place}: no column matches {pattern!r} in {path.name}, {suggestion(pattern, legal)}")
            chosen += matches
        return chosen

    categorical = choose(spec.categorical, "categorical")
    wanted = set(choose(spec.columns, "columns") if spec.columns is not None else legal) | set(categorical)
    table = frame[[column for column in legal if column in wanted]]
    values, schema = encode_table(table, categorical=categorical, place=path.name)
    return _place("tabular", values, positions, unlabelled, schema)


def _read_images(
    manifest: Manifest, name: str, spec: Image2d | TimeSeries, frame: pd.DataFrame, path: Path, positions: IntArray, unlabelled: int
) -> RawModality:
    if not isinstance(spec, Image2d) or spec.column is None:  # the manifest's models refuse it; stated for the type checker
        raise ManifestError(f"{manifest.path.name}: modalities.{name}: a table of files needs kind image2d and the key 'column'")
    need_column(manifest, frame, spec.column, f"modalities.{name}.column", path)
    root = manifest.path.parent / spec.root
    if not root.is_dir():
        raise ManifestError(f"{manifest.path.name}: modalities.{name}.root: no folder {spec.root!r} beside the manifest")
    files = ["" if missing else str(file) for file, missing in zip(frame[spec.column], frame[spec.column].isna(), strict=True)]
    first: tuple[str, tuple[int, ...]] | None = None
    images: dict[int, npt.NDArray[np.float32]] = {}
    for row in positions[positions >= 0].tolist():
        if not files[row]:
            continue
        images[row] = read_image(root / files[row])
        first = first or (files[row], images[row].shape)
        if images[row].shape != first[1]:
            raise DataError(
                f"modality {name!r}: image {files[row]!r} has shape {images[row].shape}, expected {first[1]} as {first[0]!r} has (C, H, W)"
            )
    if first is None:
        raise DataError(f"modality {name!r}: column {spec.column!r} of {path.name} names no file, expected one for at least one sample")
    values = np.full((len(frame), *first[1]), np.nan, np.float32)
    for row, image in images.items():
        values[row] = image
    return _place("image2d", values, positions, unlabelled)


def _place(
    kind: Kind, values: npt.NDArray[np.float32], positions: IntArray, unlabelled: int, schema: TableSchema | None = None
) -> RawModality:
    """Bring rows into the order of the labels; a sample without a row, or whose values are all missing, lacks the modality."""
    aligned = np.full((len(positions), *values.shape[1:]), np.nan, np.float32)
    aligned[positions >= 0] = values[positions[positions >= 0]]
    return RawModality(kind, aligned, has_values(aligned), schema, unlabelled)


def _join(ids: StrArray | None, num_rows: int, labels: Labels, place: str) -> tuple[IntArray, int]:
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
    for spec in manifest.modalities.values():
        if isinstance(spec, Image2d) and spec.column is not None and (manifest.path.parent / spec.file).resolve() == path.resolve():
            reserved[spec.column] = "column of image paths"
    return reserved
