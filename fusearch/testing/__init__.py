"""Conformance suites: the laws that built-ins pass, for plug-ins to inherit. Names are resolved on first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

#: Public name -> module that defines it.
_HOMES: dict[str, str] = {
    "DataSetSuite": "fusearch.testing.data_set_suite",
    "EncoderSuite": "fusearch.testing.encoder_suite",
    "MetricSuite": "fusearch.testing.metric_suite",
    "OperatorSuite": "fusearch.testing.operator_suite",
    "SamplerSuite": "fusearch.testing.sampler_suite",
    "TaskSuite": "fusearch.testing.task_suite",
    "affine": "fusearch.testing.operator_case",
}

__all__ = ["DataSetSuite", "EncoderSuite", "MetricSuite", "OperatorSuite", "SamplerSuite", "TaskSuite", "affine"]

if TYPE_CHECKING:
    from fusearch.testing.data_set_suite import DataSetSuite
    from fusearch.testing.encoder_suite import EncoderSuite
    from fusearch.testing.metric_suite import MetricSuite
    from fusearch.testing.operator_case import affine
    from fusearch.testing.operator_suite import OperatorSuite
    from fusearch.testing.sampler_suite import SamplerSuite
    from fusearch.testing.task_suite import TaskSuite


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fusearch.testing' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
