"""Predict new samples with the model of this folder.

One option a modality, and the file to write: `python predict.py --rna rna.csv --clinical clinical.csv --out predictions.csv`. Needs
onnxruntime, numpy and pandas alone. Tables are CSV; images and series are NPY or NPZ. Rows are matched by their id over the files; a file
that is left out, an id that a file lacks, and a row of empty cells are a missing modality. `inputs.json` says which columns are read.
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pandas as pd

FOLDER = Path(__file__).parent
ROWS_AT_ONCE = 1024

FloatArray = npt.NDArray[np.float32]
#: Ids of the rows of a file, None where it has none; and their values, (n, *shape).
FileRows = tuple[list[str] | None, FloatArray]


def main() -> None:
    """Read the files, run the model, write one row an id."""
    spec = json.loads((FOLDER / "inputs.json").read_text(encoding="utf-8"))
    files, out = parse_options(spec["modalities"])
    ids, inputs = align({name: read(path, spec["modalities"][name], spec["id"]) for name, path in files.items()}, spec["modalities"])
    session = onnxruntime.InferenceSession(FOLDER / "model.onnx", providers=["CPUExecutionProvider"])
    parts = [slice(start, start + ROWS_AT_ONCE) for start in range(0, len(ids), ROWS_AT_ONCE)]
    outputs = [session.run(None, {f"raw.{name}": values[part] for name, values in inputs.items()})[0] for part in parts]
    predictions = pd.DataFrame(np.concatenate(outputs), columns=spec["outputs"])
    predictions.insert(0, spec["id"] or "id", ids, allow_duplicates=True)
    try:
        predictions.to_csv(out, index=False)
    except OSError as error:
        sys.exit(f"{out}: cannot be written ({error.strerror or error})")


def parse_options(modalities: dict[str, Any]) -> tuple[dict[str, Path], Path]:
    """Return the file of each modality that was given, and the file to write."""
    parser = argparse.ArgumentParser(description="Predict new samples with the model of this folder.", allow_abbrev=False)
    for name, modality in modalities.items():
        parser.add_argument(modality["option"], dest=f"file_of_{name}", metavar="FILE", help=f"{modality['kind']} {modality['shape']}")
    parser.add_argument("--out", required=True, metavar="FILE", help="CSV file to write")
    options = vars(parser.parse_args())
    files = {name: Path(options[f"file_of_{name}"]) for name in modalities if options[f"file_of_{name}"] is not None}
    if not files:
        parser.error(f"expected a file for at least one of: {', '.join(modality['option'] for modality in modalities.values())}")
    return files, Path(options["out"])


def read(path: Path, modality: dict[str, Any], id_name: str | None) -> FileRows:
    """Read the file of one modality."""
    try:
        if path.suffix in (".npy", ".npz"):
            loaded = np.load(path)
            return read_arrays(dict(loaded) if path.suffix == ".npz" else {"values": loaded}, modality, id_name, str(path))
        return read_columns(read_frame(path, id_name or "id"), modality, id_name, str(path))
    except OSError as error:
        sys.exit(f"{path}: {error.strerror or error}")
    except (ValueError, zipfile.BadZipFile) as error:
        sys.exit(f"{path}: cannot be read ({error})")


def read_arrays(arrays: dict[str, npt.NDArray[Any]], modality: dict[str, Any], id_name: str | None, place: str) -> FileRows:
    """Take the array of values, and that of ids where there is one."""
    ids = arrays.pop(id_name or "id", None)
    if len(arrays) != 1 and modality["key"] not in arrays:
        wanted = f"one named {modality['key']!r}, and one named {id_name or 'id'!r} of ids"
        sys.exit(f"{place}: the arrays {', '.join(arrays)}, expected {wanted}")
    values, shape = arrays.get(modality["key"], next(iter(arrays.values()))), modality["shape"]
    if [size for size in values.shape[1:] if size > 1] != [size for size in shape if size > 1]:
        sys.exit(f"{place}: an array of shape {values.shape}, expected (rows, {', '.join(map(str, shape))})")
    if np.isinf(values).any():
        sys.exit(f"{place}: an infinite value, expected finite numbers, or NaN for a missing one")
    return None if ids is None else [str(row) for row in ids], values.astype(np.float32).reshape(len(values), *shape)


def read_frame(path: Path, id_name: str) -> pd.DataFrame:
    """Read a CSV, TSV or (where pyarrow is installed) Parquet file; ids stay text."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    separator = "\t" if path.suffix == ".tsv" else ","
    return pd.read_csv(path, sep=separator, dtype={id_name: str}, encoding="utf-8-sig", low_memory=False)


