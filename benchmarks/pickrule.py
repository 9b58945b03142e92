"""What each pick rule takes, on simulated designs whose true score is known.

    python benchmarks/pickrule.py [--repeats 200] [--designs 30] [--shared 0.5] [--json]

A search of `--designs` designs, five folds, costs from 10^3 to 10^6 MACs. The score of a row is drawn, and `--shared` of its variance is
what is hard about the row for every design, so that the AUROC of each design on endless rows, its true score, is known in closed form:

    equal              0.75, all of them
    spread             0.65 to 0.80, whatever the cost
    better with cost   0.65 to 0.80, rising with the logarithm of the cost
    worse with cost    0.80 to 0.65, falling

`true` is the mean true score of what the rule takes, `lost` how far that is behind the best design's, `luck` by how much the search saw
it too high, and `MACs` the geometric mean of its cost. `best` and `knee` are `--pick best:auroc` and `--pick knee`; `simplest` is the
default, the cheapest design within one standard error of the best, paired fold by fold; `unpaired` has the standard error of the best
itself.
"""

from __future__ import annotations

import argparse
import json
import math

import numpy as np
from scipy.stats import norm

from fusearch.contracts import Objective
from fusearch.metrics import METRICS
from fusearch.study import TrialRecord
from fusearch.trials import Trials

SHAPES = ("equal", "spread", "better with cost", "worse with cost")
ROWS = (150, 600)
FOLDS = 5
LOW, HIGH = 0.65, 0.80
OBJECTIVES = tuple(Objective.parse(name) for name in ("auroc", "macs"))


def true_scores(shape: str, designs: int, rng: np.random.Generator) -> np.ndarray:
    """Return the true AUROC of each design, the cheapest first."""
    rising = np.linspace(LOW, HIGH, designs)
    return {
        "equal": np.full(designs, 0.75),
        "spread": rng.permutation(rising),
        "better with cost": rising,
        "worse with cost": rising[::-1],
    }[shape]


def simulate(truth: np.ndarray, rows: int, common: float, rng: np.random.Generator) -> Trials:
    """Return a search that saw these designs on that many rows."""
    targets = rng.permutation(np.arange(rows) % 2)
    in_fold = np.eye(FOLDS)[rng.permutation(np.arange(rows) % FOLDS)]
    hard = math.sqrt(common) * rng.normal(size=rows)
    records = []
    for number, (score, cost) in enumerate(zip(truth, np.geomspace(1e3, 1e6, len(truth)), strict=True)):
        # Scores of both classes are normal with variance 1, this far apart.
        logits = math.sqrt(2) * norm.ppf(score) * targets + hard + math.sqrt(1 - common) * rng.normal(size=rows)
        positive = 1 / (1 + np.exp(-logits))
        by_fold = METRICS["auroc"].on_draws(targets, np.column_stack([1 - positive, positive]), in_fold)
        values = {"auroc": float(np.mean(by_fold)), "macs": float(cost)}
        members = [{"fold": fold, "seed": 0, "metrics": {"auroc": float(value)}} for fold, value in enumerate(by_fold)]
        names = (f"design {number}", f"graph{number}", f"candidate{number}")
        details = {"members": members}
        records.append(TrialRecord(*names, number=number, state="complete", objectives=values, values=values, details=details))
    return Trials(records, OBJECTIVES)


def unpaired(trials: Trials) -> TrialRecord:
    """Return the cheapest design within one standard error of the best, of the best alone."""
    best = trials.pick("best:auroc")
    least = best.value("auroc") - (best.standard_error("auroc") or 0.0)
    return min((record for record in trials.feasible if record.value("auroc") >= least), key=trials.simplicity)


RULES = {
    "best": lambda trials: trials.pick("best:auroc"),
    "simplest": lambda trials: trials.pick("simplest"),
    "unpaired": unpaired,
    "knee": lambda trials: trials.pick("knee"),
}


def measure(shape: str, rows: int, designs: int, repeats: int, common: float) -> list[dict[str, object]]:
    """Simulate searches, the same for every rule, and return a row for each rule."""
    picks: dict[str, list[tuple[float, float, float, float]]] = {rule: [] for rule in RULES}
    for repeat in range(repeats):
        rng = np.random.default_rng([repeat, rows, SHAPES.index(shape)])
        truth = true_scores(shape, designs, rng)
        trials = simulate(truth, rows, common, rng)
        for rule, take in RULES.items():
            taken = take(trials)
            score = float(truth[taken.number])
            picks[rule].append((score, float(truth.max()) - score, taken.value("auroc") - score, math.log(taken.value("macs"))))
    found = []
    for rule, taken in picks.items():
        true, lost, luck, cost = np.mean(taken, axis=0)
        found.append({"designs": shape, "rows": rows, "rule": rule, "true": true, "lost": lost, "luck": luck, "macs": math.exp(cost)})
    return found


def main() -> None:
    """Print a line for each rule in each case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=200, help="simulated searches of each case")
    parser.add_argument("--designs", type=int, default=30, help="designs of each search")
    parser.add_argument("--shared", type=float, default=0.5, help="share of the noise of a row that all designs have in common")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = [row for shape in SHAPES for rows in ROWS for row in measure(shape, rows, asked.designs, asked.repeats, asked.shared)]
    if asked.json:
        print(json.dumps(found))
        return
    print(f"{'designs':18} {'rows':>5} {'rule':10} {'true':>6} {'lost':>6} {'luck':>6} {'MACs':>9}")
    for row in found:
        numbers = f"{row['true']:6.3f} {row['lost']:6.3f} {row['luck']:6.3f} {row['macs']:9,.0f}"
        print(f"{row['designs']:18} {row['rows']:5} {row['rule']:10} {numbers}")


if __name__ == "__main__":
    main()
