"""Time and memory of scoring every subset of unimodal networks, and how they grow.

    python benchmarks/subsets.py [--json]

One core: start it with OMP_NUM_THREADS=1. Each setting runs in a process of its own, so that its peak memory is its own.
The method paper's case is 30 image networks and 4 table networks, at most 3 of one modality, both required: 63,350 subsets.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from fusearch.search.ensembles import Predictions, SubsetSearch, choose_subset

#: Images, tables, rows, classes, most subsets to list.
PAPER = (30, 4, 82, 2)
SETTINGS = [
    ("the method paper", PAPER),
    ("five classes", (30, 4, 82, 5)),
    ("ten classes", (30, 4, 82, 10)),
    ("rows x 5", (30, 4, 410, 2)),
    ("rows x 25", (30, 4, 2050, 2)),
    ("candidates / 2", (15, 2, 82, 2)),
    ("candidates x 1.5", (45, 6, 82, 2)),
    ("candidates x 2 (NSGA-II)", (60, 8, 82, 2)),
    ("candidates x 6 (NSGA-II)", (180, 24, 82, 2)),
]


def measure(images: int, tables: int, rows: int, classes: int) -> dict[str, object]:
    """Choose among random predictions; give processor seconds and the growth of peak memory."""
    rng = np.random.default_rng(0)
    modalities = ("image",) * images + ("table",) * tables
    names = tuple(f"{modality}{index}" for index, modality in enumerate(modalities))
    probabilities = rng.dirichlet(np.ones(classes), size=(len(names), rows))
    predictions = Predictions(names, modalities, probabilities, rng.integers(0, classes, rows), np.arange(rows) % 5)
    choose_subset(predictions.take([0, 1, images]))  # loads what is loaded on first use
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    choice = choose_subset(predictions, SubsetSearch())
    _ = choice.to_dict()
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "allowed": choice.total,
        "scored": len(choice.scores),
        "method": choice.method,
        "seconds": seconds,
        "growth_mb": (peak - before) / 1024,
        "peak_mb": peak / 1024,
    }


def in_its_own_process(setting: tuple[int, int, int, int]) -> dict[str, Any]:
    """Measure a setting."""
    command = [sys.executable, __file__, *map(str, setting)]
    result: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return result


def main() -> None:
    """Print one line for each setting."""
    if "--json" in sys.argv:
        print(json.dumps({name: in_its_own_process(setting) for name, setting in SETTINGS}))
        return
    print(f"{'setting':26} {'allowed':>11} {'scored':>8} {'method':>10} {'CPU s':>7} {'+ MB':>6} {'peak MB':>8}")
    for name, setting in SETTINGS:
        result = in_its_own_process(setting)
        print(
            f"{name:26} {result['allowed']:11,} {result['scored']:8,} {result['method']:>10} {result['seconds']:7.2f} "
            f"{result['growth_mb']:6.0f} {result['peak_mb']:8.0f}"
        )


if __name__ == "__main__":
    if len(sys.argv) > 2:
        print(json.dumps(measure(*map(int, sys.argv[1:]))))
    else:
        main()
