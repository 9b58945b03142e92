"""The look at the test split, after the search: `confirm.json` in the run folder counts the looks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fusearch.data import Dataset
from fusearch.errors import RunError
from fusearch.evaluators.export.choice import Choice, load_choice_data, read_choice
from fusearch.evaluators.export.deployed import DeployedModel
from fusearch.evaluators.export.inputs import raw_values
from fusearch.evaluators.export.refit import refit
from fusearch.evaluators.training.members import score
from fusearch.layout import CONFIRMATION, replace_file
from fusearch.run import Run
from fusearch.study import TrialRecord

__all__ = ["confirm", "looks_so_far", "score_on_test"]


#: Most rows of one forward pass.
_CHUNK = 1024


def confirm(
    run: Run | str | Path,
    *,
    pick: str = "simplest",
    data: Dataset | str | Path | None = None,
    seeds: int = 3,
    device: torch.device | str = "cpu",
) -> dict[str, Any]:
    """Evaluate the picked design, the references and the front on the test split.

    Each is trained on train + val as `export` does. The result is added to `confirm.json` in the run folder. The first look is the one that
    counts; whoever changes the design after it and looks again has searched on the test split, and the number of the look says so.

    Args:
        run: The run, or its folder.
        pick: The design, as for `Run.pick`.
        data: The data set of the run, or where it is now, where it cannot be loaded again from where it was.
        seeds: Networks of each design; their outputs are averaged.
        device: Where to train.

    Returns:
        `look` (1 for the first), `samples`, `pick`, and `designs`: for each its `role` (`picked`, a reference's role, or `front`),
        `digest`, `candidate`, `formula`, `trial`, `values` on the test split, and `search`, the same metrics as the search saw them.

    Raises:
        RunError: The data set has changed, or has no test split.
        LeakError: The data set was given without its test split.

    Example:
        >>> look = confirm("runs/demo", seeds=1)
        >>> look["look"], sorted({design["role"] for design in look["designs"]})[-1]
        (1, 'picked')
    """
    run = run if isinstance(run, Run) else Run(run)
    trials = run.read()
    roles = {"picked": trials.pick(pick), **trials.references} | {f"front {record.number}": record for record in trials.front}
    data = load_choice_data(run, data)
    if not len(data.rows("test")):
        raise RunError(f"data set {data.name!r} has no test split: nothing to confirm on")
    looks = looks_so_far(run)
    found: dict[str, dict[str, float]] = {}
    designs = []
    for role, record in roles.items():
        if role.startswith("front ") and record.candidate in found:
            continue
        choice = read_choice(run, record, data)
        if record.candidate not in found:
            model = refit(data, choice.candidate, epochs=choice.epochs, seeds=seeds, batch_size=choice.batch_size, device=device)
            found[record.candidate] = score_on_test(model, choice, data)
        designs.append(_entry(role.split()[0], record, found[record.candidate]))
    look = {
        "look": len(looks) + 1,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "samples": len(data.rows("test")),
        "warnings": [f"{note.where}: {note.what}" for note in data.notes if note.severity == "warning"],
        "pick": pick,
        "seeds": seeds,
        "designs": designs,
    }
    _write(run.path / CONFIRMATION, {"looks": [*looks, look]})
    return look


def score_on_test(model: DeployedModel, choice: Choice, data: Dataset) -> dict[str, float]:
    """Return the metrics of a deployed model on the rows of the test split; one that is undefined there is left out."""
    rows = data.rows("test")
    parts = []
    with torch.inference_mode():
        for chunk in np.split(rows, range(_CHUNK, len(rows), _CHUNK)):
            raw = raw_values(data, choice.modalities, chunk)
            parts.append(model({name: torch.from_numpy(values) for name, values in raw.items()}).double().numpy())
    outputs = data.task.scored(np.concatenate(parts))
    return {name: value for name, value in score(outputs, data.targets[rows], data.task).items() if np.isfinite(value)}


def looks_so_far(run: Run) -> list[dict[str, Any]]:
    """Return the looks so far, the first one first.

    Raises:
        RunError: `confirm.json` cannot be read.
    """
    path = run.path / CONFIRMATION
    if not path.exists():
        return []
    try:
        looks: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["looks"]
    except (OSError, ValueError, KeyError, TypeError):
        raise RunError(f"cannot read {str(path)!r}, which counts the looks at the test split") from None
    return looks


def _entry(role: str, record: TrialRecord, values: Mapping[str, float]) -> dict[str, Any]:
    return {
        "role": role,
        "digest": record.digest,
        "candidate": record.candidate,
        "formula": record.formula,
        "trial": record.number,
        "values": dict(values),
        "search": {name: record.values[name] for name in values if name in record.values},
    }


def _write(path: Path, document: Mapping[str, Any]) -> None:
    try:
        replace_file(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise RunError(f"cannot write {str(path)!r}: {error.strerror or error}") from None
