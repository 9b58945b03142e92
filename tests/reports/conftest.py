"""Runs to report on: real Optuna studies in a journal, real designs, values drawn from a seeded model of a small data set."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
import yaml
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState, create_trial

from fusearch.contracts import Budget, Objective, Outrun
from fusearch.data.modality import Modality
from fusearch.layout import JOURNAL
from fusearch.run import Run
from fusearch.search_space import Candidate, FusionGraph, Recipe
from fusearch.study import FORMAT, STUDY_NAME, TrialFacts

MODALITIES = (Modality("mrna", "tabular", (200,)), Modality("meth", "tabular", (200,)), Modality("mirna", "tabular", (200,)))

#: Reference designs as (role, formula).
REFERENCES = (
    ("best_unimodal", "mrna:mlp\nmrna@L ->"),
    ("best_unimodal", "meth:mlp\nmeth@L ->"),
    ("linear", "mrna:identity | meth:identity | mirna:identity\nF1 = cat(mrna@0, meth@0, mirna@0) ->"),
    ("early", "mrna:identity | meth:identity | mirna:identity\nF1 = cat(mrna@0, meth@0, mirna@0; trunk=fc:2) ->"),
    ("penultimate", "mrna:mlp | meth:mlp | mirna:mlp\nF1 = cat(mrna@L, meth@L, mirna@L) ->"),
    ("late", "mrna:mlp | meth:mlp | mirna:mlp\nF1 = vote_mean(mrna@score, meth@score, mirna@score) ->\ntrain = independent"),
)

_TEMPLATES = (
    "F1 = {0}(mrna@{a}, meth@{b}; trunk=fc:1)\nF2 = cat(F1@1, mirna@{c}) ->",
    "F1 = {0}(meth@{a}, mirna@{a}; trunk=fc:{n})\nF2 = {1}(mrna@{b}, F1@{n}; trunk=fc:1) ->",
    "F1 = {0}(mrna@{a}, meth@{a}, mirna@{a}; trunk=fc:{n}) ->",
    "F1 = cat(mrna@{a}, meth@{b}; trunk=fc:2)\nF2 = {1}(F1@1, mirna@{c}; trunk=fc:1)\nF3 = cat(F1@2, F2@1) ->",
)
_OPERATORS = ("cat", "sum", "product", "gated_unit", "cross_attention", "low_rank", "cross_stitch", "film")

BASE = datetime.datetime(2026, 3, 2, 9, 0, 0)


def draw_formula(rng: np.random.Generator) -> str:
    """Draw a design; some draws break a rule and are drawn again."""
    from fusearch.errors import FusearchError

    header = " | ".join(f"{modality.name}:mlp" for modality in MODALITIES)
    while True:
        template = _TEMPLATES[rng.integers(len(_TEMPLATES))]
        a, b, c = (int(depth) for depth in rng.integers(0, 3, size=3))
        body = template.format(*rng.choice(_OPERATORS, 2), a=a, b=b, c=c, n=int(rng.integers(1, 3)))
        try:
            return str(FusionGraph.parse(f"{header}\n{body}", MODALITIES))
        except FusearchError:
            continue


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Run]:
    """Return `make_run(trials, objectives=..., ...) -> Run`, which writes a run folder."""
    return lambda *args, **kwargs: write_run(tmp_path / f"run{len(list(tmp_path.iterdir()))}", *args, **kwargs)


def write_run(
    folder: Path,
    trials: int,
    *,
    objectives: Sequence[str] = ("auroc", "macs"),
    gain: float = 0.05,
    failures: int = 0,
    raced: int = 0,
    outrun: int = 0,
    seed: int = 0,
    references: bool = True,
    formula: Callable[[np.random.Generator], str] = draw_formula,
) -> Run:
    """Write a run of `trials` evaluated trials and return it.

    Args:
        folder: The run folder to make.
        trials: Number of evaluated trials, references included.
        objectives: What is optimized.
        gain: By how much fusion designs are better than the references, in AUROC.
        failures: Further trials that failed or were pruned.
        raced: Further trials that a race stopped after two of five folds.
        outrun: Further trials that other recipes of the same design outran.
        seed: Seed of designs and values.
        references: Whether the first trials are references.
        formula: Draws a design.
    """
    rng = np.random.default_rng(seed)
    parsed = [Objective.parse(text) for text in objectives]
    folder.mkdir(parents=True)
    config = {
        "format": FORMAT,
        "fusearch": "0.1.0",
        "command": ["fusearch", "search", "rosmap.yaml", "--objective", "auroc", "--objective", "macs", "--out", "runs/rosmap"],
        "objectives": [
            {"name": objective.name, "direction": objective.direction, "bound": objective.bound, "cheap": objective.cheap}
            for objective in parsed
        ],
        "space": {"modalities": [{"name": each.name, "kind": each.kind, "shape": list(each.shape)} for each in MODALITIES]},
        "evaluator": {
            "data": {"source": "rosmap.yaml", "fingerprint": "3f9c0aa1b2c4d5e6"},
            "settings": {"epochs": 60, "folds": 5, "seeds": 1},
        },
        "search": {"trials": trials, "sampler": "tpe", "seed": seed, "workers": 2},
        "versions": {"python": "3.11.9", "torch": "2.13.0", "optuna": "5.0.0"},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    storage = JournalStorage(JournalFileBackend(str(folder / JOURNAL)))
    study = optuna.create_study(
        study_name=STUDY_NAME, storage=storage, directions=[objective.direction for objective in parsed] if parsed else None
    )
    for number in range(trials):
        role, text = REFERENCES[number] if references and number < len(REFERENCES) else (None, formula(rng))
        study.add_trial(_evaluated(rng, parsed, number, text, role, gain))
    for number in range(trials, trials + failures):
        study.add_trial(_failed(rng, number, formula(rng)))
    for number in range(trials + failures, trials + failures + raced):
        study.add_trial(_raced(rng, number, formula(rng)))
    for number in range(len(study.trials), len(study.trials) + outrun):
        study.add_trial(_outrun(number, formula(rng), Outrun(20 if number % 2 else 40, 3, 4)))
    return Run(folder)


def _evaluated(rng: np.random.Generator, objectives: Sequence[Objective], number: int, text: str, role: str | None, gain: float) -> Any:
    graph = _parse(text)
    recipe = Recipe(width=int(rng.choice([16, 32, 64])), dropout=round(float(rng.uniform(0, 0.5)), 2))
    fusions = len(graph.fusions) if graph is not None else 1
    macs = float(recipe.width * 800 * (1 + 2 * fusions) + (0 if role == "linear" else 40_000 * rng.uniform(0.4, 8)))
    macs = 1_200.0 if role == "linear" else macs
    level = {"best_unimodal": 0.80, "linear": 0.86, "early": 0.84, "penultimate": 0.865, "late": 0.87}.get(role or "", 0.86 + gain)
    auroc = min(0.99, level + 0.012 * math.log10(macs / 1e4) + float(rng.normal(0, 0.018)) - (0.0 if role else 0.03))
    values = {
        "auroc": auroc,
        "balanced_accuracy": auroc - 0.09,
        "log_loss": 1.1 - auroc + float(rng.normal(0, 0.01)),
        "macs": macs,
        "parameters": macs * 0.6,
        "latency_ms": 0.2 + 0.15 * fusions,
    }
    facts = replace(
        _identity(text, graph, recipe),
        values=values,
        spread={"auroc": float(rng.uniform(0.01, 0.03)), "log_loss": 0.04, "balanced_accuracy": 0.03},
        details={"members": _members(rng, auroc), "worker": 4000 + number % 2},
        budget=asdict(Budget()),
        seconds=8.0 + float(rng.uniform(0, 6)),
        reference=role,
    )
    trial = create_trial(values=[values[objective.name] for objective in objectives], user_attrs=facts.attributes())
    return _timed(trial, number, facts.seconds)


def _members(rng: np.random.Generator, mean: float) -> list[dict[str, Any]]:
    off = rng.normal(0, 0.02, size=5)
    return [{"fold": fold, "seed": 0, "metrics": {"auroc": mean + float(each)}} for fold, each in enumerate(off - off.mean())]


def _failed(rng: np.random.Generator, number: int, text: str) -> Any:
    pruned = number % 2 == 0
    reason = "macs is 3.2e+06, above the bound 1e+06" if pruned else "RuntimeError: the loss is not finite\n  at epoch 3"
    facts = replace(_identity(text, _parse(text), Recipe()), reason=reason, seconds=1.5, details={"worker": 4000 + number % 2})
    state = TrialState.PRUNED if pruned else TrialState.FAIL
    return _timed(create_trial(state=state, user_attrs=facts.attributes()), number, 1.5)


def _raced(rng: np.random.Generator, number: int, text: str) -> Any:
    raced = {"folds": 2, "num_folds": 5, "rival": 1, "chance": 0.0132}
    reason = "stopped after fold 2 of 5: 1.3 % chance to catch up with trial 1, which costs no more"
    facts = replace(_identity(text, _parse(text), Recipe()), reason=reason, raced=raced, details={"members": _members(rng, 0.6)[:2]})
    trial = create_trial(state=TrialState.PRUNED, user_attrs=replace(facts, seconds=2.0).attributes())
    return _timed(trial, number, 2.0)


def _outrun(number: int, text: str, outrun: Outrun) -> Any:
    facts = replace(_identity(text, _parse(text), Recipe()), reason=outrun.reason, raced=asdict(outrun), pack=number, seconds=1.0)
    return _timed(create_trial(state=TrialState.PRUNED, user_attrs=facts.attributes()), number, 1.0)


def _timed(trial: Any, number: int, seconds: float) -> Any:
    trial.datetime_start = BASE + datetime.timedelta(seconds=6.0 * number)
    trial.datetime_complete = trial.datetime_start + datetime.timedelta(seconds=seconds) if trial.state.is_finished() else None
    return trial


def _parse(text: str) -> FusionGraph | None:
    from fusearch.errors import FusearchError

    try:
        return FusionGraph.parse(text, MODALITIES)
    except FusearchError:
        return None


def _identity(text: str, graph: FusionGraph | None, recipe: Recipe) -> TrialFacts:
    if graph is None:
        return TrialFacts(text, f"{hash(text) & 0xFFFFFFFFFFFF:012x}", "0" * 12)
    return TrialFacts(str(graph), graph.digest, Candidate(graph, recipe).digest, recipe.to_dict())
