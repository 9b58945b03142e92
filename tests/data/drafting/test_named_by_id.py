from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import wavfile

from fusearch.data.drafting.named_by_id import group_by_id


def test_files_are_grouped_by_what_stands_beside_the_id(tmp_path: Path) -> None:
    for name in ("p-1", "p-2"):
        for place, suffix in (("cxr", "png"), (f"sub-{name}/anat", "png")):
            (tmp_path / place).mkdir(parents=True, exist_ok=True)
            file = f"{name}.{suffix}" if place == "cxr" else f"sub-{name}_view.{suffix}"
            Image.fromarray(np.zeros((4, 4 if name == "p-1" else 6), np.uint8)).save(tmp_path / place / file)
        wavfile.write(tmp_path / f"{name}_cough.wav", 8000, np.zeros(9, np.int16))
    np.save(tmp_path / "cxr" / "stray.npy", np.zeros((4, 4)))
    groups, unnamed = group_by_id(tmp_path, [path for path in sorted(tmp_path.rglob("*")) if path.is_file()], ["p-1", "p-2", "p"])
    found = {group.pattern: group for group in groups}
    assert set(found) == {"cxr/*.png", "sub-*/anat/sub-*_view.png", "*_cough.wav"}
    assert [path.name for path in unnamed] == ["stray.npy"]
    assert {pattern: (group.name, group.reader) for pattern, group in found.items()} == {
        "cxr/*.png": ("cxr", "images"),
        "sub-*/anat/sub-*_view.png": ("view", "images"),
        "*_cough.wav": ("cough", "sounds"),
    }
    assert found["cxr/*.png"].files == {"p-1": "cxr/p-1.png", "p-2": "cxr/p-2.png"}
    assert found["cxr/*.png"].keys == {"size": [4, 4]}, "they differ"


def test_arrays_become_images_or_volumes_by_their_axes(tmp_path: Path) -> None:
    shapes = {"flat": (4, 5), "deep": (6, 7, 8), "colour": (3, 4, 5)}
    for kind, shape in shapes.items():
        (tmp_path / kind).mkdir()
        for name in "ab":
            np.save(tmp_path / kind / f"{name}.npy", np.zeros(shape))
    groups, _ = group_by_id(tmp_path, sorted(tmp_path.rglob("*.npy")), ["a", "b"])
    assert {group.name: group.reader for group in groups} == {"flat": "images", "deep": "volumes", "colour": "images"}
