"""Bundles as their users have them: `predict.py` on files, beside the model file itself."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd

from fusearch.data import Dataset
from fusearch.run import Run

__all__ = ["bundle_of_all", "predictions_of_files", "served_predictions"]

#: What a bundle does without.
ABSENT = ("fusearch", "torch", "torch_geometric", "monai")


def bundle_of_all(run: Run, names: Iterable[str], folder: Path) -> tuple[Path, dict[str, Any]]:
    """Export the design of a run that reads all of these modalities, and return the bundle with what it says of each."""
    from fusearch.evaluators.export import export

    digest = next(record.digest for record in run.records() if all(name in record.formula for name in names))
    bundle = export(run, folder / "bundle", pick=digest, seeds=1)
    return bundle, json.loads((bundle / "inputs.json").read_text(encoding="utf-8"))["modalities"]


def predictions_of_files(
    bundle: Path, data: Dataset, file_of: Callable[[str], Path], columns: Sequence[str], folder: Path, absent: Sequence[str] = ()
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return what `predict.py` says of the files of a data set, where nothing else is installed, and what the model says of its values.

    Args:
        bundle: The bundle.
        data: The data set.
        file_of: Gives the file of a modality.
        columns: Columns of the predictions.
        folder: Where the program runs.
        absent: Packages that it does without, beside `ABSENT`.
    """
    inputs = json.loads((bundle / "inputs.json").read_text(encoding="utf-8"))["modalities"]
    for package in (*ABSENT, *absent):
        (folder / f"{package}.py").write_text("raise ImportError('not installed here')", encoding="utf-8")
    options = [part for name, entry in inputs.items() for part in (entry["option"], str(file_of(name)))]
    command = [sys.executable, str(bundle / "predict.py"), *options, "--out", str(folder / "predictions.csv")]
    subprocess.run(command, check=True, cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)})
    predictions = pd.read_csv(folder / "predictions.csv").set_index("id").loc[data.ids.tolist(), list(columns)]
    session = onnxruntime.InferenceSession(bundle / "model.onnx")
    (expected,) = session.run(None, {f"raw.{name}": data.raw[name] for name in inputs})
    return predictions, expected


def served_predictions(bundle: Path, samples: Sequence[dict[str, Any]], columns: Sequence[str]) -> np.ndarray:
    """Return what a server of the bundle says of samples: of paths the files, and folders as zips; the rest as it is."""
    from fastapi.testclient import TestClient

    from fusearch.serving.application import make_app
    from fusearch.serving.served_bundle import ServedBundle

    def sent(value: Any) -> Any:
        if not isinstance(value, Path):
            return value
        path = Path(shutil.make_archive(f"{bundle.parent}/{value.name}", "zip", value.parent, value.name)) if value.is_dir() else value
        return {"suffix": "".join(path.suffixes), "base64": base64.b64encode(path.read_bytes()).decode()}

    body = {"samples": [{"values": {name: sent(value) for name, value in sample.items()}} for sample in samples]}
    answer = TestClient(make_app(ServedBundle(bundle))).post("/predict", json=body)
    assert answer.status_code == 200, answer.text
    return np.array([[each["outputs"][column] for column in columns] for each in answer.json()["predictions"]])
