"""What `--pick` names: a design, or a few different ones as a team."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fusearch.inference.claims import team_of
from fusearch.study import TrialRecord
from fusearch.trials import TEAM, Trials

__all__ = ["Picked", "read_pick"]


@dataclass(frozen=True)
class Picked:
    """What a pick is: one design, or several whose mean is taken.

    Attributes:
        records: Their trials.
        values: Metrics and costs as the search saw them, by name; of a team the main objective and the costs.
    """

    records: tuple[TrialRecord, ...]
    values: Mapping[str, float]

    @classmethod
    def alone(cls, record: TrialRecord) -> Picked:
        """Return one design."""
        return cls((record,), record.values)

    @property
    def trial(self) -> int | list[int]:
        """The number of the trial; of a team their numbers."""
        numbers = [record.number for record in self.records]
        return numbers if len(numbers) > 1 else numbers[0]

    @property
    def digest(self) -> str:
        """The digest of the graph; of a team theirs, joined."""
        return "+".join(record.digest for record in self.records)

    @property
    def candidate(self) -> str:
        """The digest of the graph with its recipe; of a team theirs, joined."""
        return "+".join(record.candidate for record in self.records)

    @property
    def formula(self) -> str:
        """The formula; of a team theirs, one below the other."""
        return "\n\n".join(record.formula for record in self.records)


def read_pick(trials: Trials, pick: str) -> Picked:
    """Return what a pick is: a design as for `Run.pick`, or `team`.

    Raises:
        RunError: There is no such design, or no team.
        ObjectiveError: The metric is not among the values.
    """
    if pick != TEAM:
        return Picked.alone(trials.pick(pick))
    team = team_of(trials)
    plain = {} if team.plain is None else {trials.primary.name: team.plain}
    return Picked(tuple(trials.pick(each) for each in team.candidates), {**plain, **team.cost})
