"""What races save and what they cost: made-up searches of designs whose worth is known, and searches that were run without races.

    OMP_NUM_THREADS=1 python benchmarks/races.py [--searches 200] [--runs RUN ...] [--looks 1 2 3 4] [--json]

A made-up search has 60 designs in five folds of 300 rows. The first eight are references and never race. A design has a cost, a worth (how
far it moves apart what it says of the two classes), what it has in common with the others (rows that are hard for all), rows that are hard
for it alone, and luck in each training. `searching`: worth differs as between real designs. `level`: all are about equally good, as at
the end of a search. `null`: nobody knows anything. All are trained to the end, and then it is counted what races would have done.

`on the front`: of the designs that stand on the front of all trials, how many a race stopped; `truly`: of those that would stand there
with no noise at all. `claims` counts the searches in which the estimate after selection claims that searching gained anything, from all
designs and from those that races leave; `optimism` is by how much it says too much of the best design.

RUN is the folder of a search with `--races off`; it is replayed in the order of its trials. `first look` is the share of the trials that
race which one look after the first fold stops. `--looks` says after how many folds it is looked: what follows the last is trained at once.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from fusearch import pareto
from fusearch.contracts import Objective, feasible
from fusearch.inference.kept import KeptPredictions
from fusearch.inference.resampling import Resampled, over_draws
from fusearch.metrics import METRICS
from fusearch.run import Run
from fusearch.search.races import Races
from fusearch.study import TrialFacts
from fusearch.tasks import TASKS

AUROC, MACS, LOSS = Objective.parse("auroc"), Objective.parse("macs"), Objective.parse("log_loss")
ROWS, FOLDS, DESIGNS, REFERENCES = 300, 5, 60, 8

#: Kind of search -> mean and standard deviation of the worth of designs.
KINDS = {"searching": (1.0, 0.4), "level": (1.0, 0.08), "null": (0.0, 0.0)}


@dataclass(frozen=True)
class Trial:
    """A design that was trained to the end: its objectives in the order of the search, its folds, and whether it races."""

    number: int
    point: Sequence[float]
    facts: TrialFacts
    races: bool
    worth: float = float("nan")


def race(
    trials: Sequence[Trial], objectives: Sequence[Objective], criteria: Sequence[Objective], looks: Sequence[int]
) -> tuple[dict[int, int], int]:
    """Return the trials that races stop -> the folds that they had, and how many trials raced."""
    races, stopped, raced = Races(objectives, criteria), dict[int, int](), 0
    for trial in trials:
        costs = {each.name: value for each, value in zip(objectives, trial.point, strict=True) if each.cheap}
        entered = races.race(costs) if trial.races else None
        if entered is not None:
            raced += 1
            scores = {metric.name: trial.facts.by_fold(metric.name) for metric in entered.metrics}
            folds = sorted(next(iter(scores.values())))
            for done in (look for look in looks if look < len(folds)):
                if entered.judge({name: {fold: each[fold] for fold in folds[:done]} for name, each in scores.items()}) is not None:
                    stopped[trial.number] = done
                    break
        if trial.number not in stopped:
            races.add(trial.number, trial.point, trial.facts)
    return stopped, raced


def front(points: Sequence[Sequence[float]], objectives: Sequence[Objective]) -> NDArray[np.bool_]:
    """Return which points no other one dominates."""
    return pareto.is_nondominated(points, [each.direction for each in objectives])


@cache
def make_search(kind: str, draw: int) -> tuple[list[Trial], KeptPredictions]:
    """Make up a search in which every design is trained to the end, with its predictions."""
    rng = np.random.default_rng([sorted(KINDS).index(kind), draw])
    task = TASKS["classification"]("y", ("no", "yes"))
    targets, fold = rng.permutation(np.arange(ROWS) % 2), np.arange(ROWS) % FOLDS
    held_out = (fold[:, None] == np.arange(FOLDS)).astype(float)
    mean, spread = KINDS[kind]
    worths, costs = rng.normal(mean, spread, DESIGNS), 10 ** rng.uniform(3, 6, DESIGNS)
    sides, hard = 2.0 * targets - 1.0, rng.normal(size=ROWS)
    trials, outputs = [], []
    for number in range(DESIGNS):
        luck = rng.normal(0.0, 0.1, FOLDS) if spread else np.zeros(FOLDS)
        said = (worths[number] + luck[fold]) * sides / 2 + 0.8 * hard + 0.6 * rng.normal(size=ROWS)
        chances = expit(worths[number] * said if spread else 0.3 * said)
        both = np.column_stack([1 - chances, chances])
        by_fold = {each.name: METRICS[each.name].on_draws(targets, both, held_out) for each in (AUROC, LOSS)}
        members = [
            {"fold": held, "seed": 0, "metrics": {name: float(values[held]) for name, values in by_fold.items()}} for held in range(FOLDS)
        ]
        facts = TrialFacts(details={"members": members})
        point = [float(np.mean(list(facts.by_fold("auroc").values()))), float(costs[number])]
        truth = float(ndtr(abs(worths[number]) / np.sqrt(2.0 * (0.8**2 + 0.6**2 + (0.05**2 if spread else 0.0)))))
        trials.append(Trial(number, point, facts, number >= REFERENCES, truth))
        outputs.append(both)
    return trials, KeptPredictions(fold, targets, task.strata(targets), None, np.stack(outputs), task)


def judge(
    trials: Sequence[Trial], objectives: Sequence[Objective], criteria: Sequence[Objective], looks: Sequence[int]
) -> dict[str, float]:
    """Count what races would have done to a search."""
    stopped, raced = race(trials, objectives, criteria, looks)
    points = [trial.point for trial in trials]
    folds = [len(trial.facts.by_fold(objectives[0].name)) for trial in trials]
    saved = sum(count - stopped[trial.number] for trial, count in zip(trials, folds, strict=True) if trial.number in stopped)
    allowed = [trial for trial in trials if feasible(objectives, trial.point)]
    shown = [trial for trial, on in zip(allowed, front([trial.point for trial in allowed], objectives), strict=True) if on and trial.races]
    directions = [each.direction for each in objectives]
    worst = pareto.reference_point(points, directions)
    whole, left = (
        pareto.hypervolume(each, directions, reference=worst)
        for each in (points, [trial.point for trial in trials if trial.number not in stopped])
    )
    return {
        "trials": len(trials),
        "stopped": len(stopped),
        "raced": raced,
        "first": sum(done == 1 for done in stopped.values()),
        "saved": saved / sum(folds),
        "on_front": len(shown),
        "stopped_on_front": sum(trial.number in stopped for trial in shown),
        "hypervolume": left / whole,
    }


def simulate(kind: str, searches: int, criteria: Sequence[Objective], looks: Sequence[int]) -> dict[str, float]:
    """Make up searches of a kind and count."""
    found, truly, truly_stopped, claims, optimism = [], 0, 0, [0, 0], [[], []]
    for draw in range(searches):
        trials, kept = make_search(kind, draw)
        found.append(judge(trials, [AUROC, MACS], criteria, looks))
        stopped, _ = race(trials, [AUROC, MACS], criteria, looks)
        on = front([(trial.worth, trial.point[1]) for trial in trials], [AUROC, MACS])
        best = [trial for trial, is_on in zip(trials, on, strict=True) if is_on and trial.races]
        truly += len(best)
        truly_stopped += sum(trial.number in stopped for trial in best)
        resampled = Resampled(kept, AUROC, seed=draw)
        for at, left in enumerate((np.arange(DESIGNS), np.array([each for each in range(DESIGNS) if each not in stopped]))):
            chosen = resampled.best_of(left)
            scores = resampled.left_out(chosen)
            known, searched = left[left < REFERENCES], left[left >= REFERENCES]
            if len(searched):
                gains = resampled.gain(*(resampled.left_out(resampled.best_of(each)) for each in (known, searched)))
                claims[at] += over_draws(gains)[1] > 0
            worths = np.array([trial.worth for trial in trials])
            optimism[at].append(over_draws(scores)[0] - worths[chosen].mean())
    total = {name: sum(each[name] for each in found) for name in found[0]}
    return {
        "searches": searches,
        "saved": total["saved"] / searches,
        "stopped": total["stopped"] / total["trials"],
        "first look": total["first"] / max(1, total["raced"]),
        "stopped_on_front": total["stopped_on_front"] / total["on_front"],
        "truly": truly_stopped / truly if KINDS[kind][1] else float("nan"),
        "hypervolume": total["hypervolume"] / searches,
        "claims_all": claims[0] / searches,
        "claims_left": claims[1] / searches,
        "optimism_all": float(np.mean(optimism[0])),
        "optimism_left": float(np.mean(optimism[1])),
    }


def replay(folder: Path, looks: Sequence[int]) -> dict[str, Any]:
    """Race the trials of a search that was run without races."""
    kept = Run(folder).read()
    trials = [
        Trial(record.number, [record.value(each.name) for each in kept.objectives], record, record.reference is None)
        for record in kept.records
        if record.evaluated
    ]
    stopped, _ = race(trials, kept.objectives, kept.criteria, looks)
    picks = {how: kept.pick(how).number in stopped for how in ("simplest", "best", "knee")}
    counts = judge(trials, kept.objectives, kept.criteria, looks)
    first = counts.pop("first") / max(1, counts["raced"])
    return {"run": folder.name, **counts, "first look": first, "picks_stopped": [how for how in picks if picks[how]]}


def main() -> None:
    """Count, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--searches", type=int, default=200, help="made-up searches of each kind")
    parser.add_argument("--runs", type=Path, nargs="*", default=[], help="searches that were run without races")
    parser.add_argument("--looks", type=int, nargs="+", default=range(1, FOLDS), help="after how many folds it is looked")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    made = [
        {
            "kind": kind,
            "picked by": " and ".join(each.name for each in criteria),
            **simulate(kind, asked.searches, criteria, asked.looks),
        }
        for kind in KINDS
        for criteria in ([AUROC], [AUROC, LOSS])
    ]
    replayed = [replay(folder, asked.looks) for folder in asked.runs]
    if asked.json:
        print(json.dumps({"simulated": made, "replayed": replayed}))
        return
    for rows in (made, replayed):
        if rows:
            print(" | ".join(rows[0]))
            print(" | ".join("---" for _ in rows[0]))
        for row in rows:
            print(" | ".join(f"{value:.4g}" if isinstance(value, float) else str(value) for value in row.values()))


if __name__ == "__main__":
    main()
