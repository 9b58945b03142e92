from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fusearch.data.files.masks import read_masks
from fusearch.data.files.written_masks import write_mask


@pytest.mark.parametrize(
    "keys",
    [{}, {"size": [10, 8, 12]}, {"spacing": [2.0, 1.0, 0.5]}, {"spacing": [2.0, 1.0, 1.0], "size": [8, 9, 5]}],
    ids=["as it is", "stretched", "another spacing", "cropped and padded"],
)
def test_a_volume_that_is_read_and_written_lies_where_it_lay(keys: dict[str, Any], tmp_path: Path) -> None:
    """Axes in another order and direction than ours, and what reading did to them is undone."""
    nibabel = pytest.importorskip("nibabel", reason="needs fusearch[volumes]")
    affine = np.array([[0, -1.0, 0, 3], [0, 0, 1.0, -4], [2.0, 0, 0, 5], [0, 0, 0, 1]])
    mask = np.zeros((8, 6, 7), np.uint8)
    mask[2:6, 1:4, 2:5] = 4
    image = tmp_path / "p1.nii.gz"
    nibabel.save(nibabel.Nifti1Image(mask, affine), image)
    read = read_masks([image], num_axes=3, **keys)[0]
    path = write_mask(read, tmp_path / "said", like=image, **keys)
    assert path.name == "said.nii.gz"
    written = nibabel.load(path)
    np.testing.assert_array_equal(written.affine, affine)
    np.testing.assert_array_equal(np.asarray(written.dataobj), mask)


def test_a_picture_gets_a_mask_of_its_size(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="needs fusearch[images]")
    image.fromarray(np.zeros((8, 12), np.uint8)).save(tmp_path / "a.png")
    mask = np.array([[0, 255, 0], [0, 0, 255]], np.uint8)
    path = write_mask(mask, tmp_path / "said", like=tmp_path / "a.png", size=[2, 3])
    assert path.name == "said.png"
    np.testing.assert_array_equal(np.asarray(image.open(path)), mask.repeat(4, axis=0).repeat(4, axis=1))
    plain = write_mask(mask, tmp_path / "plain", like=tmp_path / "a.png")
    np.testing.assert_array_equal(np.asarray(image.open(plain)), mask)


def test_without_a_file_to_be_like_it_is_an_array(tmp_path: Path) -> None:
    mask = np.array([[0, 2], [2, 0]], np.uint8)
    path = write_mask(mask, tmp_path / "p.1")
    assert path.name == "p.1.npy"
    np.testing.assert_array_equal(np.load(path), mask)
    assert write_mask(mask, tmp_path / "b", like=tmp_path / "image.npy").name == "b.npy"
