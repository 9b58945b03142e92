from __future__ import annotations

from fusearch.inference import Correction
from fusearch.reports.findings.predicted import DesignPredictions, Predicted
from fusearch.reports.findings.taken_classes import decision_sentence

DECIDED = {"sensitivity": 0.62, "balanced_accuracy": 0.71}


MEANS = "Means over folds: sensitivity 0.620, balanced accuracy 0.710."


def told(labels: tuple[str, ...], correction: Correction | None) -> str:
    design = DesignPredictions(3, "graph", "trial 3", correction=correction, decided=DECIDED)
    return decision_sentence(Predicted(labels, 100, (design,)), design)


def test_without_a_correction_the_most_probable_class_is_taken() -> None:
    assert told(("well", "sick"), None) == f"Taken for the most probable class. {MEANS}"


def test_of_two_classes_the_threshold_is_told_of_more_the_weights() -> None:
    two = told(("well", "sick"), Correction("f1_macro", 0.5, (0.4, 1.6), 0.2, 0.48, 0.65))
    fitted = "fitted for macro F1, which that brings from 0.480 to 0.650 on rows that it was not fitted on"
    assert two == f"Taken for sick from a probability of 0.200 on, {fitted}. {MEANS}"
    three = told(("a", "b", "c"), Correction("f1_macro", 0.5, (0.5, 1.0, 1.5), None, 0.48, 0.65))
    assert three.startswith(f"Taken for the class with the largest probability times a weight (a 0.500, b 1.000, c 1.500), {fitted}. ")
