"""What a design is judged by: metrics, as functions of targets and outputs. Light: scikit-learn is imported when one is computed."""

from fusearch.metrics import classification as _classification
from fusearch.metrics import regression as _regression
from fusearch.metrics.entry import CHEAP_OBJECTIVES, COSTS, METRICS, Direction, Metric, metric, metrics_of

__all__ = ["CHEAP_OBJECTIVES", "COSTS", "METRICS", "Direction", "Metric", "metric", "metrics_of"]

del _classification, _regression  # imported for what they register
