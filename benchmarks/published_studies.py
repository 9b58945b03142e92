"""Studies 36 (mmdynamics) and 45 (opcnn) of the review on their own data, under a protocol without a leak, beside the published numbers.

    python benchmarks/published_studies.py FOLDER [--only CASE ...] [--out docs/published_results.md] [--json]

FOLDER holds `rosmap_mogonet/rosmap.npz` and `proctor_opcnn/PrOCTOR_sample_data_all.csv.gz`. The second set of study 36, TCGA-BRCA, is at
hand only as 263 test rows, eight pairs of them with equal values and six of these with contradicting labels: not comparable.

For each outer fold the design and the references are trained on the other rows alone: three inner folds choose the number
of epochs by log loss, then each is refitted on all of them, and the outer fold is looked at once. Preprocessing is fitted inside. The
reference that a split is compared with is chosen on the inner folds. All have the default recipe and one seed; nothing is tuned.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from fusearch.data import Dataset
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.export import confirm
from fusearch.search import run_search
from fusearch.search_space import PUBLISHED, SearchSpace

METRICS = ("accuracy", "auroc", "f1_macro", "mcc")

#: Name of a case -> study, the metric of the search, what stands in the table, and what differs from the paper's protocol.
CASES: dict[str, dict[str, Any]] = {
    "rosmap": {
        "study": "mmdynamics",
        "primary": "auroc",
        "epochs": 60,
        "splits": 5,
        "title": "ROSMAP, Alzheimer's disease or control: 351 subjects, mRNA, methylation and miRNA of 200 columns each",
        "published": "accuracy 0.842 (the released checkpoint gives 0.840 when run again)",
        "differs": "The paper: one fixed split of 245 and 106 subjects; how the number of epochs was chosen is not recorded. "
        "Ours: all subjects, each tested once. The 200 columns of a table were selected upstream by the authors of the data, "
        "the test subjects not provably "
        "left out; nothing here can undo that, so ours may still be too high.",
    },
    "proctor": {
        "study": "opcnn",
        "primary": "auroc",
        "epochs": 15,
        "splits": 3,
        "params": {"dim": 16},
        "title": "PrOCTOR, drugs that passed or failed for toxicity: 828 drugs, 13 chemical and 34 target columns; look-alikes together",
        "published": "AUROC 0.9824, accuracy 0.9758, MCC 0.8451",
        "differs": "The paper: 10 random folds, one model compiled again for every fold without resetting its weights, so that from "
        "the second fold on it is tested on drugs that it was trained on. Ours: fresh weights for every member, imputation and "
        "scaling inside "
        "the fold, and drugs with the same target and tissue values on one side. The outer product is 16 x 16 in place of 50 x "
        "50, and a member "
        "has 15 epochs at most, so that one core ends in minutes.",
    },
    "proctor, random folds": {
        "study": "opcnn",
        "primary": "auroc",
        "epochs": 15,
        "splits": 3,
        "params": {"dim": 16},
        "title": "The same with random folds, as in the paper, where a drug's look-alike may stand on the other side",
        "published": "AUROC 0.9824, accuracy 0.9758, MCC 0.8451",
        "differs": "What is left of the paper's protocol is that its weights are not reset between the folds, beside the number of folds, "
        "the smaller product and fewer epochs. Look-alikes alone do not make the difference.",
    },
}


def read(folder: Path, case: str) -> tuple[dict[str, pd.DataFrame], np.ndarray, np.ndarray | None]:
    """Return the modalities, targets and groups of a case."""
    if case == "rosmap":
        with np.load(folder / "rosmap_mogonet" / "rosmap.npz", allow_pickle=False) as arrays:
            views = {
                name: pd.DataFrame(np.concatenate([arrays[f"{name}_train"], arrays[f"{name}_test"]])) for name in ("mrna", "meth", "mirna")
            }
            codes = np.concatenate([arrays["y_train"], arrays["y_test"]])
        return views, np.where(codes == 1, "alzheimer", "control"), None
    table = pd.read_csv(folder / "proctor_opcnn" / "PrOCTOR_sample_data_all.csv.gz")
    views = {"chemical": table.iloc[:, 2:15].reset_index(drop=True), "target": table.iloc[:, 15:49].reset_index(drop=True)}
    groups = table.groupby(list(views["target"].columns), dropna=False, sort=False).ngroup().to_numpy()
    return views, table["Label"].to_numpy(), groups if case == "proctor" else None


def outer(targets: np.ndarray, groups: np.ndarray | None, splits: int) -> Iterator[np.ndarray]:
    """Give the test rows of each outer fold."""
    if groups is None:
        yield from (test for _, test in StratifiedKFold(splits, shuffle=True, random_state=0).split(targets, targets))
    else:
        yield from (test for _, test in StratifiedGroupKFold(splits, shuffle=True, random_state=0).split(targets, targets, groups))


def measure(folder: Path, case: str) -> dict[str, Any]:
    """Evaluate a study and the references on every outer fold; give the test scores by what was tested."""
    about = CASES[case]
    views, targets, groups = read(folder, case)
    rows: list[dict[str, dict[str, float]]] = []
    rivals = []
    began = time.perf_counter()
    for fold, test in enumerate(outer(targets, groups, about["splits"])):
        split = np.full(len(targets), "train", dtype=object)
        split[test] = "test"
        data = Dataset.from_arrays(
            f"{case} {fold}",
            modalities={name: view.add_prefix(f"{name}_") for name, view in views.items()},
            targets=targets,
            groups=None if groups is None else [f"g{number}" for number in groups],
            splits=split.tolist(),
        )
        space = SearchSpace(data.modalities, max_fusions=1)
        design = PUBLISHED[about["study"]].bind(data.modalities)
        fusions = [replace(fusion, params={**fusion.params, **about.get("params", {})}) for fusion in design.fusions]
        design = replace(design, fusions=tuple(fusions))
        number = 1 + sum(map(len, space.references().values()))
        with tempfile.TemporaryDirectory() as place:
            run = run_search(
                space,
                TrainingEvaluator(data, folds=3, epochs=about["epochs"]),
                objectives=[about["primary"], "macs"],
                first=[design],
                out=Path(place) / "run",
                trials=number,
                executor="inline",
            )
            look = confirm(run, pick=design.digest, data=data, seeds=1)
        rows.append({entry["role"]: entry["values"] for entry in look["designs"] if entry["role"] != "front"})
        print(f"{case}, fold {fold + 1}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
        rivals.append(next(entry["values"] for entry in look["designs"] if entry["trial"] == look["comparison"]["trials"][0]))
    return {
        "case": case,
        "formula": design.formula,
        "samples": len(targets),
        "splits": about["splits"],
        "seconds": round(time.perf_counter() - began),
        "scores": {role: _summary([row[role] for row in rows if role in row]) for role in rows[0]},
        "rival": _summary(rivals),
        "difference": _summary(
            [{name: row["picked"][name] - rival[name] for name in rival} for row, rival in zip(rows, rivals, strict=True)]
        ),
    }


def _summary(values: list[dict[str, float]]) -> dict[str, tuple[float, float]]:
    """Return mean and standard deviation over the outer folds of each metric that is told."""
    return {
        name: (float(np.mean([each[name] for each in values])), float(np.std([each[name] for each in values], ddof=1)))
        for name in METRICS
        if all(name in each for each in values)
    }


def page(found: list[dict[str, Any]]) -> str:
    """Return the docs page."""
    minutes = sum(each["seconds"] for each in found) / 60
    parts = [
        "# Two published studies on their own data",
        "",
        "Made by `python benchmarks/published_studies.py FOLDER --out docs/published_results.md`",
        f"({minutes:.0f} minutes on one core, with other work on it).",
        "",
        *(__doc__ or "").split("\n\n", 2)[2].strip().splitlines(),
        "",
        "Mean and standard deviation over the outer folds; the latter is of single folds and says how far one split may mislead.",
        "*Best reference*: in each fold, the reference that was best on the inner folds; the last line is the study's network minus it.",
        "",
    ]
    for each in found:
        about = CASES[each["case"]]
        study = PUBLISHED[about["study"]]
        names = list(each["rival"])
        lines = {
            f"**{study.key}** (`{study.facts.source}` reading of study {study.number})": each["scores"]["picked"],
            **{f"{role.replace('_', ' ')}": values for role, values in each["scores"].items() if role not in ("picked", "reference")},
            "best reference": each["rival"],
        }
        parts += [f"## {study.key}: {each['case']}", "", about["title"] + f". {each['splits']} outer folds.", ""]
        parts += [f"Network: `{each['formula']}`", ""]
        parts += [f"Published: {about['published']}. {about['differs']}", ""]
        parts += ["| | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
        parts += [f"| {line} | " + " | ".join(_cell(values, name) for name in names) + " |" for line, values in lines.items()]
        signed = " | ".join(f"{each['difference'][name][0]:+.3f} ± {each['difference'][name][1]:.3f}" for name in names)
        parts += [f"| {study.key} minus best reference | {signed} |", ""]
    return "\n".join(parts)


def _cell(values: dict[str, tuple[float, float]], name: str) -> str:
    return f"{values[name][0]:.3f} ± {values[name][1]:.3f}" if name in values else ""


def main() -> None:
    """Measure the cases, and print or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=os.environ.get("FUSEARCH_SHARED_DATA"), help="where the data sets are")
    parser.add_argument("--only", choices=[*CASES], nargs="+", default=[*CASES], help="cases to measure")
    parser.add_argument("--out", type=Path, help="page to write")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.folder is None:
        print("no folder with the data sets is given (or named by FUSEARCH_SHARED_DATA): nothing is measured")
        return
    found = [measure(Path(asked.folder), case) for case in asked.only]
    text = json.dumps(found, indent=1) if asked.json else page(found)
    if asked.out is None:
        print(text)
    else:
        asked.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
