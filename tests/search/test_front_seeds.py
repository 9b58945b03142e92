"""More seeds for the front, after a search."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from fusearch.data import load_data
from fusearch.errors import RunError
from fusearch.evaluators import TrainingEvaluator
from fusearch.inference.open_order import open_pairs
from fusearch.run import Run
from fusearch.search.joined_seeds import read_arrays
from fusearch.search_space import Candidate, SearchSpace
from fusearch.settings import Settings
from fusearch.study import read_trial


def seeds_of(run):
    """Return how many more seeds each design got, by its trial."""
    return Counter(record.more_seeds_of for record in run.records() if record.more_seeds_of is not None and record.state == "complete")


def check_ended(run, most):
    """The law of its end: each pair whose order does not stand has had all the seeds that it may have."""
    given = seeds_of(run)
    assert max(given.values(), default=0) <= most
    left = {record.number for pair in open_pairs(run.read()) for record in pair if given[record.number] < most}
    assert not left
    return given


@pytest.mark.parametrize("objectives", [["score:max"], ["score:max", "macs"]])
@pytest.mark.parametrize("most", [1, 3])
def test_seeds_are_given_until_the_order_stands_or_they_are_spent(search, lucky, objectives, most):
    evaluator = lucky()
    run = search(evaluator, objectives=objectives, trials=20, seeds_front=most)
    given = check_ended(run, most)
    assert len(given) >= 2
    assert set(Counter(evaluator.trained).values()) == {1}, "no seed is trained twice"
    counts = run.status()["trials"]
    assert counts["complete"] + counts["raced"] == 20, "they count for nothing else"
    assert run.status()["more_seeds"] == {"designs": len(given), "seeds": given.total(), "failed": 0}
    for record in run.read().evaluated:
        trained = [(fold, seed) for digest, fold, seed in evaluator.trained if digest == record.candidate]
        assert sorted(trained) == [(fold, seed) for fold in range(5) for seed in range(1 + given[record.number])]
        scores = [member["metrics"]["score"] for member in record.details["members"]]
        assert record.objectives["score"] == pytest.approx(np.mean(scores))
        assert len(scores) == 5 * (1 + given[record.number])


class TwoAlike:
    """`sum` is better than `cat` by 0.005 in truth; with the first seed, by luck that differs between the folds, worse by 0.019."""

    LUCK = (0.1, -0.05, 0.1, -0.05, 0.02)

    def __call__(self, candidate, budget, report):
        return list(self.by_fold(candidate, budget, report))[-1]

    def by_fold(self, candidate, budget, report):
        from fusearch.contracts import Evaluation

        seed, formula = budget.seed or 0, str(candidate.graph)
        worth = 0.505 if "sum" in formula else 0.5 if "cat(mrna@1" in formula else 0.1
        luck = self.LUCK if "cat(mrna@1" in formula and seed == 0 else [0.0] * 5
        members = [{"fold": fold, "seed": seed, "metrics": {"score": worth + luck[fold]}} for fold in range(5)]
        yield Evaluation({"score": sum(member["metrics"]["score"] for member in members) / 5}, details={"members": members})


@pytest.mark.parametrize(("most", "given", "best"), [(0, 0, "cat"), (2, 2, "cat"), (5, 5, "sum"), (11, 11, "sum"), (30, 11, "sum")])
def test_luck_wears_off_and_the_better_design_is_found(search, space, most, given, best):
    """The difference is 0.024 / m - 0.005 after m seeds, its error 0.034 / m: the order turns at m = 5 and stands at m = 12."""
    graphs = [space.decode({"num_fusions": 1, "f1.depth": 1, "f1.operator": name, "recipe.width": 8}).graph for name in ("cat", "sum")]
    run = search(TwoAlike(), objectives=["score:max"], first=graphs, trials=5, reference_share=0.0, seeds_front=most)
    assert best in run.pick("best").formula
    assert {record.formula for record in run.front()} == {run.pick("best").formula}
    assert list(seeds_of(run).values()) == [given] * (2 if given else 0)


def test_a_design_that_falls_gives_way(search, lucky):
    run = search(lucky(), objectives=["score:max"], trials=20, seeds_front=3)
    rounds = [record for record in run.records() if record.more_seeds_of is not None]
    before = {record.more_seeds_of for record in rounds[:2]}
    assert {record.more_seeds_of for record in rounds} > before, "others came after the first two"


def test_the_same_search_gives_the_same_seeds(search, lucky, tmp_path):
    one, same = (search(lucky(), out=tmp_path / name, trials=15, seeds_front=2).records() for name in ("a", "b"))
    assert [(record.candidate, record.more_seeds_of, record.values) for record in one] == [
        (record.candidate, record.more_seeds_of, record.values) for record in same
    ]


def test_a_finished_run_goes_on_with_seeds(search, lucky):
    evaluator = lucky()
    before = search(evaluator, trials=15)
    assert not seeds_of(before)
    some = check_ended(search(evaluator, trials=15, seeds_front=1, resume=True), 1)
    more = check_ended(search(evaluator, trials=15, seeds_front=3, resume=True), 3)
    assert more.total() > some.total() > 0
    assert set(Counter(evaluator.trained).values()) == {1}
    assert search(evaluator, trials=15, seeds_front=3, resume=True).status()["state"] == "finished"
    assert set(Counter(evaluator.trained).values()) == {1}, "nothing is left to do"


def test_after_a_resume_a_repeat_has_the_values_over_all_seeds(search, lucky):
    settings = {"objectives": ["score:max"], "reference_share": 0.0}
    before = search(lucky(), trials=15, seeds_front=3, **settings)
    seeded, size = seeds_of(before), len(before.records())
    shares = [record.candidate for record in before.records() if record.evaluated]
    evaluator = lucky()
    run = search(evaluator, trials=22, resume=True, **settings)
    told = [(trial.values, read_trial(trial)) for trial in run.study.trials[size:]]
    repeats = [(values, facts) for values, facts in told if facts.repeat_of in seeded]
    assert repeats
    latest = {record.number: record.objectives["score"] for record in run.records() if record.evaluated}
    for values, facts in repeats:
        assert values == [latest[facts.repeat_of]]
        assert len(facts.details["members"]) == 5 * (1 + seeded[facts.repeat_of])
    assert not {digest for digest, _, _ in evaluator.trained} & set(shares)


def test_a_seed_that_fails_is_told_and_its_design_gets_no_more(search, lucky):
    class Broken(lucky):
        def by_fold(self, candidate, budget, report):
            if budget.seed is not None:
                raise ValueError("no luck")
            yield from super().by_fold(candidate, budget, report)

    run = search(Broken(), trials=15, seeds_front=3)
    rounds = [record for record in run.records() if record.more_seeds_of is not None]
    assert {record.state for record in rounds} == {"failed"}
    assert set(Counter(record.more_seeds_of for record in rounds).values()) == {1}
    assert all("no luck" in record.reason for record in rounds)
    assert run.status()["more_seeds"] == {"designs": 0, "seeds": 0, "failed": len(rounds)}
    assert (run.status()["state"], run.status()["trials"]["failed"]) == ("finished", 0)


def test_an_evaluator_that_knows_one_seed_only_is_told_so(search, lucky):
    class Deaf(lucky):
        def by_fold(self, candidate, budget, report):
            from fusearch.contracts import Budget

            return super().by_fold(candidate, Budget(), report)

    run = search(Deaf(), trials=15, seeds_front=3)
    (reason,) = {record.reason for record in run.records() if record.more_seeds_of is not None}
    assert reason == "the evaluator was asked for seed 1 of 5 folds (Budget.seed), and told of other members"


def test_what_cannot_have_more_seeds_is_refused(search, toy_evaluator, lucky, tmp_path):
    with pytest.raises(RunError, match=r"^seeds_front is 2: the evaluator tells nothing by fold, expected one with by_fold, or 0$"):
        search(toy_evaluator, seeds_front=2)
    with pytest.raises(RunError, match=r"^seeds_front is 2: strategy 'late-ensemble' does not take it, expected strategy 'graph'$"):
        search(lucky(), seeds_front=2, strategy="late-ensemble")
    with pytest.raises(RunError, match="seeds_front is -1, expected a whole number of at least 0"):
        Settings(seeds_front=-1)
    assert not (tmp_path / "run").exists()


def test_progress_counts_seeds_once_the_search_is_done(search, lucky):
    told = []
    run = search(lucky(), trials=15, seeds_front=2, progress=told.append)
    last = told[-1]
    assert (last.more_seeds, last.running, last.total) == (run.status()["more_seeds"]["seeds"], 0, None)
    assert last.done == run.status()["trials"]["complete"]
    assert [each.more_seeds for each in told] == sorted(each.more_seeds for each in told)


def test_a_signal_ends_it_and_the_seed_that_was_in_flight_is_due_again(search, lucky):
    class Signalled(lucky):
        def by_fold(self, candidate, budget, report):
            for found in super().by_fold(candidate, budget, report):
                if budget.seed == 2:
                    os.kill(os.getpid(), signal.SIGINT)
                yield found

    run = search(Signalled(), trials=15, seeds_front=3)
    status = run.status()
    assert (status["state"], status["reason"]) == ("stopped", "interrupted by SIGINT")
    assert (status["trials"]["interrupted"], status["trials"]["running"], status["trials"]["waiting"]) == (1, 0, 0)
    assert status["more_seeds"]["failed"] == 0
    evaluator = lucky()
    check_ended(search(evaluator, trials=15, seeds_front=3, resume=True), 3)
    assert evaluator.trained[0][2] == 2


KILLED_SCRIPT = """
import os, signal, sys
from conftest import Lucky, ToySpace
from fusearch.search import run_search

