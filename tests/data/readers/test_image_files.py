"""Images that a table names: what they are brought to stands in the manifest, and what differs is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from fusearch.data.kinds import KINDS
from fusearch.data.readers import READERS, Source
from fusearch.data.readers.image_files import ImageKeys
from fusearch.errors import DataError, ManifestError


def source(folder: Path, **keys: Any) -> Source:
    found = ImageKeys(kind="image2d", file="scans.csv", column="file", **keys)
    return Source("cxr", KINDS["image2d"], found, folder / "scans.csv", folder / "study.yaml", "id")


def write(folder: Path) -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    Image.fromarray(pixels).save(folder / "a.png")
    Image.fromarray(pixels.astype(np.uint16) * 200).save(folder / "b.png")
    (folder / "scans.csv").write_text("id,file\n1,a.png\n2,\n3,b.png\n", encoding="utf-8")


def test_what_a_table_names_is_read_and_another_depth_is_told(tmp_path: Path) -> None:
    write(tmp_path)
    rows = READERS["images"].read(source(tmp_path, size=[6, 8], channels=3))
    assert rows.ids == ["1", "2", "3"]
    taken = rows.take(np.array([2, 1, 0]))
    assert taken.values.shape == (3, 3, 6, 8)
    assert np.isnan(taken.values[1]).all()
    assert taken.notes == (
        "images of different depth: 1 of 8 bits and 1 of 16 bits, whose values are on different scales; expected one depth",
    )


def test_every_image_that_is_not_there_is_counted(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "scans.csv").write_text("id,file\n1,x.png\n2,a.png\n3,y.png\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"modality 'cxr': 2 of 3 images are missing in '.*': 'x.png', 'y.png'"):
        READERS["images"].read(source(tmp_path)).take(np.arange(3))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"channels": 2}, r"channels is 2, expected 1 \(grey\) or 3 \(colour\)"),
        ({"size": [0, 4]}, r"size is \[0, 4\], expected a height and a width of at least 1"),
        ({"size": [4]}, "at least 2 items"),
        ({"column": None}, "the table 'scans.csv' needs the key 'column'"),
    ],
)
def test_keys(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ImageKeys(**{"kind": "image2d", "file": "scans.csv", "column": "file", **keys})


def test_channels_that_stand_last_are_told_and_brought_first(tmp_path: Path) -> None:
    pixels = np.arange(5 * 4 * 3).reshape(5, 4, 3)
    np.save(tmp_path / "a.npy", pixels)
    (tmp_path / "scans.csv").write_text("id,file\n1,a.npy\n", encoding="utf-8")
    (note,) = READERS["images"].read(source(tmp_path)).take(np.array([0])).notes
    assert note.endswith("5 channels; if they are (H, W, C), say `axes: NHWC`, else `axes: NCHW`")
    taken = READERS["images"].read(source(tmp_path, axes="NHWC")).take(np.array([0]))
    assert taken.notes == ()
    assert (taken.values[0] == np.moveaxis(pixels, -1, 0)).all()
    with pytest.raises(ManifestError, match=r"study.yaml: modalities.cxr.axes: 'NXY', expected the letters of NCHW"):
        READERS["images"].read(source(tmp_path, axes="NXY")).take(np.array([0]))


def test_several_pictures_in_a_file_are_told(tmp_path: Path) -> None:
    page = Image.fromarray(np.ones((2, 2), np.uint8))
    page.save(tmp_path / "a.tif", save_all=True, append_images=[page])
    (tmp_path / "scans.csv").write_text("id,file\n1,a.tif\n", encoding="utf-8")
    assert READERS["images"].read(source(tmp_path)).take(np.array([0])).notes == (
        "1 files hold several pictures (such as 'a.tif'), of which the first was read; expected one picture a file",
    )
