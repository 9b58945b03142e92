"""The pieces that Ray Tune is given: a trainable that evaluates, a searcher that asks, a callback that tells, a stopper.

The traps of Tune that they walk round are listed in decision 0055.
"""

# ruff: noqa: ARG002 - the signatures are Tune's, and it passes by keyword

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import (
    ActorUnavailableError,
    ActorUnschedulableError,
    OutOfMemoryError,
    RayActorError,
    RayTaskError,
    RuntimeEnvSetupError,
    TaskCancelledError,
)
from ray.tune import Callback, Stopper, Trainable
from ray.tune.search import Searcher

from fusearch.search.interrupts import Interrupts
from fusearch.search.job import Job, JobSource, Outcome, outcomes
from fusearch.search.ray_slots import Slots

__all__ = ["JOB", "Bridge", "JobSearcher", "OutcomeCallback", "SessionStopper", "evaluation_trial", "is_node_lost", "reason_of"]

#: Key of the job in the configuration of a Tune trial; of an outcome in its result, and of how many are still to come.
JOB, OUTCOME, LEFT = "job", "outcome", "left"

#: What Ray writes into the error of an actor whose node it knows to be gone.
NODE_DIED = "its node has died"


def evaluation_trial(evaluator: ray.ObjectRef, environment: Mapping[str, str]) -> type[Trainable]:
    """Return the Tune trial for an evaluator in the object store: a job with its siblings, on a reused actor.

    A step ends when the outcome of a trial of the study is known, so that a worker that is lost later does not take it along. Any further
    step is a short wait: the trial ends when `SessionStopper` says so.

    Args:
        evaluator: Reference to the evaluator; each worker fetches it once.
        environment: Variables to set before that, as fetching it may load torch: thread counts.
    """

    class EvaluationTrial(Trainable):  # type: ignore[misc]  # ray has no types here
        def setup(self, config: dict[str, Any]) -> None:
            os.environ.update(environment)
            self._evaluator = ray.get(evaluator)
            self.reset_config(config)

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            job: Job = new_config[JOB]
            self._told, self._left = outcomes(self._evaluator, job), len(job.numbers)
            return True

        def step(self) -> dict[str, Any]:
            found = next(self._told, None)
            if found is None:
                time.sleep(0.02)
                return {}
            self._left -= 1
            return {OUTCOME: found, LEFT: self._left}

    return EvaluationTrial


class Bridge:
    """Between Tune's hooks and the session.

    Tune swallows what its hooks raise: here the first error is kept, and ends the experiment.

    Tune also gives the actor of a trial that ends to a trial whose own actor is still starting, and kills the starting one.
    With evaluations shorter than the start of an actor (seconds), a single worker would be left, at the start of a search or
    for good after a worker died. So a trial that is done waits until no actor is starting, as long as Ray has room for one, and
    `LONGEST_WAIT` at most: where others use the cluster too, nothing may ever start.

    Args:
        session: What gives jobs and takes outcomes.
        interrupts: A signal stops it.
        slots: How many workers Ray has room for, now.
        workers: How many jobs are out at a time; None: as many as there is room for, one at least. So a proposal knows all results that
            it can know.

    Attributes:
        error: What went wrong in the session (a full disk); the executor raises it.
    """

    LONGEST_WAIT = 30.0

    def __init__(self, session: JobSource, interrupts: Interrupts, slots: Slots, *, workers: int | None = None) -> None:
        self._session, self._interrupts, self._slots, self._workers = session, interrupts, slots, workers
        self._out: set[str] = set()
        self._open: dict[int, set[int]] = {}
        self._starting: dict[int, float] = {}
        self._is_waiting_worthwhile, self._room = True, 0
        self.error: Exception | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Stay out of Tune's snapshots, which hold whatever it was given: the session would take data and study with it."""
        return {}

    def next_job(self, trial_id: str) -> Job | None:
        """Ask the session for the job of a Tune trial, unless it has failed or all workers have one."""
        if len(self._out) >= (self._workers or max(1, self._slots.number())):
            return None
        try:
            with self._interrupts.held():
                job = None if self.should_stop() else self._session.next_job()
        except Exception as error:
            self.error, job = error, None
        if job is not None:
            self._out.add(trial_id)
            self._open[job.number] = {*job.numbers}
            self._starting[job.number] = time.monotonic()
        return job

    def is_finished(self) -> bool:
        """Whether there will be no more jobs; as long as one is out, its node may be lost, and it comes again."""
        return self.should_stop() or (self._session.stop_reason is not None and not self._out)

    def leave(self, trial_id: str) -> None:
        """Note that a Tune trial is over: its worker may have another."""
        self._out.discard(trial_id)

    def start(self, number: int) -> None:
        """Note that a job has its worker."""
        self._starting.pop(number, None)

    def has_started(self, number: int) -> bool:
        """Whether a job has had its worker."""
        return number not in self._starting

    def may_lose_nodes(self) -> bool:
        """Whether a node may be lost while the search goes on."""
        return self._slots.may_be_lost()

    def fail(self, job: int, outcome: Outcome) -> None:
        """Tell the session that the trials of a job that are still open have failed; a node may be gone."""
        self._slots.look_again()
        for number in sorted(self._open.get(job, ())):
            self.finish(job, number, outcome)

    def finish(self, job: int, number: int, outcome: Outcome) -> None:
        """Tell the session what became of a trial of a job, once for each."""
        self._starting.pop(job, None)
        if self.error is not None or number not in self._open.get(job, ()):
            return
        self._open[job].remove(number)
        try:
            with self._interrupts.held():
                self._session.finish(number, outcome)
        except Exception as error:
            self.error = error

    def may_end(self) -> bool:
        """Whether a job that is done may give its actor away."""
        room = self._slots.number()
        if room != self._room:
            self._is_waiting_worthwhile, self._room = True, room
        if self._starting and time.monotonic() - min(self._starting.values()) > self.LONGEST_WAIT:
            self._is_waiting_worthwhile = False
        can_start = self._starting and len(self._out) - len(self._starting) < room
        return not can_start or not self._is_waiting_worthwhile

    def should_stop(self) -> bool:
        """Whether a signal arrived, or the session failed."""
        return self._interrupts.received is not None or self.error is not None


