"""The logic of a search where several evaluations are in flight; what one evaluation at a time shows is in test_driver.py."""

import sys

import optuna
import pytest
from optuna.trial import TrialState

from fusearch.contracts import Budget, Evaluation, Objective
from fusearch.search.candidate_queue import enqueue
from fusearch.search.given_back import LOST_FOR_GOOD
from fusearch.search.interrupts import Interrupts
from fusearch.search.job import Outcome
from fusearch.search.run_folder import create_folder, open_folder
from fusearch.search.session import Session
from fusearch.search_space import Candidate, Recipe
from fusearch.settings import Settings
from fusearch.study import NODE_LOST, STOPPED, TrialFacts, asked_trial, read_records, write_trial

OBJECTIVES = (Objective.parse("score:max"), Objective.parse("macs"))


def outcome(job=None, score=0.5):
    return Outcome(Evaluation({"score": score, "macs": 1.0}), seconds=0.1, worker=1)


def records(study):
    return read_records(study, ["score", "macs"])


def test_no_more_jobs_are_given_than_asked_for(open_session):
    session = open_session(trials=3)
    jobs = [session.next_job() for _ in range(3)]
    assert all(jobs)
    assert session.next_job() is None
    assert session.stop_reason == "3 trials are done"
    assert session.is_whole


def repeated(study, space, session):
    """Start an evaluation and queue the same candidate again."""
    job = session.next_job()
    session.queue.put_designs([job.candidate])
    return job


def test_a_repeat_of_what_is_in_flight_waits_for_its_result(study, space, open_session):
    session = open_session()
    job = repeated(study, space, session)
    other = session.next_job()
    assert other.candidate != job.candidate
    follower = next(record for record in records(study) if record.repeat_of is not None)
    assert (follower.state, follower.repeat_of) == ("running", job.number)
    session.finish(job.number, outcome())
    follower, leader = records(study)[follower.number], records(study)[job.number]
    assert (follower.state, follower.objectives, follower.values) == ("complete", leader.objectives, leader.values)


def test_a_repeat_of_what_then_fails_fails_with_the_same_reason(study, space, open_session):
    session = open_session()
    job = repeated(study, space, session)
    session.next_job()
    session.finish(job.number, Outcome(reason="the worker died"))
    failed = [record for record in records(study) if record.state == "failed"]
    assert [record.reason for record in failed] == ["the worker died"] * 2
    assert [record.repeat_of for record in failed] == [None, job.number]
    assert open_session(trials=2).next_job() is not None, "a driver that goes on counts the failure once"


def test_a_repeat_after_a_resume_carries_all_that_was_found(study, space, open_session):
    session = open_session(budget=Budget(epochs=1, members=1))
    job = session.next_job()
    session.finish(job.number, outcome())
    resumed = open_session(budget=Budget(epochs=1, members=1))
    resumed.queue.put_designs([job.candidate])
    resumed.next_job()
    leader, follower = records(study)[:2]
    assert follower.repeat_of == leader.number
    assert follower.found == leader.found
    assert follower.budget == {"epochs": 1, "members": 1, "seed": None}
    assert (leader.seconds, follower.seconds) == (0.1, None), "the time was spent once"


def test_a_queued_candidate_whose_driver_was_killed_halfway_is_given_back_whole(study, space, open_session):
    candidate = space.decode({"num_fusions": 1, "f1.depth": 2, "f1.operator": "low_rank", "recipe.width": 16})
    enqueue(study, space, candidate)
    trial = study.ask()
    trial.suggest_categorical("num_fusions", (0, 1))  # killed here: three parameters are missing
    assert open_session(reference_share=0.0).next_job().candidate == candidate


@pytest.mark.parametrize(("last", "due"), [("evaluated", True), ("out of bounds", False), ("answered", False), ("in flight", False)])
def test_the_share_is_measured_by_evaluations_alone(study, space, open_session, last, due):
    operators = {"answered": "cat", "in flight": "sum"}
    joins = {
        operator: space.decode({"num_fusions": 1, "f1.depth": 1, "f1.operator": operator, "recipe.width": 8})
        for operator in ("cat", "sum", "product")
    }

    class Costed:
        def __call__(self, candidate, budget, report):
            raise AssertionError

        def cheap(self, candidate):
            return {"macs": 1000.0 if last == "out of bounds" and candidate == joins["product"] else 1.0}

    session = open_session(Costed(), (OBJECTIVES[0], Objective.parse("macs<=100")), trials=6 + due, reference_share=0.5)
    for _ in range(3):
        session.finish(session.next_job().number, outcome())
    session.queue.put_designs([joins["cat"], joins["sum"], joins[operators.get(last, "product")]])
    session.finish(session.next_job().number, outcome())
    session.next_job()
    if due:
        session.next_job()
    session.next_job()
    # 3 references are half of 5 evaluations and the next one, not of 6 and the next one.
    assert ("fixed_params" in study.trials[6].system_attrs) == due


