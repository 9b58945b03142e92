"""A search as an estimator of scikit-learn, scored by nested cross-validation beside a linear model. Half a minute on 2 cores.

The score of the best of many designs is too good: it was chosen by it. Here each outer fold searches afresh on its training rows, and
what was picked is scored on rows that no search has seen. Rows of one group (a patient with several visits) stay together.
"""

import sys

import numpy as np
from sklearn import set_config
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fusearch as fs


def two_visits_each(patients: int, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Return two tables of two visits a patient, whether the patient fell ill, and who it is: only the product of the tables tells."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(patients, 2))
    ill = np.where(hidden.prod(axis=1) > 0, "ill", "well")
    views = {name: np.repeat(hidden[:, [place]], 2, axis=0) for place, name in enumerate(("blood", "gait"))}
    return (
        {name: view + 0.2 * rng.normal(size=(len(view), 3)) for name, view in views.items()},
        ill.repeat(2),
        np.arange(patients).repeat(2),
    )


if __name__ == "__main__":
    X, y, patient = two_visits_each(int(sys.argv[1]) if len(sys.argv) > 1 else 80)
    set_config(enable_metadata_routing=True)  # so that `groups` reaches the inner search too
    outer = GroupKFold(2)

    model = fs.FusionClassifier(trials=10, epochs=15, folds=2, space={"operators": ["cat", "product"], "max_fusions": 1})
    model.set_fit_request(groups=True).set_score_request(sample_weight=False)
    searched = cross_val_score(model, fs.SliceDict(X), y, cv=outer, params={"groups": patient})

    linear = make_pipeline(StandardScaler(), LogisticRegression())
    plain = cross_val_score(linear, np.hstack(list(X.values())), y, cv=outer, params={"groups": patient})

    print(f"searched: accuracy {searched.mean():.2f} {searched.round(2).tolist()}")
    print(f"linear:   accuracy {plain.mean():.2f} {plain.round(2).tolist()}")
    print("a design that is picked on all rows:", model.fit(X, y, groups=patient).formula_, sep="\n")
