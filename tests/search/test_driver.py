"""A search from end to end in this process: what is proposed, recorded, refused, resumed."""

import contextlib
import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import optuna
import pytest
import yaml

from fusearch.contracts import Budget, Evaluation, Objective
from fusearch.data.modality import Modality
from fusearch.errors import EvaluationError, ObjectiveError, RunError, SpaceError, UnknownNameError
from fusearch.run import Run
from fusearch.search import Progress, run_search
from fusearch.search.orphans import find_orphans
from fusearch.search_space import Candidate, Recipe, SearchSpace


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


class Costed:
    """An evaluator that knows its costs before training."""

    def __init__(self, evaluate):
        self.evaluate, self.trained = evaluate, []

    def __call__(self, candidate, budget, report):
        self.trained.append(candidate.recipe.width)
        return self.evaluate(candidate, budget, report)

    def cheap(self, candidate):
        return {"macs": 100.0 * candidate.recipe.width}

    def objectives(self):
        return frozenset({"score", "macs"})

    def describe(self):
        return {"name": "costed", "data": {"source": "toy", "fingerprint": "0123456789abcdef"}}


def test_a_design_that_breaks_a_bound_on_a_cheap_objective_is_never_trained(search, toy_evaluator):
    evaluator = Costed(toy_evaluator)
    run = search(evaluator, objectives=["score:max", "macs<=1600"], trials=15)
    pruned = [record for record in run.records() if record.state == "pruned"]
    assert pruned
    assert {record.reason for record in pruned} == {"macs is 3200, bound <= 1600"}
    assert set(evaluator.trained) == {8, 16}
    assert run.status()["trials"]["complete"] == 15


def test_a_reference_that_is_too_large_is_told_and_the_search_goes_on(search, toy_evaluator):
    class Sized(Costed):
        def cheap(self, candidate):
            return {"macs": 1.0, "parameters": 1e9 if len(candidate.graph.fusions) == 1 and candidate.recipe == Recipe() else 1.0}

    told = []
    run = search(Sized(toy_evaluator), trials=12, reference_share=0.3, progress=told.append)
    (refusal,) = told[-1].refused
    assert refusal.startswith("the reference 'linear' is not trained: parameters is 1e+09, max_parameters is 1e+08: take smaller")
    assert run.status()["trials"]["complete"] == 12
    (refused,) = [record for record in run.records() if record.reference == "linear" and record.recipe == Recipe().to_dict()]
    assert refused.state == "pruned"


def test_a_bound_that_nothing_keeps_ends_the_search(search, toy_evaluator):
    evaluator = Costed(toy_evaluator)
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


# What is refused, before anything is written


