"""Which of two trials is better, and which are as good as the best."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

from fusearch.contracts import Objective, primary
from fusearch.study import TrialRecord, standard_error

__all__ = ["best_of_each", "is_near", "ranked"]


def ranked(records: Sequence[TrialRecord], objectives: Sequence[Objective], criteria: Sequence[Objective] = ()) -> list[TrialRecord]:
    """Return trials best first.

    Args:
        records: The trials.
        objectives: What decides between equals: the primary one, then the others in their order, then the earliest trial.
        criteria: What decides: the sum of the ranks in each of them; left out, the primary objective.
    """
    main = primary(objectives)
    order = [main, *(objective for objective in objectives if objective != main)]
    columns = [[_loss(record, each) for record in records] for each in criteria or (main,)]
    ordered = [sorted(column) for column in columns]
    merits = [sum(bisect_left(each, value) for each, value in zip(ordered, values, strict=True)) for values in zip(*columns, strict=True)]
    keys = [[merit, *(_loss(record, each) for each in order), record.number] for merit, record in zip(merits, records, strict=True)]
    return [record for _, record in sorted(zip(keys, records, strict=True), key=lambda pair: pair[0])]


def best_of_each(ordered: Iterable[TrialRecord], group: Callable[[TrialRecord], str]) -> dict[str, TrialRecord]:
    """Return the first of some ordered trials of each group, the group of the first first."""
    best: dict[str, TrialRecord] = {}
    for record in ordered:
        best.setdefault(group(record), record)
    return best


def is_near(record: TrialRecord, best: TrialRecord, objective: Objective) -> bool:
    """Whether a trial is at most one standard error of the difference behind the best, compared fold by fold.

    The same folds saw the same rows, so what is hard about a fold falls out. Where folds are not told it is the standard error of the best;
    where that is not known either, only what is as good is near.
    """
    ours, theirs = best.by_fold(objective.name), record.by_fold(objective.name)
    error = standard_error([ours[fold] - theirs[fold] for fold in ours if fold in theirs])
    error = (best.standard_error(objective.name) or 0.0) if error is None else error
    return _loss(record, objective) <= _loss(best, objective) + error


def _loss(record: TrialRecord, objective: Objective) -> float:
    """Return the loss of a trial; one without a value comes last."""
    loss = objective.loss(record.value(objective.name))
    return math.inf if math.isnan(loss) else loss
