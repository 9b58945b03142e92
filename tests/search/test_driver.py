"""A search from end to end in this process: what is proposed, recorded, refused, resumed."""

import contextlib
import json
import os
import re
import socket
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml

from fusearch.contracts import Budget, Evaluation, Objective
from fusearch.errors import RunError
from fusearch.search import Progress, run_search
from fusearch.search_space import Candidate, Recipe


def test_a_search_ends_after_its_trials_and_says_so(search):
    run = search(trials=12)
    status = run.status()
    assert status["state"] == "finished"
    assert status["reason"] == "12 trials are done"
    assert status["trials"]["complete"] == 12
    assert status["trials"]["running"] == status["trials"]["failed"] == 0
    assert set(status["references"]) == {"best_unimodal", "linear"}
    assert json.loads(json.dumps(status)) == status


def test_references_come_first_each_with_the_default_recipe(search):
    first = search(trials=3, seed=5).records()
    assert [record.reference for record in first] == ["best_unimodal", "linear", "best_unimodal"]
    assert {record.recipe["width"] for record in first} == {Recipe().width}


def test_the_same_seed_gives_the_same_trials_and_another_seed_others(search, tmp_path):
    one, same, other = (search(out=tmp_path / name, seed=seed).records() for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert [record.candidate for record in one] == [record.candidate for record in same]
    assert [record.candidate for record in one] != [record.candidate for record in other]


def test_repeats_are_answered_from_the_study_and_train_nothing(search, toy_evaluator):
    evaluated = Counter()

    def evaluate(candidate, budget, report):
        evaluated[candidate.digest] += 1
        return toy_evaluator(candidate, budget, report)

    run = search(evaluate, trials=25)
    records = run.records()
    repeats = [record for record in records if record.repeat_of is not None]
    assert repeats
    assert set(evaluated.values()) == {1}
    for record in repeats:
        leader = records[record.repeat_of]
        assert (record.state, record.objectives, record.values) == ("complete", leader.objectives, leader.values)
    assert sum(record.evaluated for record in records) == 25 == run.status()["trials"]["complete"]
    assert run.status()["trials"]["repeated"] == len(repeats)


def test_a_space_that_is_exhausted_ends_the_search(search, space):
    status = search(trials=500).status()
    assert status["state"] == "finished"
    assert "exhausted" in status["reason"]
    num_designs = (2 + 2 * len(space.operators)) * len(space.widths)
    # Every design once, and the linear model, which lies outside the space, with each of its recipes.
    assert num_designs <= status["trials"]["complete"] <= num_designs + len(space.widths)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (lambda: 1 / 0, "ZeroDivisionError: division by zero (test_driver.py:"),
        (lambda: {"score": float("nan"), "macs": 1.0}, "metric 'score' is nan, expected a finite number"),
        (lambda: {"score": float("inf"), "macs": 1.0}, "metric 'score' is inf, expected a finite number"),
        (lambda: {"scor": 0.5, "macs": 1.0}, "the evaluator returned no 'score': did you mean 'scor'?"),
        (lambda: None, "an evaluator returned NoneType, expected a mapping"),
        (lambda: sys.exit(3), "SystemExit: 3"),
        (lambda: (_ for _ in ()).throw(MemoryError("17 GiB")), "out of memory: 17 GiB"),
    ],
)
def test_a_failure_is_recorded_with_reason_and_formula_and_the_search_goes_on(search, toy_evaluator, broken, reason):
    def evaluate(candidate, budget, report):
        return broken() if candidate.recipe.width == 8 else toy_evaluator(candidate, budget, report)

    run = search(evaluate, trials=20, seed=3)
    failed = [record for record in run.records() if record.state == "failed" and record.repeat_of is None]
    status = run.status()
    assert failed
    assert status["trials"]["complete"] + len(failed) == 20
    assert status["trials"]["failed"] == len(failed)
    for record in failed:
        assert record.reason.startswith(reason)
        assert record.formula
        assert record.recipe["width"] == 8


