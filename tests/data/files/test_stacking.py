from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from fusearch.data.files.stacking import EXTRAS, load_package, stack_files
from fusearch.errors import DataError


def read(path: Path) -> np.ndarray:
    if path.name.startswith("bad"):
        raise DataError(f"{path.name}: broken")
    return np.load(path).astype(np.float32)


def stack(folder: Path, *names: str | None, **more: object) -> np.ndarray:
    files = [None if name is None else folder / name for name in names]
    return stack_files(files, read, what="things", differ=lambda shapes: f"{len(shapes)} shapes", **more)  # type: ignore[arg-type]


def test_a_sample_without_a_file_is_nan_and_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", [1, 2])
    np.save(tmp_path / "b.npy", [3, 4])
    values = stack(tmp_path, "a.npy", None, "b.npy", "a.npy")
    np.testing.assert_array_equal(values, [[1, 2], [np.nan, np.nan], [3, 4], [1, 2]])
    reads: list[str] = []

    def count(path: Path) -> np.ndarray:
        reads.append(path.name)
        return read(path)

    stack_files([tmp_path / "a.npy"] * 3, count, what="things", differ=str)
    assert reads == ["a.npy"]


def test_every_broken_file_is_a_fault_with_its_place_up_to_ten(tmp_path: Path) -> None:
    names = [f"bad{index}.npy" for index in range(12)]
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(DataError) as caught:
        stack(tmp_path, *names, places=[f"t.csv, line {row + 2}" for row in range(12)])
    assert caught.value.faults == tuple(f"t.csv, line {row + 2}: bad{row}.npy: broken" for row in range(10))


def test_what_does_not_fit(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", [1, 2])
    np.save(tmp_path / "b.npy", [3, 4, 5])
    np.save(tmp_path / "c.npy", [np.inf, 0])
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="2 shapes"):
        stack(tmp_path, "a.npy", "b.npy")
    with pytest.raises(DataError, match=r"c.npy: an infinite value, expected finite numbers or NaN"):
        stack(tmp_path, "c.npy")
    with pytest.raises(DataError, match=r"2 of 3 things are missing in '.*': 'A.npy', 'folder'; there is 'a.npy'"):
        stack(tmp_path, "A.npy", "folder", "b.npy")
    with pytest.raises(DataError, match="no file of things is named, expected one for at least one sample"):
        stack(tmp_path, None)


@pytest.mark.parametrize("package", list(EXTRAS))
def test_a_package_that_is_not_installed_is_one_line(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DataError) as caught:
        load_package(package, "a.nii")
    asked = "pillow" if package == "PIL" else package
    expected = f"a.nii: reading it needs {asked}; expected `pip install 'fusearch[{EXTRAS[package]}]'`, or `pip install {asked}` alone"
    assert caught.value.faults == (expected,)
