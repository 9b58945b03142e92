"""A bundle that predicts the samples of a request: they are written as the files that its own `predict.py` reads."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from fusearch.data.files.checksums import verify_checksums
from fusearch.errors import DataError, ExportError
from fusearch.python_file import import_file
from fusearch.serving.forms import Upload, form_of

__all__ = ["ServedBundle"]


class ServedBundle:
    """A bundle that was checked and loaded.

    Args:
        folder: What `fusearch export` made.

    Attributes:
        spec: Its `inputs.json`.
        forms: How the values of each modality come.

    Raises:
        ExportError: It is no bundle, a file of it was changed, or no request can hold its values, or no answer its predictions.
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / "predict.py").is_file() or not (folder / "model.onnx").is_file():
            raise ExportError(f"no bundle in {str(folder)!r}: expected 'predict.py' and 'model.onnx' there (made by `fusearch export`)")
        try:
            verify_checksums(folder)
        except DataError as error:
            raise ExportError(f"bundle {str(folder)!r}: {error}") from None
        self.spec = json.loads((folder / "inputs.json").read_text(encoding="utf-8"))
        self.design = json.loads((folder / "design.json").read_text(encoding="utf-8"))
        if "masks" in self.spec:
            raise ExportError(f"bundle {str(folder)!r} predicts masks, which are files: run its predict.py")
        forms = {name: form_of(modality) for name, modality in self.spec["modalities"].items()}
        for name, form in forms.items():
            if form is None:
                kind = self.spec["modalities"][name]["kind"]
                raise ExportError(
                    f"bundle {str(folder)!r}: modality {name!r} ({kind}) is read from tables that no request can hold: run its predict.py"
                )
        self.forms = {name: form for name, form in forms.items() if form is not None}
        self._program = _load_program(folder)
        self._session = self._program.onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])

    def predict(self, samples: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return what the model says of each sample, in their order.

        Args:
            samples: Modality -> its values, as `fusearch.serving.request_samples` has read them; one that is left out is missing.

        Raises:
            DataError: The program of the bundle refuses the values, or the model has no finite number for a sample.
        """
        try:
            frame = self._frame(samples)
        except self._program.DataError as error:  # the class of the bundle's own errors.py
            raise DataError(str(error)) from None
        said = [dict(zip(frame.columns[1:], row, strict=True)) for row in frame.iloc[:, 1:].itertuples(index=False, name=None)]
        for row, each in enumerate(said):
            if not all(math.isfinite(value) for value in each.values() if isinstance(value, float)):
                raise DataError(f"samples.{row}: the model has no finite number for it, its values lie too far from those of the training")
        return said

    def _frame(self, samples: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
        ids = [f"s{row}" for row in range(len(samples))]
        tables = {}
        with TemporaryDirectory(prefix="fusearch-serve-") as folder:
            for place, name in enumerate(self.forms):
                values = [sample.get(name) for sample in samples]
                if any(value is not None for value in values):
                    tables[name] = ids, self._values(Path(folder) / f"{place}", name, ids, values)
        aligned, inputs = self._program.align(tables, self.spec["modalities"])
        frame: pd.DataFrame = self._program.predict_rows(self._session, aligned, inputs, self.spec)
        return frame

    def _values(self, path: Path, name: str, ids: list[str], values: list[Any]) -> npt.NDArray[np.float32]:
        """Return what the program reads of the values of a modality, (n, *shape); NaN where a sample has none."""
        uploads = {row: value for row, value in enumerate(values) if isinstance(value, Upload)}
        plain = [None if row in uploads else value for row, value in enumerate(values)]
        found = np.full((len(ids), *self.spec["modalities"][name]["shape"]), np.nan, np.float32)
        if any(value is not None for value in plain):
            found[:] = self._read(self._write(path, name, ids, plain), name)
        if uploads:
            found[list(uploads)] = self._read(self._write_files(path, name, uploads), name)
        return found

    def _write(self, path: Path, name: str, ids: list[str], values: list[Any]) -> Path:
        modality, form = self.spec["modalities"][name], self.forms[name]
        id_name = self.spec["id"] or "id"
        if form == "array":
            shape = tuple(modality["shape"])
            filled = np.stack([np.full(shape, np.nan) if value is None else np.asarray(value, np.float64) for value in values])
            if "axes" in modality:  # the program brings those of a file into ours
                filled = filled.transpose(np.argsort(modality["axes"]))
            path = path.with_suffix(".npz")
            arrays: dict[str, Any] = {modality["key"]: filled.astype(np.float32), id_name: np.array(ids)}
            np.savez(path, **arrays)
            return path
        text = form == "text"
        rows = [{modality["column"]: value} if text else (value or {}) for value in values]
        numeric, words = ([], [modality["column"]]) if text else (modality["numeric"], list(modality["categorical"]))
        frame = pd.DataFrame({id_name: ids}, dtype="string")
        blocks = [
            frame,
            *(
                pd.DataFrame({name: [row.get(name) for row in rows] for name in names}, dtype=kind)
                for names, kind in ((numeric, "float64"), (words, "string"))
                if names
            ),
        ]
        path = path.with_suffix(".parquet")  # no cell is taken for a separator, a decimal comma or a number of another kind
        pd.concat(blocks, axis=1).to_parquet(path, index=False)
        return path

    def _write_files(self, folder: Path, name: str, uploads: Mapping[int, Upload]) -> Path:
        """Write the files of some samples, by their rows, under names of our own, and return the table that names them."""
        folder.mkdir()
        files = [folder / f"samples.{row}{upload.suffix}" for row, upload in uploads.items()]
        for file, upload in zip(files, uploads.values(), strict=True):
            if isinstance(upload.content, bytes):
                file.write_bytes(upload.content)
                continue
            file.mkdir()
            for inside, content in upload.content.items():
                (file / inside).write_bytes(content)
        table = folder / "files.parquet"
        columns = {self.spec["id"] or "id": list(map(str, uploads)), self.spec["modalities"][name]["column"]: list(map(str, files))}
        pd.DataFrame(columns, dtype="string").to_parquet(table, index=False)
        return table

    def _read(self, path: Path, name: str) -> npt.NDArray[np.float32]:
        try:
            _, values = self._program.read(path, self.spec["modalities"][name], self.spec)
        except self._program.DataError as error:
            told = str(error).replace(f"{path.parent}{os.sep}", "").replace(path.name, "its values")  # no path of the server
            raise DataError(f"{name}: {told}") from None
        found: npt.NDArray[np.float32] = values
        return found


def _load_program(folder: Path) -> ModuleType:
    """Import `predict.py` of a bundle, with the `files` beside it."""
    for name in [name for name in sys.modules if name == "files" or name.startswith("files.")]:
        del sys.modules[name]  # those of another bundle
    sys.path.insert(0, str(folder.resolve()))
    try:
        return import_file(folder / "predict.py", "fusearch_bundle_predict")
    finally:
        sys.path.remove(str(folder.resolve()))
