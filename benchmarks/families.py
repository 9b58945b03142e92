"""Whether a search finds the design that is known to be right: three families of generated data sets.

    python benchmarks/families.py [--families early interaction noise] [--trials 60] [--epochs 40] [--seeds 5] [--rows 400] [--json]

early        two signals with a peak each; the class is whether the peaks come at the same time. A signal that was pooled over time no
             longer tells when, so the signals must meet before that.
interaction  two tables of six columns; the class is the sign of the sum of the six products of their columns. A linear model sees nothing,
             and a design that multiplies needs fewer rows than one that only adds.
noise        two tables of six columns; the first tells the class, the second is noise. The right design reads the first alone.

Each is searched with the defaults in this process, and the simplest good design (`--pick simplest`) is looked at: whether it is as it
should be, its AUROC, and whether the report says that fusion is a gain, which it should of the first two.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from fusearch.data import Dataset
from fusearch.evaluators import TrainingEvaluator
from fusearch.inference.claims import answer
from fusearch.search import run_search
from fusearch.search_space import ENCODERS, OPERATORS, FusionGraph, SearchSpace

#: Operators whose output holds products of what they read.
MULTIPLY = frozenset(name for name in OPERATORS if OPERATORS[name].family == "tensor") - {"sum", "mean", "max", "difference"}
TIMES = 32


def early(rng: np.random.Generator, num_rows: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return two signals (rows, times, 1) and whether their peaks fall together."""
    classes = np.arange(num_rows) % 2
    first = rng.integers(2, TIMES - 2, num_rows)
    second = np.where(classes == 1, first, (first - 2 + rng.integers(5, TIMES - 8, num_rows)) % (TIMES - 4) + 2)
    times = np.arange(TIMES)
    signals = {
        name: np.exp(-0.5 * (times - at[:, None]) ** 2)[..., None] * 3 + 0.3 * rng.normal(size=(num_rows, TIMES, 1))
        for name, at in (("a", first), ("b", second))
    }
    return signals, classes


def interaction(rng: np.random.Generator, num_rows: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return two tables (rows, 6) and the sign of the sum of their products."""
    tables = {name: rng.normal(size=(num_rows, 6)) for name in ("a", "b")}
    return tables, ((tables["a"] * tables["b"]).sum(axis=1) > 0).astype(int)


def noise(rng: np.random.Generator, num_rows: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return two tables (rows, 6), and classes that the first tells with some error."""
    tables = {name: rng.normal(size=(num_rows, 6)) for name in ("a", "b")}
    signal = tables["a"][:, :3].sum(axis=1) + rng.normal(size=num_rows)
    return tables, (signal > 0).astype(int)


def _has_times(encoder: str, depth: int) -> bool:
    return ENCODERS[encoder].has_many(depth, positions=True)


def meets_early(graph: FusionGraph) -> bool:
    """Return whether a fusion has both signals from before they were pooled over time, also by way of other fusions."""
    early: dict[str, set[str]] = {}
    for name in graph.order:
        early[name] = set()
        for tap in graph.fusion(name).args:
            if tap.source in early:
                early[name] |= early[tap.source]
            elif tap.depth == 0 or (isinstance(tap.depth, int) and _has_times(graph.stream(tap.source).encoder, tap.depth)):
                early[name].add(graph.stream(tap.source).modality)
    return {"a", "b"} in early.values()


FAMILIES: dict[str, tuple[Callable[..., Any], Callable[[FusionGraph], bool]]] = {
    "early": (early, meets_early),
    "interaction": (interaction, lambda graph: any(fusion.operator in MULTIPLY for fusion in graph.fusions)),
    "noise": (noise, lambda graph: {modality.name for modality in graph.modalities} == {"a"}),
}


def judge(family: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Search one data set of a family, and return what was picked and whether it is right."""
    draw, is_right = FAMILIES[family]
    values, classes = draw(np.random.default_rng(seed), options.rows)
    data = Dataset.from_arrays(family, modalities=values, targets=classes, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        run = run_search(
            SearchSpace(data.modalities),
            TrainingEvaluator(data, epochs=options.epochs),
            objectives=["auroc", "macs"],
            out=f"{folder}/run",
            trials=options.trials,
            seed=seed,
            executor="inline",
        ).read()
        pick = run.pick("simplest")
        graph = FusionGraph.parse(pick.formula, modalities=data.modalities)
        fusion = answer(run).fusion.outcome
    return {
        "family": family,
        "seed": seed,
        "right": is_right(graph),
        "auroc": pick.values["auroc"],
        "fusion": fusion,
        "formula": pick.formula,
    }


def main() -> None:
    """Search, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="+", default=[*FAMILIES], choices=FAMILIES)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = []
    for family in options.families:
        for seed in range(options.seeds):
            found.append(judge(family, seed, options))
            if not options.json:
                row, told = found[-1], "right" if found[-1]["right"] else "other"
                print(f"{family:<12} {told}  auroc {row['auroc']:.3f}  fusion: {row['fusion']}  {row['formula']!r}", flush=True)
    rows = []
    for family in options.families:
        mine = [row for row in found if row["family"] == family]
        gains = sum(row["fusion"] == "gain" for row in mine)
        rows.append(
            {
                "family": family,
                "seeds": len(mine),
                "right": sum(row["right"] for row in mine),
                "says fusion is a gain": gains,
                "auroc": statistics.median(row["auroc"] for row in mine),
            }
        )
    if options.json:
        print(json.dumps({"trials": options.trials, "families": rows, "runs": found}))
        return
    for row in rows:
        print(", ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
