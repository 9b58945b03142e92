import numpy as np
import pytest
from planted_runs import TEAMED, planted_trials

from fusearch.contracts import Objective
from fusearch.errors import RunError
from fusearch.inference import answer, team_of
from fusearch.inference.kept import read_kept
from fusearch.inference.resampling import Resampled
from fusearch.inference.team import MOST_MEMBERS, pool_of, team_on_all_rows, teams_of
from fusearch.layout import predictions_file
from fusearch.metrics import METRICS

FUSED, OTHER = "F1 = cat(rna@L, labs@L) ->", "F1 = mean(rna@L, labs@L) ->"


def test_the_pool_has_each_graph_once_the_best_first(tmp_path):
    trials = planted_trials(tmp_path, TEAMED)
    twice = [*trials.feasible, trials.feasible[0]]
    assert pool_of(twice).tolist() == list(range(len(TEAMED)))


def test_a_team_is_grown_by_what_makes_the_mean_best(tmp_path):
    trials = planted_trials(tmp_path, TEAMED, folds=1)
    designs = trials.feasible
    kept = read_kept(tmp_path, designs)
    resampled = Resampled(kept, Objective.parse("auroc"))
    team = team_on_all_rows(resampled, pool_of(designs))

    def auroc(members):
        return METRICS["auroc"](kept.targets, kept.outputs[list(members)].mean(axis=0))

    expected, best = [], -np.inf
    while len(expected) < MOST_MEMBERS:
        value, number = max((auroc([*expected, other]), -other) for other in range(len(designs)) if other not in expected)
        if value <= best:
            break
        expected, best = [*expected, -number], value
    assert list(team) == sorted(expected)
    assert len(team) > 1
    assert designs.index(trials.records[4]) not in team


def test_on_each_draw_it_is_the_team_of_its_rows(tmp_path):
    designs = planted_trials(tmp_path, TEAMED, rows=120, folds=1).feasible
    resampled = Resampled(read_kept(tmp_path, designs), Objective.parse("auroc"))
    teams = teams_of(resampled, pool_of(designs), 6)
    assert len(teams) == 6
    assert len(set(teams)) > 1
    assert teams[3] == teams_of(resampled, pool_of(designs), 4)[3]


def test_different_designs_together_are_better_where_each_errs_alone(tmp_path):
    found = answer(planted_trials(tmp_path, TEAMED, rows=900)).team
    assert len(found.trials) > 1
    assert (found.outcome, len(found.designs), len(found.candidates)) == ("gain", len(found.trials), len(found.trials))
    assert found.cost["macs"] == sum(1000.0 * (number + 1) for number in found.trials)
    assert found.interval[0] < found.difference < found.interval[1]
    assert found.score < found.plain + 0.02


def test_losses_are_no_cost_that_adds_up(tmp_path):
    found = answer(planted_trials(tmp_path, TEAMED, objectives=("auroc", "log_loss")))
    assert len(found.team.trials) > 1
    assert (found.team.cost, list(found.pick.cost)) == ({}, ["log_loss"])


@pytest.mark.slow
def test_of_noise_no_team_is_claimed(tmp_path):
    claims = 0
    for seed in range(6):
        designs = [("rna", 0.0, None), *[(OTHER, 0.0, None)] * 12]
        claims += answer(planted_trials(tmp_path / str(seed), designs, rows=120, seed=seed)).team.outcome == "gain"
    assert claims <= 1


def test_where_there_is_none_the_reason_is_said(tmp_path):
    trials = planted_trials(tmp_path / "one", [("rna", 1.0, None)])
    with pytest.raises(RunError, match="has no team: no second design makes trial 0 better"):
        team_of(trials)
    predictions_file(tmp_path / "one", "candidate0").unlink()
    with pytest.raises(RunError, match=r"no team can be chosen from run .*: no predictions of trial 0 were kept"):
        team_of(trials)
    assert answer(trials).team.outcome == "not estimable"


def test_a_team_grows_by_the_loss_where_designs_are_picked_by_it_too(tmp_path):
    """One is far too sure of itself: the metric of ranks does not mind that, the loss does."""
    designs = [("rna", 1.0, None), ("labs", 0.9, None), ("F1 = cat(rna@L, labs@L) ->", 1.2, None)]
    trials = planted_trials(tmp_path, designs, rows=200)
    path = predictions_file(tmp_path, "candidate2")
    arrays = dict(np.load(path))
    odds = arrays["probabilities"].astype(float) ** 40
    np.savez(path, **{**arrays, "probabilities": odds / odds.sum(axis=1, keepdims=True)})
    kept, pool = read_kept(tmp_path, trials.records), np.arange(3)
    metric, loss = Objective.parse("auroc"), Objective.parse("log_loss")
    grown = {names: team_on_all_rows(Resampled(kept, metric, criteria=names), pool) for names in ((metric,), (loss,), (metric, loss))}
    assert grown[(loss,)] == grown[(metric, loss)] == team_on_all_rows(Resampled(kept, loss), pool)
    assert grown[(loss,)] != grown[(metric,)]
