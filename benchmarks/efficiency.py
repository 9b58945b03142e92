"""What a sampler saves: epochs and seconds of training until a search has 95 % of the hypervolume that random draws find with 200 trials.

    python examples/prepare_shared_data.py $FUSEARCH_SHARED_DATA data
    python benchmarks/efficiency.py data/rosmap/rosmap.yaml data/brca263/brca263.yaml data/proctor/proctor.yaml wisconsin
        [--samplers random tpe evolution cost_aware] [--variants plain races packs packs+races] [--recipes 4] [--trials 200]
        [--yardstick 200] [--seeds 5] [--epochs N] [--patience N] [--folds N] [--confirm 3] [--out runs/efficiency] [--json]
    python benchmarks/efficiency.py --proposals 1000

Every run of a set is a search in this process, with the references in their share, for the metric against MACs. Evaluating a design is
deterministic, so what was trained once is kept in a table beside the runs and looked up by every other run: the epochs and seconds (of
the processor) of a run are those that its designs took when they were trained, whoever trained them. A run that is there already is gone
on with, so that the whole may be stopped and started at will, also by one process for each set. Each sampler runs with and without races,
and with and without packs: `plain` has neither. With packs, `--recipes` recipes of a design are trained together, and the worse half leaves
after twice the patience; what a pack took is shared by those that were still in it. Each of them is a trial, so that such a run sees fewer
designs. Noise of a pack is that of its members together, so nothing of it is looked up.

The goal of a set is the median hypervolume of the random runs without races, which may be longer than the others (`--yardstick`), all
under one reference point, MACs by their logarithm (decision 0051). Most of it is the references', which every run has first: so a second
goal is what random draws *add* to the references of their run, and `gain` is what a run added in the end. A run that does not reach a
goal counts as more than all. `--confirm` trains each design of the fronts as `fusearch confirm` does, with so many seeds: `confirmed` is
the hypervolume of a front on the test split, as a share of that of the random runs. `--proposals` prints what one proposal costs beside so
many complete trials.
"""

from __future__ import annotations

import argparse
import inspect
import itertools
import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from fusearch import pareto
from fusearch.contracts import Budget, Evaluation, PackNews, Report
from fusearch.data import Dataset, load_data
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.export.choice import read_choice
from fusearch.evaluators.export.confirmation import outputs_on_test, score_on_test
from fusearch.evaluators.export.fitted import fit_choice
from fusearch.run import Run
from fusearch.search import run_search
from fusearch.search_space import Candidate, FusionGraph, Recipe, SearchSpace

SAMPLERS = ("random", "tpe", "evolution", "cost_aware")
#: Shares of the hypervolume that random draws find, and of what they add to that of the references.
GOALS = (0.95, 1.0)
GAINS = (0.5, 0.95)


class Table:
    """An evaluator that trains a design once, whoever asks, and keeps what each fold of it found and took.

    Args:
        evaluator: What trains.
        path: File of the table, a line of JSON for each design; the last line of a design counts.
    """

    def __init__(self, evaluator: TrainingEvaluator, path: Path) -> None:
        self._evaluator, self._path = evaluator, path
        self._rows: dict[str, dict[str, Any]] = {}
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                self._rows[row["digest"]] = row

    def __call__(self, candidate: Candidate, budget: Budget, report: Report) -> Evaluation:
        """Return the whole evaluation; without packs its folds are kept too, for searches with races."""
        train = self._evaluator.by_fold if self._evaluator.pack == "off" else _whole(self._evaluator)
        *_, last = self._steps(candidate, budget, report, train)
        return last

    def by_fold(self, candidate: Candidate, budget: Budget, report: Report) -> Iterator[Evaluation]:
        """Give what is known after each fold, trained only as far as it is asked for."""
        return self._steps(candidate, budget, report, self._evaluator.by_fold)

    def _steps(
        self, candidate: Candidate, budget: Budget, report: Report, train: Callable[[Candidate, Budget, Report], Iterator[Evaluation]]
    ) -> Iterator[Evaluation]:
        row = self._rows.get(candidate.digest, {"steps": [], "whole": False})
        yield from (_evaluation(step) for step in row["steps"])
        if row["whole"]:
            return
        epochs, started, steps = 0, time.process_time(), []

        def count(step: int, values: Mapping[str, float]) -> None:
            nonlocal epochs
            epochs = step
            report(step, values)

        for evaluation in train(candidate, budget, count):
            members = evaluation.details["members"]
            whole = len(members) == len(self._evaluator.folds) * self._evaluator.seeds
            spent = {"epochs": epochs, "seconds": time.process_time() - started}
            steps.append({"metrics": dict(evaluation), "spread": dict(evaluation.spread), "members": members, **spent})
            if whole or len(steps) > len(row["steps"]):
                self._keep({"digest": candidate.digest, "steps": steps.copy(), "whole": whole})
                yield evaluation

    def cheap(self, candidate: Candidate) -> dict[str, float]:
        """Return what a design costs."""
        return self._evaluator.cheap(candidate)

    def objectives(self) -> frozenset[str]:
        """Return what an evaluation holds."""
        return self._evaluator.objectives()

    def describe(self) -> Mapping[str, Any]:
        """Return what the evaluator says of itself."""
        return self._evaluator.describe()

    def spent(self, digest: str, num_members: int) -> tuple[float, float] | None:
        """Return epochs and seconds until so many members of a design were trained; None: none were."""
        if not num_members:
            return None
        step = next(step for step in self._rows[digest]["steps"] if len(step["members"]) >= num_members)
        return step["epochs"], step["seconds"]

    def _keep(self, row: dict[str, Any]) -> None:
        self._rows[row["digest"]] = row
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


