"""Arrays: which axis is which is said, or assumed and told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fusearch.data.kinds import KINDS
from fusearch.data.readers import READERS, Source
from fusearch.data.readers.array_file import ArrayKeys, axes_order
from fusearch.errors import ManifestError

ALL = np.arange(6)


def take(folder: Path, kind: str, values: np.ndarray, axes: str | None = None) -> Any:
    np.save(folder / "x.npy", values)
    keys = ArrayKeys(kind=kind, file="x.npy", axes=axes)
    return READERS["array"].read(Source("x", KINDS[kind], keys, folder / "x.npy", folder / "study.yaml")).take(ALL)


def test_axes_in_another_order_are_brought_into_that_of_the_kind(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).normal(size=(6, 8, 9, 3)).astype(np.float32)
    taken = take(tmp_path, "image2d", pixels, "NHWC")
    assert taken.notes == ()
    np.testing.assert_array_equal(taken.values, np.moveaxis(pixels, -1, 1))
    leads = pixels[:, :, :, 0]
    np.testing.assert_array_equal(take(tmp_path, "timeseries", leads, "NCT").values, np.swapaxes(leads, 1, 2))
    assert axes_order(KINDS["image2d"], "CHWN") == [3, 0, 1, 2]


@pytest.mark.parametrize(
    ("kind", "shape", "note"),
    [
        (
            "image2d",
            (32, 32, 3),
            (
                "x.npy: samples of shape (32, 32, 3) were read as (C, H, W), 32 channels; if they are (H, W, C), say `axes: NHWC`, "
                "else `axes: NCHW`"
            ),
        ),
        (
            "timeseries",
            (12, 500),
            "x.npy: samples of shape (12, 500) were read as (T, C), 500 channels; if they are (C, T), say `axes: NCT`, else `axes: NTC`",
        ),
        ("image2d", (3, 32, 32), None),
        ("image2d", (1, 32, 3), None),
        ("image2d", (4, 4, 4), None),
        ("timeseries", (500, 12), None),
        ("timeseries", (30, 40), None),
        ("tabular", (500,), None),
    ],
)
def test_axes_that_look_like_another_order_are_told(kind: str, shape: tuple[int, ...], note: str | None, tmp_path: Path) -> None:
    values = np.zeros((6, *shape))
    assert take(tmp_path, kind, values).notes == (() if note is None else (note,))
    letters = f"N{KINDS[kind].layouts[0].axes}"
    assert take(tmp_path, kind, values, letters).notes == ()


def test_axes_that_do_not_fit_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"study.yaml: modalities.x.axes: 'NHW', expected the letters of NCHW in the order of the file"):
        take(tmp_path, "image2d", np.zeros((6, 3, 4, 5)), "NHW")
    with pytest.raises(ManifestError, match=r"modalities.x.axes: 'NHWC', but x.npy holds an array of shape \(6, 4, 5\)"):
        take(tmp_path, "image2d", np.zeros((6, 4, 5)), "NHWC")
