"""What people would use instead of fusearch, each behind the same door: tables by modality in, probabilities of classes out.

    python benchmarks/peer_methods/methods.py METHOD problem.npz answer.npz --seconds 60 --seed 0

`problem.npz` holds `train.NAME` and `test.NAME` (rows, columns; NaN where a value is missing) for each modality, `target`, the class of
each training row, 0 to K - 1, and `groups`, the group of each: rows of one group are never on both sides. `answer.npz` gets
`probabilities` (test rows, K), and `told`, JSON: `seconds` to fit and to predict, and `parameters` where the method counts them. Imports
are not counted. A method imports only its own packages, so that each may have an environment of its own (`benchmarks/peers.py --install`).
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

PARTS = ("train", "test")


@dataclass(frozen=True)
class Problem:
    """Tables by modality.

    Attributes:
        train: Modality -> (rows, columns).
        test: The same of other rows.
        target: Classes of the training rows, (rows,).
        groups: Their groups, (rows,).
        seconds: Time to fit.
        seed: Seed of the method.
    """

    train: dict[str, np.ndarray]
    test: dict[str, np.ndarray]
    target: np.ndarray
    groups: np.ndarray
    seconds: float
    seed: int

    def joined(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the columns of all modalities side by side, of training and test rows."""
        return np.hstack([*self.train.values()]), np.hstack([*self.test.values()])

    def folds(self, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return rows to fit and rows held out of each fold of the training rows, stratified by class; no group on both sides."""
        from sklearn.model_selection import StratifiedGroupKFold

        return [*StratifiedGroupKFold(count, shuffle=True, random_state=self.seed).split(self.target, self.target, self.groups)]


#: A fitted method: what gives the probabilities of the test rows, and the number of its parameters where it is counted.
Fitted = tuple[Callable[[], np.ndarray], int | None]


def fusearch(problem: Problem, **options: Any) -> Fitted:
    """Search with the defaults of the estimator until the time is up, and train the simplest good design."""
    import fusearch as fs

    # Some of the time is for training the pick on all rows.
    model = fs.FusionClassifier(trials=100_000, time_limit=0.85 * problem.seconds, random_state=problem.seed, **options)
    model.fit(problem.train, problem.target, groups=problem.groups)
    return lambda: model.predict_proba(problem.test), sum(each.numel() for each in model.model_.parameters())


def fusearch_team(problem: Problem) -> Fitted:
    """The same, with a few designs that predict together where that is better."""
    return fusearch(problem, pick="team")


def fusearch_random(problem: Problem) -> Fitted:
    """Random draws from the same space in the place of the sampler."""
    return fusearch(problem, search={"sampler": "random"})


def optuna_concatenation(problem: Problem) -> Fitted:
    """What one writes in an afternoon: Optuna over a multilayer perceptron on all columns side by side, by AUROC in three folds."""
    import optuna
    from sklearn.model_selection import cross_val_score
    from sklearn.neural_network import MLPClassifier

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    train, test = problem.joined()
    folds = problem.folds(3)

    def build(parameters: dict[str, Any]) -> Any:
        layers = (parameters["width"],) * parameters["depth"]
        chosen = {name: value for name, value in parameters.items() if name not in ("width", "depth")}
        return _prepared(MLPClassifier(layers, early_stopping=True, max_iter=200, random_state=problem.seed, **chosen))

    def objective(trial: optuna.Trial) -> float:
        parameters = {
            "width": trial.suggest_int("width", 8, 256, log=True),
            "depth": trial.suggest_int("depth", 1, 3),
            "alpha": trial.suggest_float("alpha", 1e-6, 1.0, log=True),
            "learning_rate_init": trial.suggest_float("learning_rate_init", 1e-4, 1e-1, log=True),
            "batch_size": trial.suggest_categorical("batch_size", [16, 32, 64]),
        }
        return float(cross_val_score(build(parameters), train, problem.target, cv=folds, scoring="roc_auc_ovr").mean())

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=problem.seed))
    study.optimize(objective, timeout=0.95 * problem.seconds)
    model = build(study.best_params).fit(train, problem.target)
    network = model[-1]
    return lambda: model.predict_proba(test), sum(each.size for each in (*network.coefs_, *network.intercepts_))


def tuned_linear(problem: Problem) -> Fitted:
    """Logistic regression on all columns side by side, its penalty by five folds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    train, test = problem.joined()
    model = GridSearchCV(
        _prepared(LogisticRegression(max_iter=5000, class_weight="balanced")),
        {"logisticregression__C": np.logspace(-4, 2, 13)},
        cv=problem.folds(5),
        scoring="roc_auc_ovr",
    ).fit(train, problem.target)
    linear = model.best_estimator_[-1]
    return lambda: model.predict_proba(test), linear.coef_.size + linear.intercept_.size


def stacking(problem: Problem) -> Fitted:
    """Late fusion by scikit-learn: a linear model and a forest on each modality, stacked by a linear model."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import RandomForestClassifier, StackingClassifier
    from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
    from sklearn.pipeline import make_pipeline

    train, test = problem.joined()
    ends = np.cumsum([values.shape[1] for values in problem.train.values()])
    members = []
    for name, end in zip(problem.train, ends, strict=True):
        columns = list(range(end - problem.train[name].shape[1], end))
        linear = LogisticRegressionCV(Cs=7, cv=3, max_iter=5000, class_weight="balanced", use_legacy_attributes=False, l1_ratios=(0,))
        for kind, model in (("linear", linear), ("forest", RandomForestClassifier(300, random_state=problem.seed))):
            members.append((f"{name} {kind}", make_pipeline(ColumnTransformer([("own", "passthrough", columns)]), _prepared(model))))
    model = StackingClassifier(members, LogisticRegression(class_weight="balanced"), cv=problem.folds(5)).fit(train, problem.target)
    return lambda: model.predict_proba(test), None


def autogluon_tabular(problem: Problem) -> Fitted:
    """AutoGluon-Tabular on all columns side by side, until the time is up; where rows have groups, a fifth is held out by group."""
    import tempfile

    import pandas as pd
    from autogluon.tabular import TabularPredictor

    train, test = (pd.DataFrame(values).add_prefix("c") for values in problem.joined())
    metric = "roc_auc" if len(np.unique(problem.target)) == 2 else "roc_auc_ovr_macro"
    predictor = TabularPredictor("target", eval_metric=metric, path=tempfile.mkdtemp(), verbosity=0)
    rows, held = train.assign(target=problem.target), None
    if len(np.unique(problem.groups)) < len(rows):
        first, last = problem.folds(5)[0]
        rows, held = rows.iloc[first], rows.iloc[last]
    predictor.fit(rows, tuning_data=held, time_limit=problem.seconds)
    return lambda: predictor.predict_proba(test).to_numpy(), None


def tabm(problem: Problem) -> Fitted:
    """TabM on all columns side by side, early stopped on a fifth of the rows; its published defaults."""
    import torch
    from tabm import TabM

    torch.manual_seed(problem.seed)
    train, test = problem.joined()
    first, held = problem.folds(5)[0]
    scale = _prepared().fit(train[first])
    values, unseen = (torch.as_tensor(scale.transform(part), dtype=torch.float32) for part in (train, test))
    target, num_classes = torch.as_tensor(problem.target), len(np.unique(problem.target))
    model = TabM.make(n_num_features=values.shape[1], cat_cardinalities=[], d_out=num_classes)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=3e-4)
    best, kept, since, ends = np.inf, model.state_dict(), 0, time.monotonic() + problem.seconds
    while since < 16 and time.monotonic() < ends:
        model.train()
        for rows in torch.randperm(len(first)).split(64):
            said = model(values[first][rows])  # (rows, members, classes)
            loss = torch.nn.functional.cross_entropy(said.flatten(0, 1), target[first][rows].repeat_interleave(said.shape[1]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            mean = model(values[held]).softmax(-1).mean(1)
            loss_held = torch.nn.functional.nll_loss(mean.log(), target[held]).item()
        since += 1
        if loss_held < best:
            best, kept, since = loss_held, {name: each.clone() for name, each in model.state_dict().items()}, 0
    model.load_state_dict(kept)

    def predict() -> np.ndarray:
        with torch.no_grad():
            return model(unseen).softmax(-1).mean(1).numpy()

    return predict, sum(each.numel() for each in model.parameters())


def widedeep(problem: Problem) -> Fitted:
    """pytorch-widedeep: a multilayer perceptron on each modality, joined at their ends (its late feature fusion); its defaults."""
    import torch
    from pytorch_widedeep import Trainer
    from pytorch_widedeep.callbacks import EarlyStopping
    from pytorch_widedeep.models import TabMlp, WideDeep

    torch.manual_seed(problem.seed)
    train, test = problem.joined()
    scale = _prepared().fit(train)
    names = [f"c{column}" for column in range(train.shape[1])]
    index = {name: place for place, name in enumerate(names)}
    ends = np.cumsum([values.shape[1] for values in problem.train.values()])
    towers = [
        TabMlp(column_idx=index, continuous_cols=names[end - values.shape[1] : end], mlp_hidden_dims=[64, 32])
        for values, end in zip(problem.train.values(), ends, strict=True)
    ]
    num_classes = len(np.unique(problem.target))
    model = WideDeep(deeptabular=towers, pred_dim=1 if num_classes == 2 else num_classes)
    trainer = Trainer(
        model, "binary" if num_classes == 2 else "multiclass", callbacks=[EarlyStopping(patience=10)], verbose=0, seed=problem.seed
    )
    values = scale.transform(train).astype(np.float32)
    trainer.fit(X_tab=[values] * len(towers), target=problem.target, n_epochs=100, batch_size=64, val_split=0.2)
    unseen = scale.transform(test).astype(np.float32)
    return lambda: trainer.predict_proba(X_tab=[unseen] * len(towers)), sum(each.numel() for each in model.parameters())


def _prepared(*models: Any) -> Any:
    """Return the steps before a model: missing values are the median of the training rows, columns have mean 0 and variance 1."""
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler(), *models)


METHODS: dict[str, Callable[[Problem], Fitted]] = {
    each.__name__: each
    for each in (
        fusearch,
        fusearch_team,
        fusearch_random,
        optuna_concatenation,
        tuned_linear,
        stacking,
        autogluon_tabular,
        tabm,
        widedeep,
    )
}


def main() -> None:
    """Fit one method and write what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("problem")
    parser.add_argument("answer")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with np.load(options.problem) as file:
        target, groups = file["target"], file["groups"]
        tables = {part: {name.removeprefix(f"{part}."): file[name] for name in file if name.startswith(f"{part}.")} for part in PARTS}
    problem = Problem(**tables, target=target, groups=groups, seconds=options.seconds, seed=options.seed)
    started = time.perf_counter()
    predict, parameters = METHODS[options.method](problem)
    fitted = time.perf_counter()
    probabilities = np.asarray(predict(), dtype=np.float64)
    told = {"fit_seconds": fitted - started, "predict_seconds": time.perf_counter() - fitted, "parameters": parameters}
    np.savez(options.answer, probabilities=probabilities, told=json.dumps(told))


if __name__ == "__main__":
    main()