def test_a_search_in_which_everything_fails_ends_too(search):
    status = search(lambda candidate, budget, report: 1 / 0, trials=4).status()
    assert (status["trials"]["complete"], status["trials"]["failed"], status["front"]) == (0, 4, [])
    assert status["hypervolume"] is None


def test_a_search_whose_first_evaluations_fail_alike_gives_up(search):
    def broken(candidate, budget, report):
        raise ValueError(f"expected {candidate.recipe.width} columns, found 7")

    status = search(broken, trials=30).status()
    assert (status["state"], status["trials"]["failed"]) == ("stopped", 5)
    assert re.match(r"the first 5 evaluations failed alike: ValueError: expected \d+ columns, found 7 \(test_driver.py", status["reason"])


def test_an_operator_that_fails_always_is_no_longer_proposed(search, toy_evaluator):
    tried = []

    def evaluate(candidate, budget, report):
        operators = {fusion.operator for fusion in candidate.graph.fusions}
        tried.append("low_rank" in operators)
        if "low_rank" in operators:
            raise ValueError(f"rank {candidate.recipe.width} is singular")
        return toy_evaluator(candidate, budget, report)

    blamed = []
    run = search(evaluate, trials=25, progress=lambda progress: blamed.extend(progress.blamed), sampler="random")
    assert sum(tried) == 4
    assert blamed[-1].startswith("operator 'low_rank' failed in all 4 designs that have it: ValueError: rank")
    assert any(record.state == "pruned" and record.reason == blamed[-1] for record in run.records())


def test_whatever_an_evaluator_says_can_be_kept_and_reported(search):
    def strange(candidate, budget, report):
        if not candidate.graph.fusions:
            raise ValueError("\x1b[31mred\x1b[0m \ud800 \u202e" + "x" * 10_000_000 + " end")
        return {"score": 0.5, "macs": 100.0}

    from fusearch.reports import write_report

    run = search(strange, trials=8)
    reasons = {record.reason for record in run.records() if record.reason}
    assert all("\\x1b[31mred" in reason and "\\ud800" in reason and reason.isprintable() for reason in reasons)
    assert all(len(reason.encode()) <= 2048 and "characters left out" in reason and " end" in reason for reason in reasons)
    page = write_report(run)
    assert page.stat().st_size < 8e6
    assert "\\ud800" in page.read_text(encoding="utf-8")


def test_a_success_or_another_reason_lets_it_go_on(search, toy_evaluator, tmp_path):
    def mostly(candidate, budget, report):
        if candidate.graph.fusions:
            raise ValueError("no fusion today")
        return toy_evaluator(candidate, budget, report)

    def variously(candidate, budget, report):
        raise ValueError(f"no {'odd' if candidate.recipe.width > 8 else 'even'} width")

    assert search(mostly, trials=12).status()["reason"] == "12 trials are done"
    assert search(variously, trials=12, out=tmp_path / "other").status()["reason"] == "12 trials are done"


def test_an_evaluation_over_its_time_is_stopped_and_fails(search, toy_evaluator):
    def slow(candidate, budget, report):
        if candidate.graph.fusions:
            while True:
                with contextlib.suppress(Exception):  # an evaluator may hold up what it likes
                    time.sleep(0.01)
        return toy_evaluator(candidate, budget, report)

    run = search(slow, trials=5, trial_time_limit=0.2)
    failed = [record for record in run.records() if record.state == "failed"]
    assert {record.reason for record in failed} == {"stopped after 0.2 seconds, the time limit of a trial"}
    assert len(failed) + run.status()["trials"]["complete"] == 5
    assert run.status()["trials"]["complete"] >= 2


def test_the_time_limit_counts_from_the_first_evaluation(search, toy_evaluator, monkeypatch):
    """What an executor needs to start (Ray: seconds) is no time of the search."""
    from fusearch.search.executor import InlineExecutor

    def slow_start(executor):
        time.sleep(0.4)
        return executor

    monkeypatch.setattr(InlineExecutor, "__enter__", slow_start)
    assert search(trials=4, time_limit=0.3).status()["trials"]["complete"] >= 1


