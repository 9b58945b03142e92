"""Estimators of scikit-learn: small searches on generated data, checked by what scikit-learn does with them."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.utils.estimator_checks import check_estimator

import fusearch as fs
from fusearch.errors import EstimatorError, RunError
from fusearch.layout import JOURNAL

SMALL = {"trials": 2, "epochs": 8, "folds": 2, "time_limit": None, "search": {"reference_share": 0.0}}
RNG = np.random.default_rng(0)
Y = np.repeat(["healthy", "sick"], 30)
X = {
    "labs": pd.DataFrame({"a": RNG.normal(size=60) + 2 * (Y == "sick"), "b": RNG.normal(size=60), "sex": ["f", "m"] * 30}),
    "ecg": RNG.normal(size=(60, 8, 1)),
}
TABLES = {"categorical": {"labs": ["sex"]}}


def small(**changes) -> fs.FusionClassifier:
    return fs.FusionClassifier(**{**SMALL, **TABLES, **changes})


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> fs.FusionClassifier:
    return small(out=tmp_path_factory.mktemp("kept"), trials=4).fit(X, Y)


def test_it_learns_and_tells_what_it_found(fitted: fs.FusionClassifier) -> None:
    assert fitted.classes_.tolist() == ["healthy", "sick"]
    assert fitted.score(X, Y) > 0.75
    assert fitted.predict_proba(X).sum(axis=1) == pytest.approx(1.0)
    assert set(fitted.predict(X)) <= {"healthy", "sick"}
    assert len(fitted.trials_) == len(fitted.run_.records()) == 4
    assert fitted.formula_ in {record.formula for record in fitted.run_.records()}
    assert fitted.modality_names_in_ == ["labs", "ecg"]


def test_new_rows_are_read_as_those_of_the_training(fitted: fs.FusionClassifier) -> None:
    said = fitted.predict_proba(X)
    rows = [41, 3]
    labs = X["labs"].iloc[rows][["sex", "b", "a"]]
    np.testing.assert_allclose(fitted.predict_proba({"ecg": X["ecg"][rows], "labs": labs}), said[rows], atol=1e-6)
    strange = {"labs": labs.assign(sex="x", b=np.nan), "ecg": np.full((2, 8, 1), np.nan)}
    assert np.isfinite(fitted.predict_proba(strange)).all()
    with pytest.raises(EstimatorError, match="no column 'a'"):
        fitted.predict({"labs": labs[["sex", "b"]], "ecg": X["ecg"][rows]})
    with pytest.raises(EstimatorError, match="modality 'egc', did you mean 'ecg'"):
        fitted.predict({"egc": X["ecg"]})


def test_it_travels_without_the_data_it_was_fitted_on(fitted: fs.FusionClassifier) -> None:
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.predict_proba(X), fitted.predict_proba(X))
    assert len(copy.schema_) == 0
    assert all(len(values) == 0 for values in copy.schema_.raw.values())


def test_nested_cross_validation_searches_on_each_outer_fold_and_keeps_groups_together(tmp_path: Path) -> None:
    model = clone(small(out=tmp_path))
    groups = np.arange(60) % 15
    scores = cross_val_score(model, fs.SliceDict(X), Y, groups=groups, cv=GroupKFold(2))
    assert scores.shape == (2,)
    assert np.isfinite(scores).all()
    assert len(list(tmp_path.glob(f"fit-*/run/{JOURNAL}"))) == 2


def test_groups_reach_the_search_by_metadata_routing() -> None:
    asked = []

    class Asking(fs.FusionClassifier):
        def fit(self, X, y, groups=None):
            asked.append(len(groups))
            return super().fit(X, y, groups)

    with config_context(enable_metadata_routing=True):
        model = Asking(**SMALL, **TABLES).set_fit_request(groups=True)
        cross_val_score(model, fs.SliceDict(X), Y, params={"groups": np.arange(60) % 15}, cv=GroupKFold(2))
    assert sum(asked) == 60


def test_numbers_and_survival() -> None:
    target = 3 * X["labs"]["a"].to_numpy()
    regressor = fs.FusionRegressor(**SMALL, **TABLES).fit(X, target)
    assert regressor.predict(X).shape == (60,)
    time = RNG.exponential(size=60) + 0.1
    y = np.array(list(zip(np.arange(60) % 3 > 0, time, strict=True)), dtype=[("event", bool), ("time", float)])
    survival = fs.FusionSurvival(**SMALL, **TABLES).fit(X, y)
    assert survival.predict(X).shape == (60,)
    assert survival.predict_survival(X).shape == (60, len(survival.event_times_))
    assert (np.diff(survival.predict_survival(X)) <= 1e-6).all()
    with pytest.raises(EstimatorError, match="y is no structured array of two fields"):
        fs.FusionSurvival().fit(X, time)


def test_concordance_is_the_score_of_survival() -> None:
    pytest.importorskip("sksurv", reason="needs fusearch[survival]")
    risk = X["labs"]["a"].to_numpy()
    y = np.array([(True, 10 - each) for each in risk], dtype=[("event", bool), ("time", float)])
    model = fs.FusionSurvival(**{**SMALL, "epochs": 40}, space={"encoders": ["mlp"]}, **TABLES).fit({"labs": X["labs"]}, y)
    assert model.score({"labs": X["labs"]}, y) > 0.6


def test_rows_of_frames_are_joined_by_their_index() -> None:
    with pytest.raises(EstimatorError, match="rows would be joined wrongly by position"):
        small().fit({"labs": X["labs"]}, pd.Series(Y, index=range(59, -1, -1)))


def test_messages() -> None:
    with pytest.raises(NotFittedError):
        small().predict(X)
    with pytest.raises(EstimatorError, match="folds is 1, expected at least 2"):
        small(folds=1).fit(X, Y)
    with pytest.raises(ValueError, match="Found array with dim 3"):
        small().fit(np.zeros((60, 2, 2)), Y)
    with pytest.raises(EstimatorError, match=r"column 'sex' holds .* or dropped\); .*column 'site' holds"):
        small(categorical=None).fit({**X, "labs": X["labs"].assign(site=["a", "b"] * 30, sex=["f", "m", "m"] * 20)}, Y)
    with pytest.raises(EstimatorError, match="ecg has 59 rows, expected 60"):
        small().fit({**X, "ecg": X["ecg"][:59]}, Y)


def test_scores_join_by_the_index_as_fit_does(fitted: fs.FusionClassifier) -> None:
    turned = {"labs": X["labs"].iloc[::-1]}
    with pytest.raises(EstimatorError, match="rows would be joined wrongly by position"):
        fitted.score({**turned, "ecg": X["ecg"]}, pd.Series(Y))
    with pytest.raises(EstimatorError, match="is in another order than that of groups"):
        small().fit({"labs": X["labs"]}, pd.Series(Y), groups=pd.Series(range(60), index=range(59, -1, -1)))


def test_what_is_no_target_is_told() -> None:
    with pytest.raises(EstimatorError, match="y has no class in row 3"):
        small().fit(X, np.array(["healthy", "sick", np.nan] * 20, dtype=object))
    turned = np.array([(1.0, True)] * 60, dtype=[("time", float), ("event", bool)])
    with pytest.raises(EstimatorError, match="expected first whether the event happened"):
        fs.FusionSurvival(**SMALL, **TABLES).fit(X, turned)


def test_a_modality_that_is_none_is_missing_and_no_row_is_refused(fitted: fs.FusionClassifier) -> None:
    without = fitted.predict_proba({"labs": X["labs"]})
    np.testing.assert_array_equal(fitted.predict_proba({"labs": X["labs"], "ecg": None}), without)
    with pytest.raises(EstimatorError, match="samples of no row"):
        fitted.predict({"labs": X["labs"][:0]})


def test_where_there_is_no_team_the_simplest_design_is_taken() -> None:
    model = small(pick="team", trials=1).fit({"labs": X["labs"]}, Y)
    assert model.predict({"labs": X["labs"]}).shape == (60,)


def test_a_run_that_was_not_kept_is_told() -> None:
    model = small(trials=1).fit({"labs": X["labs"]}, Y)
    with pytest.raises(RunError, match="the run was not kept"):
        _ = model.run_


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [fs.FusionClassifier, fs.FusionRegressor])
def test_the_checks_of_scikit_learn_hold_for_a_single_table(estimator) -> None:
    """All of them, without an exception; they know no mapping of modalities. `docs/scikit_learn.md` names what is skipped."""
    told = check_estimator(estimator(**{**SMALL, "trials": 1, "epochs": 60}), on_skip=None)
    assert {each["check_name"] for each in told if each["status"] != "passed"} <= {"check_array_api_input"}
