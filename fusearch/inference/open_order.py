"""Which designs of a front, and next to it, are ordered by luck so far: where more seeds may change who stands there."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from statistics import fmean

from fusearch.contracts import Objective
from fusearch.study import TrialRecord, standard_error
from fusearch.trials import Trials

__all__ = ["open_pairs", "order_stands"]


def order_stands(first: TrialRecord, second: TrialRecord, objective: Objective) -> bool:
    """Whether two designs differ in a metric by more than the standard error of their difference, fold by fold.

    It is the rule of `simplest`, both ways. What is not told by fold is no matter of seeds, and stands; with one fold nothing stands.
    """
    ours, theirs = first.by_fold(objective.name), second.by_fold(objective.name)
    if not ours or not theirs:
        return True
    gains = [objective.gain(ours[fold], theirs[fold]) for fold in ours if fold in theirs]
    error = standard_error(gains)
    return error is not None and abs(fmean(gains)) > error


def open_pairs(trials: Trials) -> list[tuple[TrialRecord, TrialRecord]]:
    """Return the pairs of designs whose order by the primary objective does not stand.

    A pair are two neighbours on the front, or a design of the front and one that would be there without it: of a single objective the best
    design and the second, of several what a design beats at its cost.
    """
    front = trials.front
    shown = {record.number for record in front}
    pairs = [*pairwise(front)]
    for record in front:
        rest = replace(trials, records=[each for each in trials.feasible if each.number != record.number])
        pairs += [(record, each) for each in rest.front if each.number not in shown]
    return [pair for pair in pairs if not order_stands(*pair, trials.primary)]
