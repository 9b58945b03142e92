"""Executors by name, and evaluating in this process."""

import pytest

from fusearch.search.executor import EXECUTORS, InlineExecutor
from fusearch.search.interrupts import Interrupts
from fusearch.search.job import Job
from fusearch.settings import Settings


class Script:
    """A session that gives three jobs and writes down what it is told."""

    def __init__(self, space):
        import numpy as np

        rng = np.random.default_rng(0)
        self.jobs = [Job(number, space.sample(rng), None) for number in range(3)]
        self.told = []

    def next_job(self):
        return self.jobs.pop(0) if self.jobs else None

    def finish(self, number, outcome):
        self.told.append((number, outcome.reason is None))


def test_names():
    assert list(EXECUTORS) == ["inline", "ray"]


def test_inline_evaluates_job_after_job(space, tmp_path, toy_evaluator):
    session = Script(space)
    with Interrupts() as interrupts, InlineExecutor(Settings(), tmp_path) as executor:
        executor.run(session, toy_evaluator, interrupts)
    assert session.told == [(0, True), (1, True), (2, True)]


def test_inline_passes_ctrl_c_on(space, tmp_path):
    session = Script(space)

    def evaluate(candidate, budget, report):
        raise KeyboardInterrupt

    with Interrupts() as interrupts, InlineExecutor(Settings(), tmp_path) as executor, pytest.raises(KeyboardInterrupt):
        executor.run(session, evaluate, interrupts)
    assert session.told == []
