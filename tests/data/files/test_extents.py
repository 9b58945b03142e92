from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fusearch.data.files.extents import extent_of, refuse_other_extents
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
