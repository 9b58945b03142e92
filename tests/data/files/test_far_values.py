from __future__ import annotations

import numpy as np

from fusearch.data.files.far_values import amounts, far_off, range_of


def test_another_unit_is_far_off_and_a_few_odd_rows_are_not() -> None:
    seen = np.column_stack([np.linspace(40, 120, 50), np.linspace(1.5, 2.0, 50), np.full(50, np.nan)])
    low, high = range_of(seen)
    metres = np.full((9, 3), [70.0, 1.7, 1.0])
    centimetres = metres * [1, 100, 1]
    assert far_off(metres, low, high) == []
    assert far_off(centimetres, low, high) == [(1, 170.0)]
    assert far_off(np.array([[70.0, 2.4, 1.0]]), low, high) == []  # one tall patient
    assert far_off(np.array([[70.0, 170.0, 1.0]]), low, high) == [(1, 170.0)]
    assert far_off(metres[:0], low, high) == far_off(np.full((9, 3), np.nan), low, high) == []


def test_of_what_is_no_table_the_mean_of_a_sample_is_compared() -> None:
    images = np.arange(24, dtype=np.float32).reshape(2, 3, 4, 1)
    images[1, 0, 0, 0] = np.nan
    assert amounts(images).tolist() == [[5.5], [18.0]]
    assert amounts(np.ones((2, 5)), 3).shape == (2, 3)
