"""What keeping streams that were trained alone saves in a search.

    OMP_NUM_THREADS=1 python benchmarks/streams.py [--data wisconsin] [--trials 40] [--epochs 30] [--samplers random,tpe,...] [--json]

Each sampler searches twice inline with the same seed, once with `cache=0`; members are trained one after the other and nothing races, so
that both searches evaluate the same designs to the same values (`same`). `default` is the default space of the data; in `alone` every
design trains its streams alone first (`independent`, `staged`, `frozen`). A line has the streams that were asked for, the share of them
that was found, and the ratio of processor times without and with the cache, the sampler's included.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from fusearch.data import load_data
from fusearch.evaluators import TrainingEvaluator
from fusearch.run import Run
from fusearch.search import run_search
from fusearch.search_space import SearchSpace

SPACES: dict[str, dict[str, Any]] = {
    "default": {},
    "alone": {"trainings": ("independent", "staged", "frozen")},
}


def search(given: argparse.Namespace, sampler: str, space: str, cache: float) -> tuple[Run, float]:
    """Search once; return the run and its processor time."""
    data = load_data(given.data)
    evaluator = TrainingEvaluator(data, folds=5, epochs=given.epochs, pack="off", cache=cache)
    objectives = [data.task.metrics[0], "macs"] if given.objective is None else [given.objective, "macs"]
    searched = SearchSpace(data.modalities, **SPACES[space])
    start = time.process_time()
    out = Path(tempfile.mkdtemp()) / "run"
    run = run_search(searched, evaluator, objectives, out=out, trials=given.trials, sampler=sampler, races="off", executor="inline")
    return run, time.process_time() - start


def compare(given: argparse.Namespace, sampler: str, space: str) -> dict[str, Any]:
    """Return one line."""
    (plain, without), (cached, seconds) = (search(given, sampler, space, cache) for cache in (0, 2e9))
    values = [[(record.digest, record.objectives) for record in run.read().records] for run in (plain, cached)]
    streams = cached.status()["streams"]
    return {
        "space": space,
        "sampler": sampler,
        "asked": streams["asked"],
        "found": round(streams["found"] / max(1, streams["asked"]), 3),
        "ratio": round(without / seconds, 2),
        "megabytes": round(streams["bytes"] / 1e6, 1),
        "same": values[0] == values[1],
    }


def main() -> None:
    """Print one line for each space and sampler."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="wisconsin")
    parser.add_argument("--objective", help="what is optimized beside macs (default: the first metric of the task)")
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--samplers", default="random,tpe,evolution,cost_aware")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = []
    for space in SPACES:
        for sampler in given.samplers.split(","):
            found.append(compare(given, sampler, space))
            if not given.json:
                print("  ".join(f"{name} {value}" for name, value in found[-1].items()), flush=True)
    if given.json:
        print(json.dumps({"data": given.data, "trials": given.trials, "epochs": given.epochs, "searches": found}, indent=2))


if __name__ == "__main__":
    main()
