import pytest
from planted_runs import planted_trials

from fusearch.errors import RunError
from fusearch.inference import team_of
from fusearch.inference.picked import read_pick
from fusearch.trials import TEAM

FUSED, OTHER = "F1 = cat(rna@L, labs@L) ->", "F1 = mean(rna@L, labs@L) ->"


def test_a_design_is_what_its_trial_says(tmp_path):
    trials = planted_trials(tmp_path, [("rna", 1.0, None), (FUSED, 1.0, None)])
    picked = read_pick(trials, "simplest")
    record = trials.pick("simplest")
    assert (picked.trial, picked.digest, picked.candidate, picked.formula) == (
        record.number,
        record.digest,
        record.candidate,
        record.formula,
    )
    assert picked.values == record.values


def test_a_team_is_told_by_its_members_and_by_what_their_mean_scored(tmp_path):
    trials = planted_trials(tmp_path, [(FUSED, 1.0, None), (OTHER, 1.0, None)], rows=300)
    picked, team = read_pick(trials, TEAM), team_of(trials)
    assert picked.trial == list(team.trials) == [0, 1]
    assert (picked.digest, picked.candidate) == ("+".join(team.designs), "+".join(team.candidates))
    assert picked.formula == "\n\n".join(record.formula for record in picked.records)
    assert picked.values == {"auroc": team.plain, **team.cost}


def test_where_there_is_no_team_it_is_refused(tmp_path):
    with pytest.raises(RunError, match="has no team"):
        read_pick(planted_trials(tmp_path, [("rna", 1.0, None)]), TEAM)
