"""What a search should pick by: rules of choice on fixed splits of real sets, each judged on rows that the search never saw.

    python benchmarks/selection.py --data FOLDER --cache CACHE [--sets rosmap brca263 proctor] [--splits 10] [--trials 30] [--json]

FOLDER holds the sets that `examples/prepare_shared_data.py` reads. For each set and split, 30 % of the rows (stratified, whole groups) are
taken away; a search of `--trials` designs with five folds runs on the rest, with the references and macro-F1 against MACs; and *every*
design that it evaluated is trained once more on all of the rest, as `export` does, and asked for the rows taken away. Both are kept in
CACHE, so that rules are compared without training anything again; what is there is not made again.
"""

from __future__ import annotations

import argparse
import os
import runpy
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import yaml

from fusearch.data import Dataset, load_data
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.export.choice import read_choice
from fusearch.evaluators.export.confirmation import outputs_on_test
from fusearch.evaluators.export.refit import refit
from fusearch.run import Run
from fusearch.search import run_search
from fusearch.search_space import SearchSpace

EXAMPLES = Path(__file__).parents[1] / "examples"
SETS = ("rosmap", "brca263", "proctor")
OBJECTIVES = ("f1_macro", "macs")


def outer_split(folder: Path, cache: Path, name: str, split: int) -> Dataset:
    """Return the set with another 30 % of its rows as test split."""
    prepared = cache / "data"
    if not (prepared / name).is_dir():
        runpy.run_path(str(EXAMPLES / "prepare_shared_data.py"))["main"](folder, prepared)
    document = yaml.safe_load((prepared / name / f"{name}.yaml").read_text(encoding="utf-8"))
    group = {key: value for key, value in document["splits"].items() if key == "group"}
    document["splits"] = {"fractions": [0.5, 0.2, 0.3], "seed": split, **group}
    manifest = prepared / name / f"split{split}.yaml"
    manifest.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return load_data(manifest)


def measure(folder: Path, cache: Path, name: str, split: int, trials: int, seeds: int) -> Path:
    """Search one split, refit what was evaluated, and return the run folder; `test.npz` in it is written last."""
    out = cache / f"{name}-{split}"
    if (out / "test.npz").is_file():
        return out
    data = outer_split(folder, cache, name, split)
    run_search(
        SearchSpace(data.modalities),
        TrainingEvaluator(data),
        objectives=OBJECTIVES,
        out=out,
        trials=trials,
        executor="inline",
        seed=split,
        resume=out.is_dir(),
    )
    run = Run(out)
    found: dict[str, np.ndarray] = {}
    for record in run.read().evaluated:
        if record.candidate not in found:
            choice = read_choice(run, record, data)
            model = refit(data, choice.candidate, epochs=choice.epochs, seeds=seeds, batch_size=choice.batch_size)
            found[record.candidate] = outputs_on_test(model, choice, data)
    np.savez(out / "test.npz", targets=data.targets[data.rows("test")], **found)
    return out


def main() -> None:
    """Measure what is not in the cache, and print what each rule takes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the prepared sets' sources")
    parser.add_argument("--cache", type=Path, required=True, help="folder of what was measured")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--trials", type=int, default=30, help="designs of each search")
    parser.add_argument("--seeds", type=int, default=3, help="networks of each refitted design")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    for split in range(asked.splits):
        for name in asked.sets:
            started = time.perf_counter()
            measure(asked.data, asked.cache, name, split, asked.trials, asked.seeds)
            print(f"{name}-{split}: {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