def test_a_relative_folder_and_storage_mean_the_same_from_anywhere(space, toy_evaluator, tmp_path, monkeypatch):
    from fusearch.run import Run
    from fusearch.search import run_search

    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)

    def wandering(candidate, budget, report):
        os.chdir(tmp_path / "other")
        return toy_evaluator(candidate, budget, report)

    made = {"objectives": ["score:max", "macs"], "trials": 4, "executor": "inline", "storage": "sqlite:///study.db"}
    run = run_search(space, wandering, out="runs/a", **made)
    assert run.status()["trials"]["complete"] == 4
    assert run.config["study"]["storage"] == f"sqlite:///{tmp_path}/study.db"
    assert Run(tmp_path / "runs" / "a").status()["trials"]["complete"] == 4
    (tmp_path / "study.db").rename(tmp_path / "elsewhere.db")
    with pytest.raises(RunError, match="there is no such file"):
        Run(tmp_path / "runs" / "a").status()
    assert not (tmp_path / "study.db").exists()
    assert list((tmp_path / "other").iterdir()) == []


def test_a_design_that_breaks_a_bound_on_a_cheap_objective_is_never_trained(search, toy_evaluator, costed):
    evaluator = costed(toy_evaluator)
    run = search(evaluator, objectives=["score:max", "macs<=1600"], trials=15)
    pruned = [record for record in run.records() if record.state == "pruned"]
    assert pruned
    assert {record.reason for record in pruned} == {"macs is 3200, bound <= 1600"}
    assert set(evaluator.trained) == {8, 16}
    assert run.status()["trials"]["complete"] == 15


def test_a_reference_that_is_too_large_is_told_and_the_search_goes_on(search, toy_evaluator, costed):
    class Sized(costed):
        def cheap(self, candidate):
            return {"macs": 1.0, "parameters": 1e9 if len(candidate.graph.fusions) == 1 and candidate.recipe == Recipe() else 1.0}

    told = []
    run = search(Sized(toy_evaluator), trials=12, reference_share=0.3, progress=told.append)
    (refusal,) = told[-1].refused
    assert refusal.startswith("the reference 'linear' is not trained: parameters is 1e+09, max_parameters is 1e+08: take smaller")
    assert run.status()["trials"]["complete"] == 12
    (refused,) = [record for record in run.records() if record.reference == "linear" and record.recipe == Recipe().to_dict()]
    assert refused.state == "pruned"


def test_a_bound_that_nothing_keeps_ends_the_search(search, toy_evaluator, costed):
    evaluator = costed(toy_evaluator)
    status = search(evaluator, objectives=["score:max", "macs<=1"], trials=15).status()
    assert "within the bounds" in status["reason"]
    assert evaluator.trained == []


def test_predictions_are_kept_beside_the_study(search):
    def evaluate(candidate, budget, report):
        return Evaluation({"score": 0.5, "macs": 1.0}, arrays={"probabilities": np.full((3, 2), candidate.recipe.width)})

    run = search(evaluate, trials=4)
    for record in run.records():
        with np.load(run.path / "predictions" / f"{record.candidate}.npz") as arrays:
            assert arrays["probabilities"].tolist() == [[record.recipe["width"]] * 2] * 3


def test_details_are_kept_json_able(search):
    def evaluate(candidate, budget, report):
        details = {"members": np.int64(5), "best_epochs": np.array([3, 4]), "folder": Path("x")}
        return Evaluation({"score": 0.5, "macs": 1.0}, details=details)

    details = search(evaluate, trials=1).records()[0].details
    assert details == {"worker": os.getpid(), "host": socket.gethostname(), "members": 5, "best_epochs": [3, 4], "folder": "x"}


def test_the_budget_reaches_the_evaluator(search, toy_evaluator):
    seen = set()

    def evaluate(candidate, budget, report):
        seen.add(budget)
        report(1, {"loss": 0.3})
        return toy_evaluator(candidate, budget, report)

    search(evaluate, trials=3, budget=Budget(epochs=7))
    assert seen == {Budget(epochs=7)}


