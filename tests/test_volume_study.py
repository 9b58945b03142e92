"""Volumes in every format that is read, written by the real writers, go from the manifest to the predictions of a bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from bundles import bundle_of_all, predictions_of_files, served_predictions
from volume_files import write_dicom, write_nifti, write_series

from fusearch.data import Dataset, check_data, load_data
from fusearch.run import Run

ROWS, SHAPE = 24, (8, 8, 8)

#: Modality -> its keys, and the packages beyond numpy that its bundle asks for.
FORMATS = {
    "nifti": ({"column": "nifti", "spacing": [2, 2, 2], "size": [4, 4, 4], "window": [-500, 500]}, ["nibabel"]),
    "series": ({"column": "series", "root": "scans", "size": [4, 4, 4]}, ["pydicom"]),
    "frames": ({"column": "frames", "window": [-500, 500]}, ["pydicom"]),
    "npy": ({"column": "npy", "axes": "NDHWC"}, None),
    "array": ({"file": "array.npz", "key": "x"}, None),
    "xray": ({"kind": "image2d", "column": "xray", "window": [0, 2000]}, ["pydicom"]),
}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    rng, ids = np.random.default_rng(0), [f"p{row:02d}" for row in range(ROWS)]
    sick = rng.random(ROWS) < 0.5
    volumes = rng.integers(-200, 200, (ROWS, *SHAPE)) * 2.0 + 100 * sick[:, None, None, None]
    names = {name: [f"{name}/{row}" for row in range(ROWS)] for name in ("nifti", "series", "frames", "npy", "xray")}
    for name in ("nifti", "frames", "npy", "xray"):
        (folder / name).mkdir()
    for row, values in enumerate(volumes):
        write_nifti(folder / f"nifti/{row}.nii.gz", values.astype(np.float32), (1, 1, 1), turned=row % 2 == 1)
        write_series(folder / f"scans/series/{row}", values)
        write_dicom(folder / f"frames/{row}.dcm", (values / 2 + 1000).astype(np.uint16), RescaleSlope=2, RescaleIntercept=-2000)
        np.save(folder / f"npy/{row}.npy", np.stack([values, -values], axis=-1))
        write_dicom(folder / f"xray/{row}.dcm", (values[0] / 2 + 1000).astype(np.uint16))
    for name, suffix in (("nifti", ".nii.gz"), ("frames", ".dcm"), ("npy", ".npy"), ("xray", ".dcm")):
        names[name] = [f"{path}{suffix}" for path in names[name]]
    names["nifti"][3] = ""  # that sample lacks it
    np.savez(folder / "array.npz", x=volumes[::-1], id=np.array(ids)[::-1])
    pd.DataFrame({"id": ids, "sick": np.where(sick, "yes", "no"), **names}).to_csv(folder / "scans.csv", index=False)
    modalities = {name: {"kind": "volume3d", "file": "scans.csv", **keys} for name, (keys, _) in FORMATS.items()}
    document = {"id": "id", "task": {"kind": "classification", "file": "scans.csv", "column": "sick"}, "modalities": modalities}
    (folder / "study.yaml").write_text(yaml.safe_dump({**document, "splits": {"folds": 2}}), encoding="utf-8")
    return folder / "study.yaml"


@pytest.fixture(scope="module")
def data(manifest: Path) -> Dataset:
    return load_data(manifest)


@pytest.fixture(scope="module")
def run(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    from fusearch.evaluators import TrainingEvaluator
    from fusearch.search import run_search
    from fusearch.search_space import FusionGraph, SearchSpace

    streams = " | ".join(f"{name}:{'cnn' if name == 'xray' else 'cnn3d'}(stages=1)" for name in FORMATS)
    every = FusionGraph.parse(f"{streams}\nF1 = cat({', '.join(f'{name}@L' for name in FORMATS)}; trunk=fc:0) ->", data.modalities)
    out = tmp_path_factory.mktemp("runs") / "volumes"
    evaluator = TrainingEvaluator(data, folds=2, epochs=1)
    return run_search(SearchSpace(data.modalities), evaluator, ("auroc", "macs"), out=out, trials=2, executor="inline", first=[every])


def test_every_format_holds_the_same_volume(data: Dataset, manifest: Path) -> None:
    found = check_data(manifest)
    assert found.ok
    assert {name: entry["shape"] for name, entry in found.modalities.items()} == {
        "nifti": [1, 4, 4, 4],
        "series": [1, 4, 4, 4],
        "frames": [1, *SHAPE],
        "npy": [2, *SHAPE],
        "array": [1, *SHAPE],
        "xray": [1, 8, 8],
    }
    assert data.present["nifti"].sum() == ROWS - 1
    volumes = data.raw["array"]
    np.testing.assert_array_equal(data.raw["npy"][:, :1], volumes)
    np.testing.assert_allclose(data.raw["frames"], (volumes + 500) / 1000, atol=1e-6)
    np.testing.assert_allclose(data.raw["xray"], ((volumes[:, :, 0] / 2 + 1000) / 2000), atol=1e-6)
    present = data.present["nifti"]
    np.testing.assert_allclose(data.raw["nifti"][present] * 1000 - 500, data.raw["series"][present], atol=1e-2)


def test_they_are_searched_and_reported(run: Run) -> None:
    from fusearch.reports import write_report

    assert [record.reason for record in run.records() if record.state == "failed"] == []
    assert "nifti" in write_report(run).read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_bundle_reads_the_same_files_without_fusearch(run: Run, data: Dataset, manifest: Path, tmp_path: Path) -> None:
    bundle, inputs = bundle_of_all(run, FORMATS, tmp_path)
    assert {name: entry.get("packages") for name, entry in inputs.items()} == {name: packages for name, (_, packages) in FORMATS.items()}
    wanted = (bundle / "requirements.txt").read_text(encoding="utf-8")
    assert ("nibabel" in wanted, "pydicom" in wanted, "pillow" in wanted) == (True, True, False)
    predictions, expected = predictions_of_files(bundle, data, lambda name: _file_of(name, manifest), ["no", "yes"], tmp_path)
    np.testing.assert_allclose(predictions.to_numpy(), expected, atol=1e-5)
    assert predictions["yes"].nunique() > 1
    pytest.importorskip("fastapi", reason="needs fusearch[serve]")
    folder, rows = manifest.parent, [0, 1, 3]
    files = {"nifti": "nifti/{}.nii.gz", "series": "scans/series/{}", "frames": "frames/{}.dcm", "npy": "npy/{}.npy", "xray": "xray/{}.dcm"}
    samples = [
        {
            "array": data.raw["array"][row].tolist(),
            **{name: folder / path.format(row) for name, path in files.items() if (name, row) != ("nifti", 3)},
        }
        for row in rows
    ]
    np.testing.assert_allclose(served_predictions(bundle, samples, ["no", "yes"]), expected[rows], atol=1e-5)


def _file_of(name: str, manifest: Path) -> Path:
    return manifest.parent / FORMATS[name][0].get("file", "scans.csv")
