"""Search and best network as estimators of scikit-learn."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, check_is_fitted, column_or_1d, validate_data

from fusearch.data import Dataset
from fusearch.data.assembly.memory import common_index
from fusearch.errors import DataError, EstimatorError, RunError
from fusearch.inference.picked import read_pick
from fusearch.run import Run

__all__ = ["FusionClassifier", "FusionRegressor", "FusionSurvival"]

Array = npt.NDArray[Any]


class _FusionEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What the estimators share: a search over fusion designs, then the picked one trained on all rows.

    Args:
        objectives: What is optimized, such as `["auroc", "macs<=1e6"]`. None: the task's headline metric, and MACs.
        pick: The design that is kept: `simplest`, `knee`, `best:METRIC` or a digest, as for `Run.pick`; or `team`, which is the
            simplest one alone where no second design makes it better.
        trials: Designs to evaluate at most.
        time_limit: Seconds after which no new evaluation starts. None: no limit.
        epochs: Most epochs of one training.
        folds: Folds inside the rows that `fit` is given.
        seeds: Networks of the picked design whose outputs are averaged.
        kinds: Modality -> kind, where arrays do not tell: see `Dataset.from_arrays`.
        categorical: Modality -> columns of a data frame that hold levels; those of pandas' dtype `category` do anyway.
        space: Arguments of `SearchSpace`, such as `{"operators": ["cat", "mmtm"], "max_fusions": 1}`.
        search: Settings of the search, such as `{"executor": "ray", "workers": 2}`; by default it runs in this process.
        device: Where networks are trained: `cpu`, `cuda`, ...; `auto` as for `TrainingEvaluator`.
        out: Folder in which each `fit` leaves a run folder of its own. None: nothing is kept.
        random_state: Seed of the search.
    """

    _task: ClassVar[str]

    def __init__(
        self,
        *,
        objectives: Sequence[str] | None = None,
        pick: str = "simplest",
        trials: int = 30,
        time_limit: float | None = 60.0,
        epochs: int = 30,
        folds: int = 3,
        seeds: int = 1,
        kinds: Mapping[str, str] | None = None,
        categorical: Mapping[str, Sequence[str]] | None = None,
        space: Mapping[str, Any] | None = None,
        search: Mapping[str, Any] | None = None,
        device: str = "auto",
        out: str | Path | None = None,
        random_state: int = 0,
    ) -> None:
        self.objectives = objectives
        self.pick = pick
        self.trials = trials
        self.time_limit = time_limit
        self.epochs = epochs
        self.folds = folds
        self.seeds = seeds
        self.kinds = kinds
        self.categorical = categorical
        self.space = space
        self.search = search
        self.device = device
        self.out = out
        self.random_state = random_state

    def _fit(self, X: Any, targets: Any, groups: Any, labels: Sequence[str] | None = None) -> None:
        if self.folds < 2:
            raise EstimatorError(f"folds is {self.folds}, expected at least 2: designs are compared over the folds of what `fit` is given")
        samples = self._samples(X, fitted=False)
        with _as_value_errors():
            data = Dataset.from_arrays(
                "X",
                modalities=samples,
                targets=targets,
                task=self._task,
                target_name="y",
                kinds=self.kinds,
                categorical=self.categorical,
                groups=groups,
                labels=labels,
                folds=self.folds,
                fractions=(1.0, 0.0, 0.0),
                seed=self.random_state,
            )
        if self.out is None:
            with tempfile.TemporaryDirectory(prefix="fusearch-") as folder:
                self._search(data, Path(folder) / "run")
        else:
            Path(self.out).mkdir(parents=True, exist_ok=True)
            self.run_path_ = Path(tempfile.mkdtemp(prefix="fit-", dir=self.out)) / "run"
            self._search(data, self.run_path_)
        self.schema_ = data.without_samples()
        self.modality_names_in_ = list(samples)

    def _samples(self, X: Any, *, fitted: bool) -> dict[str, Any]:
        """Return modality -> values; a single table is the modality `x`, and scikit-learn looks whether it is one."""
        if isinstance(X, Mapping) and not issparse(X):  # a sparse array by keys is both
            return {str(name): X[name] for name in X if not (fitted and X[name] is None)}
        options = {"ensure_all_finite": "allow-nan", "ensure_min_samples": 1 if fitted else 2, "skip_check_array": hasattr(X, "iloc")}
        return {"x": validate_data(self, X, reset=not fitted, **options)}

    def _refuse_other_order(self, X: Any, y: Any) -> None:
        """Refuse frames and series whose indexes differ, as `fit` does: they would be joined by position."""
        with _as_value_errors():
            common_index({**self._samples(X, fitted=True), "target 'y'": y}, "X")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _search(self, data: Dataset, out: Path) -> None:
        from fusearch.evaluators import TrainingEvaluator
        from fusearch.evaluators.export.fitted import fit_picked
        from fusearch.reports import trials_frame
        from fusearch.search import run_search
        from fusearch.search_space import SearchSpace

        settings = {
            "executor": "inline",
            "trials": self.trials,
            "time_limit": self.time_limit,
            "seed": self.random_state,
        }
        run = run_search(
            SearchSpace(data.modalities, **(self.space or {})),
            TrainingEvaluator(data, folds=self.folds, epochs=self.epochs, device=self.device),
            self.objectives or (data.task.headline, "macs"),
            out=out,
            **{**settings, **(self.search or {})},
        )
        self.trials_ = trials_frame(run)
        trials = run.read()
        try:
            picked = read_pick(trials, self.pick)
        except RunError:
            if self.pick != "team":
                raise
            picked = read_pick(trials, "simplest")  # no second design makes the best one better
        self.formula_ = picked.formula
        self.model_ = fit_picked(run, picked, data, seeds=self.seeds, device=self.device).model

    def _outputs(self, X: Any) -> npt.NDArray[np.float64]:
        """Return what the network says of each sample, (N, outputs)."""
        check_is_fitted(self, "model_")
        from fusearch.evaluators.export.deployed import predict_raw

        with _as_value_errors():
            raw = self.schema_.encode(self._samples(X, fitted=True))
        if not len(next(iter(raw.values()))):
            raise EstimatorError("samples of no row, expected one at least")
        return predict_raw(self.model_, raw)

    @property
    def run_(self) -> Run:
        """The run of `fit`, where `out` says that it is kept."""
        check_is_fitted(self, "model_")
        if self.out is None:
            raise RunError("the run was not kept: give the estimator a folder as `out`")
        return Run(self.run_path_)


