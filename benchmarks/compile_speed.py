"""Milliseconds to compile a design, and to count its cost, by the families of its operators.

    python benchmarks/compile_speed.py [--designs 300]

The designs are drawn from a space with every operator over a table, an image and a series, of width 32.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import torch

from fusearch.data.modality import Modality
from fusearch.evaluators import FusionNetwork
from fusearch.evaluators.cost import count_macs, example_inputs
from fusearch.search_space import OPERATORS, Recipe, SearchSpace

MODALITIES = (Modality("rna", "tabular", (50,)), Modality("scan", "image2d", (1, 16, 16)), Modality("ecg", "timeseries", (32, 2)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", type=int, default=300)
    given = parser.parse_args()
    torch.set_num_threads(1)
    space = SearchSpace(MODALITIES, operators=tuple(OPERATORS), max_fusions=3)
    rng = np.random.default_rng(0)
    compiled: dict[str, list[float]] = {}
    counted: dict[str, list[float]] = {}
    for _ in range(given.designs):
        graph = space.sample(rng).graph
        start = time.perf_counter()
        network = FusionNetwork(graph, 2, Recipe())
        middle = time.perf_counter()
        count_macs(network, *example_inputs(graph.modalities))
        end = time.perf_counter()
        for family in {OPERATORS[fusion.operator].family for fusion in graph.fusions} or {"no fusion"}:
            compiled.setdefault(family, []).append(1e3 * (middle - start))
            counted.setdefault(family, []).append(1e3 * (end - middle))
    print(f"{'designs with':15s} {'number':>6s} {'compile ms':>11s} {'count ms':>9s}   (medians)")
    for family in sorted(compiled):
        print(
            f"{family:15s} {len(compiled[family]):6d} {statistics.median(compiled[family]):11.1f} {statistics.median(counted[family]):9.1f}"
        )


if __name__ == "__main__":
    main()
