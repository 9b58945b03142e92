from __future__ import annotations

import numpy as np
import pytest

from fusearch.data.files.interpolation import crop_or_pad, resample, resize, through_window


def ramp(*shape: int) -> np.ndarray:
    """A value that rises by 1, 10 and 100 along the three axes."""
    steps = (100.0, 10.0, 1.0)
    return sum(step * index for step, index in zip(steps, np.indices(shape), strict=True))[None].astype(np.float32)


def test_twice_as_many_positions_stand_between_the_old_ones() -> None:
    line = np.array([0, 4, 8], np.float32).reshape(1, 1, 1, 3)
    assert resize(line, (1, 1, 6)).ravel().tolist() == [0, 1, 3, 5, 7, 8]


def test_fewer_positions_are_means_of_what_they_stand_for() -> None:
    values = np.zeros((1, 1, 1, 8), np.float32)
    values[..., 3] = 1
    np.testing.assert_allclose(resize(values, (1, 1, 2)).sum(), 1 / 4, rtol=0.15)  # none is skipped
    np.testing.assert_allclose(resize(np.ones((1, 7, 5, 8), np.float32), (3, 2, 2)), 1, rtol=1e-6)


def test_a_ramp_stays_a_ramp_around_the_same_centre() -> None:
    values = ramp(9, 9, 9)
    found = resample(values, (5, 5, 5), (1.0, 1.0, 1.0))
    np.testing.assert_allclose(found, values[:, 2:7, 2:7, 2:7], rtol=1e-6)
    finer = resample(values, (9, 9, 9), (0.5, 0.5, 0.5))
    np.testing.assert_allclose(finer[0, 4, 4, 4], values[0, 4, 4, 4], rtol=1e-6)
    np.testing.assert_allclose(np.diff(finer[0, :, 4, 4]), 50, rtol=1e-4)


def test_linear_interpolation_is_that_of_scipy() -> None:
    from scipy.interpolate import RegularGridInterpolator

    values = np.random.default_rng(0).normal(size=(1, 6, 5, 4)).astype(np.float32)
    found = resample(values, (7, 9, 4), (0.7, 0.5, 0.9))
    grid = [
        ((np.arange(count) + 0.5 - count / 2) * step + size / 2 - 0.5).clip(0, size - 1)
        for count, step, size in zip((7, 9, 4), (0.7, 0.5, 0.9), (6, 5, 4), strict=True)
    ]
    expected = RegularGridInterpolator([np.arange(size) for size in (6, 5, 4)], values[0])(np.stack(np.meshgrid(*grid, indexing="ij"), -1))
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


def test_a_gap_stays_a_gap_and_spoils_nothing_else() -> None:
    values = np.ones((1, 4, 4, 4), np.float32)
    values[0, 0] = np.nan
    found = resize(values, (8, 8, 8))
    assert np.isnan(found[0, :1]).all()
    assert (found[0, 2:] == 1).all()


def test_the_middle_is_taken_or_put_into_the_least_value() -> None:
    values = ramp(4, 4, 4)
    np.testing.assert_array_equal(crop_or_pad(values, (2, 4, 3)), values[:, 1:3, :, 0:3])
    padded = crop_or_pad(values + 7, (6, 4, 4))
    np.testing.assert_array_equal(padded[:, 1:5], values + 7)
    assert (padded[:, [0, 5]] == 7).all()


@pytest.mark.parametrize(("value", "expected"), [(-5, 0), (0, 0), (5, 0.5), (10, 1), (99, 1), (np.nan, np.nan)])
def test_a_window(value: float, expected: float) -> None:
    np.testing.assert_equal(through_window(np.array([value], np.float32), (0, 10))[0], np.float32(expected))