class Killed(Lucky):
    rounds = 0

    def by_fold(self, candidate, budget, report):
        self.rounds += budget.seed is not None
        for found in super().by_fold(candidate, budget, report):
            yield found
            if self.rounds == 3 and len(found.details["members"]) == 3:
                os.kill(os.getpid(), signal.SIGKILL)

run_search(ToySpace(), Killed(), objectives=["score:max", "macs"], out=sys.argv[1], executor="inline", trials=15, seeds_front=3)
"""


def test_a_driver_that_is_killed_loses_the_seed_in_flight_alone(search, lucky, tmp_path):
    script = tmp_path / "driver.py"
    script.write_text(KILLED_SCRIPT)
    place = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    killed = subprocess.run([sys.executable, script, search.out], env=place, check=False)
    assert killed.returncode == -signal.SIGKILL
    before = Run(search.out)
    (in_flight,) = [record for record in before.records() if record.state == "running"]
    assert (in_flight.more_seeds_of is None, seeds_of(before).total()) == (False, 2)
    evaluator = lucky()
    run = search(evaluator, trials=15, seeds_front=3, resume=True)
    assert run.status()["trials"]["interrupted"] == 1
    given = check_ended(run, 3)
    assert min(seed for _, _, seed in evaluator.trained) >= 1, "only seeds were left to train"
    assert len(evaluator.trained) == 5 * (given.total() - 2)
    assert in_flight.candidate in {digest for digest, _, _ in evaluator.trained}


@pytest.mark.slow
def test_a_study_in_a_database_holds_them_too(search, lucky, tmp_path):
    run = search(lucky(), trials=15, seeds_front=2, storage=f"sqlite:///{tmp_path}/study.db")
    assert check_ended(run, 2)


def test_what_waits_in_the_queue_stays_there(search, lucky, space):
    """Designs of the user's beyond the trials that were asked for are no seeds."""
    designs = [space.decode(params) for params in space._params.values()][:12]
    run = search(lucky(), first=designs, trials=8, seeds_front=1)
    check_ended(run, 1)
    assert run.status()["trials"]["waiting"] == 4


