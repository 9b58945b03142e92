"""What all files that a table names have in common; images and volumes are tested on their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fusearch.data.assembly.decoded import DecodedFiles
from fusearch.data.kinds import KINDS
from fusearch.data.readers import Source
from fusearch.data.readers.named_files import NamedFileKeys, read_named_files
from fusearch.errors import DataError, ManifestError


def source(folder: Path, **keys: Any) -> Source:
    found = NamedFileKeys(kind="image2d", file="t.csv", **{"column": "file", **keys})
    return Source("cxr", KINDS["image2d"], found, folder / "t.csv", folder / "study.yaml", "id")


def test_a_reader_is_given_files_and_where_each_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,file\n\n1,a\n2,\n3,c\n", encoding="utf-8")
    given: dict[str, Any] = {}

    def read(files: Any, arguments: Any) -> DecodedFiles:
        given.update(arguments, files=files)
        return DecodedFiles(np.zeros((3, 1, 2, 2), np.float32), ("odd",))

    rows = read_named_files(source(tmp_path, axes="NHWC"), read)
    assert rows.ids == ["1", "2", "3"]
    assert rows.take(np.array([2, 1, 0])).notes == ("odd",)
    assert given.pop("make")((3, 1, 2, 2)).shape == (3, 1, 2, 2)
    assert given == {
        "axes": [2, 0, 1],
        "places": ["t.csv, line 5", "t.csv, line 4", "t.csv, line 3"],
        "files": [tmp_path / "c", None, tmp_path / "a"],
    }
    assert source(tmp_path).keys.marks() == {"file": "column of file paths"}


def test_what_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,file,none\n1,a,\n", encoding="utf-8")

    def read(files: Any, arguments: Any) -> DecodedFiles:
        raise DataError("t.csv, line 2: a: broken", "t.csv, line 3: b: broken")

    with pytest.raises(DataError) as caught:
        read_named_files(source(tmp_path), read).take(np.array([0]))
    assert caught.value.faults == ("modality 'cxr': t.csv, line 2: a: broken", "modality 'cxr': t.csv, line 3: b: broken")
    with pytest.raises(ManifestError, match=r"study.yaml: modalities.cxr.root: no folder 'gone' beside the manifest"):
        read_named_files(source(tmp_path, root="gone"), read).take(np.array([0]))
    with pytest.raises(ManifestError, match=r"study.yaml: modalities.cxr.column: no column 'other' in t.csv"):
        read_named_files(source(tmp_path, column="other"), read).take(np.array([0]))
    with pytest.raises(DataError, match=r"modality 'cxr': column 'none' of t.csv names no file, expected one for at least one sample"):
        read_named_files(source(tmp_path, column="none"), read).take(np.array([0]))
