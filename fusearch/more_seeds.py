"""Trials that trained more seeds of a design: their values stand in the place of those of the trial that they go on from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from fusearch.study import TrialFacts, TrialRecord, read_trial

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

__all__ = ["count_more_seeds", "designs_of", "seeded_facts", "with_more_seeds"]

Facts = TypeVar("Facts", bound=TrialFacts)

#: Details that such a trial tells of all seeds of its design; the others (worker, pack, ...) are of its own training.
_SEEDED_DETAILS = ("members", "best_epochs", "undefined")


def seeded_facts(first: Facts, latest: TrialFacts) -> Facts:
    """Return the facts of a trial with what is known of its design after more seeds; what its own training took stays.

    Args:
        first: The trial.
        latest: The last of those that trained more seeds of its design.
    """
    known = {name: latest.details[name] for name in _SEEDED_DETAILS if name in latest.details}
    return replace(first, values=latest.values, spread=latest.spread, details={**first.details, **known})


def with_more_seeds(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return trials, repeats too, with the values over all seeds: the first, lucky value of a design stands nowhere any more."""
    latest = {record.more_seeds_of: record for record in records if record.state == "complete" and record.more_seeds_of is not None}

    def found_of(record: TrialRecord) -> TrialRecord | None:
        return latest.get(record.number if record.repeat_of is None else record.repeat_of)

    return [
        replace(seeded_facts(record, found), objectives=found.objectives) if (found := found_of(record)) is not None else record
        for record in records
    ]


def designs_of(trials: Sequence[FrozenTrial]) -> Iterator[tuple[FrozenTrial, FrozenTrial]]:
    """Give each trial of a study, with the one that holds what is known over all seeds; those that trained more seeds are left out."""
    rounds = {trial.number: first for trial in trials if (first := read_trial(trial).more_seeds_of) is not None}
    latest = {first: trials[number] for number, first in rounds.items() if trials[number].state.name == "COMPLETE"}
    yield from ((trial, latest.get(trial.number, trial)) for trial in trials if trial.number not in rounds)


def count_more_seeds(records: Sequence[TrialRecord]) -> dict[str, int]:
    """Return how many `designs` got how many more `seeds`, and how many trainings of a seed `failed`."""
    rounds = [record for record in records if record.more_seeds_of is not None]
    done = [record.more_seeds_of for record in rounds if record.state == "complete"]
    failed = sum(record.state == "failed" and not record.interrupted for record in rounds)
    return {"designs": len(set(done)), "seeds": len(done), "failed": failed}