def test_first_designs_are_evaluated_before_all_others(search, space):
    graphs = [space.decode({"num_fusions": 1, "f1.depth": 2, "f1.operator": name, "recipe.width": 8}).graph for name in ("sum", "product")]
    records = search(first=[graphs[0], Candidate(graphs[1], Recipe(width=8))], trials=4).records()
    assert [record.digest for record in records[:2]] == [graph.digest for graph in graphs]
    assert [record.recipe["width"] for record in records[:2]] == [32, 8]


class ManyRecipes:
    """The toy space with recipes that never run out."""

    def __init__(self, space):
        self._space = space

    def __getattr__(self, name):
        return getattr(self._space, name)

    def sample_recipe(self, rng):
        return Recipe(learning_rate=float(rng.uniform(1e-4, 1e-2)))


def test_each_reference_graph_has_its_share(search):
    run = search(space=ManyRecipes(search.space), trials=24, reference_share=0.5, sampler="random")
    tries = Counter(record.digest for record in run.records() if record.reference is not None and record.repeat_of is None)
    assert len(tries) == 3
    assert min(tries.values()) >= 24 * 0.5 / 3 - 1


def test_progress_is_told_at_each_start_and_end(search):
    told = []
    search(trials=5, progress=told.append)
    assert all(isinstance(progress, Progress) for progress in told)
    assert [progress.running for progress in told] == [1, 0] * 5
    assert [progress.done for progress in told] == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    last = told[-1]
    assert last.total == 5
    assert set(last.best) == {"score", "macs"}
    assert last.front >= 1
    assert last.seconds_left == 0


def test_progress_counts_what_keeps_the_bounds_for_best_and_front(search):
    told = []
    run = search(trials=5, objectives=["score:max>=1e9", "macs"], progress=told.append)
    assert run.front() == []
    assert (told[-1].done, told[-1].front, told[-1].best) == (5, 0, {})


def test_one_objective_may_stand_alone(search):
    assert [objective.name for objective in search(trials=1, objectives="score:max").objectives] == ["score"]


def test_a_time_limit_starts_no_new_evaluation(search, toy_evaluator):
    def evaluate(candidate, budget, report):
        time.sleep(0.05)
        return toy_evaluator(candidate, budget, report)

    status = search(evaluate, trials=None, time_limit=0.2).status()
    assert status["state"] == "stopped"
    assert status["reason"] == "the time limit of 0.2 seconds is reached"
    assert 1 <= status["trials"]["complete"] <= 8
    assert status["trials"]["running"] == 0


@pytest.mark.parametrize("sampler", ["tpe", "random", "nsga2", "evolution", "cost_aware"])
def test_every_sampler_runs_a_search_with_designs_outside_the_space(search, sampler):
    status = search(sampler=sampler, trials=20).status()
    assert status["trials"]["complete"] == 20
    assert status["references"]["linear"]["formula"].endswith("F1 = cat(mrna@0, meth@0) ->")


def test_the_configuration_is_kept_as_resolved(search):
    run = search(trials=2, seed=9, objectives=["score:max", "macs<=9000"])
    config = yaml.safe_load((run.path / "config.yaml").read_text())
    assert config == run.config
    assert config["format"] == 1
    assert config["search"]["seed"] == 9
    assert config["search"]["sampler"] == "tpe"
    assert config["versions"]["optuna"]
    assert run.objectives == (Objective("score", "maximize"), Objective("macs", "minimize", 9000.0, cheap=True))


def test_run_search_is_public():
    import fusearch.search

    assert fusearch.search.run_search is run_search


@pytest.mark.parametrize("sampler", ["tpe", "evolution", *(pytest.param(name, marks=pytest.mark.slow) for name in ("nsga2", "random"))])
def test_every_sampler_goes_on_beside_designs_that_races_stopped(search, toy_space, foldwise, sampler):
    run = search(foldwise(), space=toy_space(widths=range(1, 30)), sampler=sampler, trials=70)
    counts = run.status()["trials"]
    assert counts["complete"] + counts["raced"] == 70
    last = [record.number for record in run.records() if record.raced and record.repeat_of is None]
    assert len(last) >= 5
    assert max(last) > 35, "still where it has learned"
