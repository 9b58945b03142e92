from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fusearch.data.files.masks import read_masks
from fusearch.errors import DataError

MASK = np.array([[0, 0, 3], [0, 3, 3]], np.uint8)


def test_pictures_with_and_without_a_palette_are_read_as_their_numbers(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="needs fusearch[images]")
    image.fromarray(MASK).save(tmp_path / "grey.png")
    colours = image.fromarray(MASK).convert("P")
    colours.putpalette([7, 7, 7] * 256)
    colours.putdata(MASK.flatten().tolist())
    colours.save(tmp_path / "palette.png")
    np.save(tmp_path / "array.npy", MASK.astype(np.int64))
    found = read_masks([tmp_path / "grey.png", tmp_path / "palette.png", tmp_path / "array.npy"], num_axes=2)
    assert found.dtype == np.uint8
    assert [each.tolist() for each in found] == [MASK.tolist()] * 3


def test_a_jpeg_is_a_mask_as_long_as_it_blurs_nothing(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="needs fusearch[images]")
    flat, edges = np.full((8, 8), 3, np.uint8), np.zeros((8, 8), np.uint8)
    edges[2:5, 1:6] = 255
    for name, mask in (("flat.jpg", flat), ("edges.jpg", edges)):
        image.fromarray(mask).save(tmp_path / name)
    assert read_masks([tmp_path / "flat.jpg"], num_axes=2).tolist() == [flat.tolist()]
    with pytest.raises(DataError, match=r"edges.jpg: a JPEG of \d+ values, as it blurs the edges of classes; expected a PNG, TIFF or NPY"):
        read_masks([tmp_path / "edges.jpg"], num_axes=2)


def test_a_mask_that_is_resized_has_no_new_values(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", MASK)
    found = read_masks([tmp_path / "a.npy"], num_axes=2, size=[4, 6])
    assert found[0].tolist() == MASK.repeat(2, axis=0).repeat(2, axis=1).tolist()
    smaller = read_masks([tmp_path / "a.npy"], num_axes=2, size=[1, 2])
    assert set(smaller.flatten().tolist()) <= {0, 3}


def test_volumes_are_turned_as_images_are(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel", reason="needs fusearch[volumes]")
    stored = np.zeros((3, 4, 5), np.uint8)
    stored[2, 0, 0] = 1
    nibabel.save(nibabel.Nifti1Image(stored, np.diag([-1.0, 1.0, 1.0, 1.0])), tmp_path / "a.nii")
    found = read_masks([tmp_path / "a.nii"], num_axes=3)
    assert found.shape == (1, 5, 4, 3)
    assert found[0, 0, 0, 0] == 1
    finer = read_masks([tmp_path / "a.nii"], num_axes=3, spacing=[0.5, 0.5, 0.5])
    assert finer.shape == (1, 10, 8, 6)
    assert int(finer.sum()) == 8


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([[0.5, 1.0]]), "its values are no classes, expected whole numbers from 0 to 255"),
        (np.array([[0, 300]]), "its values are no classes, expected whole numbers from 0 to 255"),
        (np.zeros((3, 2, 2)), "a mask of 3 channels, expected one"),
    ],
)
def test_what_is_no_mask_is_named_with_its_row(values: np.ndarray, message: str, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(DataError, match=f"labels.csv, row 3: a.npy: {message}"):
        read_masks([tmp_path / "a.npy"], num_axes=2, places=["labels.csv, row 3"])


def test_masks_of_several_shapes(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", MASK)
    np.save(tmp_path / "b.npy", MASK.T)
    with pytest.raises(DataError, match="masks of 2 shapes"):
        read_masks([tmp_path / "a.npy", tmp_path / "b.npy"], num_axes=2)