def read_columns(frame: pd.DataFrame, modality: dict[str, Any], id_name: str | None, place: str) -> FileRows:
    """Take the columns that the model reads: numbers as they are, then the code of each level (-1: unknown; NaN: missing)."""
    if "numeric" not in modality:
        sys.exit(f"{place}: {modality['kind']} values are read from an NPY or NPZ file, expected one of shape {modality['shape']} a row")
    numeric, categorical = modality["numeric"], modality["categorical"]
    wanted = [*([id_name] if id_name else []), *numeric, *categorical]
    missing = [name for name in wanted if name not in frame]
    if missing:
        sys.exit(f"{place}: no column {missing[0]!r} ({len(missing)} of {len(wanted)} columns are missing)")
    numbers = frame[numeric].apply(pd.to_numeric, errors="coerce").to_numpy(np.float32)
    for row, column in np.argwhere(~np.isfinite(numbers) & frame[numeric].notna().to_numpy(bool)):
        sys.exit(f"{place}: column {numeric[column]!r} holds {str(frame[numeric].iat[row, column])!r} in row {row + 1}, expected a number")
    codes = [[code_of(value, levels) for value in frame[name]] for name, levels in categorical.items()]
    values = np.column_stack([numbers, *(np.array(column, np.float32) for column in codes)])
    id_name = id_name or "id"
    if id_name in frame and frame[id_name].isna().any():
        sys.exit(f"{place}: column {id_name!r} is empty in row {int(frame[id_name].isna().argmax()) + 1}, expected an id")
    return frame[id_name].astype(str).str.strip().tolist() if id_name in frame else None, values


def code_of(value: Any, levels: list[str]) -> float:
    """Return the position of a level; 1, 1.0 and '1' are the same level."""
    if pd.isna(value):
        return float("nan")
    texts = [str(value).strip()]
    if type(value) in (int, float) and float(value).is_integer():
        texts += [str(int(value)), str(float(value))]
    return float(next((levels.index(text) for text in texts if text in levels), -1))


def align(tables: dict[str, FileRows], modalities: dict[str, Any]) -> tuple[list[str], dict[str, FloatArray]]:
    """Return all ids in the order in which they first appear, and each modality's values for them; NaN where it has no such row.

    A file without ids has its rows in the order of the first file that has some.
    """
    known = [ids for ids, _ in tables.values() if ids is not None]
    first = known[0] if known else [str(row) for row in range(len(next(iter(tables.values()))[1]))]
    ids = list(dict.fromkeys(row for rows in (first, *known) for row in rows))
    if not ids:
        sys.exit("the files hold no row, expected at least one")
    position = {row: index for index, row in enumerate(ids)}
    inputs = {name: np.full((len(ids), *modality["shape"]), np.nan, np.float32) for name, modality in modalities.items()}
    for name, (own, values) in tables.items():
        rows, option = first if own is None else own, modalities[name]["option"]
        if len(rows) != len(values):
            sys.exit(f"{option}: {len(values)} rows without ids, expected {len(rows)} as in the file with ids")
        if len(set(rows)) < len(rows):
            twice = next(row for index, row in enumerate(rows) if row in rows[:index])
            sys.exit(f"{option}: id {twice!r} stands there twice, expected each id once")
        inputs[name][[position[row] for row in rows]] = values
    return ids, inputs


if __name__ == "__main__":
    main()
