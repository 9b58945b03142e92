import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fusearch.data.readers.image_files import read_image
from fusearch.errors import DataError


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
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    np.save(folder / "line.npy", np.arange(4.0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
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
