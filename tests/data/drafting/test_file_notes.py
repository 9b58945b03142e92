from __future__ import annotations

from pathlib import Path

from fusearch.data.drafting.file_notes import numbered_files, rare_names, several_suffixes, unclear_names, unnamed_files, unread_files
from fusearch.data.drafting.named_by_id import FileGroup, NamedFiles

XR = Path("xr")


def group(stem: str, suffix: str, names: str) -> FileGroup:
    return FileGroup(stem, (suffix,), {name: stem.replace("*", name) + suffix for name in names}, "images", {})


def files(*groups: FileGroup, unnamed: int = 0) -> NamedFiles:
    return NamedFiles(list(groups), [XR / f"P{row}_2024-01-01.png" for row in range(unnamed)], {}, [])


def test_nothing_is_said_of_files_that_are_used() -> None:
    used = files(group("xr/*", ".png", "abcd"), group("xr/*", ".jpg", "abcd"))
    assert [*several_suffixes(used), unclear_names(used), rare_names([]), unnamed_files(used, ["a"]), unread_files(used)] == [None] * 4


def test_a_few_ids_with_files_of_two_suffixes_are_told() -> None:
    (told,) = several_suffixes(files(group("xr/*", ".png", "abc"), group("xr/*", ".jpg", "cdef")))
    assert told == (
        "xr/*.png and xr/*.jpg became two modalities, as 1 samples (such as 'c') have both; where they are one, leave one file a sample"
    )


def test_each_reason_is_one_line() -> None:
    told = unclear_names(NamedFiles([], [], {XR / "1_24.png": ["1", "24"], XR / "2_7.png": ["2", "7"]}, []))
    assert told is not None
    assert told.startswith("2 files were left out, since their names fit several ids (such as '1_24.png': '1' and '24'); expected")
    rare = rare_names([group(f"xr/*_{row}", ".png", "a") for row in range(9)])
    assert rare is not None
    assert rare.startswith("9 files were left out, since few others are named like them (xr/*_0.png, xr/*_1.png, xr/*_2.png and 6 more;")
    unread = unread_files(NamedFiles([], [], {}, [XR / "a.npy"]))
    assert unread == "1 files are named by an id, and no reader takes what they hold for a sample (such as 'a.npy')"


def test_names_that_nearly_hold_an_id_are_told_with_what_differs() -> None:
    told = unnamed_files(files(unnamed=3), [f"p{row}" for row in range(9)])
    assert told == (
        "3 files are not named by an id of the labels (such as 'P0_2024-01-01.png'); ids are such as 'p0'; "
        "3 more would match if upper and lower case did not count ('p0' and 'P0')"
    )


def test_numbered_files_are_told_with_the_folder_that_would_make_them_one_sample() -> None:
    shown = NamedFiles([], [], {}, [], {"us/*_slice#.png": [XR / f"p1_slice{row}.png" for row in range(9)]})
    (told,) = numbered_files(shown)
    assert told.startswith("us/*_slice#.png: 9 files that are numbered within each sample were left out")
    assert "put those of each sample into a folder of its own (us/*_slice/) for `kind: video`, or stack them in one .npy file" in told
    (dicom,) = numbered_files(NamedFiles([], [], {}, [], {"ct/#_*.dcm": [XR / "0_p1.dcm"]}))
    assert "(ct/*/) for `kind: volume3d`" in dicom