class _ScoredInOrder:
    """Scores as the mixin behind it does, where the rows of `X` and `y` are in one order."""

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the score of scikit-learn: the share of right classes, or the coefficient of determination."""
        self._refuse_other_order(X, y)  # type: ignore[attr-defined]
        return float(super().score(X, y, sample_weight))  # type: ignore[misc]


class FusionClassifier(_ScoredInOrder, ClassifierMixin, _FusionEstimator):  # type: ignore[misc]
    """Classification: `fit` searches fusion designs and trains the picked one on all rows.

    `X` is a mapping from modality to values, row by row: arrays or data frames as for `Dataset.from_arrays`. Where scikit-learn takes rows
    of `X` (`cross_val_score`, `GridSearchCV`), wrap it in `fs.SliceDict`: nested cross-validation then searches afresh on each outer fold.
    A single table may be given as it is.

    Attributes:
        classes_: The classes, in the order of the columns of `predict_proba`.
        formula_: The picked design.
        trials_: Every design that was evaluated, as a data frame.
        model_: The trained network with its preprocessing, a `torch.nn.Module`.
        run_: The run, where `out` keeps it.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> y = np.repeat(["healthy", "sick"], 30)
        >>> labs, ecg = rng.normal(size=(60, 3)) + (y == "sick")[:, None], rng.normal(size=(60, 8, 1))
        >>> model = FusionClassifier(trials=4, epochs=10, folds=2).fit({"labs": labs, "ecg": ecg}, y)
        >>> model.predict_proba({"labs": labs, "ecg": ecg}).shape, model.score({"labs": labs, "ecg": ecg}, y) > 0.6
        ((60, 2), True)
    """

    _task: ClassVar[str] = "classification"

    def fit(self, X: Any, y: Any, groups: Any = None) -> FusionClassifier:
        """Search, and train the picked design on all rows.

        Args:
            X: Modality -> values of each sample; NaN where a value is missing.
            y: Class of each sample, (N,).
            groups: Group of each sample; rows of one group never stand on two sides.

        Raises:
            EstimatorError: Row counts that differ, fewer than two classes, or values that do not fit their kind.
        """
        given = column_or_1d(y, warn=True)
        if given.dtype.kind == "f":
            assert_all_finite(given, input_name="y")
        if pd.isna(given).any():
            raise EstimatorError(f"y has no class in row {int(pd.isna(given).argmax()) + 1}, expected one of each sample")
        check_classification_targets(given)
        self.classes_, codes = np.unique(given, return_inverse=True)
        names = [str(code) for code in range(len(self.classes_))]
        self._fit(X, _with_index(y, [names[code] for code in codes]), groups, labels=names)
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the probability of each class, (N, classes)."""
        said = self._outputs(X)
        return np.hstack([1 - said, said]) if said.shape[1] == 1 else said

    def predict(self, X: Any) -> Array:
        """Return the most probable class of each sample, (N,)."""
        codes = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[codes])


