"""Compare a pack, whose members are trained together, with the plain loop over the same members.

    python benchmarks/pack.py [--data DATA.yaml] [--designs 6] [--epochs 20] [--repeats 3] [--members 5,15,45] [--skip 0] [--least-macs 0]
        [--json]

Designs are drawn from the default space over three made-up tables (351 rows, 200 columns each), or over a data set of your own; `--skip`
and `--least-macs` draw others, to judge a bound by designs that it was not chosen on. Each is
trained whole (building, steps, validation, scores; a fixed number of epochs) by both, one right after the other in this process with one
thread; a line is the median and the least of the paired ratios (loop / pack). On the CPU it is processor time, so that a busy machine
spoils both alike, and members are packed as `pack="auto"` does it. `building` is what making the members' networks takes of
the time of a pack, `scoring` what their metrics take.

Where CUDA is there, the same is measured on it, in wall time, with 15, 40, 150 and 450 members; the loop trains 15 of them and is scaled.
Told beside it: whether steps were captured and if not why, the most memory that was allocated beside the estimate that bounds a pack, and
how much faster half precision is there than float32. Aims: 50 times the loop with 15 members, 100 times with 40.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch

from fusearch.data import Dataset, load_data
from fusearch.evaluators.cost import count_costs
from fusearch.evaluators.network.copies import Copies
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.training.member import Member, make_members
from fusearch.evaluators.training.members import TrainedMember, prepare_fold, score, train_members
from fusearch.evaluators.training.pack import train_pack
from fusearch.evaluators.training.schedule import estimate_memory, together
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.search_space import Candidate, SearchSpace

FOLDS = 5

#: Members that the loop trains on CUDA; more are scaled.
LOOP_ON_CUDA = 15


def made_up() -> Dataset:
    """Return three tables of noise and a target that hangs on some columns."""
    rng = np.random.default_rng(0)
    tables = {name: rng.normal(size=(351, 200)).astype(np.float32) for name in ("mrna", "meth", "mirna")}
    signal = sum(table[:, :3].sum(axis=1) for table in tables.values())
    return Dataset.from_arrays("made up", modalities=tables, targets=(signal + rng.normal(size=351) > 0).astype(int))


def drawn(data: Dataset) -> Iterator[Candidate]:
    """Draw designs that fuse and that steps train."""
    space = SearchSpace(data.modalities)
    for seed in itertools.count():
        candidate = space.sample(np.random.default_rng(seed))
        if candidate.graph.fusions and candidate.graph.training != "convex":
            yield candidate


def seconds(run: Callable[[], object], device: str) -> float:
    """Return processor time on the CPU, wall time elsewhere."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    start = clock()
    run()
    if device != "cpu":
        torch.cuda.synchronize()
    return clock() - start


