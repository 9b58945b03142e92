from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from mask_data import mask_arrays, mask_data

from fusearch.data import Dataset, check_data, load_data
from fusearch.errors import DataError, FusearchError
from fusearch.tasks.segmentation import Segmentation

ROWS = 30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    arrays = mask_arrays(ROWS)
    names = [f"{row}.npy" for row in range(ROWS)]
    for name in ("t1", "t2", "masks"):
        (tmp_path / name).mkdir()
        for row in range(ROWS):
            np.save(tmp_path / name / names[row], arrays[name][row])
    table = pd.DataFrame(
        {"id": [f"p{row}" for row in range(ROWS)], "t1": names, "t2": names, "mask": names, "age": arrays["clinical"][:, 0]}
    )
    table.to_csv(tmp_path / "labels.csv", index=False)
    return tmp_path


def manifest(folder: Path, task: dict[str, Any] | None = None, **modalities: Any) -> Path:
    images = {name: {"kind": "image2d", "file": "labels.csv", "column": name, "root": name} for name in ("t1", "t2")}
    document = {
        "name": "shapes",
        "id": "id",
        "task": {"kind": "segmentation", "file": "labels.csv", "column": "mask", "root": "masks", **(task or {})},
        "modalities": {**images, **modalities},
    }
    path = folder / "data.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def test_a_column_of_paths_is_read_as_masks(folder: Path) -> None:
    data = load_data(manifest(folder, {"labels": ["background", "lesion"]}))
    assert isinstance(data.task, Segmentation)
    assert (data.task.labels, data.task.grid) == (("background", "lesion"), (16, 16))
    np.testing.assert_array_equal(data.targets, mask_arrays(ROWS)["masks"].reshape(ROWS, -1))
    assert not check_data(manifest(folder)).problems


def test_masks_are_brought_to_what_their_images_are(folder: Path) -> None:
    small = {"kind": "image2d", "file": "labels.csv", "column": "t1", "root": "t1", "size": [8, 8]}
    data = load_data(manifest(folder, {"of": "small"}, small=small))
    assert data.targets.shape == (ROWS, 64)
    assert set(np.unique(data.targets)) == {0, 1}


def test_the_masks_are_part_of_the_fingerprint(folder: Path) -> None:
    before = load_data(manifest(folder)).fingerprint
    mask = np.load(folder / "masks" / "3.npy")
    mask[0, 0] = 1 - mask[0, 0]
    np.save(folder / "masks" / "3.npy", mask)
    assert load_data(manifest(folder)).fingerprint != before


def test_what_cannot_be_read_is_named(folder: Path) -> None:
    with pytest.raises(FusearchError, match=r"data.yaml: task.of: no image or volume 'age', expected one of: t1, t2"):
        load_data(manifest(folder, {"of": "age"}))
    with pytest.raises(FusearchError, match=r"data.yaml: task.root: no folder 'nowhere' beside the manifest"):
        load_data(manifest(folder, {"root": "nowhere"}))
    np.save(folder / "masks" / "3.npy", np.zeros((4, 4), np.uint8))
    with pytest.raises(DataError, match=r"line 5: mask '3.npy' has 4 x 4 positions, expected what its image '3.npy' covers: 16 x 16"):
        load_data(manifest(folder))
    (folder / "masks" / "3.npy").unlink()
    with pytest.raises(DataError, match=r"1 of 30 masks is missing in .*: '3.npy'"):
        load_data(manifest(folder))
    table = pd.read_csv(folder / "labels.csv")
    table.loc[4, "mask"] = None
    table.to_csv(folder / "labels.csv", index=False)
    with pytest.raises(DataError, match=r"column 'mask' is empty in line 6 \(id 'p4'\), expected a mask in every row"):
        load_data(manifest(folder))


def test_a_table_alone_has_no_grid(folder: Path) -> None:
    path = manifest(folder)
    document = yaml.safe_load(path.read_text())
    document["modalities"] = {"age": {"kind": "tabular", "file": "labels.csv", "columns": ["age"]}}
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(FusearchError, match="a table alone has no grid"):
        load_data(path)


