"""After a search: more seeds for the designs of the front, and of what is next to it, until their order stands."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
from optuna.samplers import RandomSampler
from optuna.trial import TrialState

from fusearch.errors import EvaluationError
from fusearch.inference.open_order import open_pairs
from fusearch.run import Run
from fusearch.search.interrupts import Interrupts
from fusearch.search.job import Job, Outcome, describe_evaluation
from fusearch.search.joined_seeds import join_arrays, join_facts, next_seed, read_arrays
from fusearch.search.progress import Progress, ProgressCallback
from fusearch.search.run_folder import save_predictions, writing
from fusearch.search_space import Candidate
from fusearch.settings import Settings
from fusearch.study import DIED, NODE_LOST, STOPPED, TrialFacts, TrialRecord, asked_trial, read_trial, readable_reason, write_trial

if TYPE_CHECKING:
    from fusearch.search_space import SearchSpace

__all__ = ["FrontSeeds", "end_rounds"]


@dataclass(frozen=True)
class _Round:
    """A trial in flight that trains a seed more.

    Attributes:
        trial: The trial.
        first: The trial of the design, with what is known of it over all seeds so far.
        candidate: The design.
        seed: Which seed.
    """

    trial: optuna.Trial
    first: TrialRecord
    candidate: Candidate
    seed: int


class FrontSeeds:
    """Gives executors jobs as a session does: rounds in which each design whose order does not stand gets a seed more (decision 0069).

    Each is a trial of its own. What is due is read from the study, so that a run that is resumed goes on where it was.

    Args:
        study: The study, after its search.
        space: The search space, which reads a design from the parameters of its trial.
        settings: How many seeds a design gets at most; budget and time limit of an evaluation.
        folder: The run folder.
        interrupts: A signal stops it.
        progress: Called at each start and each end of a training.

    Attributes:
        stop_reason: Why no more jobs are given, None while they are.
    """

    #: Drivers that may die, and nodes that may be lost, while a seed of a design is trained before it gets no more.
    DEATHS = 2

    def __init__(
        self,
        study: optuna.Study,
        space: SearchSpace,
        *,
        settings: Settings,
        folder: Path,
        interrupts: Interrupts,
        progress: ProgressCallback | None = None,
    ) -> None:
        self._study, self._space, self._settings = study, space, settings
        self._folder, self._interrupts, self._callback = folder, interrupts, progress
        self._run = Run(folder)
        self._due: list[TrialRecord] = []
        self._done, self._started = 0, time.monotonic()
        self._running: dict[int, _Round] = {}
        self.stop_reason: str | None = None

    def begin(self) -> bool:
        """Look what is due, once the search is over; whether anything is."""
        self._study.sampler = RandomSampler()  # nothing is drawn any more, and ours need not look at these trials
        self._due = self._next_round()
        return bool(self._due)

    def next_job(self) -> Job | None:
        """Return a design to train with a seed more, or None: for good once `stop_reason` is set."""
        if self._interrupts.received is not None:
            self.stop_reason = f"interrupted by {self._interrupts.received}"
        if self.stop_reason is not None:
            return None
        if not self._due and not self._running:
            self._due = self._next_round()
            self.stop_reason = None if self._due else "no design gets more seeds"
        if not self._due:
            return None
        with writing(self._folder):
            started = self._start(self._due.pop(0))
        self._running[started.trial.number] = started
        self._tell()
        budget = replace(self._settings.budget, seed=started.seed)
        return Job(started.trial.number, started.candidate, budget, self._settings.trial_time_limit)

    def finish(self, number: int, outcome: Outcome) -> None:
        """Record what became of a job."""
        with writing(self._folder):
            self._finish(self._running.pop(number), outcome)
        self._done += outcome.evaluation is not None
        self._tell()

    def interrupt(self, reason: str) -> None:
        """Stop; what is in flight is due again when the run is resumed."""
        self.stop_reason = reason
        with writing(self._folder):
            for each in self._running.values():
                self._fail(each.trial, STOPPED)
        self._running = {}

    def _next_round(self) -> list[TrialRecord]:
        """Return the designs that get a seed now, best first."""
        self._trials = trials = self._run.read()
        rounds = [record for record in trials.records if record.more_seeds_of is not None]
        spent = Counter(record.more_seeds_of for record in rounds if record.state == "complete")
        deaths = Counter(record.more_seeds_of for record in rounds if record.reason in (DIED, NODE_LOST))
        failed = {record.more_seeds_of for record in rounds if record.state == "failed" and not record.interrupted}
        solved = {digest for digest, graph in trials.graphs.items() if graph.training == "convex"}  # the same with each seed
        designs = {record.number: record for pair in open_pairs(trials) for record in pair}
        return [
            record
            for number, record in designs.items()
            if spent[number] < self._settings.seeds_front
            and deaths[number] < self.DEATHS
            and number not in failed
            and record.digest not in solved
        ]

    def _start(self, first: TrialRecord) -> _Round:
        """Put a trial into the study, whole in one operation, past whatever is queued there."""
        held = self._study.get_trials(deepcopy=False)[first.number]
        given = first.rebuilt_from
        candidate = Candidate.from_dict(given) if given is not None else self._space.decode(held.params)
        facts = replace(read_trial(held).proposed, pack=None, more_seeds_of=first.number)
        template = asked_trial(facts, params=held.params, distributions=held.distributions)
        number = self._study._storage.create_new_trial(self._study._study_id, template_trial=template)
        return _Round(optuna.trial.Trial(self._study, number), first, candidate, next_seed(first))

    def _finish(self, done: _Round, outcome: Outcome) -> None:
        if outcome.seconds is not None:
            write_trial(done.trial, TrialFacts(seconds=round(outcome.seconds, 4)))
        evaluation = outcome.evaluation
        if evaluation is None:
            self._fail(done.trial, NODE_LOST if outcome.node_lost else outcome.reason or "no reason was given")
            return
        told = describe_evaluation(outcome, replace(self._settings.budget, seed=done.seed))
        try:
            joined = join_facts(done.first, told, done.seed)
        except EvaluationError as error:
            self._fail(done.trial, str(error))
            return
        kept = read_arrays(self._folder, done.candidate.digest)
        members = len(done.first.details["members"])
        save_predictions(self._folder, done.candidate.digest, join_arrays(kept, evaluation.arrays, members=members, seed=done.seed))
        write_trial(done.trial, joined)
        self._study.tell(done.trial, [joined.values[name] for name in done.first.objectives])

    def _fail(self, trial: optuna.Trial, reason: str) -> None:
        write_trial(trial, TrialFacts(reason=readable_reason(reason)))
        self._study.tell(trial, state=TrialState.FAIL)

    def _tell(self) -> None:
        """Report how far it is; best and front are those before this round."""
        if self._callback is None:
            return
        trials, counts = self._trials, self._trials.counts
        values = {each: [record.value(each.name) for record in trials.feasible] for each in trials.objectives}
        self._callback(
            Progress(
                done=counts["complete"],
                running=len(self._running),
                failed=counts["failed"],
                raced=counts["raced"],
                repeated=counts["repeated"],
                total=None,
                best={each.name: each.best(found) for each, found in values.items() if found},
                front=len(trials.front),
                seconds=time.monotonic() - self._started,
                more_seeds=self._done,
            )
        )


def end_rounds(study: optuna.Study) -> None:
    """Let the trials of more seeds fail that a driver which was killed left running; what they trained is due again."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if read_trial(trial).more_seeds_of is not None:
            write_trial(optuna.trial.Trial(study, trial._trial_id), TrialFacts(reason=DIED))
            study.tell(trial.number, state=TrialState.FAIL)
