"""The logic of a search, once for all executors: propose, answer repeats, record, stop."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
from optuna.trial import TrialState

from fusearch.contracts import Evaluation, Evaluator, FoldwiseEvaluator, Objective
from fusearch.errors import EvaluationError, suggestion
from fusearch.inference.race import Race
from fusearch.more_seeds import designs_of, seeded_facts
from fusearch.search.bounds import CheapBounds
from fusearch.search.candidate_queue import CandidateQueue, Proposal
from fusearch.search.culprits import Culprits
from fusearch.search.given_back import LOST_FOR_GOOD, give_back, give_back_left, may_come_back
from fusearch.search.interrupts import Interrupts
from fusearch.search.job import Job, Outcome, describe_evaluation
from fusearch.search.progress import Progress, ProgressCallback, Standing
from fusearch.search.proposer import Proposer, SamplerProposer, published_first
from fusearch.search.races import Races
from fusearch.search.recipe_packs import RecipePacks
from fusearch.search.run_folder import save_predictions, writing
from fusearch.search.strategies.strategy import Strategy
from fusearch.search.strategies.strategy_proposer import StrategyProposer
from fusearch.search_space import Recipe
from fusearch.settings import Pace, Settings
from fusearch.study import (
    DIED,
    NODE_LOST,
    STOPPED,
    TrialFacts,
    is_foreign,
    kind_of_reason,
    read_trial,
    readable_reason,
    was_given_back,
    write_trial,
)

if TYPE_CHECKING:
    from fusearch.search_space import SearchSpace

__all__ = ["Session"]


@dataclass(frozen=True)
class _Answer:
    """What the study holds of a candidate that is complete, or (without objectives) that a race stopped."""

    number: int
    objectives: list[float]
    facts: TrialFacts


class Session:
    """A driver's work on one study. Executors call `next_job` and `finish`; nothing else knows how a search goes.

    Args:
        study: The study, with its sampler.
        space: The search space.
        evaluator: Only its `cheap` is called here.
        objectives: What is optimized.
        settings: Trials, time limit, share of the references, seed.
        folder: The run folder, for predictions.
        interrupts: A signal stops the search.
        strategy: What decides instead of the sampler.
        criteria: What designs are picked by; a race minds it beside the objectives.
        progress: Called at each start and each end of an evaluation.

    Attributes:
        queue: The queue of the study, where designs can be put.
        bounds: What designs cost before they are trained, and which of them are refused.
        published: The published designs that are tried before the sampler proposes.
        stop_reason: Why no more jobs are given, None while they are.
        is_whole: Whether the search came to its own end (all trials done, or the space is exhausted).
    """

    #: Proposals in a row that need no evaluation (repeats, broken bounds) before a design is drawn afresh.
    PATIENCE = 5
    #: Evaluations that fail for one reason, with no success beside them, before a search gives up.
    FAILED_ALIKE = 5

    def __init__(
        self,
        study: optuna.Study,
        space: SearchSpace,
        evaluator: Evaluator,
        *,
        objectives: tuple[Objective, ...],
        settings: Settings,
        folder: Path,
        interrupts: Interrupts,
        strategy: Strategy | None = None,
        criteria: Sequence[Objective] = (),
        progress: ProgressCallback | None = None,
    ) -> None:
        self._study, self._space = study, space
        self._objectives, self._settings, self._folder, self._interrupts = objectives, settings, folder, interrupts
        self._callback = progress
        self._started: float | None = None
        self._running: dict[int, Proposal] = {}
        self._job_of: dict[int, int] = {}
        self._followers: dict[int, list[Proposal]] = {}
        self._answers, self._stopped = dict[str, _Answer](), dict[str, _Answer]()
        self.bounds = CheapBounds(evaluator, objectives, settings)
        self._standing = Standing(objectives)
        self._failed = self._failed_here = self._repeated = self._idle = self._side_by_side = 0
        self._pace = Pace()
        self._last: dict[tuple[str | None, int | None], float] = {}
        self._kinds: set[str] = set()
        self._culprits = Culprits()
        self._refused: dict[str, str] = {}
        self._may_skip = strategy is None  # a strategy waits for each result that it asked for
        has_races = strategy is None and settings.races == "on" and isinstance(evaluator, FoldwiseEvaluator)
        self._races = Races(objectives, criteria) if has_races else None
        self.stop_reason: str | None = None
        self.is_whole = False
        self._recall()
        share, seed = settings.reference_share, settings.seed
        self.queue = CandidateQueue(study, space)
        self._packs = RecipePacks(self.queue, evaluator, settings)
        self.published = published_first(space) if settings.start == "published" else ()
        self._proposer: Proposer = (
            SamplerProposer(self.queue, space, share=share, seed=seed, before=self.published)
            if strategy is None
            else StrategyProposer(self.queue, study, space, strategy=strategy, folder=folder, with_references=share > 0)
        )

    def next_job(self) -> Job | None:
        """Return a candidate to evaluate, or None: for good once `stop_reason` is set.

        Raises:
            RunError: The study cannot be written; so do `finish` and `interrupt`.
        """
        with writing(self._folder):
            job = self._next_job()
        if job is not None:
            self._report()
        return job

    def conclude(self) -> None:
        """Let a strategy decide, where the last results allow it."""
        with writing(self._folder):
            self._proposer.settle()

    def finish(self, number: int, outcome: Outcome) -> None:
        """Record what became of a job, and answer the proposals that waited for it."""
        with writing(self._folder):
            self._finish(number, outcome)
        self._report()

    def interrupt(self, reason: str) -> None:
        """Stop, and give what is in flight back to the queue: the same candidates are proposed first when the run is resumed."""
        self._stop(reason)
        with writing(self._folder):
            for proposal in self._running.values():
                give_back(self._study, self._space, proposal)
            for proposal in [*self._running.values(), *(each for group in self._followers.values() for each in group)]:
                self._fail(proposal.trial, STOPPED)
        self._running, self._job_of, self._followers = {}, {}, {}
        self._report()

    def _next_job(self) -> Job | None:
        while not self._should_stop():
            is_stuck = self._idle >= self.PATIENCE
            if is_stuck and not self._proposer.queue_fresh(self.bounds.allows):
                self._stop("the space is exhausted: a thousand random draws gave no new design within the bounds", whole=True)
                return None
            proposal = self._proposer.propose()
            if proposal is None:
                if self._proposer.is_done:
                    self._stop("the strategy has decided", whole=True)
                return None
            job = self._answer(proposal)
            if job is not None:
                job = self._with_recipes(job, proposal)
                self._job_of |= dict.fromkeys(job.numbers, job.number)
                self._side_by_side = len(set(self._job_of.values()))
                # After a fresh draw the sampler has one try to find something new itself.
                self._idle = self.PATIENCE - 1 if is_stuck else 0
                return job
            self._idle += 1
        return None

    def _finish(self, number: int, outcome: Outcome) -> None:
        proposal, leader = self._running.pop(number), self._job_of.pop(number)
        if outcome.node_lost and may_come_back(self._study, proposal):
            self._try_again(proposal)
            return
        evaluation, reason = outcome.evaluation, LOST_FOR_GOOD if outcome.node_lost else outcome.reason
        if evaluation is not None and outcome.lost is None:
            try:
                values = [self._value(evaluation, objective) for objective in self._objectives]
            except EvaluationError as error:
                evaluation, reason = None, str(error)
        trial = proposal.trial
        if outcome.seconds is not None:
            write_trial(trial, TrialFacts(seconds=round(outcome.seconds, 4)))
            self._time(outcome.place, outcome.seconds, is_alone=read_trial(trial).pack is None)
        reason = None if evaluation is not None or outcome.lost is not None else reason or "no reason was given"
        if reason is None or leader == number:  # recipes of one design that fail are one failure of it
            self._culprits.count(proposal.candidate, reason)
        kept = describe_evaluation(outcome, self._settings.budget)
        if outcome.lost is not None:
            kept = replace(kept, values={}, spread={}, reason=outcome.lost.reason, raced=asdict(outcome.lost))
            write_trial(trial, kept)
            self._study.tell(trial, state=TrialState.PRUNED)
            self._note(proposal.candidate.digest, _Answer(number, [], kept), None)
        elif evaluation is None:
            self._failed += 1
            self._fail(trial, reason or "")
            if leader == number:
                self._count_failure(reason or "")
        else:
            save_predictions(self._folder, proposal.candidate.digest, evaluation.arrays)
            write_trial(trial, kept)
            self._study.tell(trial, values)
            self._note(proposal.candidate.digest, _Answer(number, values, kept), read_trial(trial).reference)
        for follower in self._followers.pop(number, []):
            self._settle(follower, number, reason)

    def _try_again(self, proposal: Proposal) -> None:
        """Give back what a node was lost under: the search goes on, though all its trials were out."""
        give_back(self._study, self._space, proposal)
        for trial in [proposal.trial, *(each.trial for each in self._followers.pop(proposal.trial.number, []))]:
            self._fail(trial, NODE_LOST)
        self.queue.uncount()
        self._idle = 0
        if self.is_whole:
            self.stop_reason, self.is_whole = None, False

    def _answer(self, proposal: Proposal) -> Job | None:
        """Turn a proposal into a job, unless the study, a job in flight or a bound answers it."""
        digest, trial = proposal.candidate.digest, proposal.trial
        answer = self._known(digest)
        if answer is not None:
            self._settle(proposal, answer.number, None)
            return None
        leader = next((number for number, other in self._running.items() if other.candidate.digest == digest), None)
        if leader is not None:
            write_trial(trial, TrialFacts(repeat_of=leader))
            self._followers.setdefault(leader, []).append(proposal)
            self.queue.uncount()
            return None
        broken = self.bounds.broken(proposal.candidate)
        role = read_trial(trial).reference
        if broken is not None and role is not None and proposal.candidate.recipe == Recipe():
            self._refused.setdefault(proposal.candidate.graph.digest, f"the reference {role!r} is not trained: {broken}")
        broken = broken or (self._culprits.blame(proposal.candidate) if self._may_skip else None)
        if broken is not None:
            write_trial(trial, TrialFacts(reason=broken))
            self._study.tell(trial, state=TrialState.PRUNED)
            self.queue.uncount()
            return None
        self._running[trial.number] = proposal
        self._started = self._started if self._started is not None else time.monotonic()
        return Job(trial.number, proposal.candidate, self._settings.budget, self._settings.trial_time_limit, self._race(proposal, role))

    def _with_recipes(self, job: Job, proposal: Proposal) -> Job:
        """Return a job with those that are evaluated with it: as many as trials are left, at most."""
        siblings: list[Job] = []
        packed = self._packs.beside(proposal) if self._may_skip else iter(())
        while not self._should_stop() and (other := next(packed, None)) is not None:
            siblings += filter(None, [self._answer(other)])
        return replace(job, siblings=tuple(siblings), halving=bool(siblings) and proposal.is_drawn)

    def _race(self, proposal: Proposal, role: str | None) -> Race | None:
        """Return what a candidate races against; what was asked for by name is trained to the end, references above all."""
        if self._races is None or role is not None or not proposal.is_drawn:
            return None
        return self._races.race(self.bounds.costs(proposal.candidate))

    def _known(self, digest: str) -> _Answer | None:
        return self._answers.get(digest) or self._stopped.get(digest)

    def _note(self, digest: str, answer: _Answer, role: str | None) -> None:
        """Take note of a candidate that is complete or that a race stopped, with its role as a reference."""
        (self._answers if answer.objectives else self._stopped)[digest] = answer
        if answer.objectives:
            self._standing.add(answer.objectives)
        if self._races is not None:
            self._races.add(answer.number, answer.objectives, answer.facts, is_reference=role is not None)

    def _settle(self, proposal: Proposal, leader: int, reason: str | None) -> None:
        """Answer a repeat with what its leader found."""
        trial = proposal.trial
        if read_trial(trial).repeat_of is None:
            write_trial(trial, TrialFacts(repeat_of=leader))
            self.queue.uncount()
        self._repeated += 1
        answer = self._known(proposal.candidate.digest)
        if answer is None:
            self._fail(trial, reason or "no reason was given")
            return
        write_trial(trial, answer.facts)
        if answer.objectives:
            self._study.tell(trial, answer.objectives)
        else:
            self._study.tell(trial, state=TrialState.PRUNED)

    def _value(self, evaluation: Evaluation, objective: Objective) -> float:
        if objective.name not in evaluation:
            raise EvaluationError(f"the evaluator returned no {objective.name!r}: {suggestion(objective.name, sorted(evaluation))}")
        return evaluation[objective.name]

    def _fail(self, trial: optuna.Trial, reason: str) -> None:
        write_trial(trial, TrialFacts(reason=readable_reason(reason)))
        self._study.tell(trial, state=TrialState.FAIL)

    def _count_failure(self, reason: str) -> None:
        """Stop where nothing has succeeded and all failures are of one kind: the next would fail too."""
        self._failed_here += 1
        self._kinds.add(kind_of_reason(reason))
        if not self._answers and self._failed_here >= self.FAILED_ALIKE and len(self._kinds) == 1:
            self._stop(f"the first {self._failed_here} evaluations failed alike: {readable_reason(reason).strip().splitlines()[0]}")

    def _should_stop(self) -> bool:
        if self.stop_reason is None:
            limit, asked = self._settings.time_limit, self._settings.trials
            if self._interrupts.received is not None:
                self._stop(f"interrupted by {self._interrupts.received}")
            elif asked is not None and self._num_done + len(self._running) >= asked:
                self._stop(f"{asked} trials are done", whole=True)
            elif limit is not None and self._elapsed() >= limit:
                self._stop(f"the time limit of {limit:g} seconds is reached")
        return self.stop_reason is not None

    @property
    def _num_done(self) -> int:
        """Evaluations that are over: those that failed, and those that a race stopped, count too."""
        return len(self._answers) + len(self._stopped) + self._failed

    def _elapsed(self) -> float:
        """Return the seconds since the first evaluation was given out: what Ray needs to start does not count."""
        return 0.0 if self._started is None else time.monotonic() - self._started

    def _time(self, worker: tuple[str | None, int | None], seconds: float, *, is_alone: bool) -> None:
        """Note how long a trial took its worker: from the end of the one before, so that what lies between them counts.

        Those of a pack end at about the same time, and each has its part of it.
        """
        now = time.monotonic()
        self._pace.add(worker, now - self._last[worker] if is_alone and worker in self._last else seconds)
        self._last[worker] = now

    def _stop(self, reason: str, *, whole: bool = False) -> None:
        if self.stop_reason is None or not whole:
            self.stop_reason, self.is_whole = reason, whole

    def _recall(self) -> None:
        """Take up the study where an earlier driver left it; nothing of it stays RUNNING. What is foreign is left alone."""
        for trial, latest in designs_of(self._study.get_trials(deepcopy=False)):
            if is_foreign(trial):
                continue
            held = read_trial(trial)
            if trial.state == TrialState.RUNNING:
                self._give_back(trial)
            elif not held.candidate:
                continue  # what it stood for is lost: by a kill, or with a line of the journal
            elif trial.state == TrialState.COMPLETE and held.repeat_of is None:
                known = held if latest is trial else seeded_facts(held, read_trial(latest))
                self._note(held.candidate, _Answer(trial.number, latest.values, known.found), held.reference)
            elif trial.state == TrialState.PRUNED and held.repeat_of is None and held.raced:
                self._note(held.candidate, _Answer(trial.number, [], held.found), None)
            elif trial.state == TrialState.FAIL and held.repeat_of is None and not was_given_back(held.reason):
                self._failed += 1
            self._repeated += held.repeat_of is not None and trial.state.is_finished()

    def _give_back(self, trial: optuna.trial.FrozenTrial) -> None:
        reason = give_back_left(self._study, trial, is_inline=self._settings.executor == "inline")
        self._failed += reason != DIED
        write_trial(optuna.trial.Trial(self._study, trial._trial_id), TrialFacts(reason=reason))
        self._study.tell(trial.number, state=TrialState.FAIL)

    def _report(self) -> None:
        if self._callback is None:
            return
        now, done = self._elapsed(), len(self._answers)
        self._callback(
            Progress(
                blamed=tuple(self._culprits.blamed().values()),
                refused=tuple(self._refused.values()),
                done=done,
                running=len(self._running),
                failed=self._failed,
                raced=len(self._stopped),
                repeated=self._repeated,
                total=self._settings.trials,
                best=dict(self._standing.best),
                front=self._standing.front,
                seconds=now,
                seconds_left=self._settings.seconds_left(now, self._num_done, self._pace, self._side_by_side),
            )
        )
