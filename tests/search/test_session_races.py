"""Races of a session: which designs are stopped, and what becomes of them."""

import numpy as np
import optuna
import pytest

from fusearch.inference.race import Lost
from fusearch.search.job import evaluate
from fusearch.study import TrialFacts, read_records, write_trial


def all_of(space):
    """Every candidate of the toy space."""
    return [space.decode(params) for params in space._params.values()]


def toy_score(candidate):
    """What the toy evaluators say of a candidate."""
    return int(candidate.digest, 16) % 997 / 997


def records(study):
    return read_records(study, ["score", "macs"])


def raced(study, space, session, evaluator, trials=60):
    """Go through a search as an executor in this process does."""
    while (job := session.next_job()) is not None:
        session.finish(job.number, evaluate(evaluator, job))
    return records(study)


def test_a_design_that_cannot_catch_up_is_stopped_and_nothing_of_it_becomes_a_value(study, space, open_session, foldwise):
    evaluator, told = foldwise(), []
    session = open_session(evaluator, trials=24, progress=told.append)
    found = raced(study, space, session, evaluator)
    stopped = [record for record in found if record.raced and record.repeat_of is None]
    assert {record.state for record in stopped} == {"pruned"}
    for record in stopped:
        assert (record.values, record.spread, record.objectives) == ({}, {}, {})
        assert study.trials[record.number].values is None
        assert record.reason == Lost(**record.raced).reason
        mean, folds = record.partial("score")
        assert folds == record.raced["folds"] == evaluator.trained.count((record.candidate, folds - 1)) * folds
        assert mean == pytest.approx(
            np.mean([evaluator.fold_score(space.decode(study.trials[record.number].params), f) for f in range(folds)])
        )
        rival = found[record.raced["rival"]]
        assert rival.values["macs"] <= 100.0 * record.recipe["width"], "it costs no more"
        assert rival.values["score"] > mean
    complete = [record for record in found if record.evaluated]
    assert len(stopped) + len(complete) == 24, "a design that was stopped is one of the trials"
    assert (told[-1].raced, told[-1].done) == (len(stopped), len(complete))
    assert all(record.partial("score") is None for record in complete)
    assert len(stopped) >= 5


def test_races_cost_the_front_nothing_that_they_know_of(space, open_session, study, foldwise):
    evaluator = foldwise(noise=0.0)
    found = raced(study, space, open_session(evaluator, trials=26), evaluator)
    met = [candidate for candidate in all_of(space) if candidate.digest in {record.candidate for record in found}]
    finished = [record for record in found if record.evaluated]
    assert len(finished) < len(met)
    for most in (8, 16, 32):
        best = max(toy_score(candidate) for candidate in met if candidate.recipe.width <= most)
        assert max(record.values["score"] for record in finished if record.recipe["width"] <= most) == pytest.approx(best)


@pytest.mark.parametrize("kind", ["reference", "queued"])
def test_what_was_asked_for_is_trained_to_the_end(study, space, open_session, foldwise, kind):
    evaluator = foldwise()
    session = open_session(evaluator, trials=26, reference_share=0.6 if kind == "reference" else 0.0)
    found = raced(study, space, session, evaluator)
    assert any(record.raced for record in found)
    assert not any(record.raced and record.reference for record in found)
    if kind == "queued":
        known = {record.candidate for record in found}
        worst = min((candidate for candidate in all_of(space) if candidate.digest not in known), key=toy_score)
        session = open_session(evaluator, trials=27)
        session.queue.put_designs([worst])
        assert session.next_job().race is None


def test_a_stopped_design_that_is_proposed_again_is_answered_from_the_study_also_after_a_resume(study, space, open_session, foldwise):
    evaluator = foldwise()
    found = raced(study, space, open_session(evaluator, trials=24), evaluator)
    first = next(record for record in found if record.raced and record.repeat_of is None)
    trained = len(evaluator.trained)
    session = open_session(evaluator, trials=25)
    session.queue.put_designs([space.decode(study.trials[first.number].params)])
    job = session.next_job()
    repeat = records(study)[len(found)]
    assert (repeat.state, repeat.repeat_of, repeat.raced, repeat.reason) == ("pruned", first.number, first.raced, first.reason)
    assert job.candidate.digest != first.candidate
    assert len(evaluator.trained) == trained
    assert session.next_job() is None, "24 trials were done, stopped ones among them"


def test_what_was_stopped_when_its_driver_was_killed_is_given_back(study, space, open_session, foldwise):
    evaluator = foldwise()
    session = open_session(evaluator, trials=60)
    while (job := session.next_job()) is not None:
        done = evaluate(evaluator, job)
        if done.lost is not None:
            break
        session.finish(job.number, done)
    trial = optuna.trial.Trial(study, study.trials[job.number]._trial_id)
    write_trial(trial, TrialFacts(reason=done.lost.reason, raced={"folds": 1, "num_folds": 5, "rival": 0, "chance": 0.01}))
    again = open_session(evaluator, trials=60)
    killed = records(study)[job.number]
    assert (killed.state, killed.interrupted) == ("failed", True)
    job = again.next_job()
    assert (job.candidate.digest, job.race) == (killed.candidate, None)


def test_without_races_or_folds_everything_is_trained(study, space, open_session, foldwise, toy_evaluator):
    evaluator = foldwise()
    found = raced(study, space, open_session(evaluator, trials=24, races="off"), evaluator)
    assert not any(record.raced for record in found)
    assert len(evaluator.trained) == 24 * 5
    session = open_session(trials=26)
    assert session.next_job().race is None, "a plain function is called once"
