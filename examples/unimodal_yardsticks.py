"""Print what each modality is worth alone, and all of them together, to a linear model and to a kernel machine.

    python examples/unimodal_yardsticks.py digits

Balanced accuracy (r2 for regression) on the validation rows of each fold, mean and standard deviation; the test split is not touched.
"""

import sys

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import balanced_accuracy_score, r2_score
from sklearn.svm import SVC, SVR

from fusearch.data import load_data


def scores(source: str) -> dict[str, dict[str, np.ndarray]]:
    """Return the score of each set of modalities and each model on each fold."""
    data = load_data(source).without_test()
    regression = data.task.kind == "regression"
    measure = r2_score if regression else balanced_accuracy_score
    models = (
        {"linear": Ridge(10.0), "kernel": SVR()}
        if regression
        else {"linear": LogisticRegression(C=0.1, max_iter=2000, class_weight="balanced"), "kernel": SVC(class_weight="balanced")}
    )
    names = [modality.name for modality in data.modalities]
    found: dict[str, dict[str, list[float]]] = {key: {model: [] for model in models} for key in (*names, "all")}
    for fold in data.folds(5):
        preprocessor = data.fit_preprocessor(fold.train)
        train, val = (
            {name: values.reshape(len(rows), -1) for name, values in preprocessor.transform(data, rows)[0].items()}
            for rows in (fold.train, fold.val)
        )
        for views in (train, val):
            views["all"] = np.hstack(list(views.values()))
        for key, entry in found.items():
            for model, values in entry.items():
                predicted = models[model].fit(train[key], data.targets[fold.train]).predict(val[key])
                values.append(float(measure(data.targets[fold.val], predicted)))
    return {key: {model: np.array(values) for model, values in entry.items()} for key, entry in found.items()}


if __name__ == "__main__":
    for key, entry in scores(sys.argv[1] if len(sys.argv) > 1 else "digits").items():
        print(f"{key:12}", *(f"{model} {values.mean():.3f} ± {values.std():.3f}" for model, values in entry.items()), sep="  ")