def test_interrupting_gives_back_each_candidate_once(study, space, open_session):
    told = []
    session = open_session(progress=told.append)
    job = repeated(study, space, session)
    other = session.next_job()
    session.interrupt("interrupted by SIGINT")
    assert session.next_job() is None
    assert not session.is_whole
    states = [record.state for record in records(study)]
    assert states.count("running") == 0
    assert {record.reason for record in records(study) if record.state == "failed"} == {STOPPED}
    assert told[-1].failed == 0
    waiting = [record.candidate for record in records(study) if record.state == "waiting"]
    assert sorted(waiting) == sorted([job.candidate.digest, other.candidate.digest])
    assert open_session(trials=1).next_job() is not None, "a driver that goes on counts no failure either"


def test_what_a_killed_driver_left_running_is_given_back(study, space, open_session):
    killed = open_session()
    job = repeated(study, space, killed)
    killed.next_job()
    study.add_trial(asked_trial())  # killed before the trial was described
    session = open_session()
    states = [record.state for record in records(study)]
    assert states.count("running") == 0
    assert states.count("waiting") == 2
    assert session.next_job().candidate == job.candidate


def test_a_result_whose_candidate_is_lost_counts_for_nothing(study, open_session):
    """A line of the journal may be lost, that of the digest too."""
    study.add_trial(asked_trial())
    study.tell(0, [9.0, 9.0])
    assert open_session(trials=1).next_job() is not None


@pytest.mark.parametrize("params", [{}, {"x": 0.5}])
def test_a_trial_of_someone_else_stays_as_it_is_whatever_its_state(study, space, open_session, params):
    for state in (None, TrialState.FAIL, TrialState.PRUNED, TrialState.COMPLETE):
        trial = study.ask()
        for name, value in params.items():
            trial.suggest_float(name, value, value)
        if state is not None:
            study.tell(trial, [9.0, 9.0] if state == TrialState.COMPLETE else None, state=state)
    before = study.get_trials()
    session = open_session(trials=1)
    assert study.get_trials() == before
    session.finish(session.next_job().number, outcome())
    assert session.next_job() is None
    assert session.stop_reason == "1 trials are done"
    assert study.get_trials()[:4] == before


@pytest.mark.parametrize(
    "written", [{"reason": STOPPED}, {"reason": "boom", "seconds": 3.0}, {"values": {"score": 0.1}, "budget": {"epochs": 1}}]
)
def test_what_a_killed_driver_had_half_told_is_not_given_back(study, open_session, written):
    job = open_session().next_job()
    trial = optuna.trial.Trial(study, study.trials[job.number]._trial_id)
    write_trial(trial, TrialFacts(**written))  # killed before it told the study
    session = open_session()
    killed, waiting = records(study)
    assert (waiting.state, waiting.candidate) == ("waiting", job.candidate.digest)
    assert waiting.attributes() == killed.proposed.attributes()
    session.finish(session.next_job().number, outcome())
    assert (records(study)[1].state, records(study)[1].reason) == ("complete", None)


def test_a_candidate_outside_the_space_is_given_back_whole(study, space, open_session):
    linear = Candidate(space.references()["linear"][0], Recipe(width=8))
    killed = open_session()
    killed.queue.put_designs([linear])
    assert killed.next_job().candidate == linear
    session = open_session()
    assert session.next_job().candidate == linear


def test_failures_count_and_repeats_do_not(study, space, open_session):
    session = open_session(trials=2)
    job = session.next_job()
    session.finish(job.number, Outcome(reason="boom"))
    second = session.next_job()
    session.finish(second.number, outcome())
    assert session.next_job() is None
    assert [record.state for record in records(study)] == ["failed", "complete"]


def test_an_evaluation_without_an_objective_is_a_failure(study, open_session):
    session = open_session()
    job = session.next_job()
    session.finish(job.number, Outcome(Evaluation({"score": 0.5})))
    assert records(study)[0].reason == "the evaluator returned no 'macs': expected one of: score"


