"""What a design is judged by: metrics, as functions of targets and outputs. Light: scikit-learn is imported when one is computed."""

from fusearch.metrics import class_metrics as _class_metrics
from fusearch.metrics import error_metrics as _error_metrics
from fusearch.metrics import mask_metrics as _mask_metrics
from fusearch.metrics import multilabel_metrics as _multilabel_metrics
from fusearch.metrics import survival_metrics as _survival_metrics
from fusearch.metrics.entry import CHEAP_OBJECTIVES, COSTS, METRICS, Direction, Metric, metric, metrics_of

__all__ = ["CHEAP_OBJECTIVES", "COSTS", "METRICS", "Direction", "Metric", "metric", "metrics_of"]

del _class_metrics, _error_metrics, _mask_metrics, _multilabel_metrics, _survival_metrics  # imported for what they register