class JobSearcher(Searcher):  # type: ignore[misc]  # ray has no types here
    """Give Tune the session's jobs as configurations."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge

    def set_search_properties(self, metric: str | None, mode: str | None, config: dict[str, Any], **spec: Any) -> bool:
        return True

    def suggest(self, trial_id: str) -> Any:
        job = self._bridge.next_job(trial_id)
        if job is not None:
            return {JOB: job}
        return Searcher.FINISHED if self._bridge.is_finished() else None

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Note that its worker is free; outcomes are told by the callback, which knows the trial."""
        self._bridge.leave(trial_id)


class OutcomeCallback(Callback):  # type: ignore[misc]  # ray has no types here
    """Tell the session what became of each job."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._bridge.start(trial.config[JOB].number)

    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any) -> None:
        # Taken out of what Tune keeps: its snapshots hold every result, and arrays would fill them.
        told = result.pop(OUTCOME, None)
        if told is not None:
            self._bridge.finish(trial.config[JOB].number, *told)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        number = trial.config[JOB].number
        error = _read_error(trial)
        node_lost = is_node_lost(error) and self._bridge.may_lose_nodes()
        reason = reason_of(error, has_started=self._bridge.has_started(number), node_lost=node_lost)
        self._bridge.fail(number, Outcome(reason=reason, node_lost=node_lost))


class SessionStopper(Stopper):  # type: ignore[misc]  # ray has no types here
    """End a trial after its evaluation, and the experiment on a signal or where the session failed."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return not result.get(LEFT) and self._bridge.may_end()

    def stop_all(self) -> bool:
        return self._bridge.should_stop()


def reason_of(error: BaseException | None, *, has_started: bool = True, node_lost: bool = False) -> str:
    """Say in one line why a Tune trial failed outside of the evaluator.

    Args:
        error: What Ray raised; None where nothing is known.
        has_started: Whether the trial's worker ever ran.
        node_lost: Whether its node is gone.
    """
    if node_lost:
        return "the worker was lost: its node, or the way to it, is gone"
    if isinstance(error, RayTaskError):
        cause = error.as_instanceof_cause()
        if isinstance(cause, TaskCancelledError):  # what Ray makes of it: nobody cancels an evaluation
            return "KeyboardInterrupt: the evaluation was interrupted in its worker"
        if not isinstance(cause, OutOfMemoryError | RayActorError):
            return f"the worker could not start the evaluation: {_last_line(error)}"
        error = cause
    if isinstance(error, OutOfMemoryError):
        return "out of memory: Ray killed the worker as its machine ran out of memory"
    if isinstance(error, RayActorError) and not error.actor_init_failed:
        when = "the worker died during the evaluation" if has_started else "the worker could not start: its process died"
        return f"{when} (killed by a signal, out of memory, or crashed)"
    if error is not None and (not has_started or isinstance(error, RayActorError | RuntimeEnvSetupError | ActorUnschedulableError)):
        return f"the worker could not start: {_last_line(error)}"
    return "the worker was lost" if error is None else f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def is_node_lost(error: BaseException | None) -> bool:
    """Whether a worker is gone with its node, and not because its process died there (decision 0067).

    Where Ray knows that the node is gone, it says so in words alone. Where it has not heard of the node for a second, the worker is
    unavailable: of a process that dies on a living node the node tells at once.
    """
    cause = error.as_instanceof_cause() if isinstance(error, RayTaskError) else error
    return isinstance(cause, ActorUnavailableError) or (isinstance(cause, RayActorError) and NODE_DIED in str(cause))


def _last_line(error: BaseException) -> str:
    """Return what an error of Ray ends with: the line that a person wrote, below the traces of several processes."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:300] if lines else type(error).__name__


def _read_error(trial: Any) -> BaseException | None:
    """Read the error that Tune has just written beside the trial; Tune's own reader looks where it is copied later."""
    path = trial.pickled_error_file
    if path is None or not Path(path).is_file():
        return None
    with Path(path).open("rb") as file:
        error: BaseException = pickle.load(file)  # noqa: S301 - written by Tune, in this process, a moment ago
    return error
