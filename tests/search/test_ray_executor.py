"""Searches on a real local Ray: workers side by side, failures, deaths. One Ray serves the whole module."""

import os
import subprocess
import sys
from collections import Counter

import pytest

from fusearch.data import load_data
from fusearch.errors import RunError
from fusearch.evaluators import TrainingEvaluator
from fusearch.search import Settings
from fusearch.search.ray_executor import RayExecutor, gpus_of

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module", autouse=True)
def ray_of_the_module(tmp_path_factory):
    """Start Ray as the executor does, once; searches then find it running."""
    executor = RayExecutor(Settings(workers=2), tmp_path_factory.mktemp("ray"))
    with executor:
        yield


def test_two_workers_work_side_by_side_though_evaluations_are_shorter_than_their_start(search):
    def evaluate(candidate, budget, report):
        import time

        time.sleep(0.1)
        return {"score": candidate.recipe.width / 64, "macs": 1.0}

    environment = dict(os.environ)
    run = search(evaluate, executor="ray", workers=2, trials=20, sampler="random")
    assert dict(os.environ) == environment
    workers = Counter(record.details["worker"] for record in run.records() if record.evaluated)
    assert len(workers) == 2
    assert os.getpid() not in workers
    assert min(workers.values()) >= 5
    assert run.status()["state"] == "finished"
    assert run.status()["trials"]["complete"] == 20


@pytest.mark.slow
def test_more_seeds_are_trained_by_the_same_workers(search):
    class Lucky:
        def __call__(self, candidate, budget, report):
            return list(self.by_fold(candidate, budget, report))[-1]

        def by_fold(self, candidate, budget, report):
            import random

            from fusearch.contracts import Evaluation

            seed = budget.seed or 0
            scores = [random.Random(f"{candidate.digest} {fold} {seed}").random() for fold in range(3)]
            members = [{"fold": fold, "seed": seed, "metrics": {"score": value}} for fold, value in enumerate(scores)]
            yield Evaluation({"score": sum(scores) / 3, "macs": 1.0}, details={"members": members})

    run = search(Lucky(), executor="ray", workers=2, trials=6, sampler="random", seeds_front=2)
    rounds = [record for record in run.records() if record.more_seeds_of is not None]
    assert {record.state for record in rounds} == {"complete"}
    assert os.getpid() not in {record.details["worker"] for record in rounds}
    assert run.status()["more_seeds"]["seeds"] == len(rounds) >= 2
    assert max(Counter(record.more_seeds_of for record in rounds).values()) <= 2
    (best, *_) = run.front()
    assert best.num_members > 3
    assert run.status()["trials"]["complete"] == 6


@pytest.mark.slow
def test_failures_and_deaths_are_recorded_and_both_workers_live_on(search):
    def evaluate(candidate, budget, report):
        import os
        import signal

        if candidate.recipe.width == 8 and not candidate.graph.fusions:
            os.kill(os.getpid(), signal.SIGKILL)
        if candidate.recipe.width == 8:
            os.kill(os.getpid(), signal.SIGTERM)  # Ray answers it by a SystemExit, which the evaluation must not take for its own
        if candidate.recipe.width == 16:
            raise ValueError("sixteen")
        return {"score": 0.5, "macs": 1.0}

    run = search(evaluate, executor="ray", workers=2, trials=20, sampler="random", seed=1)
    records = [record for record in run.records() if record.repeat_of is None]
    failed = [record for record in records if record.state == "failed"]
    dead = [record for record in failed if record.reason.startswith("the worker died during the evaluation")]
    raised = [record for record in failed if record.reason.startswith("ValueError: sixteen (test_ray_executor.py:")]
    assert {"F1" in record.formula for record in dead} == {True, False}
    assert raised
    assert len(failed) == len(dead) + len(raised)
    assert all(record.formula for record in failed)
    assert len([record for record in records if record.state == "complete"]) + len(failed) == 20
    assert run.status()["trials"]["running"] == 0
    last_death = max(record.ended for record in dead)
    after = {record.details["worker"] for record in records if record.evaluated and record.started > last_death}
    assert len(after) <= 2


@pytest.mark.slow
def test_a_worker_that_cannot_start_is_told_as_that(search):
    class Deadly:
        """Ends the process that fetches it."""

        def __setstate__(self, state):
            import os

            os._exit(3)

        def __getstate__(self):
            return {"something": 1}

        def __call__(self, candidate, budget, report):
            return {"score": 0.5, "macs": 1.0}

    run = search(Deadly(), executor="ray", workers=1, trials=1)
    (record,) = run.records()
    assert record.reason == "the worker could not start: its process died (killed by a signal, out of memory, or crashed)"


