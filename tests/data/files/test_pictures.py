import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fusearch.data.files.pictures import read_images
from fusearch.data.files.stacking import named_file
from fusearch.errors import DataError


def read_image(path: Path) -> np.ndarray:
    return read_images([path]).values[0]


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


def test_images_of_several_shapes_are_brought_to_one(tmp_path: Path) -> None:
    grey = np.tile(np.arange(8, dtype=np.uint8), (8, 1)) * 10
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(np.stack([grey[:4, :4]] * 3, axis=-1)).save(tmp_path / "colour.png")
    files = [tmp_path / "grey.png", None, tmp_path / "colour.png"]
    with pytest.raises(DataError, match=r"images of 2 shapes .*; `size: \[8, 8\]` and `channels: 1` in the manifest would bring them"):
        read_images(files)
    found = read_images(files, size=(4, 6), channels=1)
    assert found.values.shape == (3, 1, 4, 6)
    assert np.isnan(found.values[1]).all()
    assert (np.diff(found.values[0, 0, 0]) > 0).all(), "height and width are not swapped"
    assert found.bits == {8: 2}
    assert read_images(files, size=(8, 8), channels=3).values.shape == (3, 3, 8, 8)


def test_a_colour_image_is_grey_as_pillow_makes_it(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    grey = np.asarray(Image.fromarray(pixels).convert("L"), np.float32)
    np.testing.assert_allclose(read_images([tmp_path / "a.png"], channels=1).values[0, 0], grey, atol=1)


def test_the_depth_of_each_image_is_told(tmp_path: Path) -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    Image.fromarray(pixels.astype(np.uint16) * 200).save(tmp_path / "b.png")
    Image.fromarray(pixels.astype(np.uint16)).save(tmp_path / "c.png")
    assert read_images([tmp_path / name for name in ("a.png", "b.png", "c.png")]).bits == {8: 1, 16: 2}


def make_broken_files(folder: Path) -> None:
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    np.save(folder / "line.npy", np.arange(4.0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: read_image(f / "broken.png"), r"broken.png: cannot be read as an image \(.*\), expected one of: .npy, .png, "),
        (
            lambda f: read_image(f / "line.npy"),
            r"line.npy: an array of float64 and shape \(4,\), expected numbers as \(H, W\) or \(C, H, W\)",
        ),
        (lambda f: read_images([None, None]), "no file of images is named, expected one for at least one sample"),
        (
            lambda f: read_images([f / "gone.npy", f / "line.npy", f / "none.png"]),
            "2 of 3 images are missing in '.*': 'gone.npy', 'none.png'",
        ),
        (lambda f: read_image(f / "none.png"), "1 of 1 images is missing in '.*': 'none.png'"),
    ],
)
def test_messages(tmp_path: Path, call: Any, message: str) -> None:
    make_broken_files(tmp_path)
    with pytest.raises(DataError, match=message) as caught:
        call(tmp_path)
    assert "\n" not in str(caught.value)


def test_without_pillow_an_image_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("L", (2, 2)).save(tmp_path / "x.png")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(DataError, match=r"x.png: reading it needs pillow; expected `pip install 'fusearch\[images\]'`"):
        read_image(tmp_path / "x.png")


def test_a_photo_is_read_as_it_is_seen(tmp_path: Path) -> None:
    pixels, turned = np.arange(12, dtype=np.uint8).reshape(3, 4), Image.Exif()
    turned[0x0112] = 6  # the sensor lay on its side
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=turned)
    assert (read_image(tmp_path / "a.png")[0] == np.rot90(pixels, -1)).all()


@pytest.mark.parametrize("suffix", ["tif", "gif"])
def test_of_several_pictures_the_first_is_read_and_told(tmp_path: Path, suffix: str) -> None:
    first, second = (Image.fromarray(np.full((4, 4), grey, np.uint8)) for grey in (10, 200))
    first.save(tmp_path / f"a.{suffix}", save_all=True, append_images=[second])
    first.save(tmp_path / "b.png")
    found = read_images([tmp_path / f"a.{suffix}", tmp_path / "b.png"], channels=1)
    assert found.stacks == (f"a.{suffix}",)
    np.testing.assert_allclose(found.values, 10, atol=1e-4)


def test_infinite_pixels_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[1, np.inf]]))
    Image.fromarray(np.array([[1, np.inf]], np.float32)).save(tmp_path / "a.tif")
    for name in ("a.npy", "a.tif"):
        with pytest.raises(DataError, match=f"{name}: an infinite value, expected finite numbers or NaN"):
            read_image(tmp_path / name)


def test_axes_of_an_array_a_sample(tmp_path: Path) -> None:
    pixels = np.arange(4 * 5 * 3).reshape(4, 5, 3)
    np.save(tmp_path / "a.npy", pixels)
    assert (read_images([tmp_path / "a.npy"], axes=[2, 0, 1]).values[0] == np.moveaxis(pixels, -1, 0)).all()


def test_a_path_of_windows_and_a_path_that_nearly_fits(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    Image.fromarray(np.ones((2, 2), np.uint8)).save(tmp_path / "scans" / "a.png")
    assert read_images([named_file(tmp_path, "scans\\a.png")]).values.shape == (1, 1, 2, 2)
    for name in ("a", "A.PNG"):
        with pytest.raises(DataError, match=f"1 of 1 images is missing in .*: '{name}'; there is 'a.png'"):
            read_images([tmp_path / "scans" / name])
