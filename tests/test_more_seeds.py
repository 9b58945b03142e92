"""Trials that trained more seeds of a design, as readers see them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import optuna

from fusearch.contracts import Objective
from fusearch.more_seeds import count_more_seeds, designs_of, seeded_facts, with_more_seeds
from fusearch.study import DIED, TrialFacts, TrialRecord, write_trial
from fusearch.trials import Trials

SCORE = Objective.parse("score:max")


def trial(number: int, score: float, *, seeds: int = 1, **facts: Any) -> TrialRecord:
    members = [{"fold": 0, "seed": seed, "metrics": {"score": score}} for seed in range(seeds)]
    details = {"members": members, "worker": number}
    plain = TrialRecord("", "g0", "c0", number=number, state="complete", objectives={"score": score}, values={"score": score})
    return replace(plain, **{"details": details, **facts})


def test_the_values_over_all_seeds_stand_in_the_place_of_the_first_ones() -> None:
    """A lucky design falls behind; what it was worth at first stands nowhere, and its rounds are no designs."""
    other = trial(1, 0.7, candidate="c1", digest="g1")
    rounds = [trial(3, 0.8, seeds=2, more_seeds_of=0), trial(4, 0.6, seeds=3, more_seeds_of=0)]
    records = with_more_seeds([trial(0, 0.9), other, trial(2, 0.9, repeat_of=0), *rounds])
    trials = Trials(records, (SCORE,))
    assert [record.number for record in trials.evaluated] == [1, 0]
    assert [record.number for record in trials.front] == [1]
    assert [record.objectives["score"] for record in records] == [0.6, 0.7, 0.6, 0.8, 0.6]
    assert records[0].num_members == 3
    assert records[0].details["worker"] == 0, "what its own training took stays"
    assert trials.counts == {**dict.fromkeys(trials.counts, 0), "complete": 2, "repeated": 1}
    assert trials.status()["more_seeds"] == {"designs": 1, "seeds": 2, "failed": 0}


def test_a_round_that_did_not_finish_changes_nothing() -> None:
    failed = trial(1, 0.1, state="failed", objectives={}, reason="out of memory", more_seeds_of=0)
    died = trial(2, 0.1, state="failed", objectives={}, reason=DIED, more_seeds_of=0)
    running = trial(3, 0.1, state="running", objectives={}, more_seeds_of=0)
    records = with_more_seeds([trial(0, 0.9), failed, died, running])
    assert records[0] == trial(0, 0.9)
    assert count_more_seeds(records) == {"designs": 0, "seeds": 0, "failed": 1}
    counts = Trials(records, (SCORE,)).counts
    assert {kind: number for kind, number in counts.items() if number} == {"complete": 1, "running": 1, "interrupted": 1}


def test_facts_of_all_seeds_are_taken_and_those_of_the_training_stay() -> None:
    first = TrialFacts("f", candidate="c", budget={"seed": None}, values={"score": 1.0}, details={"members": [1], "pack": {"members": 5}})
    latest = TrialFacts(budget={"seed": 1}, values={"score": 0.5}, details={"members": [1, 2], "pack": {"members": 9}})
    found = seeded_facts(first, latest)
    assert (found.formula, found.candidate, found.budget) == ("f", "c", {"seed": None})
    assert (found.values, found.details) == ({"score": 0.5}, {"members": [1, 2], "pack": {"members": 5}})


def test_a_study_gives_each_design_with_the_trial_that_knows_most_of_it() -> None:
    study = optuna.create_study()
    told = [(0.9, None), (0.7, None), (0.8, 0), (0.6, 0), (None, 1)]
    for value, first in told:
        trial = study.ask()
        write_trial(trial, TrialFacts(more_seeds_of=first))
        study.tell(trial, value, optuna.trial.TrialState.FAIL if value is None else None)
    assert [(trial.number, latest.number) for trial, latest in designs_of(study.get_trials())] == [(0, 3), (1, 1)]
