"""Your own metric and data set in one file: screening, where few healthy people may be alarmed, as an objective of the search.

Run it as it is, or on the command line: `fusearch --plugin examples/06_own_metric_and_data.py search two_markers -o found_at_95 ...`
"""

import sys

import numpy as np

import fusearch as fs
from fusearch.data import data_set
from fusearch.metrics import metric


@metric("found_at_95", direction="maximize", kinds="classification")
def found_at_95(targets: np.ndarray, probabilities: np.ndarray) -> float:
    """Share of the last class that is found where 95 % of the other samples are spared; NaN without one of the two."""
    ill, score = targets == probabilities.shape[1] - 1, probabilities[:, -1]
    if ill.all() or not ill.any():
        return float("nan")
    return float(np.mean(score[ill] > np.quantile(score[~ill], 0.95)))


@data_set("two_markers", summary="200 people, half of them ill: the product of two hidden markers decides, and each modality sees one")
def two_markers() -> fs.Dataset:
    rng = np.random.default_rng(0)
    markers = rng.normal(size=(200, 2))
    views = {name: marker[:, None] + 0.3 * rng.normal(size=(200, 4)) for name, marker in zip(("blood", "urine"), markers.T, strict=True)}
    views["urine"][rng.random(200) < 0.1] = np.nan  # every tenth sample was lost: an absent modality
    state = np.where(markers.prod(axis=1) > 0, "ill", "healthy")
    return fs.Dataset.from_arrays("two_markers", modalities=views, targets=state, labels=["healthy", "ill"], source="two_markers")


if __name__ == "__main__":
    out = sys.argv[1] if len(sys.argv) > 1 else "runs/own_metric"
    data = fs.load_data("two_markers")
    space = fs.SearchSpace(data.modalities, operators=["cat", "product", "low_rank"], max_fusions=1)
    evaluator = fs.TrainingEvaluator(data, folds=2, epochs=20)
    run = fs.run_search(space, evaluator, objectives=["found_at_95", "macs"], trials=15, executor="inline", out=out)
    for record in run.front():
        print(record.objectives, record.formula, sep="\n")
