"""What is known of a design over the seeds that it had and one more: values, members, predictions."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

from fusearch.errors import EvaluationError
from fusearch.search.run_folder import read_predictions
from fusearch.study import TrialFacts

__all__ = ["join_arrays", "join_facts", "next_seed", "read_arrays"]

Arrays = Mapping[str, Any]


def next_seed(facts: TrialFacts) -> int:
    """Return the first seed that a design did not have yet."""
    return 1 + max(int(member["seed"]) for member in facts.details["members"])


def join_facts(held: TrialFacts, told: TrialFacts, seed: int) -> TrialFacts:
    """Return what is told of a seed more with the values over all seeds.

    A metric is the mean over all members. What members do not tell (costs, seconds) stays where it is the same, else it is the mean
    weighted by the members.

    Args:
        held: What is known of the design: all its members.
        told: What the evaluation of the seed told.
        seed: Which seed was asked for.

    Raises:
        EvaluationError: Another seed was told of, or other folds.
    """
    before, new = held.details["members"], told.details.get("members")
    new = new if isinstance(new, list) else []
    folds = sorted({int(member["fold"]) for member in before})
    if [(int(member["fold"]), int(member["seed"])) for member in new] != [(fold, seed) for fold in folds]:
        raise EvaluationError(f"the evaluator was asked for seed {seed} of {len(folds)} folds (Budget.seed), and told of other members")
    members = [*before, *new]
    values, spread = dict(held.values), dict(held.spread)
    for name in {**held.values, **told.values}:
        of_members = _told(members, name)
        if of_members:
            values[name] = fmean(of_members)
        elif name in told.values and told.values[name] != values.setdefault(name, told.values[name]):
            values[name] = (len(before) * values[name] + len(new) * told.values[name]) / len(members)
        if len(of_members) > 1:
            spread[name] = stdev(of_members)
    details = {**told.details, "members": members}
    epochs, undefined = held.details.get("best_epochs"), held.details.get("undefined")
    if isinstance(epochs, Mapping):
        details["best_epochs"] = {phase: _best_epoch(members, phase, known) for phase, known in epochs.items()}
    if isinstance(undefined, list):
        details["undefined"] = [name for name in undefined if name not in values]
    return replace(told, values=values, spread=spread, details=details)


def join_arrays(held: Arrays, new: Arrays, *, members: int, seed: int) -> dict[str, Any]:
    """Return the arrays of all seeds: predictions row below row, losses member below member.

    What a driver that was killed has joined already is joined once: rows of the new seed, and losses of more members than were known, are
    replaced.

    Args:
        held: Arrays of the seeds before.
        new: Those of the new seed.
        members: How many members the seeds before had.
        seed: The new seed.
    """
    import numpy as np

    if not {"rows", "seed"} <= held.keys() & new.keys():
        return dict(held)
    old = np.asarray(held["seed"]) != seed
    by_row = [name for name in held if name in new and name != "losses" and len(held[name]) == len(old)]
    joined = {**held, **{name: np.concatenate([np.asarray(held[name])[old], new[name]]) for name in by_row}}
    if "losses" in held and "losses" in new:
        joined["losses"] = _below(np.asarray(held["losses"])[:members], np.asarray(new["losses"]))
    return joined


def read_arrays(folder: Path, candidate: str) -> dict[str, Any]:
    """Return the arrays that are kept of a candidate; nothing where none are, or they cannot be read."""
    try:
        return read_predictions(folder, candidate)
    except (OSError, ValueError, zipfile.BadZipFile):
        return {}


def _told(members: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    told = [member.get("metrics", {}).get(name) for member in members]
    return [float(value) for value in told if value is not None and math.isfinite(value)]


def _best_epoch(members: Sequence[Mapping[str, Any]], phase: str, known: int) -> int:
    """Return the median over members of the best epoch of a phase; what was known where they do not tell it."""
    told = [member["epochs"][phase] for member in members if phase in member.get("epochs", {})]
    return math.ceil(median(told)) if told else known


def _below(first: Any, second: Any) -> Any:
    """Return losses (members, phases, epochs, 2) of two evaluations in one array; NaN where one had fewer epochs."""
    import numpy as np

    most = max(first.shape[2], second.shape[2])
    filled = [np.pad(each, ((0, 0), (0, 0), (0, most - each.shape[2]), (0, 0)), constant_values=np.nan) for each in (first, second)]
    return np.concatenate(filled)
