"""A small study on disk, as a user would have it; each test spoils one thing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import settings

settings.register_profile("shared_machine", deadline=None)  # the first call of a test imports scikit-learn or scipy
settings.load_profile("shared_machine")

NUM_SAMPLES = 60


@dataclass
class Study:
    """A folder with a manifest; `write` puts the files there and returns the manifest's path."""

    folder: Path
    document: dict[str, Any]
    labels: pd.DataFrame
    rna: pd.DataFrame
    clinical: pd.DataFrame
    ecg: np.ndarray

    def write(self) -> Path:
        self.labels.to_csv(self.folder / "labels.csv", index=False)
        self.rna.to_csv(self.folder / "rna.csv", index=False)
        self.clinical.to_csv(self.folder / "clinical.csv", index=False)
        np.savez(self.folder / "ecg.npz", x=self.ecg, patient=self.labels["patient"].to_numpy(dtype=np.str_))
        path = self.folder / f"{self.document.get('name', 'study')}.yaml"
        path.write_text(yaml.safe_dump(self.document, sort_keys=False), encoding="utf-8")
        return path


@pytest.fixture
def study(tmp_path: Path) -> Study:
    rng = np.random.default_rng(0)
    ids = [f"p{row:02d}" for row in range(NUM_SAMPLES)]
    vital = ["alive" if row % 3 else "dead" for row in range(NUM_SAMPLES)]
    split = ["train"] * 40 + ["val"] * 10 + ["test"] * 10
    hospital = [f"h{row // 5}" for row in range(NUM_SAMPLES)]
    labels = pd.DataFrame(
        {"patient": ids, "vital": vital, "split": split, "hospital": hospital, "months": rng.exponential(20, NUM_SAMPLES)}
    )
    rna = pd.DataFrame(rng.normal(size=(NUM_SAMPLES, 4)), columns=["g1", "g2", "g3", "g4"])
    rna.insert(0, "patient", ids)
    clinical = pd.DataFrame(
        {
            "patient": ids,
            "age": rng.integers(30, 60, NUM_SAMPLES),
            "stage_t": rng.integers(1, 4, NUM_SAMPLES),
            "stage_n": rng.integers(0, 2, NUM_SAMPLES),
            "sex": rng.choice(["female", "male"], NUM_SAMPLES),
            "note": "text",
        }
    )
    document: dict[str, Any] = {
        "name": "lgg",
        "id": "patient",
        "task": {"kind": "classification", "file": "labels.csv", "column": "vital"},
        "modalities": {
            "rna": {"kind": "tabular", "file": "rna.csv"},
            "clinical": {"kind": "tabular", "file": "clinical.csv", "columns": ["age", "stage_*"], "categorical": ["sex"]},
            "ecg": {"kind": "timeseries", "file": "ecg.npz", "key": "x"},
        },
        "splits": {"column": "split"},
    }
    return Study(tmp_path, document, labels, rna, clinical, rng.normal(size=(NUM_SAMPLES, 7, 2)))
