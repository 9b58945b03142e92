"""Milliseconds of the CPU to compile a design, to run it once, and to count its cost from its shapes, by the families of its operators.

    python benchmarks/compile_speed.py [--designs 100] [--json]

The designs are drawn from a space with every operator over a table, an image and a series. To compile and to run once, under torch's
counter, is what counting would take without shapes.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from fusearch.data.modality import Modality
from fusearch.evaluators import FusionNetwork
from fusearch.evaluators.cost import count_costs, example_inputs
from fusearch.evaluators.tasks import bind_task
from fusearch.search_space import OPERATORS, SearchSpace
from fusearch.tasks.classification import Classification

TASK = bind_task(Classification("class", ("no", "yes")))


def modalities(side: int) -> tuple[Modality, ...]:
    """Return a table, an image and a series."""
    return Modality("rna", "tabular", (50,)), Modality("scan", "image2d", (1, side, side)), Modality("ecg", "timeseries", (32, 2))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    space = SearchSpace(modalities(16), operators=tuple(OPERATORS), max_fusions=3)
    rng = np.random.default_rng(0)
    columns = ("compile", "real pass", "from shapes")
    by_family: dict[str, list[tuple[float, ...]]] = {}
    for _ in range(given.designs):
        candidate = space.sample(rng)
        times = [time.process_time()]
        network = FusionNetwork.of(candidate, TASK)
        times.append(time.process_time())
        with FlopCounterMode(display=False), torch.no_grad():
            network.eval()(*example_inputs(candidate.graph.modalities))
        times.append(time.process_time())
        count_costs(candidate, TASK, torch.tensor([0]), batch=64)
        times.append(time.process_time())
        took = tuple(1e3 * (end - start) for start, end in itertools.pairwise(times))
        for family in {"all", *({OPERATORS[fusion.operator].family for fusion in candidate.graph.fusions} or {"no fusion"})}:
            by_family.setdefault(family, []).append(took)
    medians = {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in sorted(by_family.items())}
    giants: dict[int, tuple[float, ...]] = {}
    for side in (64, 128, 512):
        encoders = {"scan": ("cnn", "flatten", "identity")}
        wide = SearchSpace(modalities(side), encoders=encoders, operators=tuple(OPERATORS), max_fusions=3)
        rng, found = np.random.default_rng(0), []
        for _ in range(given.designs):
            candidate = wide.sample(rng)
            start = time.process_time()
            costs = count_costs(candidate, TASK, torch.tensor([0]), batch=64)
            found.append((1e3 * (time.process_time() - start), costs["parameters"], costs["memory"] / 2**30))
        took, parameters, memory = zip(*found, strict=True)
        giants[side] = (statistics.median(took), max(took), max(parameters), max(memory))
    if given.json:
        told = {name: dict(zip(columns, each, strict=True)) for name, each in medians.items()}
        print(json.dumps({"milliseconds": told, "giants": {f"{side} px": each for side, each in giants.items()}}))
        return
    print(f"{'designs with':15s} {'number':>6s}" + "".join(f"{name:>14s}" for name in columns) + "   (medians, ms)")
    for family, each in medians.items():
        print(f"{family:15s} {len(by_family[family]):6d}" + "".join(f"{median:14.1f}" for median in each))
    print(f"\n{'images of':15s} {'median ms':>10s} {'longest ms':>11s} {'most parameters':>16s} {'most memory (GiB)':>18s}")
    for side, (median, longest, most, memory_most) in giants.items():
        print(f"{side:4d} px {'':7s} {median:10.1f} {longest:11.1f} {most:16.3g} {memory_most:18.3g}")


if __name__ == "__main__":
    main()
