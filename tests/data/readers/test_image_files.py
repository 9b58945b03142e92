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
from fusearch.errors import DataError


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
