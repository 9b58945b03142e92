"""How many fusions forward timing keeps where there is nothing to fuse, and where there is: whole searches on made-up tables.

    OMP_NUM_THREADS=1 python benchmarks/forward_timing.py [--sets 10] [--workers 1] [--epochs 60] [--json]

Noise: the target hangs on nothing. One good: it hangs on one table, two others are noise. Planted: it is the product of a column of one
table and a column of another, so that only a fusion between the encoders finds it. Beside what is kept now stands what was kept by less:
by the least loss alone, and by one standard error over the folds (`least_loss`, `one_error`), in the first step of the same searches.
Fusions may stand after two stages.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from fusearch.data import Dataset
from fusearch.evaluators import TrainingEvaluator
from fusearch.run import Run
from fusearch.search import run_search
from fusearch.search.strategies import ForwardTiming
from fusearch.search_space import SearchSpace

#: Kind -> rows and columns of each table.
KINDS = {"noise": (300, 8), "one good": (300, 8), "planted": (400, 2)}


def make(kind: str, draw: int) -> Dataset:
    """Make a data set."""
    rows, columns = KINDS[kind]
    rng = np.random.default_rng(1000 * rows + draw)
    names = ("rna", "labs") if kind == "planted" else ("rna", "labs", "image")
    tables = {name: rng.normal(size=(rows, columns)).astype(np.float32) for name in names}
    noise = rng.normal(size=rows)
    signal = {
        "noise": lambda: noise,
        "one good": lambda: tables["rna"][:, :3].sum(axis=1) + noise,
        "planted": lambda: tables["rna"][:, 0] * tables["labs"][:, 0] + 0.3 * noise,
    }[kind]()
    return Dataset.from_arrays(kind, modalities=tables, targets=np.where(signal > np.median(signal), "yes", "no"), seed=draw)


def search(kind: str, draw: int, epochs: int) -> dict[str, object]:
    """Search one data set, and tell what was kept."""
    data = make(kind, draw)
    with tempfile.TemporaryDirectory() as folder:
        run = run_search(
            SearchSpace(data.modalities),
            TrainingEvaluator(data, folds=5, epochs=epochs),
            objectives=["log_loss", "macs"],
            out=Path(folder) / "run",
            strategy=ForwardTiming(max_stages=2),
            executor="inline",
            reference_share=0,
            seed=draw,
        )
        told = json.loads((run.path / "strategy.json").read_text(encoding="utf-8"))
        step = told["path"][0]
        without = min(told["comparisons"]["none"], step["control"], key=lambda entry: entry["loss"])
        best = min(step["tried"], key=lambda entry: entry["loss"])
        gains = fold_losses(run, without["candidate"]) - fold_losses(run, best["candidate"])
    return {
        "kind": kind,
        "draw": draw,
        "kept": told["chosen"]["on"],
        "least_loss": bool(gains.mean() > 0),
        "one_error": bool(gains.mean() > gains.std(ddof=1) / len(gains) ** 0.5),
    }


def fold_losses(run: Run, candidate: str) -> np.ndarray:
    """Return the validation loss of a candidate in each fold."""
    record = next(each for each in run.records() if each.candidate == candidate)
    return np.array([member["metrics"]["log_loss"] for member in record.details["members"]])


def main() -> None:
    """Run every search and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=10, help="data sets of each kind")
    parser.add_argument("--workers", type=int, default=1, help="searches side by side")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    cases = [(kind, draw, asked.epochs) for draw in range(asked.sets) for kind in KINDS]
    found = []
    with ProcessPoolExecutor(asked.workers) as pool:
        for told in pool.map(search, *zip(*cases, strict=True)):
            print(json.dumps(told), file=sys.stderr, flush=True)
            found.append(told)
    rules = {"kept": "a fusion is kept", "one_error": "by one standard error", "least_loss": "by the least loss"}
    counts = {kind: {rule: sum(bool(each[rule]) for each in found if each["kind"] == kind) for rule in rules} for kind in KINDS}
    if asked.json:
        print(json.dumps({"sets": asked.sets, "counts": counts, "searches": found}))
        return
    print(f"| | data sets | {' | '.join(rules.values())} |\n|---|---:|{'---:|' * len(rules)}")
    for kind, count in counts.items():
        print(f"| {kind} | {asked.sets} | {' | '.join(str(count[rule]) for rule in rules)} |")


if __name__ == "__main__":
    main()
