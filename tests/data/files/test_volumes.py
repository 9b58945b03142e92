from __future__ import annotations

import gzip
import sys
from pathlib import Path

import numpy as np
import pytest
from volume_files import nibabel, write_dicom, write_nifti, write_series

from fusearch.data.files.volumes import package_of_volume, read_volumes
from fusearch.errors import DataError

VALUES = (np.random.default_rng(0).integers(-200, 200, (4, 6, 5)) * 2).astype(np.float32)


def test_every_format_and_orientation_gives_one_volume(tmp_path: Path) -> None:
    write_nifti(tmp_path / "a.nii.gz", VALUES, (3, 2, 1))
    write_nifti(tmp_path / "b.nii", VALUES, (3, 2, 1), turned=True)
    write_series(tmp_path / "c", VALUES, (3, 2, 1))
    usual = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": None, "InstanceNumber": None}
    (tmp_path / "d").mkdir()
    for index, slice_HW in enumerate(VALUES[:, ::-1, ::-1]):  # as most scanners write: rows to the left, columns to the back
        facts = {**usual, "ImagePositionPatient": [0, 0, 3 * index], "PixelSpacing": [2, 1], "SliceThickness": 3, "RescaleIntercept": -400}
        write_dicom(tmp_path / f"d/{index}", (slice_HW + 400).astype(np.uint16), **facts)
    np.save(tmp_path / "e.npy", VALUES)
    found = read_volumes([tmp_path / name for name in ("a.nii.gz", "b.nii", "c", "d", "e.npy")])
    for values in found.values:
        np.testing.assert_array_equal(values[0], VALUES)
    assert found.notes == ()


def test_a_fourth_axis_of_nifti_is_channels_and_so_are_colours(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(np.stack([VALUES, VALUES + 1, VALUES + 2], axis=-1), np.eye(4)), tmp_path / "a.nii")
    values = read_volumes([tmp_path / "a.nii"]).values[0]
    assert values.shape == (3, 5, 6, 4)
    np.testing.assert_array_equal(values[1], VALUES.transpose(2, 1, 0) + 1)
    assert read_volumes([tmp_path / "a.nii"], channels=2).values.shape == (1, 2, 5, 6, 4)
    colours = np.zeros((4, 6, 5), np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))
    colours["G"] = 7
    nibabel.save(nibabel.Nifti1Image(colours, np.eye(4)), tmp_path / "rgb.nii")
    assert read_volumes([tmp_path / "rgb.nii"]).values[0, :, 0, 0, 0].tolist() == [0, 7, 0]


