"""Predict new samples with the model of this folder.

One option a modality, and the file to write: `python predict.py --rna rna.csv --clinical clinical.csv --out predictions.csv`. Needs
onnxruntime, numpy and pandas alone. Rows are matched by their id over the files; a file that is left out, or an id that a file lacks, is a
missing modality. `inputs.json` says which columns are read.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd

FOLDER = Path(__file__).parent
ROWS_AT_ONCE = 1024


def main() -> None:
    """Read the files, run the model, write one row an id."""
    spec = json.loads((FOLDER / "inputs.json").read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0], allow_abbrev=False)
    for name, modality in spec["modalities"].items():
        parser.add_argument(
            modality["option"], dest=f"modality_{name}", type=Path, metavar="FILE", help=f"{modality['kind']} {modality['shape']}"
        )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="CSV file to write")
    options = vars(parser.parse_args())
    files = {name: options[f"modality_{name}"] for name in spec["modalities"] if options[f"modality_{name}"] is not None}
    if not files:
        parser.error(f"expected a file for at least one of: {', '.join(m['option'] for m in spec['modalities'].values())}")
    ids, inputs = align({name: read(path, spec["modalities"][name], spec["id"]) for name, path in files.items()}, spec)
    session = onnxruntime.InferenceSession(FOLDER / "model.onnx", providers=["CPUExecutionProvider"])
    parts = [slice(start, start + ROWS_AT_ONCE) for start in range(0, len(ids), ROWS_AT_ONCE)]
    outputs = [session.run(None, {name: values[part] for name, values in inputs.items()})[0] for part in parts]
    table = pd.DataFrame(np.concatenate(outputs), columns=spec["outputs"])
    table.insert(0, spec["id"], ids, allow_duplicates=True)
    table.to_csv(options["out"], index=False)


def read(path: Path, modality: dict[str, Any], id_column: str) -> tuple[list[str] | None, np.ndarray[Any, Any]]:
    """Return the ids of a file's rows (None where it has none) and their values, (n, *shape) float32."""
    if not path.is_file():
        sys.exit(f"{path}: no such file")
    if path.suffix not in (".npy", ".npz"):
        return read_table(pd.read_csv(path, dtype={id_column: str}, sep="\t" if path.suffix == ".tsv" else ","), modality, id_column, path)
    arrays = np.load(path) if path.suffix == ".npz" else {"": np.load(path)}
    ids = next((arrays[key] for key in (id_column, "id", "ids") if key in arrays), None)
    keys = [key for key in arrays if key not in (id_column, "id", "ids")]
    if len(keys) != 1:
        sys.exit(f"{path}: arrays {', '.join(keys)}; expected one array of values, and one named {id_column!r} with the ids")
    values, shape = np.asarray(arrays[keys[0]], np.float32), modality["shape"]
    if [size for size in values.shape[1:] if size != 1] != [size for size in shape if size != 1]:
        sys.exit(f"{path}: an array of shape {values.shape}, expected (rows, {', '.join(map(str, shape))})")
    return None if ids is None else [str(row) for row in ids], values.reshape(len(values), *shape)


def read_table(frame: pd.DataFrame, modality: dict[str, Any], id_column: str, path: Path) -> tuple[list[str], np.ndarray[Any, Any]]:
    """Pick the columns that the model reads: numbers as they are, then the code of each level (-1: unknown; NaN: missing)."""
    numeric, categorical = modality["numeric"], modality["categorical"]
    missing = [name for name in (id_column, *numeric, *categorical) if name not in frame]
    if missing:
        sys.exit(f"{path}: no column {missing[0]!r} ({len(missing)} of {1 + len(numeric) + len(categorical)} columns are missing)")
    numbers = frame[numeric].apply(pd.to_numeric, errors="coerce").astype(np.float32)
    for row, column in np.argwhere((numbers.isna() & frame[numeric].notna()).to_numpy() | np.isinf(numbers.to_numpy())):
        sys.exit(f"{path}: column {numeric[column]!r} holds {str(frame[numeric].iloc[row, column])!r} in row {row + 1}, expected a number")
    codes = [[code_of(value, levels) for value in frame[name]] for name, levels in categorical.items()]
    return frame[id_column].str.strip().tolist(), np.column_stack([numbers.to_numpy(), *(np.array(code, np.float32) for code in codes)])


def code_of(value: object, levels: list[str]) -> float:
    """Return the position of a level; 1, 1.0 and '1' are the same level."""
    if pd.isna(value):  # type: ignore[call-overload]  # a cell is a scalar
        return float("nan")
    texts = [str(value).strip()]
    if isinstance(value, (int, float)) and float(value).is_integer():
        texts += [str(int(value)), str(float(value))]
    return float(next((levels.index(text) for text in texts if text in levels), -1))


def align(
    tables: dict[str, tuple[list[str] | None, np.ndarray[Any, Any]]], spec: dict[str, Any]
) -> tuple[list[str], dict[str, np.ndarray[Any, Any]]]:
    """Return all ids in the order in which they first appear, and each modality's values for them; NaN where it has no such row."""
    known = [ids for ids, _ in tables.values() if ids is not None]
    first = known[0] if known else [str(row) for row in range(len(next(iter(tables.values()))[1]))]
    order = list(dict.fromkeys(row for ids in (first, *known) for row in ids))
    position = {row: index for index, row in enumerate(order)}
    inputs = {}
    for name, modality in spec["modalities"].items():
        inputs[name] = np.full((len(order), *modality["shape"]), np.nan, np.float32)
        if name in tables:
            ids, values = tables[name]
            ids = first if ids is None else ids
            if len(ids) != len(values):
                sys.exit(f"{modality['option']}: {len(values)} rows for {len(ids)} ids, expected as many")
            if len(set(ids)) < len(ids):
                sys.exit(
                    f"{modality['option']}: id {next(row for row in ids if ids.count(row) > 1)!r} stands there twice, expected each id once"
                )
            inputs[name][[position[row] for row in ids]] = values
    return order, inputs


if __name__ == "__main__":
    main()
