"""A search beside scikit-survival's ridge Cox regression, on the breast cancer study that scikit-survival ships (GSE7390).

    python benchmarks/survival.py [--trials 24] [--epochs 40] [--workers 2] [--out DIR] [--json]

Both have the same five folds, and all 76 genes and 4 clinical facts. The strength of the ridge is chosen inside each training fold, by
three folds of it. Prints the mean over folds of the concordance of it, of each reference, of the best design, and of the recommended one
after selection.
"""

import argparse
import contextlib
import importlib.util
import json
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold
from sksurv.datasets import load_breast_cancer
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.metrics import concordance_index_censored

from fusearch.data import load_data
from fusearch.evaluators import TrainingEvaluator
from fusearch.inference import answer
from fusearch.run import Run
from fusearch.search import run_search
from fusearch.search_space import SearchSpace

STRENGTHS = (1.0, 10.0, 30.0, 100.0, 300.0, 1000.0)


def prepare(folder: Path) -> Path:
    """Write the study, by the example, and return its manifest."""
    path = Path(__file__).parent.parent / "examples" / "prepare_survival_data.py"
    spec = importlib.util.spec_from_file_location("prepare_survival_data", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with contextlib.redirect_stdout(None):
        return module.main(folder)


def concordance_of(train, held_out, columns, outcome, strength: float) -> float:
    """Fit a ridge on some rows and return its concordance on others."""
    mean, std = columns[train].mean(axis=0), columns[train].std(axis=0)
    scaled = (columns - mean) / np.where(std > 0, std, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = CoxPHSurvivalAnalysis(alpha=strength, n_iter=200).fit(scaled[train], outcome[train])
    event, time = (outcome[name][held_out] for name in outcome.dtype.names)
    return concordance_index_censored(event, time, model.predict(scaled[held_out]))[0]


def ridge(folds) -> float:
    """Return the mean over folds of the concordance of a ridge Cox regression whose strength was chosen inside each."""
    measured, outcome = load_breast_cancer()
    columns = pd.get_dummies(measured).astype(float).to_numpy()
    found = []
    for fold in folds:
        inner = [*StratifiedKFold(3, shuffle=True, random_state=0).split(fold.train, outcome[fold.train][outcome.dtype.names[0]])]

        def chosen(strength, train=fold.train, inner=inner):
            return np.mean([concordance_of(train[ours], train[rest], columns, outcome, strength) for ours, rest in inner])

        found.append(concordance_of(fold.train, fold.val, columns, outcome, max(STRENGTHS, key=chosen)))
    return float(np.mean(found))


def compare(run: Run, folds) -> dict[str, float | None]:
    """Return the concordance of the ridge, of each reference, of the best design, and of the recommended one after selection."""
    trials = run.read()
    told: dict[str, float | None] = {"scikit-survival ridge": ridge(folds)}
    told |= {role: record.values["concordance"] for role, record in trials.references.items()}
    told["best design"] = max(record.values["concordance"] for record in trials.records if record.state == "complete")
    told["recommended, after selection"] = answer(trials).pick.score
    return told


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, help="where to keep the run; left out, nowhere")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = load_data(prepare(Path(folder) / "study"))
        evaluator = TrainingEvaluator(data, epochs=chosen.epochs)
        out = chosen.out or Path(folder) / "run"
        options = {"objectives": ("concordance", "macs"), "trials": chosen.trials, "workers": chosen.workers}
        told = compare(
            run_search(SearchSpace(data.modalities, balances=data.task.balances, solved=data.task.solved), evaluator, out=out, **options),
            data.folds(),
        )
    print(json.dumps(told) if chosen.json else "\n".join(f"{name:30}{value:.4f}" for name, value in told.items()))


if __name__ == "__main__":
    main()
