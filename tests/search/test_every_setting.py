"""Every setting of a search does something: change it, and what the search does changes."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from fusearch.contracts import Budget
from fusearch.search.ray_executor import RayExecutor
from fusearch.search.strategies.strategy import Decision
from fusearch.search_space import Candidate
from fusearch.settings import Settings


class BestStream:
    """The smallest strategy: the references, then the first of them."""

    name = "best-stream"

    def describe(self):
        return {}

    def check(self, space, evaluator):
        pass

    def rounds(self, space):
        results = yield [Candidate(graph) for graph in space.references()["best_unimodal"]]
        return Decision(results[0].candidate.digest, {"why": "the first"})


def trials(run):
    return [record.candidate for record in run.records()]


def references(run):
    return sum(record.reference is not None for record in run.records())


class Sized:
    """An evaluator whose designs of width 32 are large."""

    def __init__(self, evaluate):
        self.evaluate = evaluate

    def __call__(self, candidate, budget, report):
        return list(self.by_fold(candidate, budget, report))[-1]

    def by_fold(self, candidate, budget, report):
        whole = self.evaluate(candidate, budget, report)
        members = [{"fold": fold, "seed": 0, "metrics": {"score": whole["score"] + 0.01 * (fold % 2)}} for fold in range(4)]
        for fold in range(4):
            yield replace(whole, details={"members": members[: fold + 1]})

    def cheap(self, candidate):
        return {"macs": 100.0 * candidate.recipe.width, "parameters": 1e6 * candidate.recipe.width, "memory": 1e7 * candidate.recipe.width}


def refused(run):
    return [record.reason for record in run.records() if record.state == "pruned"]


#: Setting -> (the setting beside others, another value, what it shows in).
INLINE = {
    "trials": ({}, 5, lambda run: len(run.records())),
    "time_limit": ({"trials": 30}, 0.0, lambda run: len(run.records())),
    "trial_time_limit": ({"trials": 1}, 0.0, lambda run: [record.state for record in run.records()]),
    "sampler": ({"trials": 30}, "evolution", lambda run: trials(run)),
    "strategy": ({}, BestStream(), lambda run: (run.path / "strategy.json").exists()),
    "start": ({}, "published", lambda run: trials(run)),
    "storage": ({}, "sqlite:///{tmp_path}/study.db", lambda run: (run.path / "study.journal").exists()),
    "seed": ({}, 1, lambda run: trials(run)),
    "reference_share": ({"trials": 20}, 0.9, lambda run: references(run)),
    "select": ({}, "loss", lambda run: run.read().selected_by),
    "races": ({"trials": 25, "reference_share": 0.0}, "off", lambda run: any(record.raced for record in run.records())),
    "recipes": ({"trials": 25, "reference_share": 0.0}, 2, lambda run: any(record.pack is not None for record in run.records())),
    "max_parameters": ({}, 2e7, lambda run: refused(run)),
    "max_memory": ({}, 2e8, lambda run: refused(run)),
    "budget": ({}, Budget(epochs=2), lambda run: [record.budget for record in run.records()]),
}
#: Setting -> (another value, what it shows in): numbers that the executor on Ray reads before it starts one.
ON_RAY = {
    "workers": (1, lambda executor: executor._local_workers()),
    "cpus_per_trial": (2.0, lambda executor: executor._thread_variables()["OMP_NUM_THREADS"]),
}
#: Setting -> the test that sees it, where Ray runs, or with an evaluator of its own.
ELSEWHERE = {
    "keep_weights": "test_front_weights.py::test_no_more_bytes_are_kept_than_asked_for_the_pick_first",
    "seeds_front": "test_front_seeds.py::test_seeds_are_given_until_the_order_stands_or_they_are_spent",
    "executor": "test_ray_executor.py::test_two_workers_work_side_by_side_though_evaluations_are_shorter_than_their_start",
    "gpus_per_trial": "test_ray_executor.py::test_what_ray_cannot_give_is_refused",
    "ship": "test_node_probe.py::test_the_package_is_shipped_where_a_node_lacks_it",
    "address": "test_refused_searches.py::test_a_search_that_cannot_start_leaves_nothing",
}


def test_the_tables_are_complete():
    assert sorted([*INLINE, *ON_RAY, *ELSEWHERE]) == sorted(each.name for each in fields(Settings))
    for place in ELSEWHERE.values():
        file, test = place.split("::")
        assert f"def {test}(" in Path(__file__).with_name(file).read_text(encoding="utf-8")


@pytest.fixture
def space(toy_space):
    """A space whose recipes have more than a width."""
    return toy_space(rates=(1e-3, 2e-3))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Return the search as it is without the setting; searches that are alike are one."""
    made = {}

    def run(space, evaluator, beside):
        key = tuple(beside.items())
        if key not in made:
            made[key] = searched(space, evaluator, tmp_path_factory.mktemp("plain") / "run", beside)
        return made[key]

    return run


def searched(space, evaluator, out, settings):
    from fusearch.search import run_search

    settings = {"objectives": ["score:max", "macs"], "executor": "inline", "trials": 12, **settings}
    return run_search(space, Sized(evaluator), **settings, out=out)


@pytest.mark.parametrize("name", INLINE)
def test_a_setting_of_the_search_is_used(name, space, toy_evaluator, plain, tmp_path):
    beside, value, seen = INLINE[name]
    value = value.format(tmp_path=tmp_path) if isinstance(value, str) else value
    changed = searched(space, toy_evaluator, tmp_path / "changed", {**beside, name: value})
    assert seen(plain(space, toy_evaluator, beside)) != seen(changed)


@pytest.mark.parametrize("name", ON_RAY)
def test_a_setting_of_the_executor_is_used(name, tmp_path):
    value, seen = ON_RAY[name]
    plain, changed = (RayExecutor(settings, tmp_path) for settings in (Settings(), Settings().changed(**{name: value})))
    assert seen(plain) != seen(changed)
