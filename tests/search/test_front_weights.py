"""Weights of the front stay in the run folder, and no others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fusearch.run import Run
from fusearch.search.front_weights import FrontWeights
from fusearch.search.job import Job, Outcome
from fusearch.trials import Trials


class Keeping:
    """Folds of a toy design, each of which leaves a file of a thousand bytes."""

    def __init__(self, folds):
        self.folds, self.folder = folds, None

    def keeping(self, folder):
        self.folder = folder
        return self

    def by_fold(self, candidate, budget, report):
        for fold, evaluation in enumerate(self.folds.by_fold(candidate, budget, report)):
            if self.folder is not None:
                (self.folder / candidate.digest).mkdir(parents=True, exist_ok=True)
                (self.folder / candidate.digest / f"fold{fold}-seed0.safetensors").write_bytes(b"w" * 1000)
            yield evaluation

    def __call__(self, candidate, budget, report):
        return list(self.by_fold(candidate, budget, report))[-1]

    def cheap(self, candidate):
        return self.folds.cheap(candidate)


@pytest.fixture
def keeping(foldwise):
    return Keeping(foldwise())


def kept_of(run):
    return {path.name for path in (run.path / "weights").glob("*")}


def wanted(trials: Trials):
    return {record.candidate for record in (trials.pick("best"), trials.pick("simplest"), *trials.front)}


def test_weights_are_those_of_the_front_and_of_what_is_picked(search, keeping):
    run = search(keeping, trials=20)
    trials = run.read()
    assert kept_of(run) == wanted(trials)
    assert 0 < len(kept_of(run)) < len(trials.feasible)
    assert trials.counts["raced"], "designs that a race stopped had left files"
    assert all(len(list((run.path / "weights" / digest).iterdir())) == 5 for digest in kept_of(run))
    num_networks = 5 * len(kept_of(run))
    assert run.status()["weights"] == {"networks": num_networks, "designs": len(kept_of(run)), "bytes": 1000 * num_networks}


def test_no_more_bytes_are_kept_than_asked_for_the_pick_first(search, keeping):
    run = search(keeping, trials=20, keep_weights=5000)
    assert kept_of(run) == {run.pick("best").candidate}


def test_none_are_kept_where_that_is_asked_for(search, keeping):
    run = search(keeping, keep_weights=0)
    assert keeping.folder is None
    assert not (run.path / "weights").exists()
    assert run.status()["weights"] == {"networks": 0, "designs": 0, "bytes": 0}


def test_what_a_killed_driver_left_behind_goes_when_the_run_is_resumed(search, keeping):
    run = search(keeping, trials=8)
    for name in ("0123456789ab", "ba9876543210"):
        (run.path / "weights" / name).mkdir()
    (run.path / "explain").mkdir()
    (run.path / "explain" / "ba9876543210.json").write_text("{}")
    run = search(keeping, trials=10, resume=True)
    assert kept_of(run) == wanted(run.read()) | {"ba9876543210"}, "what was explained is kept"


def test_what_is_being_trained_is_left_alone(search, keeping, space, job):
    run = search(keeping, trials=4)
    weights = FrontWeights(run.study, run.path, 1e9)
    other = Job(99, next(each for each in map(space.decode, space._all()) if each.digest not in kept_of(run)), job.budget)
    weights.start(other)
    (run.path / "weights" / other.candidate.digest).mkdir(exist_ok=True)
    best = Job(
        98, space.decode(next(params for params in space._all() if space.decode(params).digest == run.pick("best").candidate)), job.budget
    )
    weights.start(best)
    weights.end(98, Outcome(reason="it failed"))
    assert best.candidate.digest in kept_of(run), "a seed more that failed takes nothing"
    assert other.candidate.digest in kept_of(run)
    weights.end(99, Outcome(reason="it failed"))
    assert kept_of(run) == wanted(run.read())


def test_the_study_is_not_read_after_each_trial_of_a_long_search(search, keeping, job, monkeypatch):
    run = search(keeping, trials=4)
    read = Run.read(run)
    weights = FrontWeights(run.study, run.path, 1e9)
    looks = []
    monkeypatch.setattr(Run, "read", lambda self: looks.append(0) or replace(read, records=[*read.records] * 250))
    for number in range(100):
        weights.start(replace(job, number=number))
        weights.end(number, Outcome({"score": 0.5}))
    assert len(looks) == 1, "a thousand trials are known, and each design is the same one"
    monkeypatch.setattr(weights, "_most", 1.0)
    (run.path / "weights" / job.candidate.digest).mkdir(exist_ok=True)
    (run.path / "weights" / job.candidate.digest / "fold0-seed0.safetensors").write_bytes(b"w" * 1000)
    weights.start(replace(job, number=100))
    weights.end(100, Outcome({"score": 0.5}))
    assert len(looks) == 2, "what has come takes too much"
