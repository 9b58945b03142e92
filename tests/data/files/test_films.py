"""Films: folders of frames in the order of their numbers, and arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fusearch.data.files.films import frames_of, package_of_film, read_films
from fusearch.errors import DataError


def write(folder: Path, count: int, *, shape: tuple[int, ...] = (2, 3), suffix: str = ".png") -> Path:
    """Write a film whose frame number `n` holds nothing but `n`."""
    folder.mkdir(parents=True)
    for frame in range(count):
        Image.fromarray(np.full(shape, frame, np.uint8)).save(folder / f"frame_{frame}{suffix}")
    return folder


def test_frames_come_in_the_order_of_their_numbers_and_other_files_are_left_out(tmp_path: Path) -> None:
    film = write(tmp_path / "a", 11)
    (film / "notes.txt").write_text("no frame", encoding="utf-8")
    (film / ".frame_99.png").write_bytes(b"")
    assert [path.name for path in frames_of(film)] == [f"frame_{number}.png" for number in range(11)]
    assert read_films([film]).values[0, 0, :, 0, 0].tolist() == list(range(11))


def test_a_shorter_film_ends_in_nothing_and_a_longer_one_is_taken_evenly(tmp_path: Path) -> None:
    files = [write(tmp_path / "a", 9), write(tmp_path / "b", 2), None]
    found = read_films(files, frames=3)
    assert found.values.shape == (3, 1, 3, 2, 3)
    assert found.values[0, 0, :, 0, 0].tolist() == [0, 4, 8]
    np.testing.assert_array_equal(found.values[1, 0, :, 0, 0], [0, 1, np.nan])
    assert np.isnan(found.values[2]).all()
    assert found.lengths == (9, 2)
    assert read_films(files).values.shape[2] == 9
    assert read_films(files, frames=1).values[0, 0, 0, 0, 0] == 4


def test_an_array_is_the_same_film(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", 4, shape=(2, 3, 3))
    values = read_films([folder]).values
    np.save(tmp_path / "last.npy", values[0].transpose(1, 2, 3, 0))
    np.save(tmp_path / "first.npy", values[0])
    np.save(tmp_path / "grey.npy", values[0, 0])
    np.testing.assert_array_equal(read_films([tmp_path / "last.npy"]).values, values)
    np.testing.assert_array_equal(read_films([tmp_path / "first.npy"], axes=[0, 1, 2, 3]).values, values)
    np.testing.assert_array_equal(read_films([tmp_path / "grey.npy"], channels=3).values, values)


def test_what_films_are_brought_to(tmp_path: Path) -> None:
    files = [write(tmp_path / "a", 3), write(tmp_path / "b", 3, shape=(4, 4, 3))]
    found = read_films(files, size=[5, 6], channels=1, window=[0, 2])
    assert found.values.shape == (2, 1, 3, 5, 6)
    np.testing.assert_allclose(found.values[:, 0, :, 0, 0], [[0, 0.5, 1]] * 2, atol=1e-5)
    assert found.bits == {8: 2}


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "film.mp4").write_bytes(b"x")
    odd = write(tmp_path / "odd", 2)
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(odd / "frame_7.png")
    (tmp_path / "film.mp4").write_bytes(b"x")
    np.save(tmp_path / "flat.npy", np.zeros((2, 2)))
    files = [tmp_path / name for name in ("empty", "other", "odd", "film.mp4", "flat.npy")]
    with pytest.raises(DataError) as caught:
        read_films(files, places=[f"films.csv, line {row}" for row in range(2, 7)])
    assert [fault.split(";")[0] for fault in caught.value.faults] == [
        "films.csv, line 2: empty: the folder is empty, expected frames that end in one of: .png, .jpg, .jpeg, .tif, .tiff, .bmp",
        "films.csv, line 3: other: the folder holds 'film.mp4', expected frames that end in one of: .png, .jpg, .jpeg, .tif, .tiff, .bmp",
        "films.csv, line 4: odd: frames of 2 shapes (C, H, W): (1, 2, 3) (2, such as 'frame_0.png'), (1, 5, 5) (1, such as 'frame_7.png')",
        "films.csv, line 5: film.mp4: cannot be read as a film, expected one of: .npy, a folder of frames",
        "films.csv, line 6: flat.npy: an array of float64 and shape (2, 2), expected numbers as (T, H, W) or (T, H, W, C)",
    ]


def test_films_of_several_sizes_are_refused_with_what_would_help(tmp_path: Path) -> None:
    files = [write(tmp_path / "a", 2), write(tmp_path / "b", 3), write(tmp_path / "c", 2, shape=(4, 4, 3))]
    with pytest.raises(DataError) as caught:
        read_films(files)
    told = "films of 2 shapes of a frame (C, H, W): (1, 2, 3) (2, such as 'a'), (3, 4, 4) (1, such as 'c')"
    assert str(caught.value) == f"{told}; `size: [2, 3]` and `channels: 1` in the manifest would bring them together"


def test_the_package_that_reads_a_film() -> None:
    assert (package_of_film("a.NPY"), package_of_film("films/a")) == (None, "pillow")
