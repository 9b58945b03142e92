"""Predictions: shapes are checked, means are taken inside members first."""

from __future__ import annotations

import numpy as np
import pytest

from fusearch.errors import DataError
from fusearch.search.ensembles import Predictions

RIGHT, WRONG = [0.2, 0.8], [0.7, 0.3]


def test_accuracy_is_a_mean_over_members_not_over_rows() -> None:
    predictions = Predictions(("a",), ("m",), np.array([[RIGHT, WRONG, WRONG, WRONG]]), np.ones(4, dtype=int), np.array([0, 1, 1, 1]))
    assert predictions.accuracies.tolist() == [0.5]
    assert predictions.row_weights.tolist() == pytest.approx([1 / 2, 1 / 6, 1 / 6, 1 / 6])


def test_equal_probabilities_vote_for_the_lowest_class() -> None:
    predictions = Predictions(("a",), ("m",), np.full((1, 1, 4), 0.25), np.array([0]), np.array([0]))
    assert predictions.classes.tolist() == [[0]]


def test_take_keeps_the_order_asked_for() -> None:
    predictions = Predictions(("a", "b"), ("m", "n"), np.array([[RIGHT], [WRONG]]), np.array([1]), np.array([0]))
    swapped = predictions.take([1, 0])
    assert (swapped.names, swapped.modalities) == (("b", "a"), ("n", "m"))
    assert swapped.correct.tolist() == [[False], [True]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probabilities": np.array([RIGHT])}, r"shape \(1, 2\), expected \(candidates, rows, classes\)"),
        ({"names": ("a", "b")}, "2 names for the predictions of 1 candidates"),
        ({"targets": np.array([2])}, "targets from 2 to 2, expected class codes below 2"),
        ({"targets": np.array([0.5])}, "targets of shape .* and type float64, expected .* integers"),
        ({"members": np.array([0, 0])}, "members of shape"),
        ({"probabilities": np.array([[[np.nan, 1.0]]])}, "not finite"),
        ({"probabilities": np.array([[[0.5, 0.1]]])}, "do not sum to 1"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, object], message: str) -> None:
    good = {"names": ("a",), "modalities": ("m",), "probabilities": np.array([[RIGHT]]), "targets": np.array([1]), "members": np.array([0])}
    with pytest.raises(DataError, match=message):
        Predictions(**{**good, **change})


def test_a_name_that_stands_twice_is_refused() -> None:
    with pytest.raises(DataError, match="a name stands twice"):
        Predictions(("a", "a"), ("m", "m"), np.array([[RIGHT], [RIGHT]]), np.array([1]), np.array([0]))
