from __future__ import annotations

import io

import numpy as np
import pytest

from fusearch.reports.figures.mask_picture import COLOURS, mask_picture

image = pytest.importorskip("PIL.Image", reason="needs fusearch[images]")


def test_each_sample_is_a_row_and_each_mask_a_column() -> None:
    images = np.full((2, 3, 4), 100, np.uint8)
    mask = np.zeros((2, 3, 4), np.uint8)
    mask[1, 2, 3] = 2
    found = image.open(io.BytesIO(mask_picture(images, [np.zeros_like(mask), mask])))
    pixels = np.asarray(found)
    assert pixels.shape == (2 * 3 + 2, 3 * 4 + 2 * 2, 3)
    assert (pixels[:3, :4] == 100).all()
    assert (pixels[3:5] == 255).all()
    coloured = np.argwhere((pixels != 100).any(axis=2) & (pixels != 255).any(axis=2))
    assert coloured.tolist() == [[7, 15]]
    expected = 0.45 * 100 + 0.55 * np.array(COLOURS[1])
    np.testing.assert_allclose(pixels[7, 15], expected, atol=1)
