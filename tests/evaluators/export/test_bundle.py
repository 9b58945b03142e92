from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from fusearch.data import Dataset, load_data
from fusearch.evaluators.export import export
from fusearch.evaluators.export.bundle import refit
from fusearch.evaluators.export.choice import read_choice
from fusearch.evaluators.export.inputs import raw_values
from fusearch.run import Run

FILES = ["design.json", "inputs.json", "metrics.json", "model.onnx", "model.pt2", "model_card.md", "predict.py", "requirements.txt"]

#: What a place without fusearch lacks. A hook refuses them, so that the subprocess may use this interpreter.
ABSENT = ("fusearch", "torch", "sklearn", "onnx", "ray", "optuna")


@pytest.fixture
def predict(tmp_path: Path):
    """Return a function that runs a bundle's predict.py in a process that can import nothing of ABSENT."""
    hook = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {ABSENT!r}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
    )
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(hook)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "hook")}
    for name in ABSENT:
        done = subprocess.run([sys.executable, "-c", f"import {name}"], env=environment, capture_output=True, text=True, cwd=tmp_path)
        assert "ModuleNotFoundError" in done.stderr

    def run(bundle: Path, **files: Path) -> pd.DataFrame:
        options = [part for name, path in files.items() for part in (f"--{name}", str(path))]
        command = [sys.executable, str(bundle / "predict.py"), *options, "--out", "predictions.csv"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        return pd.read_csv(tmp_path / "predictions.csv", dtype={0: str}, index_col=0)

    return run


def eager(run: Run, data: Dataset, rows: np.ndarray, seeds: int) -> np.ndarray:
    """Train the picked design once more (same seeds: same network) and predict by the network itself."""
    choice = read_choice(run, run.pick(), data)
    model = refit(data, choice.candidate, epochs=choice.epochs, seeds=seeds, batch_size=choice.batch_size)
    raw = raw_values(data, choice.modalities, rows)
    with torch.inference_mode():
        return model({name: torch.from_numpy(values) for name, values in raw.items()}).numpy()


@pytest.mark.parametrize("task", ["outcome", "stay"])
def test_predict_runs_on_raw_rows_without_fusearch(task: str, clinic: Path, make_run, predict, tmp_path: Path) -> None:
    data = load_data(clinic / f"{task}.yaml")
    run = make_run(data, {"F1 = cat(rna@L, clinical@0) ->": None})
    bundle = export(run, tmp_path / "bundle", seeds=2)
    assert sorted(path.name for path in bundle.iterdir()) == FILES

    found = predict(bundle, rna=clinic / "rna.csv", clinical=clinic / "clinical.csv")
    assert found.index.name == "patient"
    assert list(found.columns) == (["alive", "dead"] if task == "outcome" else ["los"])
    rows = np.array([list(data.ids).index(row) for row in found.index])
    expected = eager(run, data, rows, seeds=2)
    np.testing.assert_allclose(found.to_numpy(), expected, atol=1e-4 * (1 if task == "outcome" else data.targets.std()), rtol=0)

    # A file left out is a modality that every sample lacks.
    alone = predict(bundle, clinical=clinic / "clinical.csv")
    raw = {name: torch.from_numpy(values) for name, values in raw_values(data, data.modalities, np.arange(len(data))).items()}
    raw["rna"][:] = float("nan")
    program = torch.export.load(bundle / "model.pt2").module()
    expected_alone = pd.DataFrame(program(raw).detach().numpy(), index=data.ids)
    np.testing.assert_allclose(alone.to_numpy(), expected_alone.loc[alone.index].to_numpy(), atol=1e-3, rtol=1e-4)


def test_wisconsin(make_run, predict, tmp_path: Path) -> None:
    data = load_data("wisconsin")
    designs = {
        "mean:mlp\nmean@L ->": "best_unimodal",
        "F1 = cat(mean@L, error@L)\nF2 = vote_mean(F1@0, worst@L) ->".replace("vote_mean", "sum"): None,
    }
    run = make_run(data, designs)
    bundle = export(run, tmp_path / "bundle", pick=run.records()[1].digest, seeds=1)
    tables = {}
    for name in ("mean", "error", "worst"):
        tables[name] = tmp_path / f"{name}.csv"
        pd.DataFrame(data.raw[name], columns=data.columns[name].numeric).to_csv(tables[name], index=False)
    found = predict(bundle, **tables)
    assert list(found.columns) == ["benign", "malignant"]
    program = torch.export.load(bundle / "model.pt2").module()
    expected = program({name: torch.tensor(values) for name, values in data.raw.items()}).detach().numpy()
    np.testing.assert_allclose(found.to_numpy(), expected, atol=1e-4)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
