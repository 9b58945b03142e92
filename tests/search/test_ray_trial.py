"""What Tune's hooks make of a session, without starting Ray."""

import pickle
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from ray.exceptions import (
    ActorDiedError,
    ActorUnavailableError,
    OutOfMemoryError,
    RayActorError,
    RayTaskError,
    RuntimeEnvSetupError,
    TaskCancelledError,
)
from ray.tune.search import Searcher

from fusearch.errors import RunError
from fusearch.search.interrupts import Interrupts
from fusearch.search.job import Job, Outcome
from fusearch.search.ray_slots import Slots
from fusearch.search.ray_trial import JOB, NODE_DIED, Bridge, JobSearcher, OutcomeCallback, SessionStopper, is_node_lost, reason_of

pytestmark = pytest.mark.ray  # importing Ray's machinery takes seconds


class Script:
    """A session with three jobs."""

    def __init__(self, space):
        rng = np.random.default_rng(0)
        self.jobs = [Job(number, space.sample(rng), None) for number in range(3)]
        self.first = self.jobs[0]
        self.told, self.stop_reason = [], None

    def next_job(self):
        if self.jobs:
            return self.jobs.pop(0)
        self.stop_reason = "done"
        return None

    def finish(self, number, outcome):
        self.told.append((number, outcome.reason))


@pytest.fixture
def session(space):
    return Script(space)


@pytest.fixture
def nodes():
    """A cluster of two nodes, of which each has room for two workers; tests add and take."""
    return [{"Alive": True, "Resources": {"CPU": 2.0}}, {"Alive": True, "Resources": {"CPU": 2.0}}]


@pytest.fixture
def slots(nodes):
    made = Slots({"CPU": 1.0}, lambda: nodes)
    made.LOOK_SECONDS = 0.0
    return made


@pytest.fixture
def bridge(session, slots):
    return Bridge(session, Interrupts(), slots)


def trial(config):
    return SimpleNamespace(config=config, pickled_error_file=None)


def test_jobs_become_configurations_until_there_are_no_more(session, bridge):
    searcher = JobSearcher(bridge)
    assert searcher.set_search_properties(metric=None, mode=None, config={})
    assert [searcher.suggest(trial_id=str(index))[JOB].number for index in range(3)] == [0, 1, 2]
    assert searcher.suggest(trial_id="3") is None, "a job that is out may come back"
    for index in range(3):
        searcher.on_trial_complete(trial_id=str(index), result={}, error=False)
    assert searcher.suggest(trial_id="4") == Searcher.FINISHED


def test_a_job_is_proposed_where_there_is_room_for_it_alone(session, bridge, nodes):
    """So a proposal knows the results of all before it; nodes that join are used, and those that leave are not waited for."""
    searcher = JobSearcher(bridge)
    nodes.pop()
    assert [searcher.suggest(trial_id=str(index)) is None for index in range(3)] == [False, False, True]
    nodes.append({"Alive": True, "Resources": {"CPU": 1.0}})
    assert searcher.suggest(trial_id="3")[JOB].number == 2
    nodes[0] = {"Alive": False, "Resources": {}}
    session.jobs += [replace(session.first, number=number) for number in (3, 4)]
    for index in ("0", "1"):
        searcher.on_trial_complete(trial_id=index, error=True)
        assert searcher.suggest(trial_id="4") is None
    searcher.on_trial_complete(trial_id="3", result={}, error=False)
    assert searcher.suggest(trial_id="5")[JOB].number == 3
    nodes.clear()
    searcher.on_trial_complete(trial_id="5", error=True)
    assert searcher.suggest(trial_id="6")[JOB].number == 4, "where no node is left, one job waits for one"
    assert searcher.suggest(trial_id="7") is None


def test_as_many_workers_as_were_asked_for_stay_as_many(session, slots, nodes):
    """More than there is room for as well: a cluster that grows on demand sees the demand."""
    searcher = JobSearcher(Bridge(session, Interrupts(), slots, workers=3))
    nodes.pop()
    assert [searcher.suggest(trial_id=str(index)) is None for index in range(4)] == [False, False, False, True]


def test_nothing_due_now_is_not_the_end(session, bridge):
    session.jobs.clear()
    session.next_job = lambda: None
    assert JobSearcher(bridge).suggest(trial_id="0") is None


