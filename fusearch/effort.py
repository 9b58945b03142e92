"""What the trainings of a run took: what races spared, what was trained together, what was found trained already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fusearch.study import TrialRecord

__all__ = ["count_loops", "count_races", "count_streams"]


def count_races(raced: Sequence[TrialRecord], folds: int) -> dict[str, Any]:
    """Return what races did.

    `stopped` designs lost against a finished one, and that `saved` a share of the fold trainings; `outrun` recipes lost against others of
    their design, after so many `epochs` (by epoch).

    Args:
        raced: The trials that a race stopped, repeats left out.
        folds: Fold trainings of the trials that were trained to the end.
    """
    stopped = [record.raced for record in raced if "folds" in record.raced]
    spared = sum(each["num_folds"] - each["folds"] for each in stopped)
    asked = folds + sum(each["num_folds"] for each in stopped)
    epochs = Counter(record.raced["epoch"] for record in raced if "epoch" in record.raced)
    return {
        "stopped": len(stopped),
        "saved": spared / asked if spared else 0.0,
        "outrun": epochs.total(),
        "epochs": {str(epoch): epochs[epoch] for epoch in sorted(epochs)},
    }


def count_loops(records: Sequence[TrialRecord]) -> dict[str, int]:
    """Return how many designs were trained one member after the other although a pack was asked for, by cause."""
    return dict(Counter(str(told["loop"]) for told in _told(records, "pack") if "loop" in told))


def count_streams(records: Sequence[TrialRecord]) -> dict[str, int]:
    """Return how many streams were `asked` for alone, and how many of these were `found` among those that the run keeps."""
    return {name: sum(int(told.get(name, 0)) for told in _told(records, "streams")) for name in ("asked", "found")}


def _told(records: Sequence[TrialRecord], detail: str) -> list[Mapping[str, Any]]:
    return [told for record in records if isinstance(told := record.details.get(detail), Mapping)]
