"""Films that a table names: what they are brought to stands in the manifest, and what is odd is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from fusearch.data.kinds import KINDS
from fusearch.data.readers import READERS, Source
from fusearch.data.readers.film_files import FilmKeys


def source(folder: Path, **keys: Any) -> Source:
    found = FilmKeys(kind="video", file="films.csv", column="file", **keys)
    return Source("gait", KINDS["video"], found, folder / "films.csv", folder / "study.yaml", "id")


def write(folder: Path, lengths: list[int]) -> None:
    for row, length in enumerate(lengths):
        np.save(folder / f"{row}.npy", np.full((length, 5, 6), row, np.uint8 if row else np.uint16))
    (folder / "films.csv").write_text("id,file\n" + "".join(f"{row},{row}.npy\n" for row in range(len(lengths))), encoding="utf-8")


def test_what_is_behind_the_ends_and_several_depths_are_told(tmp_path: Path) -> None:
    write(tmp_path, [9, 3, 2])
    taken = READERS["films"].read(source(tmp_path)).take(np.array([2, 0]))
    assert taken.values.shape == (2, 1, 9, 5, 6)
    assert np.isnan(taken.values[0, 0, 2:]).all()
    taken = READERS["films"].read(source(tmp_path)).take(np.arange(3))
    rest = "the rest is held as missing frames; `frames: 3` would take so many of each"
    assert taken.notes == (
        "films of different depth: 2 of 8 bits and 1 of 16 bits, whose values are on different scales; expected one depth",
        f"the longest film has 9 frames, and half of the films have 3 or fewer: {rest}",
    )
    assert (
        READERS["films"]
        .read(source(tmp_path, frames=7))
        .take(np.arange(3))
        .notes[1]
        .startswith("`frames` is 7, and half of the films have 3")
    )
    assert len(READERS["films"].read(source(tmp_path, frames=4)).take(np.arange(3)).notes) == 1


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"channels": 2}, r"channels is 2, expected 1 \(grey\) or 3 \(colour\)"),
        ({"size": [0, 4]}, r"size is \[0, 4\], expected a height and a width of at least 1"),
        ({"window": [2, 1]}, "window is"),
        ({"frames": 0}, "greater than or equal to 1"),
        ({"column": None}, "the table 'films.csv' needs the key 'column', the column with the path of each sample's film"),
    ],
)
def test_keys(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        FilmKeys(**{"kind": "video", "file": "films.csv", "column": "file", **keys})
