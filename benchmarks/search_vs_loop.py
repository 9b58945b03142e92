"""The wall time of a search against a plain loop that trains the same designs one after another.

    python benchmarks/search_vs_loop.py [--data wisconsin] [--trials 24] [--epochs 30] [--cpus 2] [--races off] [--json]
    python benchmarks/search_vs_loop.py --races on --seeds 0 1 2 [--data wisconsin] [--trials 24] [--epochs 30] [--sampler random] [--json]

Four runs of the same trainings (the random sampler proposes without looking at results, and nothing races): a plain loop, the inline
executor, Ray with one worker, Ray with `--cpus` workers. `search` counts from the first start to the last end of an evaluation, `wall`
also the start and the end of Ray, which a longer search spreads over more trials. Aim: search / loop at most 1.05 with one worker and at
most 0.6 with two on two cores. Other processes on the same cores spoil the ratios: run it on a quiet machine.

With `--races on` it is asked what races spare: a search with its defaults in this process, for each seed, against a loop which trains all
folds of every design that the search evaluated, also of those that were stopped, in packs where that is faster. Both in processor time of
their evaluations, so that other processes spoil little, a search and its loop one right after the other. Aim: at most 1.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fusearch.contracts import Budget, PackNews
from fusearch.data import Dataset, load_data
from fusearch.evaluators import TrainingEvaluator
from fusearch.run import Run
from fusearch.search import run_search
from fusearch.search_space import Candidate, FusionGraph, Recipe, SearchSpace


class Timed(TrainingEvaluator):
    """Counts the processor time of its evaluations."""

    def __init__(self, data: Dataset, *, epochs: int) -> None:
        super().__init__(data, epochs=epochs)
        self._seconds = [0.0]  # one for all copies
        for fold in range(len(self.folds)):
            self.prepared(fold)

    def recipes(self, *given: Any, **more: Any) -> Iterator[PackNews]:
        """Do the same, and look at the clock."""
        found = super().recipes(*given, **more)
        while True:
            started = time.process_time()
            news = next(found, None)
            self._seconds[0] += time.process_time() - started
            if news is None:
                return
            yield news

    def spent(self) -> float:
        """Return the seconds since it was asked last."""
        seconds, self._seconds[0] = self._seconds[0], 0.0
        return seconds


def raced(space: SearchSpace, evaluator: Timed, sampler: str, trials: int, seed: int) -> dict[str, float]:
    """Run one search with races and the loop over its designs; return the processor seconds of both, and what the races stopped."""
    with tempfile.TemporaryDirectory() as name:
        settings = {"objectives": ["auroc", "macs"], "out": f"{name}/run", "trials": trials, "sampler": sampler, "seed": seed}
        run = run_search(space, evaluator, races="on", executor="inline", **settings)
        searched = evaluator.spent()
        records = [record for record in run.records() if record.repeat_of is None and (record.evaluated or record.raced)]
        designs = [
            Candidate(FusionGraph.parse(each.formula, modalities=space.modalities), Recipe.from_dict(each.recipe)) for each in records
        ]
    for candidate in designs:
        evaluator(candidate, Budget(), lambda _step, _values: None)
    loop = evaluator.spent()
    stopped = [record for record in records if record.raced]
    return {
        "seed": seed,
        "designs": len(designs),
        "stopped": len(stopped),
        "after_the_first_fold": sum(record.raced["folds"] == 1 for record in stopped),
        "search_seconds": searched,
        "loop_seconds": loop,
        "search_of_loop": searched / loop,
    }


def search(folder: Path, space: SearchSpace, evaluator: TrainingEvaluator, trials: int, executor: str, workers: int | None) -> tuple:
    """Run one search; return the run, its wall time, and the time from its first start to its last end."""
    started = time.perf_counter()
    run = run_search(
        space,
        evaluator,
        objectives=["auroc", "macs"],
        out=folder / f"{executor}-{workers}",
        trials=trials,
        sampler="random",
        races="off",
        executor=executor,
        workers=workers,
    )
    wall = time.perf_counter() - started
    records = [record for record in run.records() if record.evaluated]
    first_start = min(record.ended - record.seconds for record in records)
    return run, wall, max(record.ended for record in records) - first_start


def candidates(run: Run, space: SearchSpace) -> list[Candidate]:
    """Return what a run evaluated."""
    return [
        Candidate(FusionGraph.parse(record.formula, modalities=space.modalities), Recipe.from_dict(record.recipe))
        for record in run.records()
        if record.evaluated
    ]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="wisconsin")
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--races", choices=("on", "off"), default="off")
    parser.add_argument("--sampler", default="random", help="of the search with races")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="of the search with races")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    data = load_data(chosen.data)
    space = SearchSpace(data.modalities)
    evaluator = TrainingEvaluator(data, epochs=chosen.epochs)
    if chosen.races == "on":
        rows, evaluator = [], Timed(data, epochs=chosen.epochs)
        evaluator(space.sample(np.random.default_rng(0)), Budget(epochs=2), lambda _step, _values: None)
        evaluator.spent()  # what is loaded and compiled once is no evaluation's
        for seed in chosen.seeds:
            rows.append(raced(space, evaluator, chosen.sampler, chosen.trials, seed))
            if not chosen.json:
                print(", ".join(f"{name} {value:.4g}" for name, value in rows[-1].items()), flush=True)
        total = sum(row["search_seconds"] for row in rows) / sum(row["loop_seconds"] for row in rows)
        print(json.dumps({"seeds": rows, "search_of_loop": total}) if chosen.json else f"search / loop over all seeds {total:.2f}")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inline, inline_wall, inline_search = search(folder, space, evaluator, chosen.trials, "inline", None)
        designs = candidates(inline, space)
        started = time.perf_counter()
        for candidate in designs:
            evaluator(candidate, Budget(), lambda _step, _values: None)
        loop = time.perf_counter() - started
        found = [{"how": "inline", "search": inline_search / loop, "wall": inline_wall / loop, "same": True}]
        for workers in (1, chosen.cpus):
            run, wall, spent = search(folder, space, evaluator, chosen.trials, "ray", workers)
            same = {candidate.digest for candidate in candidates(run, space)} == {candidate.digest for candidate in designs}
            found.append({"how": f"ray, {workers} worker(s)", "search": spent / loop, "wall": wall / loop, "same": same})
    if chosen.json:
        print(json.dumps({"designs": len(designs), "loop_seconds": loop, "times_the_loop": found}))
        return
    print(f"{len(designs)} designs; plain loop {loop:.1f} s")
    for each in found:
        told = ", ".join(f"{name} {each[name] * loop:6.1f} s ({each[name]:.2f} of the loop)" for name in ("search", "wall"))
        print(f"{each['how']:17} {told}{'' if each['same'] else ' (not the same designs)'}")


if __name__ == "__main__":
    main()