class PackTable(Table):
    """A table whose evaluator also trains several recipes of a design together; those are trained for each run anew.

    Args:
        evaluator: What trains.
        path: File of the table.
        packs: File of what the packs of one run took: a line for each news of a recipe, with its share until then.
    """

    def __init__(self, evaluator: TrainingEvaluator, path: Path, packs: Path) -> None:
        super().__init__(evaluator, path)
        self._packs = packs
        self._shares: dict[str, tuple[float, float]] = {}
        if packs.is_file():
            self._shares = {digest: (epochs, seconds) for digest, epochs, seconds in map(json.loads, packs.read_text("utf-8").splitlines())}
        self.usual_recipes, self.price_of_look = evaluator.usual_recipes, evaluator.price_of_look

    def recipes(
        self, candidates: Sequence[Candidate], budget: Budget, report: Report, *, goes_on: Callable[[int], bool], **how: Any
    ) -> Iterator[PackNews]:
        """Give what becomes known of recipes that are trained together, and keep their shares of epochs and seconds."""
        epochs, started = 0, time.process_time()
        places, shares = list(range(len(candidates))), [(0.0, 0.0)] * len(candidates)

        def count(step: int, values: Mapping[str, float]) -> None:
            nonlocal epochs
            epochs += "epoch" in values
            report(step, values)

        for news in self._evaluator.recipes(candidates, budget, count, goes_on=goes_on, **how):
            each = epochs / len(places), (time.process_time() - started) / len(places)
            for place in places:
                shares[place] = shares[place][0] + each[0], shares[place][1] + each[1]
                self._keep_share(candidates[place].digest, shares[place])
            yield news
            epochs, started = 0, time.process_time()
            places = [place for place in places if goes_on(place)]

    def _keep_share(self, digest: str, share: tuple[float, float]) -> None:
        self._shares[digest] = share
        with self._packs.open("a", encoding="utf-8") as file:
            file.write(json.dumps([digest, *share]) + "\n")

    def spent(self, digest: str, num_members: int) -> tuple[float, float] | None:
        """Return epochs and seconds of a design, or its share of those of its pack."""
        return self._shares.get(digest) or super().spent(digest, num_members)


def _whole(evaluator: TrainingEvaluator) -> Callable[[Candidate, Budget, Report], Iterator[Evaluation]]:
    return lambda candidate, budget, report: iter([evaluator(candidate, budget, report)])


def _evaluation(step: Mapping[str, Any]) -> Evaluation:
    return Evaluation(step["metrics"], spread=step["spread"], details={"members": step["members"]})


#: Races of the search and packs of the evaluator, by what is told of them.
VARIANTS: dict[str, tuple[str, str]] = {
    "plain": ("off", "off"),
    "races": ("on", "off"),
    "packs": ("off", "auto"),
    "packs+races": ("on", "auto"),
}


