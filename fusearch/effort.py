"""What the trainings of a run took: what races spared, what was trained together, what was found trained already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fusearch.layout import STREAMS, folder_bytes
from fusearch.study import TrialRecord

__all__ = ["count_races", "count_trainings"]


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


def count_trainings(records: Sequence[TrialRecord], path: Path | None) -> dict[str, Any]:
    """Return how trials were trained; seeds that came after the search are left out of what is told of packs.

    All members of `packed` trials were trained together. By cause: how many trials were trained one member after the other although a pack
    was asked for (`in_the_loop`), and of how many the steps were not captured on a device where that is done (`not_captured`). So many
    `streams` were `asked` for alone and `found` among those that the run keeps, which take so many `bytes`.

    Args:
        records: Every trial.
        path: The run folder, where there is one.
    """
    packs = _told([record for record in records if record.more_seeds_of is None], "pack")
    streams = _told(records, "streams")
    return {
        "packed": sum("members" in told for told in packs),
        "in_the_loop": dict(Counter(str(told["loop"]) for told in packs if "loop" in told)),
        "not_captured": dict(Counter(str(told["eager"]) for told in packs if "eager" in told)),
        "streams": {
            **{name: sum(int(told.get(name, 0)) for told in streams) for name in ("asked", "found")},
            "bytes": 0 if path is None else folder_bytes(path / STREAMS),
        },
    }


def _told(records: Sequence[TrialRecord], detail: str) -> list[Mapping[str, Any]]:
    return [told for record in records if isinstance(told := record.details.get(detail), Mapping)]
