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
    path, said = write_mask(read, tmp_path / "said", like=image, **keys)
    assert path.name == "said.nii.gz"
    written = nibabel.load(path)
    np.testing.assert_array_equal(written.affine, affine)
    np.testing.assert_array_equal(np.asarray(written.dataobj), mask)
    np.testing.assert_array_equal(said, mask)


@pytest.mark.parametrize("code", [0, 1])
def test_the_header_of_a_mask_says_the_place_as_that_of_its_image_does(code: int, tmp_path: Path) -> None:
    """A reader other than nibabel goes by the codes; without any it must take both for the same place."""
    nibabel = pytest.importorskip("nibabel", reason="needs fusearch[volumes]")
    affine = np.diag([-1.0, 2.0, 3.0, 1.0])
    scan = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.float32), affine)
    scan.set_qform(affine, code)
    scan.set_sform(affine, code)
    scan.header.set_xyzt_units("mm")
    scan.header["cal_max"] = 900
    nibabel.save(scan, tmp_path / "scan.nii")
    written = nibabel.load(write_mask(np.ones((6, 5, 4), np.uint8), tmp_path / "said", like=tmp_path / "scan.nii")[0])
    for key in ("sform_code", "qform_code", "pixdim", "srow_x", "quatern_b"):
        np.testing.assert_array_equal(written.header[key], nibabel.load(tmp_path / "scan.nii").header[key])
    assert written.header.get_xyzt_units() == ("mm", "unknown")
    assert (written.get_data_dtype(), float(written.header["cal_max"])) == (np.uint8, 0)


def test_what_a_model_does_not_see_is_background(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel", reason="needs fusearch[volumes]")
    scan = tmp_path / "scan.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.zeros((8, 8, 8), np.float32), np.eye(4)), scan)
    _, said = write_mask(np.full((4, 4, 4), 255, np.uint8), tmp_path / "said", like=scan, size=[4, 4, 4], spacing=[1.0, 1.0, 1.0])
    assert said.shape == (8, 8, 8)
    assert (said == 255).sum() == 4**3
    whole = nibabel.Nifti1Image(np.ones((2, 2, 2), np.uint8), np.eye(4))
    nibabel.save(whole, tmp_path / "whole.nii.gz")
    assert read_masks([tmp_path / "whole.nii.gz"], num_axes=3, size=[4, 4, 4], spacing=[1.0, 1.0, 1.0]).sum() == 2**3


def test_a_picture_gets_a_mask_of_its_size(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="needs fusearch[images]")
    image.fromarray(np.zeros((8, 12), np.uint8)).save(tmp_path / "a.png")
    mask = np.array([[0, 255, 0], [0, 0, 255]], np.uint8)
    path, said = write_mask(mask, tmp_path / "said", like=tmp_path / "a.png", size=[2, 3])
    np.testing.assert_array_equal(said, np.asarray(image.open(path)))
    assert path.name == "said.png"
    np.testing.assert_array_equal(np.asarray(image.open(path)), mask.repeat(4, axis=0).repeat(4, axis=1))
    plain, _ = write_mask(mask, tmp_path / "plain", like=tmp_path / "a.png")
    np.testing.assert_array_equal(np.asarray(image.open(plain)), mask)


def test_without_a_file_to_be_like_it_is_an_array(tmp_path: Path) -> None:
    mask = np.array([[0, 2], [2, 0]], np.uint8)
    path, _ = write_mask(mask, tmp_path / "p.1")
    assert path.name == "p.1.npy"
    np.testing.assert_array_equal(np.load(path), mask)
    assert write_mask(mask, tmp_path / "b", like=tmp_path / "image.npy")[0].name == "b.npy"


def test_an_array_gets_a_mask_of_its_size(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((4, 6, 3), np.uint8))
    mask = np.array([[0, 2, 0], [0, 0, 2]], np.uint8)
    path, said = write_mask(mask, tmp_path / "said", like=tmp_path / "a.npy", size=[2, 3], axes=[2, 0, 1])
    np.testing.assert_array_equal(np.load(path), mask.repeat(2, axis=0).repeat(2, axis=1))
    np.testing.assert_array_equal(np.load(path), said)
    np.save(tmp_path / "v.npy", np.zeros((4, 4, 6), np.float32))
    assert np.load(write_mask(mask[None], tmp_path / "v_said", like=tmp_path / "v.npy", size=[1, 2, 3])[0]).shape == (4, 4, 6)
