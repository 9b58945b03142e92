"""The one place where an evaluator is called."""

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fusearch.contracts import Budget, Evaluation, Objective
from fusearch.data import load_data
from fusearch.errors import DataError
from fusearch.evaluators import TrainingEvaluator
from fusearch.inference.race import Race, Rival
from fusearch.search.job import Job, Outcome, describe_evaluation, evaluate, outcomes
from fusearch.search_space import Candidate, FusionGraph
from fusearch.study import TrialFacts


def test_an_evaluation_carries_values_wall_time_and_worker(job):
    outcome = evaluate(lambda candidate, budget, report: {"score": 0.5, "epochs": budget.epochs}, job)
    assert dict(outcome.evaluation) == {"score": 0.5, "epochs": 2.0}
    assert outcome.reason is None
    assert outcome.seconds >= 0
    assert outcome.worker == os.getpid()


def test_intermediate_reports_are_taken(job):
    def run(candidate, budget, report):
        report(1, {"loss": 0.3})
        return {"score": 0.5}

    assert evaluate(run, job).evaluation is not None


def test_what_is_raised_is_the_reason_with_its_place(job):
    def run(candidate, budget, report):
        raise ValueError("two\nlines")

    outcome = evaluate(run, job)
    assert outcome.evaluation is None
    assert outcome.reason.startswith("ValueError: two lines (test_job.py:")
    assert outcome.reason.endswith(", in run)")


def test_an_error_that_cannot_say_what_it_is_is_a_failure_too(job):
    class MuteError(Exception):
        def __str__(self):
            raise RuntimeError

    def run(candidate, budget, report):
        raise MuteError

    assert evaluate(run, job).reason.startswith("MuteError (test_job.py:")


def test_our_own_errors_say_it_themselves(job):
    def run(candidate, budget, report):
        raise DataError("labels of one class")

    assert evaluate(run, job).reason == "DataError: labels of one class"


def waits(candidate, budget, report):
    time.sleep(60)


def spins(candidate, budget, report):
    while True:
        with contextlib.suppress(Exception):
            time.sleep(0.01)


def test_an_evaluation_that_waits_is_stopped_at_its_time(job, free_alarm):
    """The main thread is that of Ray's workers and of the inline executor."""
    outcome = evaluate(waits, replace(job, seconds=0.2))
    assert (outcome.evaluation, outcome.reason) == (None, "stopped after 0.2 seconds, the time limit of a trial")
    assert outcome.seconds < 30
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL


def test_where_the_alarm_is_taken_or_the_thread_another_it_is_stopped_too(job, free_alarm):
    limited, reason = replace(job, seconds=0.2), "stopped after 0.2 seconds, the time limit of a trial"
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(evaluate, spins, limited).result().reason == reason
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    assert evaluate(spins, limited).reason == reason
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_IGN