PATTERNED = SearchSpace([Modality(name, "tabular", (5,)) for name in "ab"], pattern="F1 = ⊕(x1^x, x2^y) →")


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"objectives": ["aurok"]}, ObjectiveError, "did you mean 'auroc'?"),
        ({"objectives": []}, ObjectiveError, "no objective is given"),
        ({"objectives": ["auroc", "auroc"]}, ObjectiveError, "objective 'auroc' stands twice"),
        ({"sampler": "tpr"}, UnknownNameError, "unknown sampler 'tpr': did you mean 'tpe'?"),
        ({"sampeler": "tpe"}, RunError, "no setting 'sampeler': did you mean 'sampler'?"),
        ({"executor": "rey"}, UnknownNameError, "unknown executor 'rey': did you mean 'ray'?"),
        ({"trials": 0}, RunError, "trials is 0, expected a whole number of at least 1"),
        ({"trials": None}, RunError, "would never end"),
        ({"reference_share": 1.5}, RunError, "reference_share is 1.5, expected a number between 0 and 1"),
        ({"start": "publisht"}, RunError, "start is 'publisht': did you mean 'published'?"),
        ({"space": PATTERNED, "strategy": "late-ensemble"}, SpaceError, "strategy 'late-ensemble' does not take one, expected strategy"),
        ({"start": "published", "strategy": "late-ensemble"}, RunError, "strategy 'late-ensemble' does not take it, expected strategy"),
        ({"cpus_per_trial": 0}, RunError, "cpus_per_trial is 0, expected more than 0"),
        ({"workers": 0}, RunError, "workers is 0, expected a whole number of at least 1"),
        ({"trials": "3"}, RunError, "trials is '3', expected a whole number of at least 1"),
        ({"trials": 2.5}, RunError, "trials is 2.5, expected a whole number"),
        ({"seed": None}, RunError, "seed is None, expected a whole number of at least 0"),
        ({"time_limit": math.nan}, RunError, "time_limit is nan, expected a number of at least 0"),
        ({"cpus_per_trial": math.nan}, RunError, "cpus_per_trial is nan, expected a number of at least 0"),
        ({"first": ["F1 = cat(a@1, b@1) ->"]}, SpaceError, "expected a FusionGraph or a Candidate; FusionGraph.parse reads a formula"),
        ({"evaluator": {"score": 1.0}}, EvaluationError, "the evaluator is {'score': 1.0}, expected a function of"),
    ],
)
def test_bad_settings_are_refused_and_nothing_is_written(search, tmp_path, settings, error, message):
    with pytest.raises(error) as caught:
        search(**settings)
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_objective_that_the_evaluator_lacks_is_refused_and_nothing_is_written(search, toy_evaluator, tmp_path):
    with pytest.raises(ObjectiveError, match=r"'scare' is not among what the evaluator computes: did you mean 'score'\?"):
        search(Costed(toy_evaluator), objectives=["scare:max"])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_refused(search, tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(RunError, match="exists: choose another folder"):
        search()
    (tmp_path / "run").rmdir()
    search(trials=1)
    with pytest.raises(RunError, match="resume it"):
        search(trials=1)


def test_a_folder_that_cannot_be_made_is_refused(search, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(RunError, match=r"cannot write run folder .*: (Not a directory|File exists)"):
        search(out=tmp_path / "file" / "run")
    with pytest.raises(RunError, match=r"cannot write run folder .*: File name too long"):
        search(out=tmp_path / ("long" * 100))


@pytest.mark.ray
@pytest.mark.parametrize("outside", [False, True])
def test_a_search_that_cannot_start_leaves_nothing(search, space, tmp_path, outside):
    storage = f"sqlite:///{tmp_path}/studies.db" if outside else None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(RunError, match=rf"no Ray cluster at '{address}': .*refused"):
            search(executor="ray", address=address, storage=storage, first=[space.sample(np.random.default_rng(0))])
    assert not (tmp_path / "run").exists()
    if storage is not None:
        assert optuna.get_all_study_names(storage) == []


# Going on


def test_resume_goes_on_to_more_trials_and_repeats_nothing(search, toy_evaluator):
    evaluated = Counter()

    def evaluate(candidate, budget, report):
        evaluated[candidate.digest] += 1
        return toy_evaluator(candidate, budget, report)

    search(evaluate, trials=6)
    run = search(evaluate, trials=10, resume=True)
    assert run.status()["trials"]["complete"] == 10
    assert set(evaluated.values()) == {1}
    assert len(evaluated) == 10
    again = search(evaluate, trials=10, resume=True)
    assert again.status()["state"] == "finished"
    assert len(evaluated) == 10


def test_resume_may_change_sampler_and_executor_settings(search):
    search(trials=5, sampler="random")
    assert search(trials=8, sampler="evolution", resume=True).config["search"]["sampler"] == "evolution"


def test_resume_of_nothing_is_refused(search, tmp_path):
    with pytest.raises(RunError, match=r"no run in .*: expected a file 'config.yaml'"):
        search(resume=True)
    assert list(tmp_path.iterdir()) == []


def test_resume_with_another_space_shows_both_fingerprints(search, space):
    search(trials=2)
    other = type(space)(operators=("cat", "sum"))
    with pytest.raises(RunError, match=f"the search space changed, fingerprint {space.fingerprint} in the run and {other.fingerprint} now"):
        search(space=other, resume=True)


def test_resume_with_other_data_shows_both_fingerprints(search, toy_evaluator):
    class Other(Costed):
        def describe(self):
            return {"name": "costed", "data": {"source": "toy", "fingerprint": "fedcba9876543210"}}

    search(Costed(toy_evaluator), trials=2)
    with pytest.raises(RunError, match="the data changed, fingerprint 0123456789abcdef in the run and fedcba9876543210 now"):
        search(Other(toy_evaluator), resume=True)


def test_resume_with_other_settings_of_the_evaluator_is_refused(search, toy_evaluator):
    class Described(Costed):
        def describe(self):
            return {"name": "costed", "settings": settings}

    settings = {"folds": 2, "costs": (), "threads": 1}
    search(Described(toy_evaluator), trials=2)
    settings = {"folds": 2, "costs": (), "threads": 4, "device": "cpu"}
    assert search(Described(toy_evaluator), trials=3, resume=True).status()["state"] == "finished"
    settings = {"folds": 3, "costs": (), "threads": 1}
    with pytest.raises(RunError, match="its evaluator changed, folds is 2 in the run and 3 now; use another run folder"):
        search(Described(toy_evaluator), trials=4, resume=True)


def test_resume_of_a_configuration_that_was_cut_off_is_refused(search, tmp_path):
    search(trials=2)
    config = tmp_path / "run" / "config.yaml"
    text = config.read_text()
    config.write_text(text[: text.index("evaluator:")])
    with pytest.raises(RunError, match=r"cannot resume .*: 'config.yaml' has no section 'space'"):
        search(resume=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"objectives": ["score:max"]}, "its objectives are score:max macs:min, now score:max are asked for"),
        ({"objectives": ["score:max", "macs<=5"]}, "now score:max macs:min<=5 are asked for"),
        ({"budget": Budget(epochs=3)}, "its budget changed, epochs is None in the run and 3 now"),
    ],
)
def test_resume_with_another_meaning_is_refused(search, settings, message):
    search(trials=2)
    with pytest.raises(RunError) as caught:
        search(resume=True, **settings)
    assert message in str(caught.value)


