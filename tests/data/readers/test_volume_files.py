"""Volumes that a table names: what they are brought to stands in the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from volume_files import write_nifti

from fusearch.data.kinds import KINDS
from fusearch.data.readers import READERS, Source
from fusearch.data.readers.volume_files import VolumeKeys
from fusearch.errors import DataError


def source(folder: Path, **keys: Any) -> Source:
    found = VolumeKeys(kind="volume3d", file="scans.csv", column="file", **keys)
    return Source("ct", KINDS["volume3d"], found, folder / "scans.csv", folder / "study.yaml", "id")


def test_volumes_are_brought_to_what_the_manifest_says(tmp_path: Path) -> None:
    values = np.arange(4 * 6 * 8, dtype=np.float32).reshape(4, 6, 8)
    write_nifti(tmp_path / "a.nii.gz", values, (2, 1, 1))
    np.save(tmp_path / "b.npy", np.zeros((4, 6, 8)))
    (tmp_path / "scans.csv").write_text("id,file\n1,a.nii.gz\n2,\n3,b.npy\n", encoding="utf-8")
    rows = READERS["volumes"].read(source(tmp_path, size=[4, 3, 4], window=[0, 100]))
    taken = rows.take(np.array([2, 1, 0]))
    assert taken.values.shape == (3, 1, 4, 3, 4)
    assert np.isnan(taken.values[1]).all()
    volume = taken.values[2, 0]
    np.testing.assert_allclose(volume[0, 0, 1] * 100, np.average([1, 2, 3, 4], weights=[1, 3, 3, 1]) + 8 * 5 / 7, rtol=1e-5)
    assert (volume[2:] == 1).all()
    assert taken.notes == ("volumes of nothing but the value 0 (1): b.npy (scans.csv, line 4)",)
    with pytest.raises(DataError, match=r"modality 'ct': scans.csv, line 4: b.npy: it says no distance of its positions"):
        READERS["volumes"].read(source(tmp_path, spacing=[1, 1, 1])).take(np.arange(3))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"size": [0, 4, 4]}, r"size is \[0, 4, 4\], expected a depth, a height and a width of at least 1"),
        ({"size": [4, 4]}, "at least 3 items"),
        ({"spacing": [1, 1, 0]}, r"spacing is \[1.0, 1.0, 0.0\], expected millimetres above 0"),
        ({"window": [2, 2]}, r"window is \[2.0, 2.0\], expected a lower and a higher value"),
        ({"channels": 0}, "greater than or equal to 1"),
        ({"column": None}, "the table 'scans.csv' needs the key 'column', the column with the path of each sample's volume"),
    ],
)
def test_keys(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        VolumeKeys(**{"kind": "volume3d", "file": "scans.csv", "column": "file", **keys})