@pytest.mark.slow
def test_arrays_come_back_and_stay_out_of_the_snapshots_of_tune_and_resume_starts_an_experiment_of_its_own(search):
    def evaluate(candidate, budget, report):
        import numpy as np

        from fusearch.contracts import Evaluation

        return Evaluation({"score": 0.5, "macs": 1.0}, arrays={"probabilities": np.arange(200_000.0)})

    run = search(evaluate, executor="ray", workers=2, trials=3)
    files = list((run.path / "predictions").glob("*.npz"))
    assert len(files) == 3
    written = sum(path.stat().st_size for path in (run.path / "ray").rglob("*") if path.is_file())
    assert written < 500_000
    run = search(evaluate, executor="ray", workers=2, trials=5, resume=True)
    assert run.status()["trials"]["complete"] == 5
    assert sorted(path.name for path in (run.path / "ray").iterdir() if path.is_dir()) == ["session-000", "session-001"]


@pytest.mark.slow
def test_the_evaluator_is_fetched_once_by_each_worker_and_threads_are_set(search):
    class Counting:
        """Counts how often it is unpickled in a process, and sees the thread counts as they are then."""

        def __setstate__(self, state):
            import os

            self.threads = os.environ["OMP_NUM_THREADS"], os.environ["OMP_WAIT_POLICY"]
            os.environ["FETCHED"] = str(int(os.environ.get("FETCHED", "0")) + 1)

        def __getstate__(self):
            return {"something": 1}

        def __call__(self, candidate, budget, report):
            import os

            from fusearch.contracts import Evaluation

            return Evaluation({"score": 0.5, "macs": 1.0}, details={"fetched": os.environ["FETCHED"], "threads": list(self.threads)})

    run = search(Counting(), executor="ray", workers=2, trials=8)
    evaluated = [record.details for record in run.records() if record.evaluated]
    assert {details["fetched"] for details in evaluated} == {"1"}
    assert {tuple(details["threads"]) for details in evaluated} == {("1", "PASSIVE")}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"gpus_per_trial": 0.5}, "a trial needs 0.5 GPU, Ray offers 0: lower gpus_per_trial"),
        ({"cpus_per_trial": 64}, "a trial needs 64 CPU, Ray offers 2: lower cpus_per_trial"),
        ({"ship": True}, "ship: Ray runs in this process already; give its ray.init"),
    ],
)
def test_what_ray_cannot_give_is_refused(search, settings, message):
    with pytest.raises(RunError, match=message):
        search(executor="ray", trials=1, **settings)


@pytest.mark.parametrize(
    ("device", "given", "expected"),
    [("cuda", None, 1), ("cuda:1", None, 1), ("cuda", 0.25, 0.25), ("cuda", 0.0, 0), ("auto", None, 0), ("cpu", None, 0)],
)
def test_a_worker_holds_a_whole_gpu_where_designs_are_trained_on_one(device, given, expected):
    evaluator = TrainingEvaluator(load_data("wisconsin"), folds=2, epochs=1, device=device)
    assert gpus_of(Settings(gpus_per_trial=given), evaluator) == expected
    assert gpus_of(Settings(gpus_per_trial=given), lambda candidate, budget, report: {"score": 1.0}) == (given or 0)


def test_as_many_workers_as_fit(tmp_path):
    executor = RayExecutor(Settings(cpus_per_trial=0.5), tmp_path)
    assert executor._slots(lambda candidate, budget, report: {}).number() == 4


STRANGER = """
import sys
import ray
ray.init(sys.argv[1], logging_level="CRITICAL", log_to_driver=False)
print(ray.get(ray.remote(num_cpus=0)(lambda: "inside").remote()))
"""


SEARCH = """
import os, subprocess, sys
from fusearch.data.modality import Modality
from fusearch.search import run_search
from fusearch.search_space import SearchSpace

tried = []

def knock(progress):
    if progress.done != 1 or tried:
        return
    import ray
    address = ray.get_runtime_context().gcs_address
    outside = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    for mode in ({"RAY_AUTH_MODE": "disabled"}, {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64}):
        command = [sys.executable, "-W", "ignore", "-c", sys.argv[2], address]
        stranger = subprocess.Popen(command, env={**outside, **mode}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            tried.append(stranger.communicate(timeout=60)[0])
        except subprocess.TimeoutExpired:  # it knocks on, as Ray's clients do
            stranger.kill()
            tried.append(stranger.communicate()[0])

def evaluate(candidate, budget, report):
    return {"score": 0.5}

space = SearchSpace([Modality("rna", "tabular", (20,)), Modality("labs", "tabular", (8,))])
run = run_search(space, evaluate, "score:max", out=sys.argv[1], trials=3, workers=1, progress=knock)
assert run.status()["trials"]["complete"] == 3
assert len(tried) == 2 and not any("inside" in out for out in tried), tried
print("nobody came in")
"""


@pytest.mark.slow
def test_a_stranger_is_not_let_into_the_ray_of_a_search(tmp_path):
    """Ray's processes listen on every interface: whoever reaches them and shows no token runs nothing there."""
    command = [sys.executable, "-W", "ignore", "-c", SEARCH, str(tmp_path / "run"), STRANGER]
    # As a user starts it: the Ray of this module runs, and has set how it wants to be asked.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=400, env=clean)
    assert (done.returncode, done.stdout.strip().splitlines()[-1:]) == (0, ["nobody came in"]), done.stderr


