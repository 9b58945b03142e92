"""How the columns of tables are scaled, and what it is worth: a linear model on the columns as fusearch scales them, and otherwise.

    python examples/prepare_shared_data.py $FUSEARCH_SHARED_DATA data
    python benchmarks/scaling.py data/proctor/proctor.yaml data/rosmap/rosmap.yaml wisconsin [--seeds 5] [--json]

For each seed 30 % of the samples are held out as in `peers.py`, by group where there are groups. Logistic regression on all columns, its
penalty by five folds of the others. Printed: AUROC (one against the rest, macro) of the held-out rows, the mean over seeds. `fusearch` is
the preprocessing that a search fits: quartiles and a soft bound (decision 0117).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from peers import groups_of, problems, tables
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from fusearch.data import Dataset, load_data


def by_fusearch(data: Dataset, rows: np.ndarray) -> np.ndarray:
    """Return all columns as networks read them."""
    inputs, _ = data.fit_preprocessor(rows).transform(data, np.arange(len(data)))
    return np.hstack([*inputs.values()])


def by_scikit_learn(scaler: Any) -> Callable[[Dataset, np.ndarray], np.ndarray]:
    """Return all columns with the median where one is missing, scaled by a transformer of scikit-learn."""

    def scaled(data: Dataset, rows: np.ndarray) -> np.ndarray:
        values = np.hstack([*tables(data).values()])
        steps = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), scaler)
        return np.asarray(steps.fit(values[rows]).transform(values))

    return scaled


SCALINGS: dict[str, Callable[[Dataset, np.ndarray], np.ndarray]] = {
    "fusearch": by_fusearch,
    "mean and deviation": by_scikit_learn(StandardScaler()),
    "normal quantiles": by_scikit_learn(QuantileTransformer(n_quantiles=100, output_distribution="normal")),
}


def measure(data: Dataset, seeds: int) -> Iterator[dict[str, Any]]:
    """Give AUROC by scaling and seed."""
    targets, groups = data.targets, groups_of(data)
    for seed, train, test in problems(data, seeds):
        folds = [*StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(train, targets[train], groups[train])]
        for name, scaled in SCALINGS.items():
            values = scaled(data, train)
            model = LogisticRegression(max_iter=2000, class_weight="balanced")
            found = GridSearchCV(model, {"C": np.logspace(-4, 1, 6)}, cv=folds, scoring="roc_auc_ovr").fit(values[train], targets[train])
            said = found.predict_proba(values[test])
            score = roc_auc_score(targets[test], said[:, 1] if said.shape[1] == 2 else said, multi_class="ovr")
            yield {"set": data.name, "seed": seed, "scaling": name, "auroc": float(score)}
        print(f"{data.name}: seed {seed}", file=sys.stderr, flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=["wisconsin"], help="manifests, or names of embedded sets; classification of tables")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows = [row for source in options.sets for row in measure(load_data(source), options.seeds)]
    if options.json:
        print(json.dumps(rows))
        return
    for name in dict.fromkeys(row["set"] for row in rows):
        for scaling in SCALINGS:
            mine = [row["auroc"] for row in rows if (row["set"], row["scaling"]) == (name, scaling)]
            print(f"{name:<12} {scaling:<20} {np.mean(mine):.3f} ({min(mine):.3f} to {max(mine):.3f})")


if __name__ == "__main__":
    main()
