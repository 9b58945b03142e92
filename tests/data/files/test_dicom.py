from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from volume_files import KEPT, pydicom, write_dicom, write_series

from fusearch.data.files.dicom import is_dicom, read_picture, read_stack
from fusearch.errors import DataError

Group = pydicom.dataset.Dataset
VALUES = np.random.default_rng(0).integers(-200, 200, (4, 6, 5)) * 2.0


def test_a_series_is_sorted_by_place_and_in_the_units_of_the_scanner(tmp_path: Path) -> None:
    write_series(tmp_path / "ct", VALUES, (3, 2, 1))
    (tmp_path / "ct" / "README.txt").write_text("not a slice")
    stack = read_stack(tmp_path / "ct")
    np.testing.assert_array_equal(stack.values[0], VALUES)
    np.testing.assert_allclose(stack.affine, KEPT * np.array([3, 2, 1]), atol=1e-12)
    assert stack.notes == ()


def test_frames_of_an_enhanced_file_have_a_place_each(tmp_path: Path) -> None:
    stored = (VALUES[::-1] / 2 + 1000).astype(np.uint16)
    shared, measures, orientation, units = Group(), Group(), Group(), Group()
    measures.PixelSpacing, measures.SliceThickness = [2, 1], 3
    orientation.ImageOrientationPatient = [-1, 0, 0, 0, -1, 0]
    units.RescaleSlope, units.RescaleIntercept = 2, -2000
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence, shared.PixelValueTransformationSequence = (
        [measures],
        [orientation],
        [units],
    )
    frames = []
    for index in range(4):
        frame, place = Group(), Group()
        place.ImagePositionPatient = [0, 0, -3 * index]
        frame.PlanePositionSequence = [place]
        frames.append(frame)
    write_dicom(tmp_path / "mr.dcm", stored, SharedFunctionalGroupsSequence=[shared], PerFrameFunctionalGroupsSequence=frames)
    stack = read_stack(tmp_path / "mr.dcm")
    np.testing.assert_array_equal(stack.values[0], VALUES)
    np.testing.assert_allclose(stack.affine, KEPT * np.array([3, 2, 1]), atol=1e-12)


def test_a_picture_is_bright_where_it_is_meant_to_be(tmp_path: Path) -> None:
    stored = np.arange(12, dtype=np.uint16).reshape(3, 4)
    write_dicom(tmp_path / "a.dcm", stored)
    write_dicom(tmp_path / "b.dcm", stored, PhotometricInterpretation="MONOCHROME1")
    pixels, bits, frames = read_picture(tmp_path / "a.dcm")
    np.testing.assert_array_equal(pixels, stored[None].astype(np.float32))
    assert (bits, frames) == (16, 1)
    np.testing.assert_array_equal(read_picture(tmp_path / "b.dcm")[0], 65535 - pixels)
    assert is_dicom(tmp_path / "a.dcm")


def test_slices_without_a_place_are_sorted_by_number_and_told(tmp_path: Path) -> None:
    write_series(tmp_path / "ct", VALUES, ImagePositionPatient=None, ImageOrientationPatient=None)
    stack = read_stack(tmp_path / "ct")
    np.testing.assert_array_equal(stack.values[0], VALUES)
    assert stack.affine is None
    assert stack.notes == ("volumes whose slices have no position, so that they were sorted by their number",)


def test_slices_of_a_tilted_gantry_are_placed_and_told(tmp_path: Path) -> None:
    """Each is shifted against the one below, by more than what its plane leans."""
    for index in range(3):
        facts = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": [0, 2 * index, 5 * index], "PixelSpacing": [1, 1]}
        write_dicom(tmp_path / f"{index}.dcm", np.zeros((4, 4), np.uint16), SeriesInstanceUID="1.2", **facts)
    stack = read_stack(tmp_path)
    assert stack.affine is not None
    np.testing.assert_allclose(stack.affine[:, 0], [0, -2, 5])
    assert stack.notes == ("volumes whose slices are shifted against each other, as of a tilted gantry, which is not undone",)


def test_a_missing_slice_is_told(tmp_path: Path) -> None:
    write_series(tmp_path / "ct", np.repeat(VALUES, 2, axis=0), (3, 1, 1))
    sorted((tmp_path / "ct").iterdir())[1].unlink()
    assert read_stack(tmp_path / "ct").notes == ("volumes of slices 3 mm apart with a step of 6 mm, where some may be missing",)


def _two_series(folder: Path) -> None:
    write_series(folder, VALUES, series="1.2.3", SeriesDescription="T1")
    write_series(folder, VALUES, series="1.2.4", start=100)


def _truncated(folder: Path) -> None:
    folder.mkdir()
    write_dicom(folder / "a.dcm", np.zeros((64, 64), np.uint16))
    whole = (folder / "a.dcm").read_bytes()
    (folder / "a.dcm").write_bytes(whole[:-4000])


def _uneven_shapes(folder: Path) -> None:
    write_series(folder, VALUES, series="1.2.3")
    write_series(folder, VALUES[:, :3], series="1.2.3", start=100)


def _two_times(folder: Path) -> None:
    write_series(folder, VALUES, series="1.2.3")
    write_series(folder, VALUES, series="1.2.3", start=1e-9)


def _directions(folder: Path) -> None:
    write_series(folder, VALUES, series="1.2.3")
    write_series(folder, VALUES, series="1.2.3", start=100, ImageOrientationPatient=[1, 0, 0, 0, 0, -1])


def _no_pixels(folder: Path) -> None:
    folder.mkdir()
    write_dicom(folder / "a.dcm", None, SeriesInstanceUID="1.2.3")


def _text(folder: Path) -> None:
    folder.mkdir()
    (folder / "a.txt").write_text("no")


def _compressed(folder: Path) -> None:
    folder.mkdir()
    write_dicom(folder / "a.dcm", np.zeros((4, 4), np.uint16))
    dataset = pydicom.dcmread(folder / "a.dcm")
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.JPEG2000
    dataset.PixelData = pydicom.encaps.encapsulate([b"not JPEG 2000"])
    pydicom.dcmwrite(folder / "a.dcm", dataset)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (
            _two_series,
            r"ct: 2 series in one folder: 1.2.3 \(T1, 4 files\), 1.2.4 \(no description, 4 files\); expected one series a folder",
        ),
        (lambda folder: folder.mkdir(), "ct: the folder is empty, expected the slices of a DICOM series"),
        (_text, "ct: none of its 1 files is DICOM, expected the slices of a DICOM series"),
        (_no_pixels, "ct/a.dcm: a DICOM file without pixels, expected an image"),
        (_truncated, "ct/a.dcm: its pixels cannot be read"),
        (_compressed, "ct/a.dcm: its pixels cannot be read"),
        (_uneven_shapes, r"ct: slices of 2 shapes \(C, rows, columns\): \(1, 6, 5\) .*, \(1, 3, 5\) .*; expected one"),
        (_two_times, "ct: two slices at one place .*, expected one volume a series, not several times or echoes"),
        (_directions, "ct: slices of several directions"),
    ],
)
def test_what_is_refused(write: object, message: str, tmp_path: Path) -> None:
    write(tmp_path / "ct")  # type: ignore[operator]
    with pytest.raises(DataError, match=message) as caught:
        read_stack(tmp_path / "ct")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_dicom(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(b"no" * 100)
    with pytest.raises(DataError, match=r"a.dcm: cannot be read as DICOM \(File is missing DICOM File Meta"):
        read_picture(tmp_path / "a.dcm")
