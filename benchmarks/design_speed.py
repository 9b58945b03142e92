"""Microseconds to sample, build, digest, and print + parse a design; and that no sampled design is invalid.

    python benchmarks/design_speed.py [--designs 10000] [--json]

Every time is the median over the designs of this process, on one core.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np

from fusearch.data.modality import Modality
from fusearch.errors import FusearchError
from fusearch.search_space import FusionGraph, SearchSpace

MODALITIES = (Modality("rna", "tabular", (200,)), Modality("scan", "image2d", (1, 32, 32)), Modality("ecg", "timeseries", (64, 4)))
SPACES = {
    "default": SearchSpace(MODALITIES),
    "everything": SearchSpace(
        MODALITIES,
        operators="all",
        max_fusions=5,
        max_streams=2,
        trunks=("fc", "conv", "rnn", "attention", "continue"),
        trainings=("joint", "staged", "frozen", "independent"),
        auxiliary=True,
        all_stages=True,
    ),
}


def median_microseconds(act: Callable[[Any], Any], things: Sequence[Any]) -> float:
    """Return the median time of `act` over `things`, each once."""
    times = []
    for thing in things:
        start = time.perf_counter()
        act(thing)
        times.append(time.perf_counter() - start)
    return 1e6 * median(times)


def measure(space: SearchSpace, num_designs: int) -> dict[str, Any]:
    """Sample designs, check each, and time what is done with them."""
    graphs, invalid = [], 0
    times = []
    for seed in range(num_designs):
        rng = np.random.default_rng(seed)
        start = time.perf_counter()
        try:
            candidate = space.sample(rng)
        except FusearchError:
            invalid += 1
            continue
        times.append(time.perf_counter() - start)
        graphs.append(candidate.graph)
    fresh = [FusionGraph.from_dict(graph.to_dict()) for graph in graphs]  # nothing is cached in these
    wrong = sum(FusionGraph.parse(str(graph)).digest != graph.digest for graph in graphs)
    return {
        "designs": num_designs,
        "invalid": invalid,
        "text_not_the_same_design": wrong,
        "distinct": len({graph.digest for graph in graphs}),
        "size": str(space.size()),
        "sample_us": round(1e6 * median(times), 1),
        "build_us": round(median_microseconds(lambda g: FusionGraph(g.modalities, g.streams, g.fusions, g.outputs, g.training), graphs), 1),
        "digest_us": round(median_microseconds(lambda g: g.digest, fresh), 1),
        "digest_99_percent_us": round(
            float(np.percentile([median_microseconds(lambda g: g.digest, [g]) for g in map(_again, graphs)], 99)), 1
        ),
        "print_and_parse_us": round(median_microseconds(lambda g: FusionGraph.parse(str(g)), graphs), 1),
    }


def _again(graph: FusionGraph) -> FusionGraph:
    return FusionGraph(graph.modalities, graph.streams, graph.fusions, graph.outputs, graph.training)


def main() -> int:
    """Run the benchmark; the exit status is 1 where a design was invalid."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--designs", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = {name: measure(space, options.designs) for name, space in SPACES.items()}
    if options.json:
        print(json.dumps(results))
    else:
        for name, result in results.items():
            print(f"{name} space: " + ", ".join(f"{key} {value}" for key, value in result.items()))
    return int(any(result["invalid"] or result["text_not_the_same_design"] for result in results.values()))


if __name__ == "__main__":
    raise SystemExit(main())
