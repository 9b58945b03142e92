"""The conformance suite of metrics. Built-ins and plug-ins pass the same laws. This module itself does not need pytest."""

# ruff: noqa: S101  # laws are assertions

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusearch.contracts import Objective
from fusearch.metrics import METRICS, Metric
from fusearch.tasks import TASKS

__all__ = ["MetricSuite"]

Scored = tuple[NDArray[Any], NDArray[np.floating]]


class MetricSuite:
    """The laws of a metric.

    Attributes:
        name: Name of the metric.
        labels: Labels of the task, for a metric that reads them.

    Example:
        >>> class TestMyScore(MetricSuite):
        ...     name = "my_score"
    """

    name: str
    labels: tuple[str, ...] = ()

    @property
    def metric(self) -> Metric:
        """The entry of the metric."""
        return METRICS[self.name]

    def cases(self) -> list[Scored]:
        """Return targets and outputs as a search meets them: two classes and more, predictions, few rows, one class alone.

        Override it, and `perfect`, for a metric of a task of your own.
        """
        rng = np.random.default_rng(0)
        found = [case for kind in self.metric.kinds if kind in _CASES for case in _CASES[kind](rng)]
        assert found, f"{self.name}: no cases for {self.metric.kinds}; override `cases`, and `perfect` where it is needed"
        return found

    def perfect(self, targets: NDArray[Any], outputs: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the outputs of a network that is right and sure."""
        return np.eye(outputs.shape[1])[targets] if outputs.ndim == 2 else targets.astype(np.float64)

    def test_the_entry_says_what_it_is(self) -> None:
        """The metric is described in a line, for `fusearch list metrics`, and its tasks exist."""
        unknown = [kind for kind in self.metric.kinds if kind not in TASKS]
        assert not unknown, f"{self.name}: no task {unknown}, expected some of {', '.join(TASKS)}"
        assert self.metric.summary, "a metric says in one line what it is"
        assert "\n" not in self.metric.summary, "a metric says it in one line"

    def test_it_is_a_number_and_defined_where_there_is_enough(self) -> None:
        """Every case gives a float within the bounds, not infinite; the large ones a finite one."""
        low, high = self.metric.bounds
        for targets, outputs in self.cases():
            value = self.metric(targets, outputs, self.labels)
            assert math.isnan(value) or low - 1e-9 <= value <= high + 1e-9, f"{self.name} is {value}, expected from {low} to {high}"
            assert isinstance(value, float), f"{self.name} is {value!r}, expected a float"
            assert not math.isinf(value), f"{self.name} is {value}; NaN says that it is undefined"
            assert len(targets) < 40 or math.isfinite(value), f"{self.name} is {value} for {len(targets)} rows of {outputs.shape}"

    def test_the_order_of_samples_does_not_matter(self) -> None:
        """Scored may change places together, and nothing is remembered from call to call."""
        for targets, outputs in self.cases():
            value = self.metric(targets, outputs, self.labels)
            order = np.random.default_rng(1).permutation(len(targets))
            np.testing.assert_allclose(
                [self.metric(targets[order], outputs[order], self.labels), self.metric(targets, outputs, self.labels)], value, rtol=1e-9
            )

    def test_what_it_is_given_is_not_changed(self) -> None:
        """Targets and outputs are read, also where they cannot be written."""
        for targets, outputs in self.cases():
            before = targets.copy(), outputs.copy()
            targets.flags.writeable = outputs.flags.writeable = False
            self.metric(targets, outputs, self.labels)
            np.testing.assert_array_equal(targets, before[0])
            np.testing.assert_array_equal(outputs, before[1])

    def test_the_direction_is_right(self) -> None:
        """Outputs that are right and sure are better than random ones."""
        for targets, outputs in self.cases():
            if len(targets) >= 40:
                value, best = self.metric(targets, outputs, self.labels), self.metric(targets, self.perfect(targets, outputs), self.labels)
                assert Objective(self.name, self.metric.direction).better(best, value), (
                    f"{self.name}, {self.metric.direction}: {best} where every output is right, {value} where they are random"
                )


def _classes(rng: np.random.Generator) -> list[Scored]:
    sizes = ((2, 40), (4, 40), (2, 5), (3, 4))
    found: list[Scored] = [(rng.permutation(np.arange(rows) % count), rng.dirichlet(np.ones(count), size=rows)) for count, rows in sizes]
    return [*found, (np.zeros(6, dtype=np.int64), rng.dirichlet(np.ones(3), size=6))]


def _numbers(rng: np.random.Generator) -> list[Scored]:
    found: list[Scored] = [(rng.normal(50, 9, size=rows), rng.normal(50, 9, size=rows)) for rows in (40, 4)]
    return [*found, (rng.normal(size=6), np.zeros(6)), (np.ones(6), rng.normal(size=6))]


_CASES: dict[str, Callable[[np.random.Generator], list[Scored]]] = {"classification": _classes, "regression": _numbers}
