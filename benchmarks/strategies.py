"""The four strategies, random search and the reference designs on one data set: same folds, same recipe ranges, same most evaluations.

    python examples/prepare_shared_data.py $FUSEARCH_SHARED_DATA data
    OMP_NUM_THREADS=1 python benchmarks/strategies.py data/rosmap/rosmap.yaml --trials 30 --out runs/strategies

Prints the table of docs/strategies.md. Validation is the mean over folds with the standard deviation over them. Test is one look, after
everything, by networks trained on train + val (three seeds, averaged), as `fusearch export` trains them. A run that is there already is
gone on with. `--only forward-timing` prints the row of one of them. `--json` prints what the rows say, and the stages at which forward
timing fuses at the end.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

from fusearch import pareto
from fusearch.data import Dataset, load_data
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.export.choice import read_choice
from fusearch.evaluators.export.confirmation import outputs_on_test, score_on_test
from fusearch.evaluators.export.refit import refit
from fusearch.run import Run
from fusearch.search import run_search
from fusearch.search_space import SearchSpace
from fusearch.study import TrialRecord

#: Name in the table -> settings of `run_search`, and what is picked.
RUNS = {
    "graph (TPE)": ({"strategy": "graph", "sampler": "tpe", "reference_share": 0.3}, "simplest"),
    "graph (random)": ({"strategy": "graph", "sampler": "random", "reference_share": 0.3}, "simplest"),
    "pareto-ensemble": ({"strategy": "pareto-ensemble", "reference_share": 0.0}, "strategy"),
    "late-ensemble": ({"strategy": "late-ensemble", "reference_share": 0.0}, "strategy"),
    "forward-timing": ({"strategy": "forward-timing", "reference_share": 0.0}, "strategy"),
}
#: Box of the hypervolume: from AUROC 0.5 at 10^7 MACs to AUROC 1 at 10^1 MACs.
WORST, BEST = (0.5, 7.0), (1.0, 1.0)


def hypervolume(run: Run) -> float:
    """Return the share of the box that the run's designs dominate, MACs by their logarithm."""
    points = [(record.values["auroc"], math.log10(max(record.values["macs"], 10.0))) for record in run.feasible()]
    volume = pareto.hypervolume(points, ["maximize", "minimize"], reference=WORST)
    return volume / ((BEST[0] - WORST[0]) * (WORST[1] - BEST[1]))


def test_score(run: Run, record: TrialRecord, data: Dataset) -> float:
    """Train a design on train + val and look at the test split."""
    choice = read_choice(run, record, data)
    model = refit(data, choice.candidate, epochs=choice.epochs, batch_size=choice.batch_size)
    return score_on_test(outputs_on_test(model, choice.modalities, data), data)["auroc"]


def row(name: str, record: TrialRecord, test: float) -> dict[str, Any]:
    """Return one row of the table."""
    values = {"validation": record.values["auroc"], "spread": record.spread["auroc"], "test": test, "macs": record.values["macs"]}
    return {"name": name, "digest": record.digest, **values}


def main() -> None:
    """Run what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--only", choices=RUNS, action="append", help="one of the runs; may be repeated")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("runs/strategies"))
    arguments = parser.parse_args()
    data = load_data(arguments.data)
    runs = {}
    for name in arguments.only or RUNS:
        settings, _ = RUNS[name]
        folder = arguments.out / name.replace(" ", "-").replace("(", "").replace(")", "")
        start = time.perf_counter()
        runs[name] = run_search(
            SearchSpace(data.modalities),
            TrainingEvaluator(data, epochs=arguments.epochs),
            objectives=["auroc", "macs"],
            out=folder,
            trials=arguments.trials,
            executor="inline",
            resume=folder.exists(),
            **settings,
        )
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    rows = []
    for name, run in runs.items():
        record = run.pick(RUNS[name][1])
        evaluated = [each for each in run.records() if each.evaluated]
        rows.append(
            {
                **row(name, record, test_score(run, record, data)),
                "evaluations": len(evaluated),
                "hypervolume": hypervolume(run),
                "minutes": sum(each.seconds or 0.0 for each in evaluated) / 60,
                "on": json.loads((run.path / "strategy.json").read_text())["chosen"]["on"] if name == "forward-timing" else None,
            }
        )
    graph = runs.get("graph (TPE)")
    for role, record in graph.references().items() if graph else ():
        rows.append(row(role.replace("_", " "), record, test_score(graph, record, data)))
    if arguments.json:
        print(json.dumps(rows))
        return
    print("| | validation AUROC | test AUROC | MACs | evaluations | hypervolume | minutes |\n|---|---:|---:|---:|---:|---:|---:|")
    for each in rows:
        rest = f"{each['evaluations']} | {each['hypervolume']:.3f} | {each['minutes']:.1f}" if "minutes" in each else "| |"
        auroc = f"{each['validation']:.3f} ± {each['spread']:.3f} | {each['test']:.3f}"
        print(f"| {each['name']} | {auroc} | {each['macs']:,.0f} | {rest} |")


if __name__ == "__main__":
    main()