def test_masks_in_memory() -> None:
    data = mask_data(20)
    assert data.task.outputs == ("dice", "hd95")
    assert repr(data).endswith("segmentation of lesion)")
    arrays = mask_arrays(20)
    masks = arrays.pop("masks")
    given = {"modalities": arrays, "task": "segmentation"}
    with pytest.raises(DataError, match=r"masks of the grid \(16, 15\), expected that of an image or a volume \(t1 has \(16, 16\)"):
        Dataset.from_arrays("shapes", targets=masks[:, :, 1:], **given)
    with pytest.raises(DataError, match="masks are an array of float64"):
        Dataset.from_arrays("shapes", targets=masks / 2, **given)
    with pytest.raises(DataError, match="masks hold values from -1 to 1, expected 0 to 255"):
        Dataset.from_arrays("shapes", targets=masks.astype(int) * 2 - 1, **given)


def test_masks_of_another_size_than_their_images_are_refused_before_they_are_stretched(folder: Path) -> None:
    sized = {"t1": {"kind": "image2d", "file": "labels.csv", "column": "t1", "root": "t1", "size": [8, 8]}}
    assert load_data(manifest(folder, {"of": "t1"}, **sized)).task.grid == (8, 8)
    np.save(folder / "masks" / "3.npy", np.load(folder / "masks" / "3.npy")[:8, :8])
    with pytest.raises(DataError, match=r"line 5: mask '3.npy' has 8 x 8 positions, expected what its image '3.npy' covers: 16 x 16"):
        load_data(manifest(folder, {"of": "t1"}, **sized))


def test_the_grid_of_masks_from_files_is_that_of_an_image(folder: Path) -> None:
    for row in range(ROWS):
        np.save(folder / "masks" / f"{row}.npy", np.load(folder / "masks" / f"{row}.npy")[:8, :8])
    other = {"kind": "image2d", "file": "labels.csv", "column": "t1", "root": "t1", "axes": "NCHW"}
    with pytest.raises(DataError, match=r"masks of the grid \(8, 8\), expected that of an image or a volume"):
        load_data(manifest(folder, {"of": "t1"}, t1=other))


def test_the_spacing_of_masks_is_that_of_their_images_or_of_the_manifest(tmp_path: Path) -> None:
    files = pytest.importorskip("volume_files", reason="needs fusearch[volumes]")
    arrays = mask_arrays(12, 6, axes=3)
    names = [f"{row}.nii.gz" for row in range(12)]
    for name in ("t1", "masks"):
        (tmp_path / name).mkdir()
        for row in range(12):
            files.write_nifti(tmp_path / name / names[row], arrays["t1"][row, 0] if name == "t1" else arrays["masks"][row], (4, 2, 1))
    pd.DataFrame({"id": range(12), "t1": names, "mask": names}).to_csv(tmp_path / "labels.csv", index=False)
    volume = {"kind": "volume3d", "file": "labels.csv", "column": "t1", "root": "t1"}
    task = {"kind": "segmentation", "file": "labels.csv", "column": "mask", "root": "masks"}

    def spacing(**keys: Any) -> tuple[float, ...]:
        document = {"name": "v", "id": "id", "task": task, "modalities": {"t1": {**volume, **keys}}}
        (tmp_path / "data.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        data = load_data(tmp_path / "data.yaml")
        assert isinstance(data.task, Segmentation)
        return data.task.spacing

    assert spacing() == (4, 2, 1)
    assert spacing(size=[3, 6, 12]) == (8, 2, 0.5)
    assert spacing(size=[8, 8, 8], spacing=[2, 2, 2]) == (2, 2, 2)
    files.write_nifti(tmp_path / "t1" / names[0], arrays["t1"][0, 0], (4, 2, 2))
    files.write_nifti(tmp_path / "masks" / names[0], arrays["masks"][0], (4, 2, 2))
    assert spacing() == ()
