"""From predictions to the chosen subset."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from fusearch.errors import SpaceError
from fusearch.search.ensembles import Predictions, SubsetRules, SubsetSearch, choose_subset


def test_it_chooses_the_networks_that_complement_each_other() -> None:
    """Three equal twins and one of another modality that is right where they are wrong."""
    targets = np.array([0, 1] * 10)
    right, wrong = np.eye(2)[targets] * 0.8 + 0.1, np.eye(2)[1 - targets] * 0.8 + 0.1
    weak = np.where((np.arange(20) < 12)[:, None], right, wrong)
    other = np.where((np.arange(20) >= 6)[:, None], right, wrong)
    predictions = Predictions(
        ("i1", "i2", "t1", "t2"),
        ("image", "image", "table", "table"),
        np.stack([weak, weak, weak, other]),
        targets,
        np.zeros(20, dtype=int),
    )
    choice = choose_subset(predictions)
    assert choice.method == "exhaustive"
    assert choice.total == 9
    assert choice.chosen == ("i1", "t2")


def test_above_the_limit_the_subsets_are_evolved(make_predictions: Callable[..., Predictions]) -> None:
    predictions = make_predictions(["image"] * 5 + ["table"] * 3, rows=50, classes=3)
    listed = choose_subset(predictions)
    evolved = choose_subset(predictions, SubsetSearch(max_exhaustive=100, evaluations=800))
    assert (listed.method, evolved.method) == ("exhaustive", "nsga2")
    assert evolved.total == listed.total == 175
    assert evolved.chosen == listed.chosen


def test_the_decision_is_told_as_json(make_predictions: Callable[..., Predictions]) -> None:
    predictions = make_predictions(["image"] * 3 + ["table"] * 2, members=2)
    choice = choose_subset(predictions, SubsetSearch(SubsetRules(sizes="odd"), diversity="kappa"))
    told = json.loads(json.dumps(choice.to_dict()))
    assert told["chosen"]["members"] == list(choice.chosen)
    assert told["subsets"] == told["allowed"] == 10
    assert [candidate["name"] for candidate in told["candidates"]] == list(predictions.names)
    assert {len(entry["members"]) % 2 for entry in told["front"]} == {1}
    assert told["chosen"]["members"] in [entry["members"] for entry in told["front"]]


def test_rules_that_allow_nothing_are_refused(make_predictions: Callable[..., Predictions]) -> None:
    with pytest.raises(SpaceError, match="no subset of the candidates keeps the rules"):
        choose_subset(make_predictions(["image", "table"]), SubsetSearch(SubsetRules(sizes="odd")))