def test_an_outcome_is_told_once_and_taken_out_of_the_result(session, bridge):
    searcher, callback = JobSearcher(bridge), OutcomeCallback(bridge)
    config = searcher.suggest(trial_id="0")
    result = {"outcome": (0, Outcome(reason="boom")), "training_iteration": 1}
    callback.on_trial_result(1, [], trial(config), result)
    assert result == {"training_iteration": 1}
    callback.on_trial_error(1, [], trial(config))
    assert session.told == [(0, "boom")]


@pytest.fixture
def pack_of_three(session):
    """One job of three trials."""
    first, *siblings = session.jobs
    session.jobs[:] = [replace(first, siblings=tuple(siblings))]


def test_each_trial_of_a_pack_is_told_as_its_outcome_comes_and_the_rest_where_the_worker_is_lost(session, bridge, pack_of_three):
    config, callback = JobSearcher(bridge).suggest(trial_id="0"), OutcomeCallback(bridge)
    callback.on_trial_start(1, [], trial(config))
    callback.on_trial_result(1, [], trial(config), {"outcome": (2, Outcome(reason="boom")), "left": 2})
    callback.on_trial_error(1, [], trial(config))
    callback.on_trial_error(1, [], trial(config))
    assert session.told == [(2, "boom"), (0, "the worker was lost"), (1, "the worker was lost")]


def test_a_worker_stays_until_all_of_a_pack_is_told(session, bridge, pack_of_three):
    config, stopper = JobSearcher(bridge).suggest(trial_id="0"), SessionStopper(bridge)
    OutcomeCallback(bridge).on_trial_start(1, [], trial(config))
    assert [stopper("0", {"left": left}) for left in (2, 1, 0)] == [False, False, True]
    assert stopper("0", {})


def test_a_lost_worker_is_told(session, bridge):
    config = JobSearcher(bridge).suggest(trial_id="0")
    OutcomeCallback(bridge).on_trial_error(1, [], trial(config))
    assert session.told == [(0, "the worker was lost")]


def test_a_trial_that_is_done_waits_for_workers_that_start(session, bridge):
    searcher, callback, stopper = JobSearcher(bridge), OutcomeCallback(bridge), SessionStopper(bridge)
    first, second = searcher.suggest(trial_id="0"), searcher.suggest(trial_id="1")
    callback.on_trial_start(1, [], trial(first))
    assert not stopper("0", {})
    callback.on_trial_start(1, [], trial(second))
    assert stopper("0", {})


def test_it_does_not_wait_for_ever_until_another_node_is_there(session, bridge, nodes):
    searcher, stopper = JobSearcher(bridge), SessionStopper(bridge)
    searcher.suggest(trial_id="0")
    assert not stopper("0", {})
    bridge.LONGEST_WAIT = -1.0
    assert stopper("0", {})
    searcher.suggest(trial_id="1")
    bridge.LONGEST_WAIT = 100.0
    assert stopper("0", {})
    nodes.append({"Alive": True, "Resources": {"CPU": 2.0}})
    assert not stopper("0", {})


def test_it_does_not_wait_for_a_worker_for_which_there_is_no_room(session, bridge, nodes):
    searcher, callback, stopper = JobSearcher(bridge), OutcomeCallback(bridge), SessionStopper(bridge)
    nodes[:] = [{"Alive": True, "Resources": {"CPU": 2.0}}]
    first, _second = searcher.suggest(trial_id="0"), searcher.suggest(trial_id="1")
    callback.on_trial_start(1, [], trial(first))
    assert not stopper("0", {})
    nodes[:] = [{"Alive": True, "Resources": {"CPU": 1.0}}]
    assert stopper("0", {})


def test_the_first_error_of_the_session_is_kept_and_stops_the_experiment(session, bridge):
    searcher, callback, stopper = JobSearcher(bridge), OutcomeCallback(bridge), SessionStopper(bridge)
    config = searcher.suggest(trial_id="0")

    def full(number, outcome):
        raise RunError("disk full")

    session.finish = full
    assert not stopper.stop_all()
    callback.on_trial_result(1, [], trial(config), {"outcome": (0, Outcome())})
    assert str(bridge.error) == "disk full"
    assert stopper.stop_all()
    assert searcher.suggest(trial_id="1") == Searcher.FINISHED


