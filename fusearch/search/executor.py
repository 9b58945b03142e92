"""Executors: where evaluations run. Each asks the session for jobs and tells it outcomes; the logic is the session's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol

from fusearch.contracts import Evaluator
from fusearch.registry import Registry
from fusearch.search.interrupts import Interrupts
from fusearch.search.job import JobSource, outcomes
from fusearch.settings import Settings

__all__ = ["EXECUTORS", "Executor", "ExecutorBuilder", "InlineExecutor"]


class Executor(Protocol):
    """Where evaluations run. Entered before the search, left after it, however it ends."""

    def __enter__(self) -> Executor: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

    def run(self, session: JobSource, evaluator: Evaluator, interrupts: Interrupts) -> None:
        """Evaluate until the session gives no more jobs and none is in flight.

        Each trial of a job of `session.next_job()`, its own and those of its siblings, is finished with exactly one
        `session.finish(number, outcome)`, on this thread.
        """
        ...


#: `build(settings, folder)` gives an executor; `folder` is where it may keep files of its own.
ExecutorBuilder = Callable[[Settings, Path], Executor]

EXECUTORS: Registry[ExecutorBuilder] = Registry("executor")


class InlineExecutor:
    """Evaluate in this process, one job after another: for tests, debugging, and machines without Ray."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        del settings, folder

    def __enter__(self) -> InlineExecutor:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        pass

    def run(self, session: JobSource, evaluator: Evaluator, interrupts: Interrupts) -> None:
        """Evaluate until the session gives no more jobs; a signal stops the evaluation at once."""
        while (job := session.next_job()) is not None:
            told = outcomes(evaluator, job)
            while True:
                with interrupts.prompt():
                    found = next(told, None)
                if found is None:
                    break
                session.finish(*found)


def _ray(settings: Settings, folder: Path) -> Executor:
    """Ray Tune, on this machine or a cluster; ray is loaded here and nowhere earlier."""
    from fusearch.search.ray_executor import RayExecutor

    return RayExecutor(settings, folder)


EXECUTORS.add("inline", InlineExecutor)
EXECUTORS.add("ray", _ray)
