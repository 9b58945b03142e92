import itertools

import numpy as np
from planted_runs import TEAMED, planted_trials

from fusearch.inference.kept import read_kept
from fusearch.inference.resampling import Resampled
from fusearch.inference.team import MOST_MEMBERS, POOL
from fusearch.inference.team_front import BEAM, front_of_teams
from fusearch.layout import predictions_file
from fusearch.metrics import METRICS


def test_it_holds_the_teams_that_nothing_dominates(tmp_path):
    """Against all teams of the five designs: of so few nothing is left out."""
    trials = planted_trials(tmp_path, TEAMED)
    kept = read_kept(tmp_path, trials.records)

    def auroc(members):
        said = kept.outputs[list(members)].mean(axis=0)
        return np.mean([METRICS["auroc"](kept.targets[kept.fold == fold], said[kept.fold == fold]) for fold in range(5)])

    every = [team for size in range(1, 5) for team in itertools.combinations(range(5), size)]
    points = {team: (auroc(team), sum(1000.0 * (number + 1) for number in team)) for team in every}
    best = {
        team
        for team, (value, cost) in points.items()
        if not any(other >= value and less <= cost and (other, less) != (value, cost) for other, less in points.values())
    }
    found = front_of_teams(trials)
    assert {tuple(sorted(each.trials)) for each in found} == {team for team in best if len(team) > 1}
    assert len(found) > 1
    costs = [each.cost["macs"] for each in found]
    assert costs == sorted(costs)
    for each in found:
        value, cost = points[tuple(sorted(each.trials))]
        assert (round(each.plain, 9), each.cost) == (round(value, 9), {"macs": cost})
        assert each.designs == tuple(f"graph{number}" for number in each.trials)
        assert each.candidates == tuple(f"candidate{number}" for number in each.trials)


def test_of_a_loss_less_is_better_and_every_cost_counts(tmp_path):
    trials = planted_trials(tmp_path, TEAMED, objectives=("log_loss", "macs"))
    found = front_of_teams(trials)
    best = min(record.value("log_loss") for record in trials.records)
    assert found
    assert min(each.plain for each in found) < best


def test_a_team_keeps_the_bounds(tmp_path):
    costs = [each.cost["macs"] for each in front_of_teams(planted_trials(tmp_path / "free", TEAMED))]
    bounded = planted_trials(tmp_path / "bounded", TEAMED, objectives=("auroc", f"macs<={max(costs) - 1}"))
    assert [each.cost["macs"] for each in front_of_teams(bounded)] == costs[:-1]


def test_where_it_cannot_be_told_there_is_none(tmp_path):
    alone = planted_trials(tmp_path / "alone", TEAMED[:1])
    no_cost = planted_trials(tmp_path / "costless", TEAMED, objectives=("auroc", "log_loss"))
    missing = planted_trials(tmp_path / "missing", TEAMED)
    predictions_file(tmp_path / "missing", "candidate0").unlink()
    assert [front_of_teams(each) for each in (alone, no_cost, missing)] == [(), (), ()]


def test_many_designs_give_no_more_teams_to_score_than_a_pool_of_them(tmp_path, monkeypatch):
    scored = []
    outputs_of = Resampled.outputs_of
    monkeypatch.setattr(Resampled, "outputs_of", lambda self, team: scored.append(team) or outputs_of(self, team))
    designs = [(f"F1 = cat(rna@L, labs@L; trunk=fc:{number}) ->", 1.0, None) for number in range(1, 61)]
    assert front_of_teams(planted_trials(tmp_path, designs, rows=60, folds=2))
    pool = 2 * POOL
    assert len(scored) == len(set(scored))
    assert len(scored) <= pool * (pool + 1) / 2 + (MOST_MEMBERS - 2) * BEAM * pool
