"""Runs to export from: real evaluations of a few designs, written as the search writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest
import yaml
from device_of_tests import DEVICE
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from fusearch.contracts import Budget, Objective
from fusearch.data import Dataset
from fusearch.evaluators import TrainingEvaluator
from fusearch.layout import CONFIG, JOURNAL, predictions_file
from fusearch.run import Run
from fusearch.search_space import Candidate, FusionGraph, Recipe
from fusearch.study import FORMAT, STUDY_NAME, TrialFacts, write_trial

MakeRun = Callable[..., Run]


@pytest.fixture(scope="session")
def make_run(tmp_path_factory: pytest.TempPathFactory) -> MakeRun:
    """Return a function that evaluates designs on a data set and gives the run: `make_run(data, {formula: role or None})`."""

    def make(data: Dataset, designs: Mapping[str, str | None], *, recipe: Recipe | None = None, metric: str | None = None) -> Run:
        folder = tmp_path_factory.mktemp("run")
        metric = metric or ("auroc" if data.task.kind == "classification" else "rmse")
        objectives = [Objective.parse(metric), Objective.parse("macs")]
        evaluator = TrainingEvaluator(data, folds=2, epochs=2, device=DEVICE)
        study = optuna.create_study(
            study_name=STUDY_NAME,
            storage=JournalStorage(JournalFileBackend(str(folder / JOURNAL))),
            directions=[objective.direction for objective in objectives],
        )
        for formula, role in designs.items():
            candidate = Candidate(FusionGraph.parse(formula, modalities=data.modalities), recipe or Recipe(width=8))
            evaluation = evaluator(candidate, Budget(), lambda step, values: None)
            trial = study.ask()
            facts = TrialFacts(
                str(candidate.graph),
                candidate.graph.digest,
                candidate.digest,
                candidate.recipe.to_dict(),
                reference=role,
                budget=asdict(Budget()),
                values=dict(evaluation.metrics),
                spread=dict(evaluation.spread),
                details=dict(evaluation.details),
            )
            write_trial(trial, facts)
            predictions_file(folder, candidate.digest).parent.mkdir(exist_ok=True)
            np.savez(predictions_file(folder, candidate.digest), **evaluation.arrays)
            study.tell(trial, [evaluation[objective.name] for objective in objectives])
        config = {"format": FORMAT, "objectives": [asdict(objective) for objective in objectives], "evaluator": evaluator.describe()}
        (folder / CONFIG).write_text(yaml.safe_dump(config))
        return Run(folder)

    return make


@pytest.fixture(scope="session")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a manifest with numbers, levels, missing values, missing rows and ids that look like numbers."""
    folder, rng = tmp_path_factory.mktemp("clinic"), np.random.default_rng(0)
    ids = [f"{number:03d}" for number in rng.permutation(90)]
    sick = rng.random(90) < 0.5
    labels = pd.DataFrame({"patient": ids, "outcome": np.where(sick, "dead", "alive"), "los": rng.normal(10 + 50 * sick, 5)})
    rna = pd.DataFrame(rng.normal(100, 20, (90, 6)) + 20 * sick[:, None], columns=[f"gene_{index}" for index in range(6)])
    rna = rna.mask(rng.random(rna.shape) < 0.1)
    rna.insert(0, "patient", ids)
    clinical = pd.DataFrame(
        {
            "patient": ids,
            "age": np.where(rng.random(90) < 0.1, np.nan, rng.normal(60, 10, 90) + 5 * sick),
            "sex": rng.choice(np.array(["f", "m", None], dtype=object), 90),
            "grade": np.where(rng.random(90) < 0.1, np.nan, rng.integers(1, 4, 90)),
        }
    )
    labels.to_csv(folder / "labels.csv", index=False)
    rna.sample(frac=0.9, random_state=0).to_csv(folder / "rna.csv", index=False)
    clinical.sample(frac=0.95, random_state=1).to_csv(folder / "clinical.csv", index=False)
    for name, task in {
        "outcome": {"kind": "classification", "file": "labels.csv", "column": "outcome"},
        "stay": {"kind": "regression", "file": "labels.csv", "column": "los"},
    }.items():
        manifest = {
            "id": "patient",
            "task": task,
            "modalities": {
                "rna": {"kind": "tabular", "file": "rna.csv"},
                "clinical": {"kind": "tabular", "file": "clinical.csv", "categorical": ["sex", "grade"]},
            },
        }
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(manifest))
    return folder