def test_an_error_of_the_driver_gives_back_what_is_in_flight(search):
    def explode(progress):
        if progress.done == 3 and progress.running == 1:
            raise RuntimeError("the terminal went away")

    with pytest.raises(RuntimeError, match="the terminal went away"):
        search(progress=explode, trials=6)
    run = Run(search.out)
    status = run.status()
    assert status["state"] == "stopped"
    assert status["trials"]["running"] == 0
    assert status["trials"]["interrupted"] == 1
    assert status["trials"]["waiting"] == 1
    waiting = run.records()[-1].candidate
    records = search(trials=6, resume=True).records()
    assert [record.state for record in records if record.candidate == waiting][:2] == ["failed", "complete"]
    assert Run(search.out).status()["trials"] | {"total": 6} == {
        "complete": 6,
        "raced": 0,
        "failed": 0,
        "running": 0,
        "repeated": sum(record.repeat_of is not None for record in records),
        "pruned": 0,
        "interrupted": 1,
        "waiting": 0,
        "total": 6,
    }


def test_a_storage_url_holds_the_study_instead_of_the_journal(search, tmp_path):
    url = f"sqlite:///{tmp_path / 'studies.db'}"
    run = search(storage=url, trials=5)
    assert run.status()["trials"]["complete"] == 5
    assert not (run.path / "study.journal").exists()
    other = search(storage=url, trials=3, out=tmp_path / "other")
    assert other.status()["trials"]["complete"] == 3
    assert search(storage=url, trials=7, resume=True).status()["trials"]["complete"] == 7


# Drivers that are stopped or killed: in a process of their own

SCRIPT = """
import sys, time
from pathlib import Path
from fusearch.data.modality import Modality
from fusearch.search import run_search
from fusearch.search_space import SearchSpace

out, log, executor, trials, seconds, resume, quick = sys.argv[1:]

def evaluate(candidate, budget, report):
    with open(log, "a") as file:
        file.write(candidate.digest + "\\n")
    is_quick = not int(quick) or len(Path(log).read_text().split()) <= int(quick)
    time.sleep(float(seconds) if is_quick else 60)
    return {"score": int(candidate.digest, 16) % 997 / 997, "macs": float(candidate.recipe.width)}

space = SearchSpace(tuple(Modality(name, "tabular", (20,)) for name in ("mrna", "meth")))
run = run_search(space, evaluate, objectives=["score:max", "macs"], out=out, executor=executor, workers=2 if executor == "ray" else None,
                 trials=int(trials), resume=resume == "resume", sampler="random")
status = run.status()
print(status["state"], "|", status["reason"])
"""


