"""A proposer that lets a strategy decide: its rounds are queued in the study, and the study answers them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from fusearch.layout import DECISION, DECISION_ARRAYS, predictions_file, replace_file
from fusearch.search.proposer import Proposal, Proposer, attributes
from fusearch.search.strategies.strategy import Decision, Result, Rounds, Strategy
from fusearch.search_space import Candidate, Recipe
from fusearch.study import STOPPED

if TYPE_CHECKING:
    from fusearch.search_space import SearchSpace

__all__ = ["StrategyProposer"]


class StrategyProposer(Proposer):
    """Propose the reference designs, then the rounds of a strategy.

    Everything is read from the study and the predictions beside it, so that a resumed run goes on where it was: the rounds are replayed,
    and what was evaluated answers them. A candidate that failed is not tried again.

    Args:
        study: The study.
        space: The search space.
        strategy: What decides.
        folder: The run folder: predictions are read from it, the decision is written into it.
        share: Reference designs are evaluated where it is more than 0, each once, with the default recipe.
        seed: Seed of the search.
    """

    def __init__(self, study: optuna.Study, space: SearchSpace, *, strategy: Strategy, folder: Path, share: float, seed: int) -> None:
        super().__init__(study, space, share=share, seed=seed)
        self._strategy, self._folder = strategy, folder
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
        return super().propose() if self._is_queued() else None

    def queue_fresh(self, is_wanted: Callable[[Candidate], bool]) -> bool:
        """Queue nothing: a strategy ends by itself."""
        del is_wanted
        return True

    def settle(self) -> None:
        """Queue what is due, and let the strategy decide as far as the study has the results."""
        trials = _by_digest(self._study)
        if self._share > 0:
            for role, graph in self._references:
                self._queue(Candidate(graph, Recipe()), trials, role)
        if self._rounds is None:
            self._rounds = self._strategy.rounds(self._space)
            self._round = next(self._rounds)
        while self.decision is None:
            for candidate in self._round:
                self._queue(candidate, trials, self._roles.get(candidate.graph.digest))
            if not all(candidate.digest in trials and trials[candidate.digest].state.is_finished() for candidate in self._round):
                return
            results = [self._result(candidate, trials[candidate.digest]) for candidate in self._round]
            try:
                self._round = self._rounds.send(results)
            except StopIteration as end:
                self.decision = end.value
                save_decision(self._folder, self._strategy.name, end.value)

    def _queue(self, candidate: Candidate, trials: dict[str, FrozenTrial], role: str | None) -> None:
        """Queue a candidate, whole, unless the study has it."""
        if candidate.digest in trials:
            return
        described = {**attributes(candidate, role), "candidate": candidate.to_dict()}
        self._study.enqueue_trial({}, user_attrs=described)
        trials.update({candidate.digest: _by_digest(self._study)[candidate.digest]})

    def _result(self, candidate: Candidate, trial: FrozenTrial) -> Result:
        if trial.state != TrialState.COMPLETE:
            return Result(candidate, reason=trial.user_attrs.get("reason", "no reason was given"))
        return Result(candidate, trial.user_attrs["values"], _read_arrays(predictions_file(self._folder, candidate.digest)))


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
        held = trial.user_attrs
        digest = held.get("digest")
        if digest is None or held.get("reason") == STOPPED:
            continue
        if digest not in found or (found[digest].state != TrialState.COMPLETE and trial.state == TrialState.COMPLETE):
            found[digest] = trial
    return found


def _read_arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    if not path.is_file():
        return {}
    with np.load(path) as arrays:
        return {name: arrays[name] for name in arrays.files}
