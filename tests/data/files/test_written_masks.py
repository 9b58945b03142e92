from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fusearch.data.files.masks import read_masks
from fusearch.data.files.written_masks import packages_that_write, write_mask


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


#: Axes of slices as scanners lay them, by rows and columns, in the axes of DICOM.
AXIAL, TURNED = [1.0, 0, 0, 0, 1, 0], [0.0, 1, 0, 0, 0, -1]


@pytest.mark.parametrize(
    ("keys", "axes", "shift"),
    [
        ({}, AXIAL, 0.0),
        ({"size": [6, 12, 10]}, TURNED, 0.0),
        ({"spacing": [1.5, 1.0, 0.5]}, AXIAL, 0.0),
        ({"size": [9, 14, 12], "spacing": [3.0, 2.0, 1.0]}, AXIAL, 0.4),
    ],
    ids=["as it is", "sagittal and stretched", "another spacing", "a tilted gantry, padded"],
)
def test_the_mask_of_a_series_lies_where_the_series_does(keys: dict[str, Any], axes: list[float], shift: float, tmp_path: Path) -> None:
    """Each position of the file lies where DICOM says that the pixel of its slice, row and column lies."""
    nibabel = pytest.importorskip("nibabel", reason="needs fusearch[volumes]")
    volume_files = pytest.importorskip("volume_files", reason="needs fusearch[volumes]")
    along_row, along_column = np.array(axes[:3]), np.array(axes[3:])
    upward = 3 * (np.cross(along_row, along_column) + shift * along_column)
    origin, inside = np.array([-20.0, 7, 100]), np.zeros((3, 7, 5), np.uint8)
    inside[1:, 2:5, 1:4] = 4
    for index, mask_HW in enumerate(inside):
        place = (origin + index * upward).tolist()
        facts = {"SeriesInstanceUID": "1.2", "InstanceNumber": 9 - index, "ImageOrientationPatient": axes, "ImagePositionPatient": place}
        (tmp_path / "scan").mkdir(exist_ok=True)
        volume_files.write_dicom(tmp_path / f"scan/{index}.dcm", mask_HW.astype(np.uint16), **facts, PixelSpacing=[2, 1], SliceThickness=3)
    seen = read_masks([tmp_path / "scan"], num_axes=3, **keys)[0]
    path, said = write_mask(seen, tmp_path / "said", like=tmp_path / "scan", **keys)
    assert path.name == "said.nii.gz"
    written = nibabel.load(path)
    np.testing.assert_array_equal(np.asarray(written.dataobj), inside.transpose())
    np.testing.assert_array_equal(said, inside.transpose())
    assert (int(written.header["sform_code"]), written.header.get_xyzt_units()[0]) == (1, "mm")
    column, row, slice_ = 4, 6, 2
    pixel = origin + slice_ * upward + row * 2 * along_column + column * 1 * along_row
    np.testing.assert_allclose(written.affine @ [column, row, slice_, 1], [-pixel[0], -pixel[1], pixel[2], 1], atol=1e-4)
    np.testing.assert_array_equal(read_masks([path], num_axes=3, **keys)[0], seen)


def test_the_mask_of_slices_that_say_no_place_has_their_size(tmp_path: Path) -> None:
    volume_files = pytest.importorskip("volume_files", reason="needs fusearch[volumes]")
    volume_files.write_dicom(tmp_path / "scan.dcm", np.zeros((2, 4, 6), np.uint16))
    mask = np.arange(6, dtype=np.uint8).reshape(1, 2, 3)
    path, said = write_mask(mask, tmp_path / "said", like=tmp_path / "scan.dcm", size=[1, 2, 3])
    assert (path.name, said.shape) == ("said.npy", (2, 4, 6))
    np.testing.assert_array_equal(np.load(path), mask.repeat(2, axis=0).repeat(2, axis=1).repeat(2, axis=2))


def test_volumes_of_dicom_need_nibabel_for_their_masks() -> None:
    assert packages_that_write(["pydicom"], 3) == ("nibabel",)
    assert packages_that_write(["pydicom"], 2) == packages_that_write(["nibabel"], 3) == ()


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
