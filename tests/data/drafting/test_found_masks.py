"""A first manifest whose target are masks is accepted by `check`, or says in one line what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mask_data import mask_arrays

from fusearch.data import check_data, draft_manifest, load_data
from fusearch.errors import DataError
from fusearch.yaml_file import read_yaml

Image = pytest.importorskip("PIL.Image", reason="needs pillow")

ROWS = 14
IDS = [f"p{row:02d}" for row in range(ROWS)]
AGES = np.random.default_rng(5).normal(60, 9, ROWS).round(1)


def write(folder: Path, name: str, images: np.ndarray, ids: Sequence[str] = IDS) -> None:
    """Write pictures into a folder; `*` in the name is the id."""
    for each, image in zip(ids, images, strict=True):
        path = folder / name.replace("*", each)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.astype(np.uint8)).save(path)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Pictures of two scans named by the id."""
    arrays = mask_arrays(ROWS, 12)
    for name in ("t1", "t2"):
        write(tmp_path, f"{name}/*.png", 100 + 50 * arrays[name][:, 0])
    np.save(tmp_path.parent / "masks.npy", arrays["masks"])
    return tmp_path


def masks_of(study: Path) -> np.ndarray:
    return np.load(study.parent / "masks.npy")


@pytest.mark.parametrize("name", ["masks/*.png", "masks/*_mask.png", "labels/masks/seg-*.png"])
def test_a_folder_of_masks_named_by_the_ids_is_a_segmentation(study: Path, name: str) -> None:
    write(study, name, 255 * masks_of(study))
    made = draft_manifest(study, targets=[str(Path(name).parent)])
    found = check_data(made.path)
    assert found.ok, found.problems
    data = load_data(made.path)
    assert (data.task.kind, data.task.name, data.task.labels) == ("segmentation", "mask", ("0", "255"))
    assert [modality.name for modality in data.modalities] == ["t1", "t2"]
    np.testing.assert_array_equal(data.targets, masks_of(study).reshape(ROWS, -1))
    assert data.ids.tolist() == IDS
    assert "# segmentation: 14 masks, a class at each position; `labels: [background, ...]`" in made.path.read_text(encoding="utf-8")


def test_a_table_beside_them_is_joined_by_its_ids(study: Path) -> None:
    write(study, "masks/*.png", masks_of(study))
    clinical = pd.DataFrame({"patient": IDS[::-1], "age": AGES, "sex": ["f", "m"] * (ROWS // 2)})
    clinical.to_csv(study / "clinical.csv", index=False)
    made = draft_manifest(study, targets=["masks"])
    assert check_data(made.path).ok
    data = load_data(made.path)
    assert {modality.name: modality.kind for modality in data.modalities} == {"clinical": "tabular", "t1": "image2d", "t2": "image2d"}
    assert read_yaml(made.path)["id"] == "patient"
    assert data.raw["clinical"][:, 0].tolist() == pytest.approx(AGES[::-1])


def test_a_column_of_paths_is_one_too_and_the_grid_is_that_of_the_fitting_image(study: Path) -> None:
    write(study, "masks/*.png", masks_of(study))
    write(study, "photo/*.png", np.random.default_rng(0).integers(0, 255, (ROWS, 9, 9)))
    table = {"id": IDS, "photo": [f"{name}.png" for name in IDS], "lesion": [f"{name}.png" for name in IDS], "age": AGES}
    pd.DataFrame(table).to_csv(study / "labels.csv", index=False)
    made = draft_manifest(study, targets=["lesion"])
    task = read_yaml(made.path)["task"]
    assert (task["kind"], task["column"], task["root"]) == ("segmentation", "lesion", "masks")
    found = check_data(made.path)
    assert found.ok, found.problems
    data = load_data(made.path)
    assert data.task.kind == "segmentation"
    assert "lesion" not in {modality.name for modality in data.modalities}


def test_what_says_no_masks_is_one_line(study: Path) -> None:
    (study / "empty").mkdir()
    (study / "empty" / "a.txt").write_text("text")
    with pytest.raises(DataError, match=r"folder 'empty' holds no masks, expected a picture or a volume of each sample \(.*\.png"):
        draft_manifest(study, targets=["empty"])
    write(study, "masks/*.png", masks_of(study), [f"q{row}x" for row in range(ROWS)])
    with pytest.raises(DataError, match=r"masks are named as 'q0x.png', and images as 'p00.png': no id stands in both; expected `ID.png`"):
        draft_manifest(study, targets=["masks"])
    for lesion in ("core", "edema"):
        write(study, f"twice/*_{lesion}.png", masks_of(study))
    with pytest.raises(
        DataError, match=r"several masks of 'p00' \('p00_core.png' and 'p00_edema.png'\); expected one a sample, with a value"
    ):
        draft_manifest(study, targets=["twice"])
    with pytest.raises(DataError, match="holds no table"):
        draft_manifest(study, targets=["nowhere"])


def test_masks_without_images_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "masks/*.png", mask_arrays(ROWS, 8)["masks"])
    pd.DataFrame({"id": IDS, "age": AGES}).to_csv(tmp_path / "clinical.csv", index=False)
    with pytest.raises(
        DataError, match=r"14 masks, and no image or volume on whose grid they lie; expected one for each, named by the ids"
    ):
        draft_manifest(tmp_path, targets=["masks"])
