"""What a search claims where nothing is to be found, and where something is: whole searches on made-up tables.

    python benchmarks/null.py [--workers 2] [--trials 30] [--epochs 20] [--json]

Null: the target is drawn without looking at the columns, so that every claim is wrong. Planted: the target is the product of a column
of one modality and a column of another, so that only fusion finds it. One good: one modality tells the target, two are noise.

The first table counts claims (`gain`) of the fusion answer and of the search answer, the second one the picks. Each search is a process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

#: Kind, rows, folds, seeds of a fold, seed of the data.
Case = tuple[str, int, int, int, int]
NULL: list[Case] = [
    ("null", rows, folds, seeds, draw) for rows in (150, 1200) for folds in (1, 5) for seeds in (1, 4) for draw in range(4)
][:30]
PLANTED: list[Case] = [("planted", rows, 5, 1, draw) for rows in (800, 1200) for draw in range(3)]
ONE_GOOD: list[Case] = [("one good", rows, 5, 1, draw) for rows in (150, 600) for draw in range(3)]


def search(case: Case, trials: int, epochs: int) -> dict[str, object]:
    """Search a made-up data set; give the answers, and whether the pick is one modality."""
    import numpy as np

    from fusearch.data import Dataset
    from fusearch.evaluators import TrainingEvaluator
    from fusearch.search import run_search
    from fusearch.search_space import SearchSpace

    kind, rows, folds, seeds, draw = case
    rng = np.random.default_rng(1000 * rows + draw)
    tables = {name: rng.normal(size=(rows, 8)).astype(np.float32) for name in ("rna", "labs", "image")}
    noise = rng.normal(size=rows)
    signal = {
        "null": noise,
        "planted": 1.5 * tables["rna"][:, 0] * tables["labs"][:, 0] + 0.5 * noise,
        "one good": tables["rna"][:, :3].sum(axis=1) + noise,
    }[kind]
    targets = np.where(signal > np.median(signal), "yes", "no")
    data = Dataset.from_arrays(f"{kind}-{draw}", modalities=tables, targets=targets, seed=draw)
    evaluator = TrainingEvaluator(data, folds=folds, seeds=seeds, epochs=epochs)
    with tempfile.TemporaryDirectory() as folder:
        run = run_search(
            SearchSpace(data.modalities),
            evaluator,
            objectives=["auroc", "macs"],
            out=f"{folder}/run",
            trials=trials,
            executor="inline",
            seed=draw,
        )
        kept = run.read()
        answers = run.status()["verdict"]["answers"]
        return {**answers, "single": kept.kind_of_design(kept.pick("simplest")) == "single"}


def main() -> None:
    """Run every search and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="searches side by side")
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(search(tuple(json.loads(asked.one)), asked.trials, asked.epochs)))
        return

    def of_its_own(case: Case) -> dict[str, object]:
        command = [sys.executable, __file__, "--one", json.dumps(case), "--trials", str(asked.trials), "--epochs", str(asked.epochs)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{case}: {done.stderr}")
        return {"case": case, **json.loads(done.stdout.splitlines()[-1])}

    with ThreadPoolExecutor(asked.workers) as pool:
        found = list(pool.map(of_its_own, [*NULL, *PLANTED, *ONE_GOOD]))
    if asked.json:
        print(json.dumps(found))
        return
    print(f"{'kind':10} {'searches':>8} {'fusion claimed':>15} {'search claimed':>15} {'not estimable':>14} {'pick is one modality':>21}")
    for kind in ("null", "planted", "one good"):
        of_kind = [each for each in found if each["case"][0] == kind]
        fusion, searched = (Counter(each[name]["outcome"] for each in of_kind) for name in ("fusion", "search"))
        unknown = sum("not estimable" in (each["fusion"]["outcome"], each["search"]["outcome"]) for each in of_kind)
        single = sum(each["single"] for each in of_kind)
        print(f"{kind:10} {len(of_kind):8} {fusion['gain']:15} {searched['gain']:15} {unknown:14} {single:21}")


if __name__ == "__main__":
    main()