class Driver:
    """A search in a process of its own."""

    def __init__(self, folder):
        self.out, self.log, self.script = folder / "run", folder / "log", folder / "driver.py"
        self.script.write_text(SCRIPT)

    def start(self, executor="inline", trials=30, seconds=0.2, resume=False, quick=0):
        """Start a search; after `quick` evaluations (0: never) the next ones hang, so that a slow machine kills at the same place."""
        arguments = [self.out, self.log, executor, trials, seconds, "resume" if resume else "new", quick]
        return subprocess.Popen(
            [sys.executable, self.script, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a process group of its own
        )

    def wait_for(self, num_complete, process, running=0):
        deadline = time.monotonic() + 150
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.05)
            trials = Run(self.out).status()["trials"] if (self.out / "config.yaml").exists() else {"complete": 0}
            if trials["complete"] >= num_complete and trials["running"] >= running:
                return
        process.kill()
        pytest.fail(f"no {num_complete} trials: {process.communicate()}")

    def evaluations(self):
        return Counter(self.log.read_text().split())


@pytest.fixture
def driver(tmp_path):
    return Driver(tmp_path)


def finished(run):
    return {record.candidate for record in run.records() if record.evaluated}


@pytest.mark.parametrize("executor", ["inline", pytest.param("ray", marks=pytest.mark.ray)])
def test_a_driver_that_is_killed_loses_and_repeats_no_finished_trial(driver, executor):
    process = driver.start(executor, quick=4)
    driver.wait_for(4, process, running=1)
    process.kill()
    process.communicate()
    before = Run(driver.out)
    assert before.status()["state"] == "stopped"
    assert "is gone" in before.status()["reason"]
    in_flight = [record.candidate for record in before.records() if record.state == "running"]
    done = finished(before)
    assert in_flight

    resumed = driver.start(executor, trials=12, seconds=0.01, resume=True)
    said, errors = resumed.communicate(timeout=120)
    assert (said.strip(), errors) == ("finished | 12 trials are done", "")
    after = Run(driver.out)
    assert after.status()["trials"]["complete"] == 12
    assert after.status()["trials"]["running"] == after.status()["trials"]["waiting"] == 0
    assert done <= finished(after)
    assert set(in_flight) <= finished(after)
    evaluations = driver.evaluations()
    assert {evaluations[candidate] for candidate in done} == {1}
    assert {evaluations[candidate] for candidate in in_flight} <= {1, 2}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_cleanly_and_resume_starts_with_what_was_in_flight(driver, number):
    process = driver.start(seconds=1.0)
    driver.wait_for(2, process)
    time.sleep(0.5)  # into the next evaluation, past the moment between two
    process.send_signal(number)
    said, errors = process.communicate(timeout=30)
    assert (process.returncode, said.strip(), errors) == (0, f"stopped | interrupted by {number.name}", "")
    run = Run(driver.out)
    status = run.status()
    assert status["trials"]["running"] == status["trials"]["failed"] == 0
    assert status["trials"]["interrupted"] == status["trials"]["waiting"] == 1
    (waiting,) = [record.candidate for record in run.records() if record.state == "waiting"]
    done = len(finished(run))
    driver.start(trials=done + 1, seconds=0.01, resume=True).communicate(timeout=60)
    assert waiting in finished(Run(driver.out))


def test_an_evaluator_that_holds_the_interrupt_up_ends_the_search_after_it(search):
    def evaluate(candidate, budget, report):
        with contextlib.suppress(BaseException):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        return {"score": 0.5, "macs": 1.0}

    run = search(evaluate, trials=5)
    status = run.status()
    assert (status["state"], status["reason"]) == ("stopped", "interrupted by SIGINT")
    assert (status["trials"]["complete"], status["trials"]["running"], status["trials"]["failed"]) == (1, 0, 0)


def test_a_program_that_ends_itself_while_it_is_told_of_progress_leaves_nothing_running(search, tmp_path):
    def end(progress):
        if progress.done == 2:
            sys.exit(7)

    with pytest.raises(SystemExit) as caught:
        search(trials=5, progress=end, out=tmp_path / "ended")
    assert caught.value.code == 7
    status = Run(tmp_path / "ended").status()
    assert (status["state"], status["reason"]) == ("stopped", "SystemExit: 7")
    assert (status["trials"]["complete"], status["trials"]["running"]) == (2, 0)
    assert search(trials=5, out=tmp_path / "ended", resume=True).status()["trials"]["complete"] == 5


