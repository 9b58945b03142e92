"""Torch halves of the built-in tasks, for tests of layers and losses."""

from __future__ import annotations

from fusearch.evaluators.tasks import TaskLayer, bind_task
from fusearch.tasks.classification import Classification
from fusearch.tasks.regression import Regression


def class_task(num_classes: int) -> TaskLayer:
    """Return the torch half of a classification."""
    return bind_task(Classification("class", tuple(map(str, range(num_classes)))))


def number_task() -> TaskLayer:
    """Return the torch half of a regression, not fitted."""
    return bind_task(Regression("value"))