@pytest.mark.parametrize("in_main_thread", [True, False])
def test_no_module_is_left_half_imported(job, free_alarm, tmp_path, monkeypatch, in_main_thread):
    """It would fail every later evaluation of the process."""
    (tmp_path / "slow_to_import.py").write_text("import time\nfor _ in range(50):\n    time.sleep(0.01)\nwhole = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "slow_to_import", raising=False)

    def imports(candidate, budget, report):
        import slow_to_import  # type: ignore[import-not-found]

        found.append(slow_to_import.whole)
        spins(candidate, budget, report)

    found, limited = [], replace(job, seconds=0.2)
    with ThreadPoolExecutor(1) as pool:
        outcome = evaluate(imports, limited) if in_main_thread else pool.submit(evaluate, imports, limited).result()
    assert outcome.reason == "stopped after 0.2 seconds, the time limit of a trial"
    assert found == [True]


TRACED = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from fusearch.search.job import _limited

def within():
    with _limited(60):
        return 1

with ThreadPoolExecutor(1) as pool:
    assert pool.submit(within).result() == 1
seen = []
sys.settrace(lambda frame, event, _: seen.append(event))
within_again = within.__name__
(lambda: None)()
sys.settrace(None)
print(len(seen) > 0)
"""


def test_a_time_limit_in_another_thread_leaves_nothing_for_the_interpreter_to_look_for():
    """Python 3.11 turns in circles under a tracer (a debugger, coverage) where an exception for a thread was set and taken back."""
    done = subprocess.run([sys.executable, "-c", TRACED], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "True"), done.stderr


def test_what_is_raised_too_late_does_not_leave_the_block(job):
    """The time is up at the very end of the evaluation, again and again: it is stopped, or it is not, and nothing comes after."""

    def evaluate_until(candidate, budget, report):
        end = time.perf_counter() + 0.02
        while time.perf_counter() < end:
            pass
        return {"score": 1.0}

    with ThreadPoolExecutor(1) as pool:
        for _ in range(40):
            outcome = pool.submit(evaluate, evaluate_until, replace(job, seconds=0.02)).result()
            assert (outcome.evaluation is None) == (outcome.reason is not None)
            assert pool.submit(lambda: sum(range(2000))).result() == 1999000


def test_an_evaluation_within_its_time_is_not_touched(job, free_alarm):
    assert evaluate(lambda candidate, budget, report: {"score": 0.5}, replace(job, seconds=30.0)).reason is None
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_ctrl_c_passes(job):
    def run(candidate, budget, report):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(run, job)


def test_the_end_of_a_worker_passes_and_that_of_an_evaluator_is_a_failure(job):
    def end(candidate, budget, report):
        error = SystemExit(1)
        error.ray_terminate_msg = "The process receives a SIGTERM."
        raise error

    with pytest.raises(SystemExit):
        evaluate(end, job)
    assert evaluate(lambda candidate, budget, report: sys.exit(3), job).reason.startswith("SystemExit: 3")


def test_jobs_and_outcomes_travel(job):
    assert pickle.loads(pickle.dumps(job)) == job
    assert pickle.loads(pickle.dumps(Outcome(reason="lost"))) == Outcome(reason="lost")


def test_what_the_study_keeps_is_json_able():
    evaluation = Evaluation({"score": 0.5}, spread={"score": np.float32(0.25)}, details={"a": np.arange(2), "b": Path("x")})
    kept = describe_evaluation(Outcome(evaluation, worker=3, host="one"), Budget(epochs=2))
    assert json.loads(json.dumps(kept.attributes())) == kept.attributes()
    assert kept == TrialFacts(
        budget={"epochs": 2, "members": None, "seed": None},
        values={"score": 0.5},
        spread={"score": 0.25},
        details={"worker": 3, "host": "one", "a": [0, 1], "b": "x"},
    )


def test_a_lost_race_ends_the_evaluation_after_the_fold(job, race, foldwise):
    evaluator = foldwise()
    outcome = evaluate(evaluator, replace(job, race=race))
    assert outcome.lost.folds == 1
    assert evaluator.trained == [(job.candidate.digest, 0)]
    assert len(outcome.evaluation.details["members"]) == 1
    assert outcome.reason is None


def test_a_race_that_is_not_lost_and_none_at_all_give_the_same_evaluation(job, race, foldwise):
    easy = replace(race, rivals=(replace(race.rivals[0], scores={"score": dict.fromkeys(range(5), -99.0)}),))
    plain, raced = (evaluate(foldwise(), replace(job, race=each)) for each in (None, easy))
    assert raced.lost is plain.lost is None
    assert raced.evaluation == plain.evaluation


@pytest.mark.parametrize(("price", "folds"), [(0.0, 1), (0.3, 1), (0.31, 5)])
def test_a_race_is_run_where_it_is_as_likely_to_be_lost_at_once_as_a_look_costs(job, race, packed, price, folds):
    evaluator = packed()
    evaluator.PRICE = price
    ((_, outcome),) = outcomes(evaluator, replace(job, race=replace(race, lost_at_once=0.3)))
    assert len(outcome.evaluation.details["members"]) == folds
    assert (outcome.lost is None) == (folds == 5)


def test_a_trained_design_that_loses_at_once_has_one_fold_and_one_that_does_not_has_a_pack_of_the_others():
    data = load_data("wisconsin")
    evaluator = TrainingEvaluator(data, folds=5, epochs=2)
    candidate = Candidate(FusionGraph.parse("F1 = cat(mean@L, worst@L) ->", modalities=data.modalities))
    for score, lost, members, pack in ((99.0, True, 1, None), (-99.0, False, 5, {"members": 4})):
        against = Rival(1, {"auroc": dict.fromkeys(range(5), score)}, {"auroc": 0.01})
        job = Job(7, candidate, Budget(), race=Race((Objective.parse("auroc"),), (against,)))
        ((_, outcome),) = outcomes(evaluator, job)
        assert (outcome.lost is not None, len(outcome.evaluation.details["members"])) == (lost, members)
        assert outcome.evaluation.details.get("pack") == pack


def test_a_whole_evaluation_is_kept_though_a_metric_has_no_value_in_one_fold(job, race):
    class Undefined:
        """The score of the last fold is missing."""

        def __call__(self, candidate, budget, report):
            raise AssertionError

        def by_fold(self, candidate, budget, report):
            members = [{"fold": fold, "seed": 0, "metrics": {"score": -1.0} if fold < 4 else {}} for fold in range(5)]
            yield Evaluation({"score": -1.0}, details={"members": members})

    outcome = evaluate(Undefined(), replace(job, race=race))
    assert outcome.lost is None
    assert outcome.evaluation["score"] == -1.0


def test_a_price_that_cannot_be_told_is_none(job, race, packed):
    class Unpriced(packed):
        def price_of_look(self, candidate, budget, recipes=1):
            raise RuntimeError("no such device")

    ((_, outcome),) = outcomes(Unpriced(), replace(job, race=race))
    assert outcome.lost.folds == 1


def test_an_evaluator_that_fails_in_a_race_or_tells_nothing_has_failed(job, race):
    class Broken:
        def __call__(self, candidate, budget, report):
            raise AssertionError

        def by_fold(self, candidate, budget, report):
            yield from ()
            raise ValueError("two")

    class Silent(Broken):
        def by_fold(self, candidate, budget, report):
            yield from ()

    assert evaluate(Broken(), replace(job, race=race)).reason.startswith("ValueError: two")
    assert evaluate(Silent(), replace(job, race=race)).reason == "by_fold gave no evaluation"


def test_a_job_with_a_race_travels_to_a_worker_and_is_small(job, race):
    raced = replace(job, race=race)
    assert pickle.loads(pickle.dumps(raced)) == raced
    assert len(pickle.dumps(race)) < 1500
