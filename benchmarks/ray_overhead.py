"""What Ray Tune costs for each evaluation: a trivial evaluator, reused actors.

    python benchmarks/ray_overhead.py [--trials 100] [--workers 2] [--json]

Prints the start of Ray, the seconds for each trial after the first results (the actors' start is not the trials' cost), and
the process ids that reported. Aim: under 0.1 s a trial, one process id for each worker.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from fusearch.contracts import Evaluation
from fusearch.data.modality import Modality
from fusearch.search import run_search
from fusearch.search_space import SearchSpace


def evaluate(candidate, budget, report):
    """Take no time: any number that depends on the design."""
    del budget, report
    return Evaluation({"score": int(candidate.digest, 16) % 997 / 997, "macs": float(candidate.recipe.width)})


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sampler", default="random", help="random costs nothing itself; see `fusearch list samplers`")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    space = SearchSpace(tuple(Modality(name, "tabular", (200,)) for name in ("mrna", "meth", "mirna")))
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        run = run_search(
            space,
            evaluate,
            objectives=["score:max", "macs"],
            out=Path(folder) / "run",
            trials=chosen.trials,
            workers=chosen.workers,
            sampler=chosen.sampler,
        )
        wall = time.perf_counter() - started
        records = [record for record in run.records() if record.evaluated]
        pids = sorted({record.details["worker"] for record in records})
        # The first trials of the workers wait for their actors.
        first = sorted(record.ended for record in records)[chosen.workers - 1]
        trials = len(records) - chosen.workers
        per_trial = (max(record.ended for record in records) - first) / trials
    if chosen.json:
        print(json.dumps({"wall": wall, "start_and_end": wall - per_trial * trials, "per_trial": per_trial, "workers": len(pids)}))
        return
    print(f"wall {wall:.1f} s, of which start and end of Ray {wall - per_trial * trials:.1f} s")
    print(f"{per_trial:.3f} s for each of {trials} trials, {len(pids)} process ids: {pids}")


if __name__ == "__main__":
    main()