def measure(data: Dataset, device: str, counts: Sequence[int], given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Give one record for each design and number of members."""
    folds = [prepare_fold(data, fold, device=device) for fold in data.folds(FOLDS)]
    settings = TrainingSettings(epochs=given.epochs, patience=given.epochs)

    def loop(candidate: Candidate, members: Sequence[Member]) -> object:
        return list(train_members(candidate, members, folds=lambda at: folds[at], settings=settings, threads=1))

    def pack(candidate: Candidate, members: Sequence[Member], most: int, reasons: set[str], *, half: bool = True) -> None:
        chosen = replace(settings, mixed_precision=half)
        for at in range(0, len(members), most):
            found = train_pack([candidate], members[at : at + most], folds=lambda at: folds[at], settings=chosen, threads=1)
            for each in found:
                told = each.trained
                whys = [*told.loop.values(), *told.eager.values()] if isinstance(told, TrainedMember) else [str(told)]
                reasons.update(whys)

    def build(candidate: Candidate, count: int) -> None:
        copies = Copies.worth_it(candidate, folds[0].task, count)
        for _ in range(count):
            network = FusionNetwork.of(candidate, folds[0].task) if copies is None else copies.make(candidate.recipe)
            network.to(device)

    def judge(count: int) -> None:
        rows = folds[0]
        outputs = rows.task.scored(torch.randn(len(rows.targets), rows.task.num_logits))
        for _ in range(count):
            score(outputs, rows.targets, rows.task.task)

    cuda = device == "cuda"
    warm = make_members(FOLDS, 1, 2)
    others = itertools.islice(drawn(data), given.skip, None)
    costed = ((each, count_costs(each, folds[0].task, folds[0].train.targets[:1], batch=settings.batch_size)) for each in others)
    large = (pair for pair in costed if pair[1]["macs"] >= given.least_macs)
    for candidate, costs in itertools.islice(large, given.designs):
        loop(candidate, warm)
        pack(candidate, warm, 2, set())
        for count in counts:
            members = make_members(FOLDS, -(-count // FOLDS), count)
            alone = members[:LOOP_ON_CUDA] if cuda else members
            chosen = together(costs, count, torch.device(device))
            most = count if chosen == 1 else chosen  # what is left to the loop is measured in one pack: it shows why
            times, single, reasons = [], list[float](), set[str]()
            if cuda:
                torch.cuda.reset_peak_memory_stats()
            for _ in range(given.repeats):
                by_loop = seconds(partial(loop, candidate, alone), device) * len(members) / len(alone)
                by_pack = seconds(partial(pack, candidate, members, most, reasons), device)
                times.append((by_loop, by_pack))
                if cuda:
                    single.append(seconds(partial(pack, candidate, members, most, set(), half=False), device))
            by_pack = statistics.median(each for _, each in times)
            yield {
                "device": device,
                "design": str(candidate.graph),
                "training": candidate.graph.training,
                "width": candidate.recipe.width,
                **costs,
                "members": count,
                "together": most,
                "default": chosen > 1,
                "loop_seconds": statistics.median(each for each, _ in times),
                "pack_seconds": by_pack,
                "ratio": statistics.median(by_loop / by_pack for by_loop, by_pack in times),
                "building": seconds(partial(build, candidate, count), device) / by_pack,
                "scoring": seconds(partial(judge, count), device) / by_pack,
                "not_as_meant": sorted(reasons),
                "half_over_single": statistics.median(single) / by_pack if cuda else None,
                "most_memory": torch.cuda.max_memory_allocated() if cuda else None,
                "estimated_memory": estimate_memory(costs) * most if cuda else None,
            }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="a manifest; without one tables are made up")
    parser.add_argument("--designs", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--members", default="5,15,45", help="numbers of members on the CPU")
    parser.add_argument("--skip", type=int, default=0, metavar="N", help="leave out the first designs that are drawn")
    parser.add_argument("--least-macs", type=float, default=0, metavar="N", help="leave out designs of fewer multiply-accumulates")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")
    given = parser.parse_args()
    torch.set_num_threads(1)
    data = load_data(given.data).without_test() if given.data else made_up()
    jobs = [("cpu", [int(count) for count in given.members.split(",")])]
    if torch.cuda.is_available():
        jobs.append(("cuda", [15, 40, 150, 450]))
    records = []
    for device, counts in jobs:
        for record in measure(data, device, counts, given):
            records.append(record)
            if not given.json:
                shown = record["design"].replace("\n", "; ")
                why = "; ".join(record["not_as_meant"])
                told = f"{record['ratio']:6.2f}  {record['macs']:7.0f} macs, {record['together']} together: {shown} {why}"
                told += f" (building {record['building']:.1%}, scoring {record['scoring']:.1%} of it)"
                if device == "cuda":
                    told += f", half precision {record['half_over_single']:.2f} times as fast, "
                    told += f"memory {record['most_memory'] / 1e6:.0f} of {record['estimated_memory'] / 1e6:.0f} MB"
                print(f"{device} {record['members']:3d} members: {told}", flush=True)
    summary = []
    for device, counts in jobs:
        for count in counts:
            mine = [record for record in records if (record["device"], record["members"]) == (device, count)]
            packed = [record["ratio"] for record in mine if record["default"]]  # the others stay in the loop
            whole = {"designs": len(mine), "median of all": statistics.median(record["ratio"] for record in mine)}
            told = {"packed by default": len(packed), "median": statistics.median(packed or [1.0]), "least": min(packed, default=1.0)}
            summary.append({"device": device, "members": count, **whole, **told})
    if not torch.cuda.is_available() and not given.json:
        print("no CUDA here: nothing of this is from a GPU")
    if given.json:
        card = torch.cuda.get_device_name() if torch.cuda.is_available() else None
        print(json.dumps({"torch": torch.__version__, "card": card, "records": records, "summary": summary}, indent=1))
        return
    for line in summary:
        ratios = f"loop / pack {line['median']:.2f} (median), {line['least']:.2f} (least)"
        told = f"{line['packed by default']} of {line['designs']} designs are packed"
        print(f"{line['device']} {line['members']:3d} members: {ratios}; {told}")


if __name__ == "__main__":
    main()
