"""A proposer that lets a strategy decide: its rounds are queued in the study, and the study answers them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from fusearch.layout import DECISION, DECISION_ARRAYS, replace_file
from fusearch.search.candidate_queue import CandidateQueue, Proposal, facts_of
from fusearch.search.run_folder import read_predictions
from fusearch.search.strategies.strategy import Decision, Result, Rounds, Strategy
from fusearch.search_space import Candidate, Recipe
from fusearch.study import enqueue_facts, read_trial, was_given_back

if TYPE_CHECKING:
    from fusearch.search_space import SearchSpace

__all__ = ["StrategyProposer"]


@final
class StrategyProposer:
    """Propose the reference designs, then the rounds of a strategy.

    Everything is read from the study and the predictions beside it, so that a resumed run goes on where it was: the rounds are replayed,
    and what was evaluated answers them. A candidate that failed is not tried again.

    Args:
        queue: The queue of the study.
        study: The study.
        space: The search space.
        strategy: What decides.
        folder: The run folder: predictions are read from it, the decision is written into it.
        with_references: Whether the reference designs are evaluated too, each once, with the default recipe.
    """

    def __init__(
        self, queue: CandidateQueue, study: optuna.Study, space: SearchSpace, *, strategy: Strategy, folder: Path, with_references: bool
    ) -> None:
        self._queue, self._study, self._space = queue, study, space
        self._strategy, self._folder, self._with_references = strategy, folder, with_references
        self._rounds: Rounds | None = None
        self._round: Sequence[Candidate] = ()
        self.decision: Decision | None = None

    @property
    def is_done(self) -> bool:
        """Whether the strategy has decided."""
        return self.decision is not None

    def propose(self) -> Proposal | None:
        """Return the next candidate; None while the strategy waits for results, and after its decision."""
        self.settle()
        return None if self._queue.is_empty else self._queue.take()

    def queue_fresh(self, is_wanted: Callable[[Candidate], bool]) -> bool:
        """Queue nothing: a strategy ends by itself."""
        del is_wanted
        return True

    def settle(self) -> None:
        """Queue what is due, and let the strategy decide as far as the study has the results."""
        trials = _by_digest(self._study)
        if self._with_references:
            for role, graph in self._queue.references:
                self._put(Candidate(graph, Recipe()), trials, role)
        if self._rounds is None:
            self._rounds = self._strategy.rounds(self._space)
            self._round = next(self._rounds)
        while self.decision is None:
            for candidate in self._round:
                self._put(candidate, trials, self._queue.role(candidate.graph))
            if not all(candidate.digest in trials and trials[candidate.digest].state.is_finished() for candidate in self._round):
                return
            results = [self._result(candidate, trials[candidate.digest]) for candidate in self._round]
            try:
                self._round = self._rounds.send(results)
            except StopIteration as end:
                self.decision = end.value
                save_decision(self._folder, self._strategy.name, end.value)

    def _put(self, candidate: Candidate, trials: dict[str, FrozenTrial], role: str | None) -> None:
        """Queue a candidate, whole, unless the study has it."""
        if candidate.digest in trials:
            return
        enqueue_facts(self._study, {}, facts_of(candidate, role, whole=True))
        trials.update({candidate.digest: _by_digest(self._study)[candidate.digest]})

    def _result(self, candidate: Candidate, trial: FrozenTrial) -> Result:
        if trial.state != TrialState.COMPLETE:
            return Result(candidate, reason=read_trial(trial).reason or "no reason was given")
        return Result(candidate, read_trial(trial).values, read_predictions(self._folder, candidate.digest))


def save_decision(folder: Path, name: str, decision: Decision) -> None:
    """Write what a strategy decided: `strategy.json`, and its arrays as `strategy.npz`."""
    document = {"strategy": name, "candidate": decision.chosen, **decision.record}
    if decision.arrays:
        buffer = io.BytesIO()
        arrays: Mapping[str, Any] = decision.arrays
        np.savez_compressed(buffer, **arrays)
        replace_file(folder / DECISION_ARRAYS, buffer.getvalue())
    replace_file(folder / DECISION, json.dumps(document, indent=1, ensure_ascii=False))


def _by_digest(study: optuna.Study) -> dict[str, FrozenTrial]:
    """Return digest of a candidate -> its trial: one with a result before others, the failure of a driver not counted."""
    found: dict[str, FrozenTrial] = {}
    for trial in study.get_trials(deepcopy=False):
        held = read_trial(trial)
        digest = held.candidate
        if not digest or was_given_back(held.reason):
            continue
        if digest not in found or (found[digest].state != TrialState.COMPLETE and trial.state == TrialState.COMPLETE):
            found[digest] = trial
    return found