@pytest.mark.parametrize(
    ("given", "address", "expected"),
    [
        ({}, None, ["RAY_AUTH_MODE", "RAY_AUTH_TOKEN"]),
        ({}, "10.0.0.1:6379", ["RAY_AUTH_MODE"]),
        ({"RAY_AUTH_MODE": "token"}, "10.0.0.1:6379", []),
        ({"RAY_AUTH_MODE": "disabled"}, None, []),
    ],
)
def test_what_a_user_says_of_authentication_stays(given, address, expected, tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    monkeypatch.setattr("fusearch.search.ray_executor._imported_with_token", [True])
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    found = RayExecutor(Settings(address=address), tmp_path)._authentication()
    assert list(found) == expected
    assert found.get("RAY_AUTH_TOKEN", "") != "0" * 64


def test_a_ray_that_was_imported_before_is_told_to_ask_for_no_token(tmp_path, monkeypatch):
    """Ray reads its mode while it is imported: a token that came later would lock the search out of its own Ray."""
    import ray  # noqa: F401

    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    monkeypatch.setattr("fusearch.search.ray_executor._imported_with_token", [])
    told = []
    monkeypatch.setattr("fusearch.search.ray_executor._logger.warning", told.append)
    assert RayExecutor(Settings(), tmp_path)._authentication() == {"RAY_AUTH_MODE": "disabled"}
    assert told == ["Ray was imported before the search, so it asks for no token: its processes can be reached by others"]


@pytest.mark.slow
def test_designs_race_on_workers_too(search):
    class Raced:
        def __call__(self, candidate, budget, report):
            return list(self.by_fold(candidate, budget, report))[-1]

        def cheap(self, candidate):
            return {"macs": float(candidate.recipe.width)}

        def by_fold(self, candidate, budget, report):
            from fusearch.contracts import Evaluation

            value = int(candidate.digest, 16) % 997 / 997
            members = [{"fold": fold, "seed": 0, "metrics": {"score": value + 0.01 * (fold % 2)}} for fold in range(4)]
            for fold in range(4):
                yield Evaluation({"score": value, **self.cheap(candidate)}, details={"members": members[: fold + 1]})

    run = search(Raced(), executor="ray", workers=2, trials=24, sampler="random", reference_share=0.0)
    stopped = run.read().raced
    assert stopped
    assert all(record.raced["folds"] == len(record.details["members"]) < 4 for record in stopped)
    assert not any(record.values for record in stopped)
    counts = run.status()["trials"]
    assert (counts["complete"] + counts["raced"], counts["failed"], counts["running"]) == (24, 0, 0)
    assert os.getpid() not in {record.details["worker"] for record in stopped}


@pytest.mark.slow
def test_a_pack_goes_to_one_worker_and_what_was_told_of_it_stays_when_that_is_lost(search, toy_space, tmp_path):
    once = tmp_path / "lost"

    class Packed:
        def __call__(self, candidate, budget, report):
            return {"score": 0.5, "macs": 1.0}

        def by_fold(self, candidate, budget, report):
            raise AssertionError

        def usual_recipes(self, candidate):
            return 1

        def price_of_look(self, candidate, budget, recipes=1):
            return 0.0

        def recipes(self, candidates, budget, report, *, by_fold, halving, goes_on):
            import os
            import signal
            import time

            from fusearch.contracts import Evaluation, Outrun, PackNews

            yield PackNews(1, Outrun(20, 2, 2))
            time.sleep(0.5)
            if not once.exists():
                once.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            for place in range(len(candidates)):
                if place != 1:
                    yield PackNews(place, Evaluation({"score": 0.1 * place, "macs": 1.0}, details={"pack": os.getpid()}))

    space = toy_space(rates=tuple(1e-4 * 1.01**step for step in range(300)))
    settings = {"executor": "ray", "workers": 2, "sampler": "random", "reference_share": 0.0}
    run = search(Packed(), space=space, trials=31, recipes=4, races="off", **settings)
    records = [record for record in run.records() if record.repeat_of is None]
    assert once.exists()
    packs = {number: [record for record in records if record.pack == number] for number in {record.pack for record in records} - {None}}
    failed = {number: [record for record in pack if record.state == "failed"] for number, pack in packs.items()}
    (lost,) = (number for number, pack in failed.items() if pack)
    assert [record.state for record in packs[lost]].count("pruned") == 1, "what was outrun was told before the worker died"
    assert {record.reason for record in failed[lost]} == {
        "the worker died during the evaluation (killed by a signal, out of memory, or crashed)"
    }
    for number, pack in packs.items():
        if number != lost and len(pack) > 1:
            assert sorted(record.state for record in pack) == sorted(["pruned", *["complete"] * (len(pack) - 1)])
            assert len({record.details["worker"] for record in pack}) == 1
    assert len({record.details["worker"] for record in records if record.evaluated}) >= 2
    assert len(records) == 31
    assert run.status()["trials"]["running"] == 0