@pytest.mark.ray
def test_a_signal_stops_ray_cleanly(driver):
    process = driver.start("ray", seconds=2.0)
    driver.wait_for(2, process)
    time.sleep(0.7)  # into the next evaluation, past the moment between two
    os.killpg(process.pid, signal.SIGTERM)  # as `timeout` sends it; Ray's processes are not in the group
    said, errors = process.communicate(timeout=60)
    assert (process.returncode, said.strip(), errors) == (0, "stopped | interrupted by SIGTERM", "")
    status = Run(driver.out).status()
    assert status["trials"]["running"] == status["trials"]["failed"] == 0
    assert 1 <= status["trials"]["interrupted"] == status["trials"]["waiting"] <= 2


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.parametrize("numbers", [[signal.SIGINT], [signal.SIGTERM, signal.SIGTERM], [signal.SIGHUP]])
def test_a_signal_to_the_process_group_is_as_clean_as_one_to_the_driver(driver, numbers):
    """As `timeout`, systemd, Slurm and a terminal send it: Ray's processes are not in the group."""
    process = driver.start("ray", quick=2)
    driver.wait_for(2, process, running=1)
    for number in numbers:
        os.killpg(process.pid, number)
    said, errors = process.communicate(timeout=45)
    assert (process.returncode, said.strip(), errors) == (0, f"stopped | interrupted by {numbers[0].name}", "")
    status = Run(driver.out).status()
    assert status["trials"]["running"] == status["trials"]["failed"] == 0
    assert 1 <= status["trials"]["interrupted"] == status["trials"]["waiting"] <= 2
    assert find_orphans(driver.out) == []
    waiting = {record.candidate for record in Run(driver.out).records() if record.state == "waiting"}
    trials = status["trials"]["complete"] + len(waiting)
    said, errors = driver.start(trials=trials, seconds=0.01, resume=True).communicate(timeout=60)
    assert (said.strip(), errors) == (f"finished | {trials} trials are done", "")
    assert waiting <= finished(Run(driver.out))


@pytest.mark.ray
def test_a_signal_while_ray_starts_is_a_clean_stop_too(driver):
    process = driver.start("ray")
    deadline = time.monotonic() + 60
    while not find_orphans(driver.out) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGTERM)
    said, errors = process.communicate(timeout=45)
    assert (process.returncode, said.split("|")[0].strip(), errors) == (0, "stopped", "")
    assert Run(driver.out).status()["trials"]["running"] == 0
    assert find_orphans(driver.out) == []


@pytest.mark.slow
@pytest.mark.ray
def test_a_signal_to_the_driver_and_to_all_of_its_ray_is_a_clean_stop_too(driver):
    """Slurm and systemd may signal every process of a job: the notes, and the end, do not wait for a Ray that is dying."""
    process = driver.start("ray", quick=2)
    driver.wait_for(2, process, running=1)
    for number in [process.pid, *find_orphans(driver.out)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGTERM)
    said, _ = process.communicate(timeout=60)  # Ray's dying processes may complain
    assert (process.returncode, said.strip().splitlines()[-1]) == (0, "stopped | interrupted by SIGTERM")
    status = Run(driver.out).status()
    assert status["trials"]["running"] == status["trials"]["failed"] == 0
    assert 1 <= status["trials"]["interrupted"] == status["trials"]["waiting"] <= 2
    assert find_orphans(driver.out) == []


def test_a_second_driver_is_refused_and_told_the_process(driver):
    process = driver.start(seconds=0.2)
    driver.wait_for(1, process)
    second = driver.start(resume=True)
    errors = second.communicate(timeout=60)[1]
    assert f"is being driven by process {process.pid}" in errors
    assert process.poll() is None
    process.kill()
    process.communicate()


FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from fusearch.errors import RunError
sys.argv = ["driver", *sys.argv[1:]]
try:
    exec(open(sys.argv[1]).read().replace("sys.argv[1:]", "sys.argv[2:]"))
except RunError as error:
    print("refused |", error)
"""


def test_a_disk_that_fills_up_is_one_readable_line_and_the_run_can_be_resumed(driver, tmp_path):
    (tmp_path / "full.py").write_text(FULL)
    arguments = [driver.script, driver.out, driver.log, "inline", 200, 0, "new", 0]
    done = subprocess.run([sys.executable, tmp_path / "full.py", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("refused | cannot write run folder"), done.stderr
    assert "File too large" in done.stdout
    num_done = Run(driver.out).status()["trials"]["complete"]
    said, errors = driver.start(trials=num_done + 2, seconds=0, resume=True).communicate(timeout=60)
    assert (said.split("|")[0].strip(), errors) == ("finished", "")
    assert set(driver.evaluations().values()) <= {1, 2}
    assert Run(driver.out).status()["trials"]["complete"] == num_done + 2


def test_run_search_is_public():
    import fusearch.search

    assert fusearch.search.run_search is run_search


POISON = """
import os, signal, sys
from fusearch.data.modality import Modality
from fusearch.search import run_search
from fusearch.search_space import SearchSpace

