"""Takes up a journal with damaged lines: what can be read is kept, and what was lost is said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.study import StudyDirection
from optuna.trial import TrialState

from fusearch.errors import RunError
from fusearch.layout import JOURNAL, replace_file
from fusearch.run import Run
from fusearch.search.run_folder import driven, mend_journal
from fusearch.study import TrialFacts, damaged_lines

__all__ = ["Repair", "repair"]

#: Operations of Optuna's journal, by their codes.
_CREATE_STUDY, _CREATE_TRIAL = 0, 4


@dataclass(frozen=True)
class Repair:
    """What a repair did.

    Attributes:
        lost: Numbers of the lines that could not be read.
        placeholders: Trials whose creation was lost; they failed, and keep the numbers of those behind them right.
        kept: Number of lines that were kept.
        backup: Where the damaged journal is; None where nothing was damaged.
    """

    lost: tuple[int, ...]
    placeholders: tuple[int, ...]
    kept: int
    backup: Path | None


def repair(folder: str | Path) -> Repair:
    """Repair the journal of a run, and keep the damaged one beside it.

    A trial has its number by the order of creations: where one of these was lost, an empty trial takes its place, so that what stands
    behind it belongs to the same trials as before. A trial that lost another line has lost that fact alone.

    Raises:
        RunError: There is no journal, the run is driven now, or what is left is no study.
    """
    folder = Path(folder)
    path = folder / JOURNAL
    if not path.is_file():
        raise RunError(f"no journal {JOURNAL!r} in {str(folder)!r} to repair: a study in another storage is repaired by that")
    with driven(folder):
        mend_journal(path)
        lost = damaged_lines(path)
        content = path.read_bytes()
        lines = content.splitlines()
        if not lost:
            return Repair((), (), len(lines), None)
        operations = [None if number in lost else json.loads(line) for number, line in enumerate(lines, start=1)]
        kept, placeholders = _fill(operations, Run(folder))
        backup = _free(folder)
        replace_file(backup, content)
        replace_file(path, "".join(json.dumps(operation, separators=(",", ":")) + "\n" for operation in kept))
        try:
            _ = Run(folder).study.trials
        except RunError as error:
            replace_file(path, content)
            raise RunError(f"what can be read of {str(path)!r} is no study any more ({error}); it was left as it was") from error
    return Repair(tuple(lost), tuple(placeholders), len(lines) - len(lost), backup)


def _fill(operations: Sequence[Mapping[str, Any] | None], run: Run) -> tuple[list[dict[str, Any]], list[int]]:
    """Return the operations that are left, with one in the place of each creation that was lost, and the numbers of those trials."""
    kept: list[dict[str, Any]] = []
    gaps: list[tuple[int, int]] = []  # where a line was lost: its place among those kept, and the trials created before it
    placeholders: list[int] = []
    created = 0
    for operation in operations:
        if operation is None:
            gaps.append((len(kept), created))
            continue
        while "trial_id" in operation and operation["trial_id"] >= created and gaps:
            place, before = gaps.pop(0)  # the first lost line may have been the creation; where it was not, numbers would not fit
            kept.insert(place, _failed_trial(operation))
            placeholders.append(before)
            gaps = [(other + 1, count + 1) for other, count in gaps]
            created += 1
        created += operation["op_code"] == _CREATE_TRIAL
        kept.append(dict(operation))
    if not any(operation["op_code"] == _CREATE_STUDY for operation in kept):
        directions = [StudyDirection[objective.direction.upper()].value for objective in run.objectives]
        name = run.config.get("study", {}).get("name")
        kept.insert(0, {"op_code": _CREATE_STUDY, "worker_id": "repair", "study_name": name, "directions": directions})
    return kept, placeholders


def _failed_trial(near: Mapping[str, Any]) -> dict[str, Any]:
    facts = TrialFacts(reason="lost: its line in the journal was damaged").attributes()
    empty: dict[str, Any] = {"distributions": {}, "params": {}, "user_attrs": facts, "system_attrs": {}, "intermediate_values": {}}
    when = {"datetime_start": near.get("datetime_start"), "state": TrialState.RUNNING.value, "value": None, "values": None}
    return {"op_code": _CREATE_TRIAL, "worker_id": near.get("worker_id", "repair"), "study_id": 0, **when, **empty}


def _free(folder: Path) -> Path:
    """Return a new name for the damaged journal."""
    return next(path for number in range(1, 10_000) if not (path := folder / f"{JOURNAL}.damaged-{number}").exists())
