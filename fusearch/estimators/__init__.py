"""fusearch as estimators of scikit-learn."""

from fusearch.estimators.fusion_estimators import FusionClassifier, FusionRegressor, FusionSurvival
from fusearch.estimators.slice_dict import SliceDict

__all__ = ["FusionClassifier", "FusionRegressor", "FusionSurvival", "SliceDict"]
