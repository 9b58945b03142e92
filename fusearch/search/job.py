"""One evaluation, or that of some recipes: what is sent to a worker, what comes back, and the one place that calls an evaluator."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from types import FrameType
from typing import Any, Protocol

from fusearch.contracts import Budget, Evaluation, Evaluator, FoldwiseEvaluator, Outrun, PackEvaluator, PackNews
from fusearch.errors import EvaluationError, failure_text
from fusearch.inference.race import Lost, Race
from fusearch.search_space import Candidate
from fusearch.study import TrialFacts

__all__ = ["Job", "JobSource", "Outcome", "describe_evaluation", "evaluate", "outcomes"]


#: Seconds after which an import is looked at again.
_IMPORT_STEP = 0.02

#: Thousandths of a second that are waited for an exception on its way; an evaluator may have swallowed it.
_ARRIVAL_STEPS = 100


@dataclass(frozen=True)
class Job:
    """A candidate to evaluate, with other recipes of it where there are any.

    Attributes:
        number: Number of the Optuna trial; the only name by which executors know a job.
        candidate: What is evaluated.
        budget: What the evaluation may spend.
        seconds: How long it may take; None: as long as it likes.
        race: What it races against; None: it is trained to the end.
        siblings: Jobs of the same design with other recipes, which go to the same worker.
        halving: Whether the worse of the recipes may be stopped early.
    """

    number: int
    candidate: Candidate
    budget: Budget
    seconds: float | None = None
    race: Race | None = None
    siblings: tuple[Job, ...] = ()
    halving: bool = False

    @property
    def numbers(self) -> tuple[int, ...]:
        """The trials that become known with it."""
        return (self.number, *(sibling.number for sibling in self.siblings))


@dataclass(frozen=True)
class Outcome:
    """What became of a job: an evaluation, or the reason why there is none.

    Attributes:
        evaluation: Finite values, or None; those of the folds that it had, where it lost a race against a finished design.
        reason: Why the job failed, in one line; None where it did not.
        seconds: Wall time of the evaluation.
        worker: Process id of the worker; None where the worker died.
        host: Name of the machine where it worked; None likewise.
        lost: The race that it lost; None where it lost none.
        node_lost: Whether the node was lost under it, so that nothing is known of the candidate.
    """

    evaluation: Evaluation | None = None
    reason: str | None = None
    seconds: float | None = None
    worker: int | None = None
    host: str | None = None
    lost: Lost | Outrun | None = None
    node_lost: bool = False

    @property
    def place(self) -> tuple[str | None, int | None]:
        """Which worker it was, among those of several machines."""
        return self.host, self.worker


class JobSource(Protocol):
    """What executors ask for jobs and tell outcomes: a session, or the seeds that come after it."""

    @property
    def stop_reason(self) -> str | None:
        """Why no more jobs are given; None while they are, also where none is due before a result."""
        ...

    def next_job(self) -> Job | None:
        """Return what to evaluate, None where nothing is due."""
        ...

    def finish(self, number: int, outcome: Outcome) -> None:
        """Record what became of a trial."""
        ...


class _OutOfTime(BaseException):
    """An evaluation took longer than it may; raised inside it, from outside. No `except Exception` of an evaluator holds it up."""


@contextmanager
def _limited(seconds: float | None) -> Iterator[None]:
    """Raise `_OutOfTime` inside the block once it takes longer.

    In the main thread a timer of the system ends what waits as well (a sleep, a socket, another process), unless someone else has taken
    it; elsewhere it is raised at the next step of Python in this thread. An import is waited for: a module that was left half imported
    would fail every later evaluation of the process.
    """
    if seconds is None:
        yield
    elif seconds <= 0:  # a timer of no time never fires
        raise _OutOfTime
    elif threading.current_thread() is threading.main_thread() and _alarm_is_free():
        with _alarmed(seconds):
            yield
    else:
        with _raised_from_outside(seconds):
            yield


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None and "importlib._bootstrap" not in frame.f_code.co_filename:
        frame = frame.f_back
    return frame is not None


def _alarm_is_free() -> bool:
    return hasattr(signal, "SIGALRM") and signal.getsignal(signal.SIGALRM) == signal.SIG_DFL


@contextmanager
def _alarmed(seconds: float) -> Iterator[None]:
    is_done = False

    def stop(_number: int, frame: FrameType | None) -> None:
        if _is_importing(frame):
            signal.setitimer(signal.ITIMER_REAL, _IMPORT_STEP)
        elif not is_done:
            raise _OutOfTime

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        is_done = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


@contextmanager
def _raised_from_outside(seconds: float) -> Iterator[None]:
    thread, lock = ctypes.c_ulong(threading.get_ident()), threading.Lock()
    is_done = is_raised = has_arrived = False

    def stop() -> None:
        nonlocal is_raised
        while _is_importing(sys._current_frames().get(thread.value)):
            time.sleep(_IMPORT_STEP)
        with lock:
            if not is_done:
                is_raised = True
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(_OutOfTime))

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    except _OutOfTime:
        has_arrived = True
        raise
    finally:
        try:
            with lock:
                is_done = True
            timer.cancel()
            # What was raised too late for the block is on its way, and arrives here. To take it back would leave the interpreter (3.11)
            # looking for it for ever: slower everywhere, and without end under a tracer.
            for _ in range(_ARRIVAL_STEPS if is_raised and not has_arrived else 0):
                time.sleep(0.001)
        except _OutOfTime:
            pass


def evaluate(evaluator: Evaluator, job: Job) -> Outcome:
    """Call the evaluator; whatever it raises, and values that are not finite, become the reason of a failure.

    `KeyboardInterrupt` passes: it stops the search, not the job. So does the `SystemExit` by which Ray ends a worker that got SIGTERM. That
    of an evaluator is a failure like any other: a search that it stopped would begin with the same candidate when it is resumed.
    """
    started = time.perf_counter()
    evaluation, reason, lost = None, None, None
    try:
        with _limited(job.seconds):
            evaluation, lost = _evaluate(evaluator, job)
    except _OutOfTime:
        evaluation, reason = None, f"stopped after {job.seconds:g} seconds, the time limit of a trial"
    except (Exception, SystemExit) as error:  # the search goes on whatever an evaluator does; the reason is kept
        if hasattr(error, "ray_terminate_msg"):
            raise
        evaluation, reason = None, failure_text(error)
    return Outcome(evaluation, reason, time.perf_counter() - started, os.getpid(), socket.gethostname(), lost)


def _evaluate(evaluator: Evaluator, job: Job) -> tuple[Evaluation, Lost | None]:
    """Return the evaluation and, where it is that of some folds only, the race that was lost after them."""
    if job.race is None or not isinstance(evaluator, FoldwiseEvaluator):
        return Evaluation.of(evaluator(job.candidate, job.budget, _ignore)), None
    found = None
    for found in evaluator.by_fold(job.candidate, job.budget, _ignore):
        lost = _judged(job.race, found)
        if lost is not None:
            return Evaluation.of(found), lost
    if found is None:
        raise EvaluationError("by_fold gave no evaluation")
    return Evaluation.of(found), None


def _judged(race: Race, found: Evaluation) -> Lost | None:
    """Say whether a race is lost after some folds; after all of them nothing is spared, though a metric may have no value in one."""
    if race.is_over({member["fold"] for member in found.details.get("members", ())}):
        return None
    told = TrialFacts(details=found.details)
    return race.judge({metric.name: told.by_fold(metric.name) for metric in race.metrics})


def outcomes(evaluator: Evaluator, job: Job) -> Iterator[tuple[int, Outcome]]:
    """Evaluate a job and its siblings, and give what became of each trial as soon as it is known.

    They are evaluated together where the evaluator can do that, else one after the other.
    """
    alone = replace(job, siblings=())
    jobs = [alone, *job.siblings]
    num_packed = sum(_design(each) == _design(alone) for each in jobs) if isinstance(evaluator, PackEvaluator) else 1
    if not _race_is_worth_it(evaluator, alone, num_packed):
        jobs = [replace(each, race=None) for each in jobs]
    packed = [each for each in jobs if _design(each) == _design(alone)]
    if len(packed) > 1 and isinstance(evaluator, PackEvaluator):
        yield from _Pack(evaluator, packed, halving=job.halving).outcomes()
    else:
        packed = []
    for each in jobs:
        if each not in packed:
            yield each.number, evaluate(evaluator, each)


def _race_is_worth_it(evaluator: Evaluator, job: Job, num_recipes: int) -> bool:
    """Whether a look after the first fold spares more time than it takes (decision 0059)."""
    if job.race is None or not isinstance(evaluator, PackEvaluator):
        return True
    try:
        return job.race.lost_at_once >= evaluator.price_of_look(job.candidate, job.budget, num_recipes)
    except Exception:  # what is wrong, the evaluation will say, which has a trial to say it of
        return True


def _design(job: Job) -> tuple[str, int]:
    return job.candidate.graph.digest, job.candidate.recipe.width


class _Pack:
    """Several recipes of a design that are evaluated together.

    The wall time of each is its part of the time in which it was among them, so that the times of all add up to that of the worker.
    """

    def __init__(self, evaluator: PackEvaluator, jobs: Sequence[Job], *, halving: bool) -> None:
        self._jobs, self._open = jobs, dict.fromkeys(range(len(jobs)))
        self._limit = None if jobs[0].seconds is None else jobs[0].seconds * len(jobs)
        self._spent = self._share = 0.0
        self._news = evaluator.recipes(
            [job.candidate for job in jobs],
            jobs[0].budget,
            _ignore,
            by_fold=any(job.race is not None for job in jobs),
            halving=halving,
            goes_on=self._open.__contains__,
        )

    def outcomes(self) -> Iterator[tuple[int, Outcome]]:
        """Give the outcome of each trial as soon as it is known; what raises, ends all that are open."""
        while self._open:
            started = time.perf_counter()
            news, failure = None, None
            try:
                with _limited(None if self._limit is None else max(0.001, self._limit - self._spent)):
                    news = next(self._news)
                    outcome = self._outcome(news)
            except _OutOfTime:
                failure = f"stopped after {self._limit:g} seconds, the time limit of {len(self._jobs)} trials"
            except StopIteration:
                failure = "the evaluator told nothing of it"
            except (Exception, SystemExit) as error:  # as in `evaluate`
                if hasattr(error, "ray_terminate_msg"):
                    raise
                failure = failure_text(error)
            seconds = time.perf_counter() - started
            self._spent, self._share = self._spent + seconds, self._share + seconds / len(self._open)
            if failure is not None:
                ended = [(place, Outcome(reason=failure)) for place in self._open]
            else:
                ended = [] if news is None or outcome is None or news.place not in self._open else [(news.place, outcome)]
            for place, told in ended:
                del self._open[place]
                yield self._jobs[place].number, replace(told, seconds=self._share, worker=os.getpid(), host=socket.gethostname())

    def _outcome(self, news: PackNews) -> Outcome | None:
        """Return what became of a recipe; None as long as it goes on."""
        if isinstance(news.found, Outrun):
            return Outcome(lost=news.found)
        if isinstance(news.found, EvaluationError):
            return Outcome(reason=failure_text(news.found))
        try:
            evaluation = Evaluation.of(news.found)
        except EvaluationError as error:
            return Outcome(reason=failure_text(error))
        race = self._jobs[news.place].race
        lost = None if race is None or news.is_last else _judged(race, news.found)
        return Outcome(evaluation, lost=lost) if news.is_last or lost is not None else None


def describe_evaluation(outcome: Outcome, budget: Budget) -> TrialFacts:
    """Return what the study keeps of an evaluation, JSON-able; the details hold the worker's process id, and its machine."""
    evaluation = outcome.evaluation or Evaluation({})
    where = {"worker": outcome.worker, "host": outcome.host}
    return TrialFacts(
        budget=asdict(budget),
        values=dict(evaluation.metrics),
        spread={name: float(value) for name, value in evaluation.spread.items()},
        details=json.loads(json.dumps({**where, **evaluation.details}, default=_plain)),
    )


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _ignore(step: int, values: Mapping[str, float], /) -> None:
    """Take the intermediate reports of an evaluator; only full budgets count today (decision 0057)."""
