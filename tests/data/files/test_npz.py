from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fusearch.data.files.npz import read_array
from fusearch.errors import DataError


def test_arrays_and_their_ids(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.eye(3))
    np.savez(tmp_path / "x.npz", x=np.eye(3), patient=np.array(["a", "b", "c"]), y=np.zeros(3))
    np.savez(tmp_path / "one.npz", x=np.eye(3), patient=np.array(["a", "b", "c"]))
    assert read_array(tmp_path / "x.npy", None, "patient").ids is None
    found = read_array(tmp_path / "x.npz", "x", "patient")
    assert found.ids is not None
    assert (found.values.shape, found.ids.tolist(), list(found.others)) == ((3, 3), ["a", "b", "c"], ["y"])
    assert read_array(tmp_path / "one.npz", None, "patient").values.shape == (3, 3)
    assert read_array(tmp_path / "x.npz", None, "patient").values.shape == (3, 3)  # the others have one entry a row


def make_broken_files(folder: Path) -> None:
    (folder / "broken.npz").write_bytes(b"PK and no more")
    (folder / "broken.npy").write_bytes(b"")
    np.save(folder / "objects.npy", np.array([{}, {}]))
    np.savez(folder / "two.npz", x=np.eye(2), y=np.eye(2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda f: read_array(f / "broken.npz", None, None),
            r"broken.npz: cannot be read as an array \(.*\), expected NPY or NPZ without pickles",
        ),
        (
            lambda f: read_array(f / "broken.npy", None, None),
            r"broken.npy: cannot be read as an array \(.*\), expected NPY or NPZ without pickles",
        ),
        (
            lambda f: read_array(f / "objects.npy", None, None),
            r"objects.npy: cannot be read as an array \(.*pickle.*\), expected NPY or NPZ",
        ),
        (lambda f: read_array(f / "two.npz", None, None), "two.npz: 2 arrays, expected `key` to name one of: x, y"),
        (lambda f: read_array(f / "two.npz", "X", None), r"two.npz: no array 'X', did you mean 'x'\?"),
    ],
)
def test_messages(tmp_path: Path, call: Any, message: str) -> None:
    make_broken_files(tmp_path)
    with pytest.raises(DataError, match=message) as caught:
        call(tmp_path)
    assert "\n" not in str(caught.value)


def test_ids_stand_one_beside_each_sample(tmp_path: Path) -> None:
    np.savez(tmp_path / "column.npz", x=np.eye(3), patient=np.array([["a"], ["b"], ["c"]]))
    found = read_array(tmp_path / "column.npz", None, "patient")
    assert found.ids is not None
    assert found.ids.tolist() == ["a", "b", "c"]
    np.savez(tmp_path / "short.npz", x=np.eye(3), patient=np.array(["a", "b"]))
    with pytest.raises(DataError, match=r"short.npz: array 'patient' of shape \(2,\) beside 'x' of shape \(3, 3\), expected one id"):
        read_array(tmp_path / "short.npz", "x", "patient")


def test_python_objects_are_named_and_stand_in_nobodys_way(tmp_path: Path) -> None:
    objects = np.array(["a", "b", "c"], dtype=object)
    np.savez(tmp_path / "notes.npz", x=np.eye(3), notes=objects)
    found = read_array(tmp_path / "notes.npz", "x", "patient")
    assert (found.values.shape, found.others) == ((3, 3), {})
    np.savez(tmp_path / "ids.npz", x=np.eye(3), patient=objects)
    with pytest.raises(DataError, match=r"ids.npz: array 'patient' holds Python objects, .*texts saved with `.astype\(str\)`"):
        read_array(tmp_path / "ids.npz", "x", "patient")


def test_an_array_without_samples_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.empty((0, 5)), patient=np.array([], dtype=np.str_))
    with pytest.raises(DataError, match=r"x.npz: an array of shape \(0, 5\), expected at least one sample"):
        read_array(tmp_path / "x.npz", "x", "patient")
