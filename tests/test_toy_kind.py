"""A kind is an entry of facts: a user's own, in a format of its own, goes from the manifest to `predict.py` without another change."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from fusearch.data import Dataset, check_data, load_data
from fusearch.data.kinds import KINDS
from fusearch.data.readers import READERS
from fusearch.errors import DataError, ManifestError
from fusearch.registry import PLUGIN_PREFIX, load_file
from fusearch.run import Run

PLUGIN = Path(__file__).parent / "toy_spectrum.py"
ROWS, LENGTH = 60, 12


@pytest.fixture(scope="module", autouse=True)
def spectrum() -> Iterator[None]:
    """The plug-in file, loaded as `--plugin` does, and gone afterwards."""
    load_file(str(PLUGIN))
    yield
    KINDS.remove("spectrum")
    READERS.remove("peaks")
    del sys.modules[f"{PLUGIN_PREFIX}{PLUGIN.stem}"]


@pytest.fixture(scope="module")
def heights() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(ROWS, LENGTH)).astype(np.float32)


@pytest.fixture(scope="module")
def manifest(heights: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    ids = [f"p{row}" for row in range(ROWS)]
    sick = np.where(heights[:, 3] + heights[:, 4] > 0, "yes", "no")
    pd.DataFrame({"id": ids, "sick": sick, "age": np.arange(ROWS) % 7, "dose": np.arange(ROWS) % 5}).to_csv(
        folder / "labels.csv", index=False
    )
    lines = [" ".join([name, *(f"{value:.6f}" for value in row)]) for name, row in zip(ids, heights, strict=True)]
    (folder / "ms.peaks").write_text("\n".join(lines[::-1]) + "\n", encoding="utf-8")  # joined by id, not by position
    document = {
        "id": "id",
        "task": {"kind": "classification", "file": "labels.csv", "column": "sick"},
        "modalities": {"ms": {"kind": "spectrum", "file": "ms.peaks"}, "clinic": {"kind": "tabular", "file": "labels.csv"}},
        "splits": {"fractions": [0.6, 0.2, 0.2]},
    }
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def data(manifest: Path) -> Dataset:
    return load_data(manifest)


@pytest.fixture(scope="module")
def run(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    from fusearch.evaluators import TrainingEvaluator
    from fusearch.search import run_search
    from fusearch.search_space import SearchSpace

    out = tmp_path_factory.mktemp("runs") / "spectrum"
    return run_search(
        SearchSpace(data.modalities), TrainingEvaluator(data, folds=2, epochs=1), ("auroc", "macs"), out=out, trials=2, executor="inline"
    )


def test_its_files_are_joined_by_id(data: Dataset, heights: np.ndarray, manifest: Path) -> None:
    assert data.modality("ms").shape == (LENGTH, 1)
    np.testing.assert_allclose(data.raw["ms"][:, :, 0], heights, atol=1e-6)
    found = check_data(manifest)
    assert found.ok
    assert found.modalities["ms"]["kind"] == "spectrum"


@pytest.mark.parametrize(
    ("keys", "error", "message"),
    [
        ({"kind": "spectrm"}, ManifestError, "modalities.ms.kind: .*did you mean 'spectrum'"),
        ({"file": "ms.txt"}, ManifestError, r"modalities.ms.file: 'ms.txt', expected a file that ends in one of: .peaks, .npy, .npz"),
        ({"columns": ["a"]}, ManifestError, "modalities.ms.columns: unknown key"),
        ({"file": "uneven.peaks"}, DataError, "uneven.peaks: spectra of 1 and of 2 values, expected one length"),
    ],
)
def test_what_it_refuses(manifest: Path, keys: dict[str, object], error: type[Exception], message: str) -> None:
    document = yaml.safe_load(manifest.read_text(encoding="utf-8"))
    document["modalities"]["ms"].update(keys)
    (manifest.parent / "uneven.peaks").write_text("p0 1\np1 1 2\n", encoding="utf-8")
    other = manifest.with_name("other.yaml")
    other.write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(error, match=message):
        load_data(other)


def test_it_is_searched_reported_and_explained(run: Run, data: Dataset) -> None:
    from fusearch.evaluators.explanation.explain import explain
    from fusearch.reports import write_report

    assert [record.reason for record in run.records() if record.state == "failed"] == []
    design = next(record.digest for record in run.records() if "ms" in record.formula)
    explain(run, design, repeats=1)
    page = write_report(run).read_text(encoding="utf-8")
    assert f"{LENGTH} steps from left to right" in page


def test_the_bundle_predicts_without_fusearch(run: Run, data: Dataset, manifest: Path, heights: np.ndarray, tmp_path: Path) -> None:
    from fusearch.evaluators.export import export

    bundle = export(run, tmp_path / "bundle", seeds=1)
    inputs = json.loads((bundle / "inputs.json").read_text(encoding="utf-8"))["modalities"]
    np.savez(tmp_path / "ms.npz", id=data.ids, ms=heights)
    files = {"ms": tmp_path / "ms.npz", "clinic": manifest.parent / "labels.csv"}
    options = [part for name, modality in inputs.items() for part in (modality["option"], str(files[name]))]
    command = [sys.executable, "-W", "ignore", str(bundle / "predict.py"), *options, "--out", str(tmp_path / "predictions.csv")]
    subprocess.run(command, check=True, cwd=tmp_path)
    predictions = pd.read_csv(tmp_path / "predictions.csv")
    assert predictions["id"].tolist() == data.ids.tolist()
    assert ((predictions["yes"] >= 0) & (predictions["yes"] <= 1)).all()
