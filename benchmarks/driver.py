"""What the driver does for each trial, in milliseconds, at several sizes of the study: a trivial evaluator, inline.

    python benchmarks/driver.py [--sizes 250 1000 3000 10000] [--sampler random] [--json]

One search; each figure is the mean over the last trials (`--window`) before the study has that size: the time of the processor, and
the wall time, which has the waits for the disk (each fact is on the disk before the search goes on). Aim: flat with the random
sampler. Samplers that learn (`tpe`, `nsga2`, `evolution`) read the trials that they learn from: with them it grows, and the output
says so.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from fusearch.contracts import Budget, Evaluation
from fusearch.data.modality import Modality
from fusearch.search import run_search
from fusearch.search.progress import Progress
from fusearch.search_space import Candidate, SearchSpace

SPACE = SearchSpace(tuple(Modality(name, "tabular", (200,)) for name in ("mrna", "meth", "mirna")))


def evaluate(candidate: Candidate, budget: Budget, report: Any) -> Evaluation:
    """Take no time: any number that depends on the design."""
    del budget, report
    return Evaluation({"score": int(candidate.digest, 16) % 997 / 997, "macs": float(candidate.recipe.width)})


def measure(sizes: list[int], window: int, sampler: str) -> list[dict[str, Any]]:
    """Search once, and read the clocks at the end of each trial."""
    clocks: dict[int, tuple[float, float]] = {0: (time.process_time(), time.perf_counter())}

    def progress(now: Progress) -> None:
        if not now.running:
            clocks[now.done] = time.process_time(), time.perf_counter()

    with tempfile.TemporaryDirectory() as folder:
        run_search(
            SPACE,
            evaluate,
            objectives=["score:max", "macs"],
            out=Path(folder) / "run",
            trials=max(sizes),
            sampler=sampler,
            executor="inline",
            progress=progress,
        )
    rows = []
    for size in sizes:
        first = max(0, size - window)
        processor, wall = ((clocks[size][each] - clocks[first][each]) / (size - first) for each in (0, 1))
        rows.append({"trials": size, "processor_ms": round(1e3 * processor, 2), "wall_ms": round(1e3 * wall, 2)})
    return rows


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[250, 1000, 3000, 10_000])
    parser.add_argument("--window", type=int, default=200)
    parser.add_argument("--sampler", default="random")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    rows = measure(chosen.sizes, chosen.window, chosen.sampler)
    if chosen.json:
        print(json.dumps({"sampler": chosen.sampler, "sizes": rows}))
        return
    for row in rows:
        print(f"{row['trials']:>6,} trials: {row['processor_ms']:.1f} ms of the processor a trial, {row['wall_ms']:.1f} ms on the clock")
    if chosen.sampler != "random":
        print(f"the sampler {chosen.sampler!r} is in it; one that learns reads more trials as the study grows")


if __name__ == "__main__":
    main()
