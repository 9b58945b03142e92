import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fusearch.data.files import read_array, read_image, read_table
from fusearch.errors import DataError

FRAME = pd.DataFrame({"patient": ["007", "010"], "age": [30.5, 40.0]})


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t.parquet"])
def test_every_sort_of_table_gives_the_same_frame(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("parquet"):
        FRAME.to_parquet(path)
    else:
        FRAME.to_csv(path, index=False, sep="\t" if name.endswith("tsv") else ",")
    frame = read_table(path, ("patient",))
    assert frame["patient"].tolist() == ["007", "010"]
    assert frame["age"].tolist() == [30.5, 40.0]


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("﻿patient,age\n1,2\n", encoding="utf-8")
    assert list(read_table(tmp_path / "t.csv").columns) == ["patient", "age"]


def test_arrays_and_their_ids(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.eye(3))
    np.savez(tmp_path / "x.npz", x=np.eye(3), patient=np.array(["a", "b", "c"]), y=np.zeros(3))
    np.savez(tmp_path / "one.npz", x=np.eye(3), patient=np.array(["a", "b", "c"]))
    assert read_array(tmp_path / "x.npy", None, "patient")[1] is None
    values, ids = read_array(tmp_path / "x.npz", "x", "patient")
    assert ids is not None
    assert (values.shape, ids.tolist()) == ((3, 3), ["a", "b", "c"])
    assert read_array(tmp_path / "one.npz", None, "patient")[0].shape == (3, 3)


def test_images_keep_their_values_and_put_channels_first(tmp_path: Path) -> None:
    pixels = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    Image.fromarray(pixels).save(tmp_path / "rgb.png")
    Image.fromarray(pixels[..., 0]).save(tmp_path / "grey.png")
    Image.fromarray(pixels[..., 0].astype(np.uint16) * 1000).save(tmp_path / "deep.png")
    Image.fromarray(pixels).quantize(8).save(tmp_path / "palette.png")
    Image.fromarray(pixels).save(tmp_path / "photo.jpg")
    np.save(tmp_path / "flat.npy", pixels[..., 0])
    assert (read_image(tmp_path / "rgb.png") == np.moveaxis(pixels, -1, 0)).all()
    assert (read_image(tmp_path / "grey.png") == pixels[None, ..., 0]).all()
    assert (read_image(tmp_path / "deep.png") == pixels[None, ..., 0].astype(float) * 1000).all()
    assert read_image(tmp_path / "palette.png").shape == (3, 4, 5)
    assert read_image(tmp_path / "photo.jpg").shape == (3, 4, 5)
    assert (read_image(tmp_path / "flat.npy") == pixels[None, ..., 0]).all()


def make_broken_files(folder: Path) -> None:
    (folder / "empty.csv").touch()
    (folder / "header.csv").write_text("a,b\n", encoding="utf-8")
    (folder / "ragged.csv").write_text("a,b\n1,2\n1,2,3\n", encoding="utf-8")
    (folder / "latin.csv").write_bytes("name\nJosé\n".encode("latin-1"))
    (folder / "broken.parquet").write_bytes(b"PAR1 and no more")
    (folder / "broken.npz").write_bytes(b"PK and no more")
    (folder / "broken.npy").write_bytes(b"")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    np.save(folder / "objects.npy", np.array([{}, {}]))
    np.savez(folder / "two.npz", x=np.eye(2), y=np.eye(2))
    np.save(folder / "line.npy", np.arange(4.0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda f: read_table(f / "empty.csv"),
            r"empty.csv: cannot be read as a table \(No columns to parse from file\), expected UTF-8 text with",
        ),
        (lambda f: read_table(f / "header.csv"), "header.csv: the table has no rows, expected one for each sample"),
        (
            lambda f: read_table(f / "ragged.csv"),
            r"ragged.csv: cannot be read as a table \(.*line 3.*\), expected UTF-8 text with a header line",
        ),
        (
            lambda f: read_table(f / "latin.csv"),
            r"latin.csv: cannot be read as a table \(.*utf-8.*\), expected UTF-8 text with a header line",
        ),
        (lambda f: read_table(f / "broken.parquet"), r"broken.parquet: cannot be read as a table \(.*\), expected Parquet"),
        (
            lambda f: read_array(f / "broken.npz", None, None),
            r"broken.npz: cannot be read as an array \(.*\), expected NPY or NPZ without pickles",
        ),
        (
            lambda f: read_array(f / "broken.npy", None, None),
            r"broken.npy: cannot be read as an array \(.*\), expected NPY or NPZ without pickles",
        ),
        (
            lambda f: read_array(f / "objects.npy", None, None),
            r"objects.npy: cannot be read as an array \(.*pickle.*\), expected NPY or NPZ",
        ),
        (lambda f: read_array(f / "two.npz", None, None), "two.npz: 2 arrays, expected `key` to name one of: x, y"),
        (lambda f: read_array(f / "two.npz", "X", None), r"two.npz: no array 'X', did you mean 'x'\?"),
        (lambda f: read_image(f / "broken.png"), r"broken.png: cannot be read as an image \(.*\), expected .npy, .png or .jpg"),
        (
            lambda f: read_image(f / "line.npy"),
            r"line.npy: an array of float64 and shape \(4,\), expected numbers as \(H, W\) or \(C, H, W\)",
        ),
        (lambda f: read_image(f / "none.png"), "no image 'none.png' in '.*', expected the path of a file below `root`"),
    ],
)
def test_messages(tmp_path: Path, call: Any, message: str) -> None:
    make_broken_files(tmp_path)
    with pytest.raises(DataError, match=message) as caught:
        call(tmp_path)
    assert "\n" not in str(caught.value)


def test_without_pillow_an_image_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("L", (2, 2)).save(tmp_path / "x.png")
    original = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "PIL":
            raise ImportError
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(DataError, match=r"x.png: reading it needs pillow; expected `pip install pillow`, or .npy files"):
        read_image(tmp_path / "x.png")
