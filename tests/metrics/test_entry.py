"""A user's own metric: registered, refused with a reason, an objective from then on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from fusearch.contracts import Objective
from fusearch.data import load_data
from fusearch.errors import EvaluationError, FusearchError, ObjectiveError
from fusearch.metrics import METRICS, Metric, metric, metrics_of


def always_one(targets: Any, outputs: Any) -> float:
    """Is one.

    More words.
    """
    return 1.0


@pytest.fixture
def own() -> Iterator[None]:
    metric("always_one", direction="minimize", kinds=("classification", "regression"))(always_one)
    yield
    METRICS.remove("always_one")


def test_an_own_metric_has_an_entry_a_task_and_a_direction(own: None) -> None:
    entry = METRICS["always_one"]
    assert (entry.name, entry.direction, entry.function, entry.summary) == ("always_one", "minimize", always_one, "Is one.")
    assert entry in metrics_of("classification")
    assert entry in metrics_of("regression")
    assert "always_one" in load_data("wisconsin").task.metrics


def test_an_own_metric_is_an_objective_as_the_built_ins_are(own: None) -> None:
    assert Objective.parse("always_one").direction == "minimize"
    assert Objective.parse("always_one<=2") == Objective("always_one", "minimize", 2.0)
    assert Objective.parse("worst_missing_always_one").direction == "minimize"
    assert Objective.parse("always_one_without.rna").direction == "minimize"


def test_a_metric_that_is_taken_out_is_unknown_again() -> None:
    with pytest.raises(ObjectiveError, match="needs its direction"):
        Objective.parse("always_one")
    assert "always_one" not in load_data("wisconsin").task.metrics


def test_an_objective_has_the_direction_that_its_metric_declares() -> None:
    assert {name: Objective.parse(name).direction for name in METRICS} == {name: METRICS[name].direction for name in METRICS}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "macs"}, "metric 'macs': expected a name such as 'my_score' that is no cost and no variant of a metric"),
        ({"name": "worst_missing_auroc"}, "no variant of a metric"),
        ({"name": "auroc_without.rna"}, "no variant of a metric"),
        ({"name": "my score"}, "metric 'my score': expected a name"),
        ({"direction": "up"}, "metric 'mine': direction 'up', expected 'maximize' or 'minimize'"),
        ({"kinds": "re gression"}, r"metric 'mine': kinds \('re gression',\), expected names of tasks, such as 'classification'"),
        ({"kinds": ()}, "expected names of tasks"),
        ({"bounds": (1, 1)}, r"metric 'mine': bounds \(1, 1\), expected the least and the greatest value, such as \(0, 1\)"),
        ({"name": "auroc"}, "metric 'auroc' is registered already"),
    ],
)
def test_what_is_no_metric_is_refused(change: dict[str, Any], message: str) -> None:
    arguments = {"name": "mine", "direction": "maximize", "kinds": "regression"} | change
    with pytest.raises(FusearchError, match=message):
        metric(arguments.pop("name"), **arguments)(always_one)


def test_a_failure_names_the_metric() -> None:
    def fails(targets: Any, outputs: Any) -> float:
        raise ValueError("no such thing")

    def gives_text(targets: Any, outputs: Any) -> str:
        return "high"

    with pytest.raises(EvaluationError, match="metric 'mine': ValueError: no such thing"):
        Metric("mine", "maximize", ("regression",), fails)(np.zeros(2), np.zeros(2))
    with pytest.raises(EvaluationError, match="metric 'mine': ValueError: could not convert string to float"):
        Metric("mine", "maximize", ("regression",), gives_text)(np.zeros(2), np.zeros(2))  # type: ignore[arg-type]  # what a user may do