def measure(name: str, data: Dataset, sampler: str, seed: int, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Run one sampler with one seed, in each variant, and give the course of each: points, epochs and seconds by trial."""
    for variant in options.variants:
        races, pack = VARIANTS[variant]
        evaluator = TrainingEvaluator(data, epochs=options.epochs, patience=options.patience, folds=options.folds, pack=pack)
        out = options.out / "-".join((name, sampler, variant, str(seed)))
        if pack == "off":
            table = Table(evaluator, options.out / f"{name}-loop.jsonl")
        else:
            table = PackTable(evaluator, options.out / f"{name}-{variant}.jsonl", options.out / f"{out.name}.packs.jsonl")
        run = run_search(
            SearchSpace(data.modalities),
            table,
            objectives=[options.metric, "macs"],
            out=out,
            trials=options.yardstick if (sampler, variant) == ("random", options.variants[0]) else options.trials,
            sampler=sampler,
            seed=seed,
            executor="inline",
            resume=out.is_dir(),
            races=races,
            recipes=1 if pack == "off" else options.recipes,
        )
        confirmed = confirm(run, evaluator, data, options) if options.confirm else []
        yield {"set": name, "sampler": sampler, "variant": variant, "seed": seed, "confirmed": confirmed, **course(run, table)}


def confirm(run: Run, evaluator: TrainingEvaluator, data: Dataset, options: argparse.Namespace) -> list[list[float]]:
    """Return metric and cost of each design of the front on the test split; what was trained before for another run is looked up."""
    path = options.out / f"{data.name}-confirmed-{options.confirm}.jsonl"
    known = dict(map(json.loads, path.read_text(encoding="utf-8").splitlines())) if path.is_file() else {}
    for record in run.front():
        if record.candidate not in known:
            candidate = Candidate(FusionGraph.parse(record.formula, modalities=data.modalities), Recipe.from_dict(record.recipe))
            details = evaluator(candidate, Budget(), lambda _step, _values: None).details  # the epochs, which the table does not keep
            choice = read_choice(run, replace(record, details=details), data)
            model = fit_choice(choice, data, seeds=options.confirm, device="cpu")
            known[record.candidate] = score_on_test(outputs_on_test(model, choice.modalities, data), data)[options.metric]
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([record.candidate, known[record.candidate]]) + "\n")
    return [[known[record.candidate], record.objectives["macs"]] for record in run.front()]


def course(run: Run, table: Table) -> dict[str, Any]:
    """Return what a run found and had spent after each design that it trained, also those that a race stopped.

    `references` says how many designs it had trained before it drew one.
    """
    epochs, seconds, points, references = [0], [0.0], [], []
    for record in sorted(run.records(), key=lambda record: record.number):
        took = None
        if record.state in ("complete", "pruned") and record.repeat_of is None:
            took = table.spent(record.candidate, len(record.details.get("members", ())))
        if took is not None:
            epochs.append(epochs[-1] + took[0])
            seconds.append(seconds[-1] + took[1])
            points.append([*record.objectives.values()] if record.evaluated else None)
            references.append(record.reference is not None)
    num_first = len([*itertools.takewhile(bool, references)])
    return {"points": points, "epochs": epochs[1:], "seconds": seconds[1:], "references": num_first}


def judge(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what each sampler needed to reach the goals of a set, in the median over seeds with the least and the most."""
    found = np.array([point for run in runs for point in run["points"] if point])
    reference = pareto.reference_point(_scaled(found), ["maximize", "minimize"])
    for run in runs:
        worst = [reference if point is None else _scaled([point])[0] for point in run["points"]]
        run["volume"] = pareto.hypervolume_over_trials(worst, ["maximize", "minimize"], reference=reference)
        if run["confirmed"]:
            run["confirmed"] = pareto.hypervolume(_scaled(run["confirmed"]), ["maximize", "minimize"], reference=reference)
    plain = runs[0]["variant"]  # no race has stopped a design of it
    for run in runs:
        run["start"] = run["volume"][run["references"] - 1]
    yardstick = [run for run in runs if (run["sampler"], run["variant"]) == ("random", plain)]
    goal, gain = (statistics.median(of(run) for run in yardstick) for of in (_end, _gain))
    rows = []
    for sampler, variant in dict.fromkeys((run["sampler"], run["variant"]) for run in runs):
        mine = [run for run in runs if (run["sampler"], run["variant"]) == (sampler, variant)]
        row = {"set": mine[0]["set"], "sampler": sampler, "variant": variant, "final": [run["volume"][-1] / goal for run in mine]}
        row["gain"] = [_gain(run) / gain if gain else math.nan for run in mine]  # nan: random draws added nothing
        if yardstick[0]["confirmed"]:
            row["confirmed"] = [run["confirmed"] / statistics.median(run["confirmed"] for run in yardstick) for run in mine]
        goals = {f"{share:.0%}": [share * goal for _ in mine] for share in GOALS}
        goals |= {f"{share:.0%} of the gain": [run["start"] + share * gain for run in mine] for share in GAINS}
        for name, wanted in goals.items():
            first = [_reached(run, goal) for run, goal in zip(mine, wanted, strict=True)]
            row[f"trials to {name}"] = [math.inf if at is None else float(at + 1) for at in first]
            for what in ("epochs", "seconds"):
                row[f"{what} to {name}"] = [math.inf if at is None else run[what][at] for run, at in zip(mine, first, strict=True)]
        row["epochs of all"] = [run["epochs"][-1] for run in mine]
        rows.append(row)
    return rows


def _end(run: Mapping[str, Any]) -> float:
    return float(run["volume"][-1])


def _gain(run: Mapping[str, Any]) -> float:
    return _end(run) - float(run["start"])


def _reached(run: Mapping[str, Any], volume: float) -> int | None:
    """Return after which design a run had a hypervolume; None: it never had."""
    return int(np.argmax(run["volume"] >= volume)) if _end(run) >= volume else None


def _scaled(points: Any) -> np.ndarray:
    points = np.asarray(points, dtype=float)
    return np.column_stack([points[:, 0], np.log10(np.maximum(points[:, 1], 1.0))])


def proposals(num_trials: int) -> dict[str, float]:
    """Return the seconds of one proposal of each sampler beside so many complete trials: the median of twenty."""
    data = load_data("wisconsin")
    space, evaluator = SearchSpace(data.modalities), TrainingEvaluator(data)

    class Costed:
        """Scores that take no time, at real costs."""

        def __call__(self, candidate: Candidate, _budget: Budget, _report: Report) -> dict[str, float]:
            return {"auroc": int(candidate.digest, 16) % 997 / 997, **self.cheap(candidate)}

        cheap, objectives, describe = evaluator.cheap, evaluator.objectives, evaluator.describe

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        settings = {"objectives": ["auroc", "macs"], "executor": "inline", "reference_share": 0.0}
        run_search(space, Costed(), out=f"{folder}/run", trials=num_trials, sampler="random", **settings)
        for sampler in SAMPLERS:
            stamps: list[float] = []
            run_search(
                space,
                Costed(),
                out=f"{folder}/run",
                trials=(num_trials := num_trials + 20),
                sampler=sampler,
                resume=True,
                progress=lambda _progress, stamps=stamps: stamps.append(time.perf_counter()),
                **settings,
            )
            # A start follows the end of the trial before it: what lies between is the proposal.
            found[sampler] = statistics.median(stamps[place] - stamps[place - 1] for place in range(2, len(stamps), 2))
    return found


def _told(values: Sequence[float], form: str = ",.0f") -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return " | ".join("-" if math.isinf(value) else f"{value:{form}}" for value in (middle, low, high))


def main() -> None:
    """Run what is missing, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=["wisconsin"], help="manifests, or names of embedded sets")
    parser.add_argument("--samplers", nargs="+", default=SAMPLERS)
    parser.add_argument("--variants", nargs="+", default=[*VARIANTS], choices=VARIANTS)
    parser.add_argument("--metric", default="auroc")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--yardstick", type=int, default=None, help="trials of the random runs that set the goal; --trials where left out")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=inspect.signature(TrainingEvaluator).parameters["epochs"].default)
    parser.add_argument("--patience", type=int, default=inspect.signature(TrainingEvaluator).parameters["patience"].default)
    parser.add_argument("--folds", type=int, default=None)
    parser.add_argument("--recipes", type=int, default=4, help="recipes of a design that are trained together, with packs")
    parser.add_argument(
        "--confirm", type=int, default=0, metavar="SEEDS", help="judge the fronts on the test split too, each design by so many networks"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/efficiency"))
    parser.add_argument("--proposals", type=int, default=0, metavar="TRIALS")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.proposals:
        told = proposals(options.proposals)
        lines = [f"{sampler:<12} {1000 * seconds:6.0f} ms a proposal at {options.proposals} trials" for sampler, seconds in told.items()]
        print(json.dumps(told) if options.json else "\n".join(lines))
        return
    options.yardstick = options.yardstick or options.trials
    options.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for source in options.sets:
        name, data, runs = Path(source).stem, load_data(source), []
        for seed in range(options.seeds):
            for sampler in options.samplers:
                runs += measure(name, data, sampler, seed, options)
                print(f"{name}: {sampler}, seed {seed}", file=sys.stderr, flush=True)
        rows += judge(runs)
    if options.json:
        print(json.dumps(rows))
        return
    print(f"median, least and most of {options.seeds} seeds; -: not reached within {options.trials} trials")
    for row in rows:
        print(f"\n{row['set']}, {row['sampler']}, {row['variant']}")
        print(f"  hypervolume at the end, as a share of random's   {_told(row['final'], '.3f')}")
        print(f"  added to the references, as a share of random's  {_told(row['gain'], '.2f')}")
        if options.confirm:
            print(f"  hypervolume on the test split, as a share          {_told(row['confirmed'], '.3f')}")
        for what, values in row.items():
            if " to " in what or what == "epochs of all":
                print(f"  {what:<48} {_told(values)}")


if __name__ == "__main__":
    main()
