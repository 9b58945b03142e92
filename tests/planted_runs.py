"""Runs with predictions of a planted quality: what inference is tried on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from fusearch.contracts import Objective
from fusearch.layout import PREDICTIONS, predictions_file
from fusearch.metrics import METRICS
from fusearch.study import TrialRecord
from fusearch.trials import Trials

__all__ = ["CONFIG", "TEAMED", "planted_losses", "planted_trials"]

MODALITIES = [{"name": name, "kind": "tabular", "shape": [4]} for name in ("rna", "labs")]
CONFIG = {"space": {"modalities": MODALITIES}, "search": {"trials": 10}}
#: Designs that err alone, so that the mean of a few of them is better than any.
TEAMED = (
    ("rna", 1.0, "best_unimodal"),
    ("F1 = cat(rna@L, labs@L) ->", 1.0, "late"),
    ("F1 = mean(rna@L, labs@L) ->", 1.0, None),
    ("labs", 0.9, None),
    ("F1 = cat(rna@L, labs@L) ->", -1.0, None),
)
FORMULAS = {"rna": "rna:mlp; rna@L ->", "labs": "labs:mlp; labs@L ->"}


def planted_trials(
    folder: Path,
    designs: Sequence[tuple[str, float, str | None]],
    *,
    rows: int = 300,
    folds: int = 5,
    seeds: int = 1,
    seed: int = 0,
    groups: int = 0,
    objectives: Sequence[str] = ("auroc", "macs"),
    constant: Sequence[float] | None = (0.5, 0.5),
) -> Trials:
    """Write the predictions of designs into a run folder, and return its trials.

    Args:
        folder: The run folder.
        designs: Of each design the formula, or the modality alone; by how much the scores of positive rows lie above those of negative
            ones, in standard deviations; and its role as a reference.
        rows: Held-out rows.
        folds: Folds.
        seeds: Seeds of each fold.
        seed: What chance hangs on.
        groups: Number of groups of rows; 0: none.
        objectives: What was optimized.
        constant: What the constant predictor says, in every fold; None: the run does not tell.
    """
    rng = np.random.default_rng(seed)
    (folder / PREDICTIONS).mkdir(parents=True)
    targets = rng.integers(0, 2, rows)
    fold = rng.permutation(np.arange(rows) % folds)
    shared = rng.normal(size=rows)  # what is hard about a row is hard for every design
    parsed = [Objective.parse(name) for name in objectives]
    scored = [each.name for each in parsed if each.name in METRICS]
    records = []
    for number, (formula, skill, role) in enumerate(designs):
        parts = []
        for member_seed in range(seeds):
            scores = skill * targets + 0.7 * shared + 0.7 * rng.normal(size=rows)
            positive = 1 / (1 + np.exp(-scores))
            parts.append(
                {
                    "rows": np.arange(rows),
                    "ids": np.array([f"p{row}" for row in range(rows)]),
                    "fold": fold,
                    "seed": np.full(rows, member_seed),
                    "targets": targets,
                    "probabilities": np.column_stack([1 - positive, positive]).astype(np.float32),
                }
            )
        arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        if groups:
            arrays["groups"] = np.tile(np.arange(rows) % groups, seeds)
        candidate = f"candidate{number}"
        np.savez(predictions_file(folder, candidate), **arrays)
        names = {"auroc", "log_loss", *scored}
        members = [_member(part, number_of_fold, names) for part in parts for number_of_fold in range(folds)]
        means = {name: float(np.nanmean([member["metrics"][name] for member in members])) for name in scored}
        values = {**means, "macs": 1000.0 * (number + 1)}
        records.append(
            TrialRecord(
                FORMULAS.get(formula, formula),
                f"graph{number}",
                candidate,
                number=number,
                state="complete",
                objectives={each.name: values[each.name] for each in parsed},
                values=values,
                details={"members": members},
                reference=role,
            )
        )
    told = {} if constant is None else {"evaluator": {"data": {"constant": [list(constant)] * folds}}}
    return Trials(records, tuple(parsed), {**CONFIG, **told}, folder, {"state": "finished", "host": "here", "pid": 1})


def _member(part: dict[str, np.ndarray], fold: int, names: Collection[str]) -> dict[str, object]:
    held = part["fold"] == fold
    probabilities = part["probabilities"][held].astype(float)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    metrics = {name: METRICS[name](part["targets"][held], probabilities) for name in sorted(names)}
    return {"fold": fold, "seed": int(part["seed"][0]), "metrics": metrics}


def planted_losses(trials: Trials, losses: Mapping[int, Sequence[np.ndarray]], *, phases: Sequence[str] = ("fusion",)) -> Trials:
    """Write losses beside the predictions of designs, and return their trials with the best epochs in their details.

    Args:
        trials: Of `planted_trials`.
        losses: Number of a trial -> for each phase training and validation loss of each epoch of each member, (members, epochs, 2).
        phases: Names of the phases.
    """
    records = []
    for record in trials.records:
        told = losses.get(record.number)
        if told is None:
            records.append(record)
            continue
        file = predictions_file(trials.path, record.candidate)
        with np.load(file) as held:
            arrays = {name: held[name] for name in held.files}
        np.savez(file, **arrays, losses=np.stack(told, axis=1).astype(np.float32))
        best = [{name: _best_epoch(phase[at]) for name, phase in zip(phases, told, strict=True)} for at in range(len(told[0]))]
        members = [{**member, "epochs": epochs} for member, epochs in zip(record.details["members"], best, strict=True)]
        records.append(replace(record, details={**record.details, "members": members, "best_epochs": best[0]}))
    return replace(trials, records=records)


def _best_epoch(losses: np.ndarray) -> int:
    """Return the epoch with the least validation loss; 1 where there is none, as of a design that is solved."""
    return int(np.nanargmin(losses[:, 1])) + 1 if np.isfinite(losses[:, 1]).any() else 1
