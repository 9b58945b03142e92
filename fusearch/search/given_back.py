"""Candidates in flight that nothing is known of, as their driver or their node went: each is queued again, and its trial does not count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import optuna

from fusearch.search.candidate_queue import Proposal, enqueue
from fusearch.study import DIED, NODE_LOST, enqueue_facts, read_trial

if TYPE_CHECKING:
    from fusearch.search_space import SearchSpace

__all__ = ["LOST_FOR_GOOD", "MOST_NODES", "give_back", "give_back_left", "may_come_back"]

#: Nodes that may be lost under a candidate before it fails: it may be what takes them down (decision 0067).
MOST_NODES = 3

#: Why such a candidate fails.
LOST_FOR_GOOD = f"{MOST_NODES} nodes were lost, or the way to them, while it was evaluated; it is not tried again"


def give_back(study: optuna.Study, space: SearchSpace, proposal: Proposal) -> None:
    """Queue the candidate of a proposal again, with its role and its pack."""
    held = read_trial(proposal.trial)
    enqueue(study, space, proposal.candidate, held.reference, pack=held.pack)


def may_come_back(study: optuna.Study, proposal: Proposal) -> bool:
    """Whether a candidate whose node was lost just now is tried again."""
    return _times(study, proposal.candidate.digest, NODE_LOST) + 1 < MOST_NODES


def give_back_left(study: optuna.Study, trial: optuna.trial.FrozenTrial, *, is_inline: bool) -> str:
    """Queue again what a driver that was killed left running, and return the reason by which the trial fails.

    Args:
        study: The study.
        trial: What was left.
        is_inline: Whether it was evaluated in the driver's own process: it is tried twice, as the driver may have died of it.
    """
    held = read_trial(trial)
    if not held.candidate or held.repeat_of is not None:
        return DIED
    if is_inline and _times(study, held.candidate, DIED):
        return "its process died twice while it was evaluated; it is not tried again"
    # A driver that is killed while a queued candidate is suggested leaves only the first of its parameters.
    queued = trial.system_attrs.get("fixed_params", {})
    enqueue_facts(study, {**queued, **trial.params}, held.proposed)
    return DIED


def _times(study: optuna.Study, candidate: str, reason: str) -> int:
    """Return how many trials of a candidate ended for a reason."""
    trials = map(read_trial, study.get_trials(deepcopy=False))
    return sum(held.candidate == candidate and held.reason == reason and held.repeat_of is None for held in trials)