def test_a_trained_design_has_what_all_its_seeds_at_once_would_have_given(tmp_path):
    from fusearch.contracts import Budget
    from fusearch.reports import write_report
    from fusearch.search import run_search

    data = load_data("wisconsin")
    space = SearchSpace(data.modalities, max_fusions=1)
    settings = {"folds": 2, "epochs": 2, "missing": True, "pack": "off"}
    run = run_search(
        space,
        TrainingEvaluator(data, **settings),
        objectives=["balanced_accuracy", "macs"],  # by AUROC the order stands: the solved linear model leads
        out=tmp_path / "run",
        trials=12,
        executor="inline",
        sampler="random",
        seeds_front=1,
    )
    (number, *_), solved = seeds_of(run), {digest for digest, graph in run.read().graphs.items() if graph.training == "convex"}
    assert not {record.digest for record in run.records() if record.more_seeds_of is not None} & solved
    record = run.records()[number]
    given = record.rebuilt_from
    candidate = space.decode(run.study.trials[number].params) if given is None else Candidate.from_dict(given)
    at_once = TrainingEvaluator(data, seeds=2, **settings)(candidate, Budget(), lambda *_: None)
    assert {name: value for name, value in record.values.items() if name != "train_seconds"} == pytest.approx(
        {name: value for name, value in at_once.metrics.items() if name != "train_seconds"}
    )
    assert record.spread == pytest.approx(at_once.spread)
    assert record.details["best_epochs"] == at_once.details["best_epochs"]
    kept = read_arrays(run.path, record.candidate)
    assert kept.keys() == at_once.arrays.keys()
    assert kept["losses"].shape == at_once.arrays["losses"].shape
    order, expected = (np.lexsort((each["rows"], each["seed"])) for each in (kept, at_once.arrays))
    for name in ("rows", "seed", "fold", "targets", "probabilities"):
        np.testing.assert_allclose(kept[name][order], at_once.arrays[name][expected], rtol=1e-6)
    told = run.status()["more_seeds"]
    assert f"next to it got {told['seeds']} more seed" in write_report(run).with_name("report.md").read_text(encoding="utf-8")
