"""What failed or was not trained, by its cause: reasons that differ in numbers alone are one."""

from __future__ import annotations

from dataclasses import dataclass

from fusearch.reports.findings.findings import Findings
from fusearch.study import State, TrialRecord, kind_of_reason

__all__ = ["FailureGroup", "failed_records", "failure_groups"]


@dataclass(frozen=True)
class FailureGroup:
    """Trials that came to one end.

    Attributes:
        state: `failed` or `pruned`.
        reason: The first line of the first one's reason.
        count: How many there are.
        differ: Whether their reasons differ in numbers.
    """

    state: State
    reason: str
    count: int
    differ: bool

    @property
    def told(self) -> str:
        """The reason, with a word where others differ in numbers."""
        return f"{self.reason} (others with other numbers)" if self.differ else self.reason


def failed_records(found: Findings) -> list[TrialRecord]:
    """Return the trials that failed or were not trained, but not those that were interrupted or lost a race."""
    return [record for record in found.records if record.state in ("failed", "pruned") and not record.interrupted and not record.raced]


def failure_groups(found: Findings) -> list[FailureGroup]:
    """Return them by cause, the most frequent first."""
    groups: dict[tuple[State, str], list[str]] = {}
    for record in failed_records(found):
        first = (record.reason or "no reason was recorded").strip().splitlines()[:1] or ["no reason was recorded"]
        groups.setdefault((record.state, kind_of_reason(record.reason)), []).append(first[0])
    made = [FailureGroup(state, lines[0], len(lines), len(set(lines)) > 1) for (state, _), lines in groups.items()]
    return sorted(made, key=lambda group: -group.count)
