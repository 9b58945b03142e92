"""One evaluation: what is sent to a worker, what comes back, and the one place where an evaluator is called."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from types import FrameType
from typing import Any

from fusearch.contracts import Budget, Evaluation, Evaluator, FoldwiseEvaluator
from fusearch.errors import EvaluationError, FusearchError
from fusearch.inference.race import Lost, Race
from fusearch.search_space import Candidate
from fusearch.study import TrialFacts

__all__ = ["Job", "Outcome", "describe_evaluation", "evaluate"]


#: Seconds after which an import is looked at again.
_IMPORT_STEP = 0.02

#: Thousandths of a second that are waited for an exception on its way; an evaluator may have swallowed it.
_ARRIVAL_STEPS = 100


@dataclass(frozen=True)
class Job:
    """A candidate to evaluate.

    Attributes:
        number: Number of the Optuna trial; the only name by which executors know a job.
        candidate: What is evaluated.
        budget: What the evaluation may spend.
        seconds: How long it may take; None: as long as it likes.
        race: What it races against; None: it is trained to the end.
    """

    number: int
    candidate: Candidate
    budget: Budget
    seconds: float | None = None
    race: Race | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a job: an evaluation, or the reason why there is none.

    Attributes:
        evaluation: Finite values, or None; those of the folds that it had, where it lost a race.
        reason: Why the job failed, in one line; None where it did not.
        seconds: Wall time of the evaluation.
        worker: Process id of the worker; None where the worker died.
        lost: The race that it lost; None where it lost none.
    """

    evaluation: Evaluation | None = None
    reason: str | None = None
    seconds: float | None = None
    worker: int | None = None
    lost: Lost | None = None


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
        evaluation, reason = None, _reason(error)
    return Outcome(evaluation, reason, time.perf_counter() - started, os.getpid(), lost)


def _evaluate(evaluator: Evaluator, job: Job) -> tuple[Evaluation, Lost | None]:
    """Return the evaluation and, where it is that of some folds only, the race that was lost after them."""
    if job.race is None or not isinstance(evaluator, FoldwiseEvaluator):
        return Evaluation.of(evaluator(job.candidate, job.budget, _ignore)), None
    found = None
    for found in evaluator.by_fold(job.candidate, job.budget, _ignore):
        told = TrialFacts(details=found.details)
        lost = job.race.judge({metric.name: told.by_fold(metric.name) for metric in job.race.metrics})
        if lost is not None:
            return Evaluation.of(found), lost
    if found is None:
        raise EvaluationError("by_fold gave no evaluation")
    return Evaluation.of(found), None


def describe_evaluation(evaluation: Evaluation, budget: Budget, worker: int | None) -> TrialFacts:
    """Return what the study keeps of an evaluation, JSON-able; the details hold the worker's process id."""
    return TrialFacts(
        budget=asdict(budget),
        values=dict(evaluation.metrics),
        spread={name: float(value) for name, value in evaluation.spread.items()},
        details=json.loads(json.dumps({"worker": worker, **evaluation.details}, default=_plain)),
    )


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _ignore(step: int, values: Mapping[str, float], /) -> None:
    """Take the intermediate reports of an evaluator; only full budgets count today (decision 0057)."""


def _reason(error: BaseException) -> str:
    """Say in one line what was raised, and where, unless it is one of our own errors, which say it themselves."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # an error of someone else's, which cannot say what it is
        text = ""
    if isinstance(error, EvaluationError):
        return text
    name = "out of memory" if isinstance(error, MemoryError) else type(error).__name__
    said = f"{name}: {text}" if text else name
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, FusearchError) or not frames:
        return said
    return f"{said} ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno}, in {frames[-1].name})"
