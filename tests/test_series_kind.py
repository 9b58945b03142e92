"""Series in long form and EDF recordings to `predict.py`: check, search, report, export, and predictions that do without fusearch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from edf import write_edf

from fusearch.data import Dataset, check_data, load_data

ROWS = 40
SICK = np.arange(ROWS) % 2 == 0
IDS = [f"p{row:02d}" for row in range(ROWS)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study of vital signs, 4 to 6 steps in Parquet, and of recordings of one to two seconds."""
    folder, rng = tmp_path_factory.mktemp("study"), np.random.default_rng(0)
    (folder / "edf").mkdir()
    steps = []
    for row, name in enumerate(IDS):
        steps += [(name, step, 60 + 20 * SICK[row] + rng.normal(), rng.normal()) for step in range(4 + row % 3)]
        write_edf(folder / "edf" / f"{name}.edf", {"ECG": (np.clip(rng.normal(size=20 + 20 * (row % 2)), -2, 2), 20)})
    pd.DataFrame(steps[::-1], columns=["id", "t", "hr", "bp"]).sort_values("t").to_parquet(folder / "vitals.parquet")
    files = [None if row == 3 else f"{name}.edf" for row, name in enumerate(IDS)]
    pd.DataFrame({"id": IDS, "sick": np.where(SICK, "yes", "no"), "file": files}).to_csv(folder / "labels.csv", index=False)
    recording = {"column": "file", "root": "edf", "channels": ["ECG"], "rate": 10, "seconds": 1.5}
    document = {
        "id": "id",
        "task": {"kind": "classification", "file": "labels.csv", "column": "sick"},
        "modalities": {
            "vitals": {"kind": "timeseries", "file": "vitals.parquet", "time": "t", "channels": ["hr", "bp"], "length": 5},
            "ecg": {"kind": "timeseries", "file": "labels.csv", **recording},
        },
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def data(folder: Path) -> Dataset:
    return load_data(folder / "study.yaml")


def test_the_data_set(data: Dataset, folder: Path) -> None:
    assert {modality.name: modality.shape for modality in data.modalities} == {"vitals": (5, 2), "ecg": (15, 1)}
    assert data.present["ecg"].tolist() == [row != 3 for row in range(ROWS)]
    assert np.isnan(data.raw["vitals"][0, 4]).all()
    assert not np.isnan(data.raw["vitals"][1]).any()
    assert check_data(folder / "study.yaml").ok


def test_search_report_export_and_predict(data: Dataset, folder: Path, tmp_path: Path) -> None:
    from fusearch.evaluators import TrainingEvaluator
    from fusearch.evaluators.export import export
    from fusearch.reports import write_report
    from fusearch.search import run_search
    from fusearch.search_space import SearchSpace

    space, evaluator = SearchSpace(data.modalities), TrainingEvaluator(data, folds=2, epochs=1)
    run = run_search(space, evaluator, ("auroc", "macs"), out=tmp_path / "run", trials=2, executor="inline")
    assert [record.reason for record in run.records() if record.state == "failed"] == []
    assert "vitals" in write_report(run).read_text(encoding="utf-8")
    design = next(record for record in run.records() if "vitals" in record.formula and "ecg" in record.formula)
    bundle = export(run, tmp_path / "bundle", pick=design.digest, seeds=1)
    card = (bundle / "model_card.md").read_text(encoding="utf-8")
    assert "a CSV file with a row for each step: `id`, `t`, rising, and `hr`, `bp`; 5 steps are read" in card
    assert "whose column `file` names an EDF file a row, with `ECG`; 1.5 s at 10 Hz are read" in card
    command = [sys.executable, "-W", "ignore", str(bundle / "predict.py"), "--vitals", str(folder / "vitals.parquet")]
    command += ["--ecg", str(folder / "labels.csv"), "--out", str(tmp_path / "out.csv")]
    subprocess.run(command, check=True, cwd=tmp_path)
    found = pd.read_csv(tmp_path / "out.csv").set_index("id")

    import onnxruntime

    session = onnxruntime.InferenceSession(bundle / "model.onnx", providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {f"raw.{name}": data.raw[name] for name in data.raw})
    np.testing.assert_allclose(found.loc[data.ids.tolist(), ["no", "yes"]], expected, atol=1e-5)
