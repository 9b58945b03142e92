"""A column of the tables of a data set, row by row: what a report tells rows apart by. It need be nothing that a model reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from fusearch.data.dataset import Dataset
from fusearch.data.files.frames import TABLES, read_table
from fusearch.data.files.text import NUMERIC_GAPS, as_text
from fusearch.data.loading import find_source
from fusearch.data.manifest.manifest import Manifest, load_manifest
from fusearch.data.readers.table_file import read_ids
from fusearch.errors import DataError, suggestion

__all__ = ["texts_of_rows"]


def texts_of_rows(data: Dataset, column: str) -> dict[str, str | None]:
    """Return what stands in a column of each row of train and val, by its id; None where nothing stands there.

    The column is looked for in the labels file, then in the tables of the modalities; of a data set without a manifest in its tables alone.

    Args:
        data: The data set.
        column: Name of the column, also of one that the manifest does not take.

    Raises:
        DataError: No table has that column.
        ManifestError: The manifest cannot be read.
    """
    ids = [str(data.ids[row]) for row in data.rows("search")]
    found = find_source(data.source) if data.source else None
    tables = _files(load_manifest(found), column) if isinstance(found, Path) else _modalities(data, column)
    names: dict[str, None] = {}
    for columns, texts in tables:
        if texts is not None:
            return {each: texts.get(each) for each in ids}
        names |= dict.fromkeys(columns)
    raise DataError(f"data set {data.name!r}: no table has a column {column!r}, {suggestion(column, list(names))}")


def _files(manifest: Manifest, column: str) -> Iterator[tuple[Sequence[str], dict[str, str | None] | None]]:
    """Give the columns of each table that the manifest names, the labels first, and the texts of the wanted column by the ids."""
    labels, place = manifest.label_file
    tables = {place: (labels, manifest.label_form)}
    tables |= {f"modalities.{name}.file": (keys.file, manifest.form_of(keys)) for name, keys in manifest.modalities.items()}
    seen = set()
    for key, (file, form) in tables.items():
        path = manifest.resolve(file, key)
        if (path, form.sheet) in seen or not path.name.lower().endswith(TABLES):
            continue
        seen.add((path, form.sheet))
        frame = read_table(path, lambda names: [name for name in names if name in (manifest.id, column)], form)
        names = [str(name) for name in frame.columns]
        if column not in names:
            yield names, None
            continue
        ids = read_ids(frame, manifest.id, path, f"{manifest.path.name}: {key}")
        yield names, dict(zip(ids, as_text(frame[column], form.missing | NUMERIC_GAPS), strict=True))


def _modalities(data: Dataset, column: str) -> Iterator[tuple[Sequence[str], dict[str, str | None] | None]]:
    """Give the columns of each table in memory, and the texts of the wanted column by the ids."""
    for name, schema in data.columns.items():
        texts = None
        if column in schema.columns:
            values = data.raw[name][:, schema.columns.index(column)]
            texts = {str(each): _text(value, schema.categorical.get(column)) for each, value in zip(data.ids, values, strict=True)}
        yield schema.columns, texts


def _text(value: float, levels: Sequence[str] | None) -> str | None:
    if not np.isfinite(value) or (levels is not None and value < 0):
        return None
    return f"{value:g}" if levels is None else levels[int(value)]
