"""Archives that promise far more than they are."""

from __future__ import annotations

import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fusearch.data.files.npz import named_arrays, read_array
from fusearch.data.files.packed import refuse_bomb
from fusearch.errors import DataError


def write_bomb(path: Path, mebibytes: int) -> None:
    """Write an array of zeros, as `np.savez_compressed` does, without ever holding it."""
    header = {"descr": "|u1", "fortran_order": False, "shape": (mebibytes, 2**20)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w", force_zip64=True) as part:
        np.lib.format.write_array_header_1_0(part, header)
        for _ in range(mebibytes):
            part.write(bytes(2**20))


@pytest.mark.parametrize("read", [lambda path: read_array(path, "x"), named_arrays], ids=["an array", "every array"])
def test_a_bomb_of_arrays_is_refused_before_it_is_unpacked(read: Callable[[Path], Any], tmp_path: Path) -> None:
    write_bomb(tmp_path / "x.npz", 300)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"^x\.npz: it would unpack to 314,\S+ bytes, \S+ times its own, expected arrays of measure"):
            read(tmp_path / "x.npz")
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_arrays_that_are_mostly_empty_are_read(tmp_path: Path) -> None:
    masks = np.zeros((20, 100, 100), np.uint8)
    np.savez_compressed(tmp_path / "x.npz", x=masks)  # 200 kB in less than 1 kB
    assert (tmp_path / "x.npz").stat().st_size * 150 < masks.nbytes
    np.testing.assert_array_equal(read_array(tmp_path / "x.npz", "x").values, masks)


def test_both_bounds_are_needed(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", bytes(100_000))
    refuse_bomb(tmp_path / "x.zip", most=100_000, times=2, expected="less")
    refuse_bomb(tmp_path / "x.zip", most=1, times=1000, expected="less")
    with pytest.raises(DataError, match="it would unpack to 100,000 bytes"):
        refuse_bomb(tmp_path / "x.zip", most=99_999, times=2, expected="less")
    (tmp_path / "x.zip").write_bytes(b"no archive")
    refuse_bomb(tmp_path / "x.zip", most=1, times=1, expected="less")
