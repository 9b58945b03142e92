from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fusearch.data import Dataset, load_data
from fusearch.evaluators.export.inputs import describe_inputs, raw_shapes, raw_values


def test_inputs_of_a_manifest(clinic: Path) -> None:
    data = load_data(clinic / "outcome.yaml")
    document = describe_inputs(data, data.modalities)
    assert document["id"] == "patient"
    assert document["outputs"] == ["alive", "dead"]
    assert document["decision"] == {"weights": [1.0, 1.0], "threshold": 0.5, "fitted_for": None}
    assert (document["missing"], document["decimal"], document["unused"]) == ([], None, {})
    assert describe_inputs(data, data.modalities[:1])["unused"] == {other.name: f"--{other.name}" for other in data.modalities[1:]}
    ages = data.raw["clinical"][data.rows("search"), 0]
    assert document["modalities"]["clinical"] == {
        "option": "--clinical",
        "kind": "tabular",
        "shape": [3],
        "key": "clinical",
        "numeric": ["age"],
        "categorical": {"sex": ["f", "m"], "grade": ["1", "2", "3"]},
        "range": {"low": [pytest.approx(np.nanmin(ages), rel=1e-5)], "high": [pytest.approx(np.nanmax(ages), rel=1e-5)]},
    }


@pytest.fixture(scope="module")
def data() -> Dataset:
    rng = np.random.default_rng(0)
    modalities = {"out": rng.normal(size=(20, 3)), "image": rng.normal(size=(20, 2, 3, 4))}
    return Dataset.from_arrays(
        "toy",
        modalities=modalities,
        present={"image": np.arange(20) > 0},
        targets=rng.normal(size=20),
        task="regression",
        target_name="days",
    )


def test_inputs_of_arrays_in_memory(data: Dataset) -> None:
    document = describe_inputs(data, data.modalities)
    assert document["id"] is None
    assert document["outputs"] == ["days"]
    assert document["decision"] is None
    assert document["modalities"]["out"]["option"] == "--out_file"
    image = document["modalities"]["image"]
    means = data.raw["image"][[row for row in data.rows("search") if row]].mean(axis=(1, 2, 3))
    assert image.pop("range") == {"low": [pytest.approx(means.min(), rel=1e-4)], "high": [pytest.approx(means.max(), rel=1e-4)]}
    assert image == {"option": "--image", "kind": "image2d", "shape": [2, 3, 4], "key": "image"}
    assert list(describe_inputs(data, data.modalities[1:])["modalities"]) == ["image"]


def test_raw_values_are_nan_where_the_modality_is_missing(data: Dataset) -> None:
    raw = raw_values(data, data.modalities, np.array([0, 3]))
    assert raw_shapes(data, data.modalities) == {name: values.shape[1:] for name, values in raw.items()}
    assert np.isnan(raw["image"][0]).all()
    np.testing.assert_array_equal(raw["image"][1], data.raw["image"][3])
    np.testing.assert_array_equal(raw["out"], data.raw["out"][[0, 3]])


def test_the_decimal_comma_of_the_training_files_is_kept(tmp_path: Path) -> None:
    rows = [f"{row};{'ab'[row % 2]};{row},{row * 37 % 1000:03d}" for row in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["id;y;x", *rows, "60;a;0,5"]), encoding="utf-8")
    manifest = "id: id\ntask: {kind: classification, file: t.csv, column: y}\nmodalities: {t: {kind: tabular, file: t.csv}}\n"
    (tmp_path / "study.yaml").write_text(manifest, encoding="utf-8")
    data = load_data(tmp_path / "study.yaml")
    assert data.raw["t"][1, 0] == np.float32(1.037)
    assert describe_inputs(data, data.modalities)["decimal"] == ",", "a file of one row, `1,037`, is read as the whole was"


def test_masks_are_like_the_files_that_they_were_drawn_on(tmp_path: Path) -> None:
    """Two scans on grids of one shape: a mask that is said on one lies elsewhere on the other."""
    nibabel = pytest.importorskip("nibabel", reason="needs fusearch[volumes]")
    names = [f"{row}.nii" for row in range(4)]
    for folder, step in (("t1", 1.0), ("flair", 2.0), ("masks", 2.0)):
        (tmp_path / folder).mkdir()
        for row, name in enumerate(names):
            values = np.arange(64).reshape(4, 4, 4) % (2 + row) > 0
            nibabel.save(nibabel.Nifti1Image(values.astype(np.uint8), np.diag([step, step, step, 1])), tmp_path / folder / name)
    table = "".join(f"p{row},{name},{name},{name}\n" for row, name in enumerate(names))
    (tmp_path / "labels.csv").write_text(f"id,t1,flair,masks\n{table}")
    (tmp_path / "data.yaml").write_text(
        "name: scans\nid: id\ntask: {kind: segmentation, file: labels.csv, column: masks, root: masks, of: flair}\nmodalities:\n"
        "  t1: {kind: volume3d, file: labels.csv, column: t1, root: t1, spacing: [1, 1, 1], size: [4, 4, 4]}\n"
        "  flair: {kind: volume3d, file: labels.csv, column: flair, root: flair, spacing: [2, 2, 2], size: [4, 4, 4]}\n"
        "splits: {folds: 2}\n"
    )
    data = load_data(tmp_path / "data.yaml")
    t1, flair = data.modalities
    assert [describe_inputs(data, read)["masks"]["like"] for read in ([t1, flair], [flair], [t1])] == ["flair", "flair", None]


def test_the_bundle_of_a_series_asks_for_what_writes_its_masks(tmp_path: Path) -> None:
    """Where numbers are predicted nothing is written."""
    volume_files = pytest.importorskip("volume_files", reason="needs fusearch[volumes]")
    for row in range(4):
        values = np.arange(64).reshape(4, 4, 4) % (2 + row)
        volume_files.write_series(tmp_path / f"ct{row}", values)
        np.save(tmp_path / f"{row}.npy", (values > 0).astype(np.uint8))
    rows = "".join(f"p{row},ct{row},{row}.npy,{row + 0.5}\n" for row in range(4))
    (tmp_path / "labels.csv").write_text(f"id,ct,mask,dose\n{rows}")
    modalities = "modalities: {ct: {kind: volume3d, file: labels.csv, column: ct}}\nsplits: {folds: 2}\n"
    for kind, column, packages in (("segmentation", "mask", ["nibabel", "pydicom"]), ("regression", "dose", ["pydicom"])):
        path = tmp_path / f"{kind}.yaml"
        path.write_text(f"id: id\ntask: {{kind: {kind}, file: labels.csv, column: {column}}}\n{modalities}")
        data = load_data(path)
        assert describe_inputs(data, data.modalities)["modalities"]["ct"]["packages"] == packages
