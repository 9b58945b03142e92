"""Compare fusearch with what people would use instead: equal wall time, rows that no method has seen, several seeds.

    python examples/prepare_shared_data.py $FUSEARCH_SHARED_DATA data
    python benchmarks/peers.py data/rosmap/rosmap.yaml data/brca263/brca263.yaml data/proctor/proctor.yaml wisconsin
        [--methods NAME ...] [--seconds 60] [--seeds 5] [--environments FOLDER] [--out runs/peers] [--json]
    python benchmarks/peers.py --install FOLDER

For each seed a new 30 % of all samples is held out, stratified by class; samples of one group (`splits.group` of the manifest) are never on
both sides. A method gets the other rows with their groups and so many seconds, chooses and trains as it likes, and says the probabilities
of the held-out rows; where it splits its rows, it splits by group. What each does stands in `peer_methods/methods.py`. A method is a
process of its own with one thread; its imports are not counted. `--install` makes an environment for each method that is no part of
fusearch's own, and writes which did not install and why; `--environments` runs those that did. What was run before is not run again.

Printed: the mean AUROC (one against the rest, macro) over seeds; the difference to fusearch with its 95 % interval (the corrected resampled
t-test of Nadeau and Bengio, 2003: held-out rows of two seeds overlap); seconds to fit and, for 1,000 rows, to predict; parameters, where a
method counts them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import subprocess
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, train_test_split

from fusearch.data import Dataset, load_data
from fusearch.evaluators.export.inputs import raw_values

SCRIPT = Path(__file__).parent / "peer_methods" / "methods.py"
OWN = ("fusearch", "fusearch_team", "fusearch_random", "optuna_concatenation", "tuned_linear", "stacking")
#: Method -> the module that it imports, and what its environment needs. fusilli and AutoGluon-Multimodal are tried too: for them a method
#: is written where they work. Before version 2 fusilli names no package that it needs.
ELSEWHERE = {
    "autogluon_tabular": ("autogluon.tabular", ["autogluon.tabular[lightgbm,catboost,xgboost]"]),
    "autogluon_multimodal": ("autogluon.multimodal", ["autogluon.multimodal"]),
    "fusilli": ("fusilli", ["fusilli>=2"]),
    "tabm": ("tabm", ["tabm", "scikit-learn"]),
    "widedeep": ("pytorch_widedeep", ["pytorch-widedeep"]),
}
HELD_OUT, TENTHS = 0.3, 10
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LOKY_MAX_CPU_COUNT": "1"}


def install(folder: Path) -> dict[str, str]:
    """Make an environment for each method, and return what came of it; `folder/installed.json` keeps that."""
    folder.mkdir(parents=True, exist_ok=True)
    constraints = Path(__file__).parents[1] / "constraints.txt"
    torch = next(line for line in constraints.read_text(encoding="utf-8").splitlines() if line.startswith("torch=="))
    (folder / "constraints.txt").write_text(f"{torch}\n", encoding="utf-8")  # the CPU build; others would bring CUDA
    found = {}
    for name, (module, packages) in ELSEWHERE.items():
        python = folder / name / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", folder / name], check=True)
        words = [python, "-m", "pip", "install", "--disable-pip-version-check", "--constraint", folder / "constraints.txt"]
        found[name] = _refused("install", [*words, *packages]) or _refused("import", [python, "-c", f"import {module}"]) or "installed"
        print(f"{name}: {found[name]}", file=sys.stderr, flush=True)
        (folder / "installed.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    return found


def _refused(what: str, words: Sequence[str | Path]) -> str:
    """Run what installs or imports, and return that it does not and why; nothing where it does."""
    try:
        done = subprocess.run([*words], capture_output=True, text=True, timeout=900, check=False)
    except subprocess.TimeoutExpired:
        return f"does not {what}: not done after 15 minutes"
    if not done.returncode:
        return ""
    told = (done.stdout + done.stderr).splitlines()
    conflict = next((number for number, line in enumerate(told) if line.startswith("The conflict is caused by")), None)
    if conflict is not None:
        return f"does not {what}: {'; '.join(line.strip() for line in told[conflict + 1 : conflict + 3])}"
    errors = [line for line in told if line.startswith("ERROR")] or told[-1:] or ["no reason was given"]
    return f"does not {what}: {errors[-1].removeprefix('ERROR: ')}"


def tables(data: Dataset) -> dict[str, np.ndarray]:
    """Return modality -> (samples, columns), as they are in the files."""
    raw = raw_values(data, data.modalities, np.arange(len(data)))
    return {name: np.asarray(values, dtype=np.float32).reshape(len(values), -1) for name, values in raw.items()}


def groups_of(data: Dataset) -> np.ndarray:
    """Return the group of each sample as a number; without groups each is its own."""
    return np.arange(len(data)) if data.groups is None else np.unique(data.groups, return_inverse=True)[1]


def problems(data: Dataset, seeds: int) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Give seed, rows to fit and rows held out."""
    everything = np.arange(len(data))
    for seed in range(seeds):
        if data.groups is None:
            _, test = train_test_split(everything, test_size=HELD_OUT, stratify=data.targets, random_state=seed)
        else:
            tenths = StratifiedGroupKFold(TENTHS, shuffle=True, random_state=seed).split(everything, data.targets, groups_of(data))
            test = np.concatenate([held for _, held in itertools.islice(tenths, round(HELD_OUT * TENTHS))])
        yield seed, np.setdiff1d(everything, test), np.sort(test)