def lines_executed(act):
    """Count the lines of Python, Optuna's too, that run within a call."""
    count = 0

    def trace(_frame, event, _argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.slow
def test_the_work_for_a_trial_does_not_grow_with_the_study(tmp_path, toy_space, toy_evaluator):
    space = toy_space(widths=range(1, 201))
    config = {"study": {"storage": None, "name": "s"}}
    create_folder(tmp_path / "run", config, ["maximize", "minimize"])
    study = open_folder(tmp_path / "run", config)
    study.sampler = optuna.samplers.RandomSampler(seed=0)
    settings = Settings(trials=1000, reference_share=0.3, seed=0)
    session = Session(
        study,
        space,
        toy_evaluator,
        objectives=OBJECTIVES,
        settings=settings,
        folder=tmp_path / "run",
        interrupts=Interrupts(),
        progress=lambda progress: None,
    )

    def run(trials):
        for _ in range(trials):
            job = session.next_job()
            fails = int(job.candidate.digest, 16) % 5 == 0
            failure = Outcome(None, reason=f"it failed {'badly' if job.number % 2 else 'well'}")
            session.finish(job.number, failure if fails else outcome(score=int(job.candidate.digest, 16) % 997 / 997))

    run(40)
    early = lines_executed(lambda: run(15))
    run(160)
    late = lines_executed(lambda: run(15))
    assert late < 1.25 * early


def test_the_time_left_is_that_of_the_later_trials_side_by_side(open_session, monkeypatch):
    """Two workers, of which each needs 40 s for its first trial, start included, and 2 s for any other, 0.5 s of them between trials."""
    now, told = [100.0], []
    monkeypatch.setattr("fusearch.search.session.time.monotonic", lambda: now[0])
    session = open_session(trials=20, progress=told.append)
    jobs = {worker: session.next_job() for worker in (1, 2)}
    estimates = {}
    for turn in range(10):
        now[0] += 40.0 if turn == 0 else 2.0
        for worker, job in jobs.items():
            evaluation = Evaluation({"score": 0.5, "macs": 1.0})
            session.finish(job.number, Outcome(evaluation, seconds=30.0 if turn == 0 else 1.5, worker=worker))
            estimates[told[-1].done] = told[-1].seconds_left
            jobs[worker] = session.next_job()
    ends = {done: 2.0 * (20 - done) / 2 for done in estimates}
    assert all(estimates[done] == pytest.approx(ends[done]) for done in range(3, 21))
    assert (estimates[1], estimates[2]) == (None, None)


def test_what_a_node_was_lost_under_is_tried_again_though_all_trials_were_out(study, open_session):
    session = open_session(trials=2)
    jobs = [session.next_job() for _ in range(2)]
    assert session.next_job() is None
    assert session.is_whole
    session.finish(jobs[0].number, Outcome(reason="the worker was lost", node_lost=True))
    assert (session.stop_reason, session.is_whole) == (None, False)
    again = session.next_job()
    assert again.candidate == jobs[0].candidate
    assert session.next_job() is None
    for job in (again, jobs[1]):
        session.finish(job.number, outcome())
    assert (session.stop_reason, session.is_whole) == ("2 trials are done", True)
    assert [(record.state, record.reason) for record in records(study)] == [("failed", NODE_LOST), ("complete", None), ("complete", None)]
    assert open_session(trials=3).next_job() is not None, "a driver that goes on does not count it either"


def test_a_candidate_under_which_node_after_node_is_lost_fails_at_last_and_a_failure_on_its_node_at_once(study, space, open_session):
    session, told = open_session(trials=2), []
    first = job = repeated(study, space, session)
    assert session.next_job().candidate != first.candidate  # behind it in the queue: the repeat, which follows the first
    while job.candidate == first.candidate:
        session.finish(job.number, Outcome(reason="the worker was lost", node_lost=True))
        told.append(job.number)
        job = session.next_job()
        if job is None:
            break
    assert len(told) == 3
    failed = [record for record in records(study) if record.state == "failed"]
    own = [record for record in failed if record.repeat_of is None]
    assert [record.reason for record in own] == [NODE_LOST, NODE_LOST, LOST_FOR_GOOD]
    assert [record.interrupted for record in own] == [True, True, False]
    assert [record.reason for record in failed if record.repeat_of is not None] == [NODE_LOST]
    assert not any(record.state == "waiting" for record in records(study))