class FusionRegressor(_ScoredInOrder, RegressorMixin, _FusionEstimator):  # type: ignore[misc]
    """Regression: `fit` searches fusion designs and trains the picked one on all rows. `X` as for `FusionClassifier`.

    Attributes:
        formula_: The picked design.
        trials_: Every design that was evaluated, as a data frame.
        model_: The trained network with its preprocessing, a `torch.nn.Module`.
        run_: The run, where `out` keeps it.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> X = {"a": rng.normal(size=(60, 2)), "b": rng.normal(size=(60, 3))}
        >>> y = X["a"][:, 0] + X["b"][:, 0]
        >>> FusionRegressor(trials=4, epochs=10, folds=2).fit(X, y).predict(X).shape
        (60,)
    """

    _task: ClassVar[str] = "regression"

    def fit(self, X: Any, y: Any, groups: Any = None) -> FusionRegressor:
        """Search, and train the picked design on all rows.

        Args:
            X: Modality -> values of each sample; NaN where a value is missing.
            y: Number of each sample, (N,).
            groups: Group of each sample; rows of one group never stand on two sides.

        Raises:
            EstimatorError: Row counts that differ, or values that do not fit their kind.
        """
        values = column_or_1d(y, warn=True)
        assert_all_finite(values, input_name="y")
        self._fit(X, _with_index(y, values), groups)
        return self

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the prediction of each sample, (N,)."""
        return self._outputs(X)[:, 0]


class FusionSurvival(_FusionEstimator):
    """Survival by proportional hazards: `fit` searches fusion designs and trains the picked one on all rows. `X` as for `FusionClassifier`.

    Attributes:
        event_times_: Times at which `predict_survival` tells survival.
        formula_: The picked design.
        trials_: Every design that was evaluated, as a data frame.
        model_: The trained network with its preprocessing, a `torch.nn.Module`.
        run_: The run, where `out` keeps it.

    Example:
        >>> model = FusionSurvival(trials=10)
        >>> y = np.array([(True, 3.0), (False, 9.5)], dtype=[("event", bool), ("time", float)])  # as scikit-survival has it
    """

    _task: ClassVar[str] = "survival"

    def fit(self, X: Any, y: Any, groups: Any = None) -> FusionSurvival:
        """Search, and train the picked design on all rows.

        Args:
            X: Modality -> values of each sample; NaN where a value is missing.
            y: Structured array (N,) of two fields, as scikit-survival has it: whether the event happened, and when, or the last look.
            groups: Group of each sample; rows of one group never stand on two sides.

        Raises:
            EstimatorError: Targets without two fields, row counts that differ, or values that do not fit their kind.
        """
        happened, time = _events(y)
        self._fit(X, {"time": time, "event": happened.astype(int)}, groups)
        self.event_times_ = self.schema_.task.times  # type: ignore[attr-defined]
        return self

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the risk of each sample, (N,): higher, sooner."""
        return self._outputs(X)[:, 0]

    def predict_survival(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the probability of no event until each of `event_times_`, (N, times)."""
        return self._outputs(X)[:, 1:]

    def score(self, X: Any, y: Any) -> float:
        """Return the concordance index of the risks."""
        self._refuse_other_order(X, y)
        happened, time = _events(y)
        said = self._outputs(X)
        return self.schema_.task.metric("concordance")(np.stack([time, happened], axis=1), said)


@contextmanager
def _as_value_errors() -> Iterator[None]:
    """Raise what data are refused for as scikit-learn expects it."""
    try:
        yield
    except DataError as error:
        raise EstimatorError("; ".join(error.faults)) from None


def _with_index(y: Any, values: Any) -> Any:
    """Return values with the index of `y`, where it has one: rows are joined by it, not by position."""
    if not hasattr(y, "index") or callable(y.index):
        return values
    return pd.Series(values, index=y.index)


def _events(y: Any) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    names = getattr(getattr(y, "dtype", None), "names", None)
    if names is None or len(names) != 2:
        raise EstimatorError(
            "y is no structured array of two fields, expected event and time of each sample, as `sksurv.util.Surv` makes them"
        )
    if y.dtype[0].kind != "b" or y.dtype[1].kind not in "fiu":
        told = ", ".join(f"{name} ({y.dtype[name]})" for name in names)
        raise EstimatorError(f"y has the fields {told}, expected first whether the event happened (bool), then its time (a number)")
    return y[names[0]].astype(bool), y[names[1]].astype(float)