def answer(method: str, python: Path | str, problem: Path, target: np.ndarray, options: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Run one method on one problem and return its score; what was said before is read again."""
    path = problem.with_name(f"{problem.stem}-{method}-{options.seconds:g}.npz")
    if not path.is_file():
        words = [python, SCRIPT, method, problem, path, "--seconds", str(options.seconds), "--seed", str(seed)]
        done = subprocess.run(list(map(str, words)), env=ENVIRONMENT, capture_output=True, text=True, timeout=20 * options.seconds + 300)
        if done.returncode:
            return {"failed": (done.stderr.strip().splitlines() or ["no reason was given"])[-1]}
    with np.load(path) as file:
        probabilities, told = file["probabilities"], json.loads(str(file["told"]))
    scores = probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities / probabilities.sum(axis=1, keepdims=True)
    told["predict_seconds"] *= 1000 / len(target)
    return {"auroc": float(roc_auc_score(target, scores, multi_class="ovr")), **told}


def judge(name: str, method: str, mine: Sequence[dict[str, Any]], yardstick: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the row of a method: means over seeds, and the difference to fusearch over the seeds that both have."""
    done = [each for each in mine if "auroc" in each]
    if not done:
        return {"set": name, "method": method, "failed": mine[0]["failed"]}
    pairs = [(a["auroc"] - b["auroc"]) for a, b in zip(mine, yardstick, strict=True) if "auroc" in a and "auroc" in b]
    row = {"set": name, "method": method, "seeds": len(done), "auroc": float(np.mean([each["auroc"] for each in done]))}
    row |= {"difference": None, "low": None, "high": None}
    if len(pairs) > 1 and mine is not yardstick:
        spread = math.sqrt((1 / len(pairs) + HELD_OUT / (1 - HELD_OUT)) * np.var(pairs, ddof=1))
        half = stats.t.ppf(0.975, len(pairs) - 1) * spread
        row |= {"difference": float(np.mean(pairs)), "low": float(np.mean(pairs) - half), "high": float(np.mean(pairs) + half)}
    for what in ("fit_seconds", "predict_seconds"):
        row[what] = float(np.mean([each[what] for each in done]))
    counted = [each["parameters"] for each in done if each["parameters"] is not None]
    return {**row, "parameters": float(np.median(counted)) if counted else None}


def main() -> None:
    """Install, or run what is missing and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=["wisconsin"], help="manifests, or names of embedded sets; classification of tables")
    parser.add_argument("--methods", nargs="+", default=None, choices=[*OWN, *ELSEWHERE])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--environments", type=Path, default=None, metavar="FOLDER")
    parser.add_argument("--install", type=Path, default=None, metavar="FOLDER")
    parser.add_argument("--out", type=Path, default=Path("runs/peers"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.install:
        print(json.dumps(install(options.install), indent=1))
        return
    installed = json.loads((options.environments / "installed.json").read_text(encoding="utf-8")) if options.environments else {}
    pythons = dict.fromkeys(OWN, sys.executable)
    pythons |= {method: options.environments / method / "bin" / "python" for method, what in installed.items() if what == "installed"}
    methods = options.methods or [method for method in (*OWN, *ELSEWHERE) if method in pythons]
    rows = []
    options.out.mkdir(parents=True, exist_ok=True)
    for source in options.sets:
        data = load_data(source)
        values, found = tables(data), {method: [] for method in methods}
        groups = groups_of(data)
        for seed, train, test in problems(data, options.seeds):
            parts = {f"train.{name}": table[train] for name, table in values.items()} | {
                f"test.{name}": table[test] for name, table in values.items()
            }
            problem = options.out / f"{data.name}-{zlib.crc32(test.tobytes()):08x}.npz"
            np.savez(problem, target=data.targets[train], groups=groups[train], **parts)
            for method in methods:
                found[method].append(answer(method, pythons[method], problem, data.targets[test], options, seed))
                print(f"{data.name}, seed {seed}, {method}: {found[method][-1]}", file=sys.stderr, flush=True)
        rows += [judge(data.name, method, found[method], found.get("fusearch", found[method])) for method in methods]
    if options.json:
        print(json.dumps({"seconds": options.seconds, "methods": rows, "environments": installed}))
        return
    for row in rows:
        if "failed" in row:
            print(f"{row['set']:<12} {row['method']:<22} failed: {row['failed']}")
            continue
        told = "" if row["difference"] is None else f"  {row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"
        size = "" if row["parameters"] is None else f"  {row['parameters']:,.0f} parameters"
        print(f"{row['set']:<12} {row['method']:<22} {row['auroc']:.3f}{told}  {row['fit_seconds']:.0f} s{size}")
    for method, what in installed.items():
        if what != "installed":
            print(f"{method}: {what}")


if __name__ == "__main__":
    main()
