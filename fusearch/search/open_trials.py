"""The journal of a run as its driver reads it, and marks in it what it asks for; the mark in a database."""

from __future__ import annotations

import copy
from collections.abc import Container

from optuna.storages import JournalStorage, _CachedStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from fusearch.study import asked_trial

__all__ = ["AskedDatabase", "OpenTrialsJournal"]

_FINISHED = tuple(state for state in TrialState if state.is_finished())


class AskedDatabase(_CachedStorage):
    """What Optuna itself puts before a database; a trial that is asked for carries the mark."""

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Make a trial; the signature is Optuna's."""
        return super().create_new_trial(study_id, template_trial or asked_trial())


class OpenTrialsJournal(JournalStorage):
    """A journal that keeps a list of the trials that are not finished.

    Optuna looks for a queued trial each time it is asked for one, and goes through all trials of the study for it. A finished trial never
    opens again, so that only those need a look that were open before, or are new. A trial that is asked for carries the mark.
    """

    def __init__(self, backend: JournalFileBackend) -> None:
        super().__init__(backend)
        self._open: dict[int, list[int]] = {}
        self._num_seen: dict[int, int] = {}

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """Make a trial; the signature is Optuna's."""
        return super().create_new_trial(study_id, template_trial or asked_trial())

    def get_all_trials(self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None) -> list[FrozenTrial]:
        """Return the trials of a study in one of the states, or all of them; the signature is Optuna's."""
        if states is None or study_id not in self._replay_result._studies or any(state in states for state in _FINISHED):
            return super().get_all_trials(study_id, deepcopy, states)
        with self._thread_lock:
            self._sync_with_backend()
            ids, held = self._replay_result._study_id_to_trial_ids[study_id], self._replay_result._trials
            new = ids[self._num_seen.get(study_id, 0) :]
            self._num_seen[study_id] = len(ids)
            self._open[study_id] = [each for each in [*self._open.get(study_id, []), *new] if not held[each].state.is_finished()]
            found = [held[each] for each in self._open[study_id] if held[each].state in states]
        return copy.deepcopy(found) if deepcopy else found
