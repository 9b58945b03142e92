"""The trials of a run as a data frame, a row for every trial."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.study import TrialRecord

if TYPE_CHECKING:
    import pandas as pd

    from fusearch.run import Run

__all__ = ["trials_frame"]


def trials_frame(run: Run | Findings | Path | str) -> pd.DataFrame:
    """Return every trial as a row.

    Columns: `trial`, `state`, `reference`, `on_front`, `digest`, `candidate`, `formula`; each metric and cost with its
    `*_spread` (standard deviation over members) where there is one; `members`, `recipe.*`, `seconds`, `repeat_of`, `more_seeds_of`,
    `reason`.
    """
    return _frame(run if isinstance(run, Findings) else read_findings(run))


def _frame(found: Findings) -> pd.DataFrame:
    import pandas as pd

    names = found.quantities
    spreads = {name for record in found.records for name in record.spread}
    recipe = list(dict.fromkeys(name for record in found.records for name in record.recipe))
    on_front = {record.number for record in found.front}
    rows = [_row(found, record, names, spreads, recipe, record.number in on_front) for record in found.records]
    columns = ["trial", "state", "reference", "on_front", "digest", "candidate", "formula"]
    columns += [column for name in names for column in ((name, f"{name}_spread") if name in spreads else (name,))]
    columns += ["members", *(f"recipe.{name}" for name in recipe), "seconds", "repeat_of", "more_seeds_of", "reason"]
    return pd.DataFrame(rows, columns=columns).astype({"trial": int, "on_front": bool, "repeat_of": "Int64", "more_seeds_of": "Int64"})


def _row(
    found: Findings, record: TrialRecord, names: Sequence[str], spreads: set[str], recipe: Sequence[str], on_front: bool
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "trial": record.number,
        "state": record.state,
        "reference": record.reference or found.roles.get(record.digest),
        "on_front": on_front,
        "digest": record.digest,
        "candidate": record.candidate,
        "formula": record.formula,
        "members": record.num_members if record.state == "complete" else None,
        "seconds": record.seconds,
        "repeat_of": record.repeat_of,
        "more_seeds_of": record.more_seeds_of,
        "reason": record.reason,
    }
    row |= {name: found.value(record, name) for name in names}
    row |= {f"{name}_spread": record.spread.get(name) for name in names if name in spreads}
    return row | {f"recipe.{name}": record.recipe.get(name) for name in recipe}
