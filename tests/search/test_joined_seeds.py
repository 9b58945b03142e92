"""What is known of a design over several seeds."""

import numpy as np
import pytest

from fusearch.errors import EvaluationError
from fusearch.layout import PREDICTIONS, predictions_file
from fusearch.search.joined_seeds import join_arrays, join_facts, next_seed, read_arrays
from fusearch.search.run_folder import save_predictions
from fusearch.study import TrialFacts


def facts(seed, scores, **values):
    members = [
        {"fold": fold, "seed": seed, "metrics": {"score": value}, "epochs": {"fusion": 10 * (seed + 1) + fold}}
        for fold, value in enumerate(scores)
    ]
    known = [value for value in scores if value is not None]
    details = {"members": members, "worker": seed, "best_epochs": {"fusion": 11}, "undefined": ["other"]}
    return TrialFacts(budget={"seed": seed}, values={"score": sum(known) / len(known), **values}, spread={"score": 9.0}, details=details)


def test_metrics_are_the_mean_over_all_members_and_costs_stay():
    held = facts(0, [0.4, 0.6], macs=1e9 / 3, train_seconds=2.0)
    joined = join_facts(held, facts(1, [0.9, 0.5], macs=1e9 / 3, train_seconds=4.0), 1)
    assert joined.values == {"score": pytest.approx(0.6), "macs": 1e9 / 3, "train_seconds": 3.0}
    assert joined.spread == {"score": pytest.approx(np.std([0.4, 0.6, 0.9, 0.5], ddof=1))}
    again = join_facts(joined, facts(2, [0.0, 0.0], macs=1e9 / 3, train_seconds=0.0), 2)
    assert again.values == {"score": pytest.approx(0.4), "macs": 1e9 / 3, "train_seconds": 2.0}, "each member counts once"
    assert [(member["seed"], member["fold"]) for member in again.details["members"]] == [(s, f) for s in range(3) for f in range(2)]
    assert again.details["best_epochs"] == {"fusion": 21}, "the median of 10, 11, 20, 21, 30, 31, rounded up"
    assert (again.details["worker"], again.budget) == (2, {"seed": 2})
    assert next_seed(again) == 3


def test_a_fold_where_a_metric_is_undefined_has_no_say():
    joined = join_facts(facts(0, [0.4, None]), facts(1, [0.8, None], other=0.5), 1)
    assert joined.values == {"score": pytest.approx(0.6), "other": 0.5}
    assert joined.details["undefined"] == []


@pytest.mark.parametrize("told", [facts(0, [0.4, 0.6]), facts(1, [0.4]), TrialFacts(details={"members": 2}), TrialFacts()])
def test_an_evaluator_that_trained_something_else_is_told_so(told):
    with pytest.raises(EvaluationError, match=r"asked for seed 1 of 2 folds \(Budget.seed\), and told of other members"):
        join_facts(facts(0, [0.4, 0.6]), told, 1)


def arrays(seed, epochs=3, rows=4):
    losses = np.full((2, 1, epochs, 2), float(seed), np.float32)
    return {"rows": np.arange(rows), "seed": np.full(rows, seed), "probabilities": np.full((rows, 2), 0.1 * seed), "losses": losses}


def test_predictions_and_losses_stand_one_below_the_other():
    joined = join_arrays(arrays(0), arrays(1, epochs=5), members=2, seed=1)
    assert joined["rows"].tolist() == [0, 1, 2, 3] * 2
    assert joined["seed"].tolist() == [0] * 4 + [1] * 4
    np.testing.assert_array_equal(joined["probabilities"][:, 0], [0.0] * 4 + [0.1] * 4)
    assert joined["losses"].shape == (4, 1, 5, 2)
    assert np.isnan(joined["losses"][:2, :, 3:]).all()
    assert (joined["losses"][2:] == 1.0).all()


def test_what_a_killed_driver_has_joined_already_is_joined_once():
    once = join_arrays(arrays(0), arrays(1), members=2, seed=1)
    twice = join_arrays(once, arrays(1), members=2, seed=1)
    assert once.keys() == twice.keys()
    for name, values in once.items():
        np.testing.assert_array_equal(values, twice[name])


def test_arrays_of_someone_else_stay_as_they_are():
    held = {"weights": np.arange(3)}
    assert join_arrays(held, {"weights": np.arange(4)}, members=1, seed=1) == held
    assert join_arrays({}, arrays(1), members=2, seed=1) == {}


def test_arrays_are_read_as_they_were_saved_and_none_where_there_are_none(tmp_path):
    (tmp_path / PREDICTIONS).mkdir()
    save_predictions(tmp_path, "abc", arrays(0))
    np.testing.assert_array_equal(read_arrays(tmp_path, "abc")["seed"], [0] * 4)
    assert read_arrays(tmp_path, "def") == {}
    predictions_file(tmp_path, "abc").write_bytes(b"PK\x03\x04 torn")
    assert read_arrays(tmp_path, "abc") == {}
