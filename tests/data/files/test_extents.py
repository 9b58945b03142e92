from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fusearch.data.files.extents import Extent, extent_of, one_spacing, refuse_other_extents
from fusearch.errors import DataError


def volume(path: Path, shape: tuple[int, ...], step: float = 2.0, origin: tuple[float, ...] = (0.0, 0.0, 0.0), flip: bool = False) -> Path:
    nibabel = pytest.importorskip("nibabel", reason="needs fusearch[volumes]")
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = origin
    if flip:
        affine[0, 0], affine[0, 3] = -step, origin[0] + step * (shape[0] - 1)
    nibabel.save(nibabel.Nifti1Image(np.zeros(shape, np.uint8), affine), path)
    return path


def test_a_mask_covers_what_its_image_covers_however_it_is_stored(tmp_path: Path) -> None:
    image = volume(tmp_path / "image.nii.gz", (10, 12, 8))
    same = volume(tmp_path / "flipped.nii.gz", (10, 12, 8), flip=True)
    finer = volume(tmp_path / "finer.nii.gz", (20, 24, 16), step=1.0, origin=(-0.5, -0.5, -0.5))
    refuse_other_extents([same, finer], [image, image], num_axes=3, places=["row 1", "row 2"])


@pytest.mark.parametrize(
    "mask",
    [
        {"shape": (10, 12, 8), "origin": (40.0, 0.0, 0.0)},
        {"shape": (10, 12, 8), "step": 1.0},
        {"shape": (6, 7, 6), "origin": (4.0, 4.0, 2.0)},
    ],
    ids=["elsewhere", "another spacing", "a part"],
)
def test_one_that_does_not_is_refused(mask: dict, tmp_path: Path) -> None:
    image = volume(tmp_path / "image.nii.gz", (10, 12, 8))
    with pytest.raises(DataError, match=r"row 1: mask 'mask.nii.gz' has .* mm, expected what its image 'image.nii.gz' covers: 10 x 12 x 8"):
        refuse_other_extents([volume(tmp_path / "mask.nii.gz", **mask)], [image], num_axes=3, places=["row 1"])


def test_pictures_and_arrays_have_as_many_positions(tmp_path: Path) -> None:
    np.save(tmp_path / "image.npy", np.zeros((1, 6, 4)))
    np.save(tmp_path / "mask.npy", np.zeros((6, 4)))
    np.save(tmp_path / "turned.npy", np.zeros((4, 6)))
    image, mask, turned = (tmp_path / f"{name}.npy" for name in ("image", "mask", "turned"))
    refuse_other_extents([mask, turned], [image, None], num_axes=2, places=["row 1", "row 2"])
    with pytest.raises(
        DataError, match=r"row 1: mask 'turned\.npy' has 4 x 6 positions, expected what its image 'image.npy' covers: 6 x 4"
    ):
        refuse_other_extents([turned], [image], num_axes=2, places=["row 1"])


def test_what_does_not_tell_is_left_to_what_reads_it(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    assert extent_of(tmp_path / "a.png", 2) is None
    assert extent_of(tmp_path / "none.npy", 2) is None


def test_a_series_of_dicom_lies_where_the_same_volume_as_nifti_does(tmp_path: Path) -> None:
    files = pytest.importorskip("volume_files", reason="needs fusearch[volumes]")
    values = np.zeros((5, 6, 4))
    files.write_series(tmp_path / "series", values, (3, 2, 1))
    files.write_nifti(tmp_path / "same.nii.gz", values, (3, 2, 1))
    series, same = (extent_of(tmp_path / name, 3) for name in ("series", "same.nii.gz"))
    assert series is not None
    assert same is not None
    assert series.spacing == same.spacing == (3, 2, 1)
    assert series.kept == same.kept == (5, 6, 4)
    np.testing.assert_allclose(series.box[1] - series.box[0], [4, 12, 15])
    files.write_series(tmp_path / "mask", values, (3, 2, 1))
    files.write_series(tmp_path / "part", values[1:], (3, 2, 1), start=3)
    files.write_series(tmp_path / "unplaced", values[1:], (3, 2, 1), ImageOrientationPatient=None)
    image = tmp_path / "series"
    refuse_other_extents([tmp_path / "mask"], [image], num_axes=3, places=["row 1"])
    with pytest.raises(
        DataError, match=r"row 1: mask 'part' has 4 x 6 x 4 positions from .* mm, expected what its image 'series' covers: 5 x 6"
    ):
        refuse_other_extents([tmp_path / "part"], [image], num_axes=3, places=["row 1"])
    refuse_other_extents([tmp_path / "unplaced"], [image], num_axes=3, places=["row 1"])
    (tmp_path / "empty").mkdir()
    assert extent_of(tmp_path / "empty", 3) is None


def test_a_picture_of_dicom_has_as_many_positions_as_its_mask(tmp_path: Path) -> None:
    files = pytest.importorskip("volume_files", reason="needs fusearch[volumes]")
    files.write_dicom(tmp_path / "image.dcm", np.zeros((6, 4), np.uint16), PixelSpacing=[0.5, 0.25])
    np.save(tmp_path / "mask.npy", np.zeros((6, 4)))
    np.save(tmp_path / "other.npy", np.zeros((6, 5)))
    image, mask, other = tmp_path / "image.dcm", tmp_path / "mask.npy", tmp_path / "other.npy"
    (found,) = refuse_other_extents([mask], [image], num_axes=2, places=["row 1"])
    assert found == Extent((6, 4), spacing=(0.5, 0.25), kept=(6, 4))
    with pytest.raises(DataError, match=r"mask 'other.npy' has 6 x 5 positions, expected what its image 'image.dcm' covers: 6 x 4"):
        refuse_other_extents([other], [image], num_axes=2, places=["row 1"])


def test_one_spacing_is_that_of_the_grid_that_all_are_stretched_to() -> None:
    near, far = Extent((4, 6), spacing=(1.0, 2.0), kept=(4, 6)), Extent((8, 6), spacing=(0.5, 2.0), kept=(8, 6))
    assert one_spacing([near, near], None) == (1, 2)
    assert one_spacing([near, far], None) == ()
    assert one_spacing([near, far], [4, 3]) == (1, 4), "on one grid the two are alike"
    assert one_spacing([near, None], None) == one_spacing([near, Extent((4, 6))], None) == one_spacing([], None) == ()