def test_a_signal_stops_the_experiment(session, slots):
    interrupts = Interrupts()
    bridge = Bridge(session, interrupts, slots)
    interrupts.received = "SIGINT"
    assert SessionStopper(bridge).stop_all()
    assert JobSearcher(bridge).suggest(trial_id="0") == Searcher.FINISHED


def test_the_session_stays_out_of_snapshots(session, bridge):
    assert len(pickle.dumps(bridge)) < 200


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (None, "the worker was lost"),
        (ActorDiedError(), "the worker died during the evaluation (killed by a signal, out of memory, or crashed)"),
        (OutOfMemoryError("x"), "out of memory: Ray killed the worker as its machine ran out of memory"),
        (RuntimeError("two\nlines"), "RuntimeError: two lines"),
        (
            RayTaskError("setup", "Traceback\n  line\nModuleNotFoundError: No module named 'mine'", ModuleNotFoundError("mine")),
            "the worker could not start the evaluation: ModuleNotFoundError: No module named 'mine'",
        ),
        (
            RayTaskError("step", "Traceback", TaskCancelledError()),
            "KeyboardInterrupt: the evaluation was interrupted in its worker",
        ),
        (
            RayTaskError("setup", "Traceback", OutOfMemoryError("x")),
            "out of memory: Ray killed the worker as its machine ran out of memory",
        ),
    ],
)
def test_reasons_are_one_readable_line(error, reason):
    assert reason_of(error) == reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ActorDiedError(), "the worker could not start: its process died (killed by a signal, out of memory, or crashed)"),
        (
            RuntimeEnvSetupError("Traceback\n  line\nOSError: no space left"),
            "the worker could not start: OSError: no space left",
        ),
        (
            ActorDiedError(RayTaskError("__init__", "Traceback\n  line\nImportError: no torch", ImportError("no torch"))),
            "the worker could not start: ImportError: no torch",
        ),
    ],
)
def test_a_worker_that_never_ran_has_not_died_of_an_evaluation(session, bridge, error, reason, tmp_path):
    assert reason_of(error, has_started=False) == reason
    config = JobSearcher(bridge).suggest(trial_id="0")
    failed = trial(config)
    failed.pickled_error_file = tmp_path / "error.pkl"
    failed.pickled_error_file.write_bytes(pickle.dumps(error))
    OutcomeCallback(bridge).on_trial_error(1, [], failed)
    assert session.told == [(0, reason)]


#: As Ray makes it of what the head of the cluster says.
DIED_WITH_ITS_NODE = RayActorError(
    "ab", f"The actor died unexpectedly.\n\tpid: 7\nThe actor died because {NODE_DIED}. Node Id: 63f2", False
)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ActorUnavailableError("Socket closed", None), True),
        (DIED_WITH_ITS_NODE, True),
        (RayTaskError("reset", "Traceback", ActorUnavailableError("Socket closed", None)), True),
        (ActorDiedError(), False),
        (OutOfMemoryError("x"), False),
        (RuntimeError(NODE_DIED), False),
        (None, False),
    ],
)
@pytest.mark.parametrize("alone", [False, True])
def test_a_node_that_is_lost_is_told_from_a_process_that_died(session, bridge, nodes, error, expected, alone, tmp_path):
    """A node that is alone is never lost: the search would end with it, and a busy one is late to tell of a process."""
    assert is_node_lost(error) == expected
    found = []
    session.finish = lambda number, outcome: found.append(outcome)
    failed = trial(JobSearcher(bridge).suggest(trial_id="0"))
    if error is not None:
        failed.pickled_error_file = tmp_path / "error.pkl"
        failed.pickled_error_file.write_bytes(pickle.dumps(error))
    OutcomeCallback(bridge).on_trial_start(1, [], failed)
    if alone:
        nodes.pop()
    OutcomeCallback(bridge).on_trial_error(1, [], failed)
    (outcome,) = found
    is_told = expected and not alone
    assert outcome.node_lost == is_told
    assert (outcome.reason == "the worker was lost: its node, or the way to it, is gone") == is_told
    assert not (expected and alone) or outcome.reason.startswith("the worker died during the evaluation")
