"""What keeping streams that were trained alone saves in a search.

    OMP_NUM_THREADS=1 python benchmarks/streams.py [--data wisconsin] [--trials 40] [--epochs 30] [--samplers random,tpe,...]
        [--repeats 3] [--json]

Each sampler searches twice inline with the same seed, once with `cache=0`; members are trained one after the other and nothing races, so
that both searches evaluate the same designs to the same values (`same`). `default` is the default space of the data; in `alone` every
design trains its streams alone first (`independent`, `staged`, `frozen`). A line has the streams that were asked for, the share of them
that was found, and the ratio of processor times without and with the cache, the sampler's included.

Before the searches, designs of two modalities that are trained with no stream known, and once more with all of them known (`known`): the
most that the cache can spare of a design. A line has the ratio of processor times, the median of `--repeats`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from fusearch.contracts import Budget
from fusearch.data import load_data
from fusearch.evaluators import TrainingEvaluator
from fusearch.run import Run
from fusearch.search import run_search
from fusearch.search_space import Candidate, FusionGraph, SearchSpace

SPACES: dict[str, dict[str, Any]] = {
    "default": {},
    "alone": {"trainings": ("independent", "staged", "frozen")},
}


#: Formulas over modalities a and b, of each way to train streams alone.
DESIGNS = {
    "frozen": "F1 = cat(a@L, b@L; trunk=fc:1) ->\ntrain = frozen",
    "frozen, attention": "F1 = cross_attention(a@L, b@L) ->\ntrain = frozen",
    "staged": "F1 = cat(a@L, b@L; trunk=fc:1) ->\ntrain = staged",
    "independent": "F1 = vote_mean(a@score, b@score) ->\ntrain = independent",
    "independent, stacking": "F1 = stacking(a@score, b@score) ->\ntrain = independent",
}


def silent(_step: int, _values: Any) -> None:
    """Listen to nothing."""


def known(given: argparse.Namespace, name: str) -> dict[str, Any]:
    """Return one line of a design, whose streams are all known the second time."""
    data = load_data(given.data)
    first, second = data.modalities[:2]
    text = DESIGNS[name].replace("a@", f"{first.name}@").replace("b@", f"{second.name}@")
    candidate, ratios, same = Candidate(FusionGraph.parse(text, data.modalities)), [], []
    for _ in range(given.repeats):
        evaluator = TrainingEvaluator(data, folds=5, epochs=given.epochs, pack="off", cache=2e9).caching(tempfile.mkdtemp())
        evaluator(Candidate(FusionGraph.parse(f"{first.name}@L ->", data.modalities)), Budget(), silent)  # folds are made
        seconds, values = [], []
        for _ in range(2):
            start = time.process_time()
            values.append(dict(evaluator(candidate, Budget(), silent).metrics))
            seconds.append(time.process_time() - start)
        ratios.append(seconds[0] / seconds[1])
        measured = [{key: value for key, value in each.items() if "seconds" not in key} for each in values]
        same.append(measured[0] == measured[1])
    return {"design": name, "ratio": round(statistics.median(ratios), 2), "least": round(min(ratios), 2), "same": all(same)}


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
    """Print one line for each design, then for each space and sampler."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="wisconsin")
    parser.add_argument("--objective", help="what is optimized beside macs (default: the first metric of the task)")
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--samplers", default="random,tpe,evolution,cost_aware")
    parser.add_argument("--repeats", type=int, default=3, help="of each design whose streams are known")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    designs = []
    for name in DESIGNS:
        designs.append(known(given, name))
        if not given.json:
            print("  ".join(f"{key} {value}" for key, value in designs[-1].items()), flush=True)
    found = []
    for space in SPACES:
        for sampler in given.samplers.split(","):
            found.append(compare(given, sampler, space))
            if not given.json:
                print("  ".join(f"{name} {value}" for name, value in found[-1].items()), flush=True)
    if given.json:
        print(
            json.dumps({"data": given.data, "trials": given.trials, "epochs": given.epochs, "known": designs, "searches": found}, indent=2)
        )


if __name__ == "__main__":
    main()