def evaluate(candidate, budget, report):
    if candidate.graph.fusions:
        os.kill(os.getpid(), signal.SIGKILL)  # as an extension that crashes, or the kernel when memory runs out
    return {"score": 0.5}

space = SearchSpace([Modality("rna", "tabular", (20,)), Modality("labs", "tabular", (8,))], max_fusions=1, operators=["cat"])
run_search(space, evaluate, "score:max", out=sys.argv[1], trials=4, executor="inline", resume=len(sys.argv) > 2, reference_share=0.0)
"""


def test_a_candidate_that_kills_its_process_twice_has_failed_and_the_search_goes_on(tmp_path):
    from fusearch.run import Run

    def drive(*words):
        return subprocess.run([sys.executable, "-c", POISON, str(tmp_path / "run"), *words], capture_output=True, text=True, check=False)

    assert drive().returncode == -signal.SIGKILL
    codes = []
    while not codes or (codes[-1] == -signal.SIGKILL and len(codes) < 12):
        codes.append(drive("resume").returncode)
    assert codes[-1] == 0, "every resume gets further, and one gets through"
    records = Run(tmp_path / "run").records()
    failed = [record for record in records if record.state == "failed" and not record.interrupted]
    assert {record.reason for record in failed} == {"its process died twice while it was evaluated; it is not tried again"}
    assert len({record.candidate for record in failed}) == len(failed) > 0
    for record in failed:
        assert sum(other.interrupted and other.candidate == record.candidate for other in records) == 1
    assert all("F1" not in record.formula for record in records if record.state == "complete")


def test_races_are_the_same_each_time_and_a_search_that_is_gone_on_with_repeats_none(search, tmp_path, foldwise):
    settings = {"trials": 24, "reference_share": 0.0, "sampler": "random"}
    one, same = (search(foldwise(), out=tmp_path / name, **settings).records() for name in ("a", "b"))
    told = [(record.candidate, record.state, record.raced, record.values) for record in one]
    assert told == [(record.candidate, record.state, record.raced, record.values) for record in same]
    assert any(record.raced for record in one)
    evaluator = foldwise()
    before = search(evaluator, **{**settings, "trials": 16}).records()
    run = search(evaluator, **settings, resume=True)
    trained = Counter(evaluator.trained)
    assert set(trained.values()) == {1}, "neither what was finished nor what was stopped is trained again"
    assert [record.candidate for record in run.records()[: len(before)]] == [record.candidate for record in before]
    status = run.status()
    assert status["trials"]["complete"] + status["trials"]["raced"] == 24
    assert status["races"]["saved"] == pytest.approx(1 - len(evaluator.trained) / (24 * foldwise.FOLDS))


@pytest.mark.parametrize("sampler", ["tpe", "evolution", "nsga2", "random"])
def test_every_sampler_goes_on_beside_designs_that_races_stopped(search, toy_space, foldwise, sampler):
    run = search(foldwise(), space=toy_space(widths=range(1, 30)), sampler=sampler, trials=70)
    counts = run.status()["trials"]
    assert counts["complete"] + counts["raced"] == 70
    last = [record.number for record in run.records() if record.raced and record.repeat_of is None]
    assert len(last) >= 5
    assert max(last) > 35, "still where it has learned"


RACED_SCRIPT = """
import os, signal, sys
from conftest import Foldwise, ToySpace
from fusearch.search import run_search

class Killed(Foldwise):
    def by_fold(self, candidate, budget, report):
        for found in super().by_fold(candidate, budget, report):
            yield found
            if len(self.trained) == int(sys.argv[2]):
                os.kill(os.getpid(), signal.SIGKILL)

run_search(ToySpace(), Killed(), objectives=["score:max", "macs"], out=sys.argv[1], executor="inline", trials=24, reference_share=0,
           sampler="random")
