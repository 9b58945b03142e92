import numpy as np
import pytest
from planted_runs import TEAMED, planted_trials

from fusearch.contracts import Objective
from fusearch.errors import RunError
from fusearch.inference import answer, team_of
from fusearch.inference.kept import read_kept
from fusearch.inference.resampling import Resampled
from fusearch.inference.team import FEW, MOST_MEMBERS, WEIGHTED, pool_of, rule_of, team_on_all_rows, teams_of
from fusearch.layout import predictions_file
from fusearch.metrics import METRICS

FUSED, OTHER = "F1 = cat(rna@L, labs@L) ->", "F1 = mean(rna@L, labs@L) ->"

#: One that is better than the others, so that it should count more in their mean.
UNEQUAL = [("rna", 1.3, "best_unimodal"), (FUSED, 1.1, "late"), (OTHER, 1.0, None), ("labs", -1.0, None)]


def test_the_pool_has_each_graph_once_the_best_first(tmp_path):
    trials = planted_trials(tmp_path, TEAMED)
    twice = [*trials.feasible, trials.feasible[0]]
    assert pool_of(twice).tolist() == list(range(len(TEAMED)))


@pytest.mark.parametrize("rule", [FEW, WEIGHTED])
def test_a_team_is_grown_by_what_makes_the_mean_best(tmp_path, rule):
    trials = planted_trials(tmp_path, UNEQUAL, folds=1)
    designs = trials.feasible
    kept = read_kept(tmp_path, designs)
    team = team_on_all_rows(Resampled(kept, Objective.parse("auroc")), pool_of(designs), rule)

    def auroc(members):
        return METRICS["auroc"](kept.targets, kept.outputs[list(members)].mean(axis=0))

    expected, best = [], -np.inf
    for _ in range(rule.steps):
        allowed = [each for each in range(len(designs)) if (rule.again if each in expected else len(set(expected)) < MOST_MEMBERS)]
        value, number = max((auroc([*expected, other]), -other) for other in allowed)
        if value <= best + 1e-12:
            break
        expected, best = [*expected, -number], value
    assert list(team) == sorted(expected)
    assert 1 < len(set(team)) <= MOST_MEMBERS
    assert (len(team) > len(set(team))) == rule.again
    assert designs.index(trials.records[3]) not in team


def test_designs_count_differently_only_where_there_are_rows_enough_to_tell():
    assert [rule_of(rows) for rows in (20, 299, 300, 5000)] == [FEW, FEW, WEIGHTED, WEIGHTED]


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
    assert len(found.counts) == len(found.trials) == len(set(found.trials))


def test_where_one_is_better_it_counts_more(tmp_path):
    found = answer(planted_trials(tmp_path, UNEQUAL, rows=900)).team
    assert dict(zip(found.trials, found.counts, strict=True))[0] == max(found.counts) > 1
    assert found.cost["macs"] == sum(1000.0 * (number + 1) for number in found.trials)  # it is computed once


def test_losses_are_no_cost_that_adds_up(tmp_path):
    found = answer(planted_trials(tmp_path, TEAMED, objectives=("auroc", "log_loss")))
    assert len(found.team.trials) > 1
    assert (found.team.cost, list(found.pick.cost)) == ({}, ["log_loss"])


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
