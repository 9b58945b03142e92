from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
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
    files = group_by_id(tmp_path, [path for path in sorted(tmp_path.rglob("*")) if path.is_file()], ["p-1", "p-2", "p"])
    found = {group.pattern: group for group in files.groups}
    assert set(found) == {"cxr/*.png", "sub-*/anat/sub-*_view.png", "*_cough.wav"}
    assert [path.name for path in files.unnamed] == ["stray.npy"]
    assert {pattern: (group.name, group.reader) for pattern, group in found.items()} == {
        "cxr/*.png": ("cxr", "images"),
        "sub-*/anat/sub-*_view.png": ("view", "images"),
        "*_cough.wav": ("cough", "sounds"),
    }
    assert found["cxr/*.png"].files == {"p-1": "cxr/p-1.png", "p-2": "cxr/p-2.png"}
    assert found["cxr/*.png"].keys == {"size": [4, 4]}, "they differ"


def test_a_date_in_each_name_does_not_take_files_apart_that_each_sample_has_once(tmp_path: Path) -> None:
    days = [("p1", "01"), ("p2", "02"), ("p3", "03")]
    paths = [tmp_path / "cxr" / f"{name}_202301{day}.npy" for name, day in days]
    paths += [tmp_path / "mri" / name / f"{day}-01-2023" / f"{view}.npy" for name, day in days for view in ("t1", "t2")]
    paths += [tmp_path / "twice" / f"p1_2023010{row}.npy" for row in range(3)]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.zeros((4, 5)))
    found = {group.pattern: group for group in group_by_id(tmp_path, paths, ["p1", "p2", "p3"]).groups}
    once = {"cxr/*_#.npy": "cxr", "mri/*/#/t1.npy": "t1", "mri/*/#/t2.npy": "t2"}
    assert {pattern: group.name for pattern, group in found.items() if "#" in pattern} == once
    assert found["mri/*/#/t1.npy"].files["p2"] == "mri/p2/02-01-2023/t1.npy"
    assert len(found) == 6, "nobody knows which of three a sample is meant to have"


def test_a_short_number_in_each_name_does_not_take_files_apart_that_each_sample_has_once(tmp_path: Path) -> None:
    (tmp_path / "cxr").mkdir()
    files = [*pictures(tmp_path / "cxr", "p1_0.png", "p2_3.png", "p3_1.png"), *pictures(tmp_path, "p1_T1.png", "p2_T2.png", "p3_T1.png")]
    found = {group.pattern: list(group.files) for group in group_by_id(tmp_path, files, ["p1", "p2", "p3"]).groups}
    assert found == {"cxr/cxr/*_#.png": ["p1", "p2", "p3"], "cxr/*_T1.png": ["p1", "p3"], "cxr/*_T2.png": ["p2"]}


def test_files_that_are_numbered_within_each_sample_are_no_modalities(tmp_path: Path) -> None:
    """Slices or frames of one; letters, and few numbers, are modalities."""
    ids = ["p1", "p2", "p3"]
    names = [f"{name}_{word}{row}.png" for name in ids for row in range(5) for word in ("", "T1_")]
    views = [f"{name}_{word}.png" for name in ids for word in ("T1w", "T2w", "view_1", "view_2")]
    files = group_by_id(tmp_path, pictures(tmp_path, *names, *views), ids)
    assert {pattern: len(paths) for pattern, paths in files.series.items()} == {"cxr/*_#.png": 15, "cxr/*_T1_#.png": 15}
    assert [group.pattern for group in files.groups] == [f"cxr/*_{word}.png" for word in ("T1w", "T2w", "view_1", "view_2")]
    assert not files.unread
    sounds = [tmp_path / f"{name}_{row}.wav" for name in ids for row in range(5)]
    assert not group_by_id(tmp_path, sounds, ids).series, "no reader makes one sample of several"


def test_arrays_become_images_or_volumes_by_their_axes(tmp_path: Path) -> None:
    shapes = {"flat": (4, 5), "deep": (6, 7, 8), "colour": (3, 4, 5)}
    for kind, shape in shapes.items():
        (tmp_path / kind).mkdir()
        for name in "ab":
            np.save(tmp_path / kind / f"{name}.npy", np.zeros(shape))
    files = group_by_id(tmp_path, sorted(tmp_path.rglob("*.npy")), ["a", "b"])
    assert {group.name: group.reader for group in files.groups} == {"flat": "images", "deep": "volumes", "colour": "images"}


def pictures(folder: Path, *names: str) -> list[Path]:
    (folder / "cxr").mkdir(exist_ok=True)
    for row, name in enumerate(names):
        Image.fromarray(np.zeros((4, 4 + row), np.uint8)).save(folder / "cxr" / name)
    return [folder / "cxr" / name for name in names]


def test_suffixes_of_one_reader_are_one_modality_where_each_id_has_one_file(tmp_path: Path) -> None:
    files = pictures(tmp_path, "a.png", "b.jpg", "c.tif", "d.PNG")
    (group,) = group_by_id(tmp_path, files, "abcd").groups
    assert (group.name, group.reader, group.pattern) == ("cxr", "images", "cxr/*.png, .jpg, .tif, .PNG")
    assert group.files == {"a": "cxr/a.png", "b": "cxr/b.jpg", "c": "cxr/c.tif", "d": "cxr/d.PNG"}
    assert list(group.keys) == ["size"], "they are looked at together"


def test_suffixes_of_which_an_id_has_two_files_stay_apart(tmp_path: Path) -> None:
    files = pictures(tmp_path, "a.png", "a.jpg", "b.jpg")
    assert [group.pattern for group in group_by_id(tmp_path, files, "ab").groups] == ["cxr/*.png", "cxr/*.jpg"]


@pytest.mark.parametrize(
    ("suffixes", "reader"), [((".nii", ".nii.gz"), "volumes"), ((".wav", ".flac"), "sounds"), ((".edf", ".bdf"), "series")]
)
def test_volumes_sounds_and_recordings_of_two_suffixes_are_one_modality(tmp_path: Path, suffixes: tuple[str, str], reader: str) -> None:
    files = [tmp_path / f"{name}{suffix}" for name, suffix in zip("ab", suffixes, strict=True)]
    for file in files:
        file.write_bytes(b"")
    (group,) = group_by_id(tmp_path, files, "ab").groups
    assert (group.reader, group.suffixes, list(group.files)) == (reader, suffixes, ["a", "b"])


def test_recordings_of_other_signals_stay_apart(tmp_path: Path) -> None:
    edf = pytest.importorskip("edf", reason="needs fusearch[signals]")
    for name, label in (("a.edf", "ecg"), ("b.edf", "ecg"), ("c.EDF", "eeg")):
        edf.write_edf(tmp_path / name, {label: (np.zeros(20), 10)})
    groups = group_by_id(tmp_path, sorted(tmp_path.iterdir()), "abc").groups
    assert [(group.pattern, group.keys["channels"]) for group in groups] == [("*.edf", ["ecg"]), ("*.EDF", ["eeg"])]


def test_files_that_no_reader_takes_for_a_sample_are_told(tmp_path: Path) -> None:
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", np.zeros(4))
    files = group_by_id(tmp_path, sorted(tmp_path.iterdir()), "ab")
    assert (files.groups, [path.name for path in files.unread]) == ([], ["a.npy", "b.npy"])