def test_slope_and_intercept_are_applied(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(VALUES.astype(np.int16), np.eye(4))
    image.header.set_slope_inter(0.5, 3)
    nibabel.save(image, tmp_path / "a.nii")
    found = read_volumes([tmp_path / "a.nii"]).values[0, 0]
    np.testing.assert_allclose(found, nibabel.load(tmp_path / "a.nii").get_fdata().transpose(2, 1, 0), atol=1e-3)
    assert not np.allclose(found, VALUES.transpose(2, 1, 0).round())


def test_volumes_of_different_spacing_are_brought_together_by_it(tmp_path: Path) -> None:
    grid = np.indices((12, 12, 12)).sum(axis=0).astype(np.float32)
    write_nifti(tmp_path / "fine.nii", grid, (1, 1, 1))
    write_nifti(tmp_path / "coarse.nii", grid[:6, :6, :6] * 2, (2, 2, 2))
    files = [tmp_path / "fine.nii", tmp_path / "coarse.nii"]
    (note,) = read_volumes(files, size=(6, 6, 6)).notes
    assert note == (
        "volumes of 2 spacings (D, H, W, in mm): 1 x 1 x 1 (1, such as 'fine.nii'), 2 x 2 x 2 (1, such as 'coarse.nii'), which `size` "
        "alone stretches to one grid, so that one organ has several sizes; `spacing` in the manifest would bring them together"
    )
    found = read_volumes(files, spacing=(2, 2, 2), size=(4, 4, 4))
    assert found.notes == ()
    np.testing.assert_allclose(np.diff(found.values, axis=2), 2, atol=1e-4)  # both rise by one a millimetre
    assert read_volumes(files[:1], spacing=(4, 3, 2)).values.shape == (1, 1, 3, 4, 6)
    assert read_volumes(files[:1], spacing=(1, 1, 1), size=(14, 10, 12)).values.shape == (1, 1, 14, 10, 12)


def test_what_is_odd_is_told_with_its_place(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(VALUES, None), tmp_path / "unplaced.nii")
    turn = nibabel.affines.from_matvec(nibabel.eulerangles.euler2mat(0.3), [0, 0, 0])
    nibabel.save(nibabel.Nifti1Image(VALUES, turn), tmp_path / "oblique.nii")
    write_nifti(tmp_path / "zero.nii", VALUES * 0, (1, 1, 1))
    files = [tmp_path / name for name in ("unplaced.nii", "oblique.nii", "zero.nii")]
    assert read_volumes(files, size=(2, 2, 2), places=["t.csv, line 2", "t.csv, line 3", "t.csv, line 4"]).notes == (
        (
            "volumes without orientation (the codes of sform and qform are 0), taken to run to left, front and head (1): unplaced.nii "
            "(t.csv, line 2)"
        ),
        "oblique volumes, whose axes were taken for the nearest ones of RAS (1): oblique.nii (t.csv, line 3)",
        "volumes of nothing but the value 0 (1): zero.nii (t.csv, line 4)",
    )


def _nifti(path: Path, shape: tuple[int, ...] = (4, 4, 4)) -> bytes:
    nibabel.save(nibabel.Nifti1Image(np.ones(shape, np.float32), np.eye(4)), path)
    return path.read_bytes()


def _truncated_gzip(path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=(16, 16, 16)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(noise, np.eye(4)), path)
    path.write_bytes(path.read_bytes()[:9000])


def _no_gzip(path: Path) -> None:
    path.write_bytes(b"this is no gzip" * 50)


def _truncated(path: Path) -> None:
    path.write_bytes(_nifti(path)[:400])


def _header(offset: int, *values: int, plain: bool = True) -> object:
    def write(path: Path) -> None:
        whole = bytearray(_nifti(path.with_name("whole.nii")))
        whole[offset : offset + 2 * len(values)] = np.array(values, "<i2").tobytes()
        path.write_bytes(bytes(whole) if plain else gzip.compress(bytes(whole)))

    return write


def _flat(path: Path) -> None:
    image = nibabel.Nifti1Image(np.ones((4, 4, 4), np.float32), np.eye(4))
    image.header["sform_code"], image.header["qform_code"] = 1, 0
    image.header["srow_x"] = 0
    image.to_filename(path)
    raw = bytearray(path.read_bytes())
    raw[280:296] = bytes(16)
    path.write_bytes(bytes(raw))


def _complex(path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(np.ones((4, 4, 4), np.complex64), np.eye(4)), path)


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("a.nii.gz", _truncated_gzip, "cannot be read as NIfTI"),
        ("a.nii.gz", _no_gzip, "cannot be read as NIfTI"),
        ("a.nii", _truncated, "cannot be read as NIfTI"),
        ("a.nii", _header(344, 7), "cannot be read as NIfTI"),
        ("a.nii", _header(40, 3, 30000, 30000, 30000), r"cannot be read as NIfTI \(its header says the shape \(30000, 30000, 30000\)"),
        ("a.nii.gz", _header(40, 3, 30000, 30000, 30000, plain=False), r"cannot be read as NIfTI \(its header says the shape"),
        ("a.nii", _header(40, 3, 0, 4, 4), r"cannot be read as NIfTI \(its header says the shape \(0, 4, 4\)"),
        ("a.nii", _header(40, 2, 4, 4, 1), r"cannot be read as NIfTI \(its header says the shape \(4, 4\), expected three axes"),
        ("a.nii", _header(70, 999), "cannot be read as NIfTI"),
        ("a.nii", _flat, "its affine is no placement"),
        ("a.nii", _complex, "values of complex64, expected numbers"),
        ("a.npy", lambda path: np.save(path, np.ones((2, 2))), r"an array of float64 and shape \(2, 2\), expected numbers as \(D, H, W\)"),
        ("a.npy", lambda path: path.write_bytes(b"no"), "cannot be read as an array"),
        ("a.mha", lambda path: path.write_bytes(b"no"), "cannot be read as a volume, expected one of: .nii, .nii.gz, .npy, .dcm, a folder"),
        ("a.dcm", lambda path: write_dicom(path, None), "a DICOM file without pixels"),
        ("a", lambda path: path.mkdir(), "the folder is empty"),
    ],
)
@pytest.mark.timeout(60)
def test_what_cannot_be_read_is_one_line_with_its_place(name: str, write: object, message: str, tmp_path: Path) -> None:
    write(tmp_path / name)  # type: ignore[operator]
    with pytest.raises(DataError, match=rf"^t.csv, line 2: {name}: {message}") as caught:
        read_volumes([tmp_path / name], places=["t.csv, line 2"])
    assert "\n" not in str(caught.value)


def test_what_the_manifest_asks_and_files_do_not_have(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VALUES)
    np.save(tmp_path / "b.npy", np.stack([VALUES[:2], VALUES[:2]]))
    with pytest.raises(DataError, match=r"a.npy: it says no distance of its positions, which `spacing` needs; expected NIfTI or DICOM"):
        read_volumes([tmp_path / "a.npy"], spacing=(1, 1, 1))
    with pytest.raises(DataError, match=r"a.npy: 1 channel, expected 2 or more, as `channels` says"):
        read_volumes([tmp_path / "a.npy"], channels=2)
    told = r"volumes of 2 shapes \(C, D, H, W\): .*; `size: \[4, 6, 5\]` and `channels: 1` in the manifest would bring them together"
    with pytest.raises(DataError, match=told):
        read_volumes([tmp_path / "a.npy", tmp_path / "b.npy"])
    assert read_volumes([tmp_path / "a.npy", tmp_path / "b.npy"], size=(4, 6, 5), channels=1).values.shape == (2, 1, 4, 6, 5)


@pytest.mark.parametrize(("name", "package"), [("a.nii", "nibabel"), ("b.dcm", "pydicom")])
def test_without_the_package_one_line_says_what_to_install(
    name: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_nifti(tmp_path / "a.nii", VALUES)
    write_dicom(tmp_path / "b.dcm", VALUES.astype(np.int16))
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DataError, match=rf"^{name}: reading it needs {package}; expected `pip install 'fusearch\[volumes\]'`"):
        read_volumes([tmp_path / name])


def test_packages() -> None:
    names = ("a.npy", "a.NII.gz", "a.nii", "a.dcm", "folder")
    assert [package_of_volume(name) for name in names] == [None, "nibabel", "nibabel", "pydicom", "pydicom"]