"""


def test_a_driver_that_is_killed_within_a_race_loses_that_one_alone(search, tmp_path, foldwise):
    script = tmp_path / "driver.py"
    script.write_text(RACED_SCRIPT)
    place = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    killed = subprocess.run([sys.executable, script, search.out, "62"], env=place, check=False)
    assert killed.returncode == -signal.SIGKILL
    before = Run(search.out).records()
    (in_flight,) = [record.candidate for record in before if record.state == "running"]
    stopped = {record.candidate for record in before if record.raced}
    assert stopped
    evaluator = foldwise()
    run = search(evaluator, trials=24, reference_share=0.0, sampler="random", resume=True)
    again = {digest for digest, _ in evaluator.trained}
    assert in_flight in again
    assert not again & (stopped | {record.candidate for record in before if record.evaluated})
    counts = run.status()["trials"]
    assert (counts["complete"] + counts["raced"], counts["running"], counts["interrupted"]) == (24, 0, 1)


PACKED_SCRIPT = """
import os, signal, sys
from conftest import Packed, ToySpace
from fusearch.search import run_search

class Killed(Packed):
    given = 0

    def recipes(self, candidates, budget, report, **asked):
        for news in super().recipes(candidates, budget, report, **asked):
            yield news
            self.given += len(candidates) > 1
            if self.given == int(sys.argv[2]):
                os.kill(os.getpid(), signal.SIGKILL)

rates = tuple(1e-4 * 1.01**step for step in range(300))
run_search(ToySpace(rates=rates), Killed(), objectives=["score:max", "macs"], out=sys.argv[1], executor="inline", trials=40,
           reference_share=0, sampler="random", recipes=4)
"""


def test_a_driver_that_is_killed_within_a_pack_loses_its_unfinished_recipes_alone(search, tmp_path, toy_space, packed):
    """It dies in the third pack, when two recipes of it have been outrun and told."""
    script = tmp_path / "driver.py"
    script.write_text(PACKED_SCRIPT)
    place = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    killed = subprocess.run([sys.executable, script, search.out, "28"], env=place, check=False)
    assert killed.returncode == -signal.SIGKILL
    before = Run(search.out).records()
    in_flight = [record for record in before if record.state == "running"]
    (pack,) = {record.pack for record in in_flight}
    told = {record.candidate for record in before if record.evaluated or record.raced}
    assert len(in_flight) == 2
    assert sum(record.pack == pack and record.state == "pruned" for record in before) == 2
    evaluator, rates = packed(), tuple(1e-4 * 1.01**step for step in range(300))
    settings = {"trials": 40, "reference_share": 0.0, "sampler": "random", "recipes": 4}
    run = search(evaluator, space=toy_space(rates=rates), resume=True, **settings)
    assert evaluator.packs[0] == [record.candidate for record in in_flight], "they come back together, and none of them is outrun"
    assert not {digest for digest, _ in evaluator.trained} & told
    after = run.records()
    assert [record.state for record in after[: len(before)] if record.state != "failed"] == [
        record.state for record in before if record.state != "running"
    ]
    counts = run.status()["trials"]
    assert (counts["complete"] + counts["raced"], counts["running"], counts["interrupted"]) == (40, 0, 2)
    assert {record.state for record in after if record.candidate in {each.candidate for each in in_flight}} == {"failed", "complete"}


def test_packs_are_the_same_each_time_and_a_search_that_is_gone_on_with_repeats_none(search, tmp_path, toy_space, packed):
    space = toy_space(rates=tuple(1e-4 * 1.01**step for step in range(300)))
    settings = {"space": space, "trials": 40, "reference_share": 0.0, "sampler": "random", "recipes": 4}
    one, same = (search(packed(), out=tmp_path / name, **settings).records() for name in ("a", "b"))
    told = [(record.candidate, record.state, record.raced, record.values, record.pack) for record in one]
    assert told == [(record.candidate, record.state, record.raced, record.values, record.pack) for record in same]
    evaluator = packed()
    search(evaluator, **{**settings, "trials": 21})
    run = search(evaluator, **settings, resume=True)
    assert set(Counter(evaluator.trained).values()) == {1}
    status = run.status()
    assert status["trials"]["complete"] + status["trials"]["raced"] == 40
    assert status["races"]["outrun"] == sum("epoch" in record.raced and record.repeat_of is None for record in run.records()) > 0
    assert not any(record.raced for record in run.read().front)
