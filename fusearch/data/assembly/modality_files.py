"""The file of a modality, read by the reader of its format and brought into the order of the labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from fusearch.data.assembly.arrays import RawModality, has_values
from fusearch.data.assembly.joining import join_by_id, refuse_other_order
from fusearch.data.assembly.label_file import LabelFile
from fusearch.data.files.ids import columns_of_names
from fusearch.data.kinds import KINDS
from fusearch.data.manifest.manifest import Manifest
from fusearch.data.readers import FileKeys, Rows, Source, find_reader
from fusearch.errors import DataError, ManifestError

__all__ = ["read_modality"]

IntArray = npt.NDArray[np.int64]


def read_modality(manifest: Manifest, name: str, labels: LabelFile) -> RawModality:
    """Read one modality and bring its rows into the order of the labels.

    A sample without a row, or whose values are all missing, lacks the modality.

    Raises:
        ManifestError: The file, a column or an array is missing, or a column is the id, a target, the split or the group.
        DataError: Duplicate ids, row counts that differ, values that are not numbers.
    """
    keys = manifest.modalities[name]
    kind = KINDS[keys.kind]
    path = manifest.resolve(keys.file, f"modalities.{name}.file")
    source = Source(name, kind, keys, path, manifest.path, manifest.id, _reserved(manifest, keys, path), manifest.form_of(keys))
    _refuse_labels(source, _label_columns(manifest, keys, path))
    rows = find_reader(kind, keys.file).read(source)
    positions, notes = _join(manifest, rows, labels, source.called)
    taken = rows.take(positions[positions >= 0])
    aligned = taken.values
    if len(aligned) < len(positions):
        aligned = np.full((len(positions), *taken.values.shape[1:]), np.nan, np.float32)
        aligned[positions >= 0] = taken.values
    unlabelled = rows.count - int((positions >= 0).sum())
    return RawModality(kind.name, aligned, has_values(aligned), taken.schema, unlabelled, (*notes, *taken.notes), taken.symbols)


def _join(manifest: Manifest, rows: Rows, labels: LabelFile, place: str) -> tuple[IntArray, tuple[str, ...]]:
    """Return the row in the file of each sample (-1: none), and what is strange about it."""
    ours = labels.ids.tolist()
    alien = rows.count != len(ours) if rows.ids is None else not set(rows.ids) & set(ours)
    turned = len(set(rows.columns) & set(ours)) if alien and manifest.id is not None else 0
    if turned > len(ours) / 2:
        what = f"{turned} of its columns are named like samples of {labels.place}"
        raise DataError(f"{place}: {what}, expected samples in rows; transpose it")
    if rows.ids is not None:
        return join_by_id(ours, list(rows.ids), labels.place, place)
    if rows.count != len(ours):
        raise DataError(f"{place}: {rows.count} rows, expected {len(ours)} as in {labels.place} (without ids, rows join by position)")
    named = labels.named if manifest.id is None else {manifest.id: (labels.place, ours)}
    if place != labels.place:
        refuse_other_order(place, rows.columns, named, manifest.path.name)
    if manifest.id is not None:
        return np.arange(rows.count), _other_names(manifest.id, rows, ours, place)
    labels.named.update({name: (place, texts) for name, texts in columns_of_names(rows.columns.items()).items() if name not in named})
    return np.arange(rows.count), ()


def _other_names(id_name: str, rows: Rows, ours: list[str], place: str) -> tuple[str, ...]:
    """Say so where a file without ids has texts that may name its rows, and other rows than the labels."""
    for name, texts in columns_of_names(rows.columns.items()).items():
        if texts != ours and len(set(texts)) == len(texts) and not any(text.isdecimal() for text in texts):
            what = f"{place} has no {id_name!r}, so its rows were joined by position; its {name!r} names them otherwise"
            return (f"{what} ({texts[0]!r}, where the labels have {ours[0]!r})",)
    return ()


def _refuse_labels(source: Source, labels: dict[str, str]) -> None:
    """Refuse a key that names a column of the labels: here, so that no reader can forget it."""
    for key, column in source.keys.named():
        if column in labels:
            raise ManifestError(f"{source.place(key)}: {column!r} is the {labels[column]}, expected a column of measurements")


def _label_columns(manifest: Manifest, own: FileKeys, path: Path) -> dict[str, str]:
    """Return the columns of a file that say who a sample is and what is predicted, and what they are."""
    reserved = {} if manifest.id is None else {manifest.id: "id"}
    if path.samefile(manifest.path.parent / manifest.label_file[0]) and manifest.form_of(own) == manifest.label_form:
        reserved |= dict.fromkeys(manifest.label_columns, "target")
        marks = {manifest.splits.column: "split", manifest.splits.group: "group"}
        reserved |= {column: what for column, what in marks.items() if column is not None}
    return reserved


def _reserved(manifest: Manifest, own: FileKeys, path: Path) -> dict[str, str]:
    """Return the columns of a file that are no measurements, and what they are."""
    reserved = _label_columns(manifest, own, path)
    for keys in manifest.modalities.values():
        if (manifest.path.parent / keys.file).resolve() == path.resolve() and manifest.form_of(keys) == manifest.form_of(own):
            reserved |= keys.marks()
    return reserved
