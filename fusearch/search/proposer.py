"""Which candidate next: references first and in their share, then the sampler; fresh draws where it repeats itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import optuna
from optuna.trial import TrialState

from fusearch.search_space import Candidate, FusionGraph, Recipe

if TYPE_CHECKING:
    from fusearch.search_space import SearchSpace
from fusearch.study import STOPPED, TrialFacts, enqueue_facts, read_trial, write_trial

__all__ = ["Proposal", "Proposer", "describe", "enqueue"]


@dataclass(frozen=True)
class Proposal:
    """A running trial of the study with the candidate that it stands for."""

    trial: optuna.Trial
    candidate: Candidate


def describe(candidate: Candidate, role: str | None = None, *, whole: bool = False) -> TrialFacts:
    """Return the facts that describe a candidate in the study; `whole`, where the space cannot rebuild it from a trial's parameters."""
    return TrialFacts(
        formula=str(candidate.graph),
        digest=candidate.graph.digest,
        candidate=candidate.digest,
        recipe=candidate.recipe.to_dict(),
        rebuilt_from=candidate.to_dict() if whole else None,
        reference=role,
    )


def enqueue(study: optuna.Study, space: SearchSpace, candidate: Candidate, role: str | None = None) -> None:
    """Put a candidate at the end of the study's queue.

    A candidate of the space is queued by its parameters, so that samplers learn from it; one outside the space (a linear
    model where the space has no raw taps, or a candidate that starts from kept weights) is kept as a dict, and its trial has
    no parameters.
    """
    inside = not candidate.start and space.contains(candidate)
    enqueue_facts(study, dict(space.encode(candidate)) if inside else {}, describe(candidate, role, whole=not inside))


class Proposer:
    """Ask for candidates, one at a time.

    The order: whatever is queued in the study (designs of the user's, candidates of a driver that stopped); each reference
    graph once with the default recipe; then a reference graph with a drawn recipe whenever one of them has had less than its
    part of the references' share, else what the sampler says. The share is kept at every moment, so that a search that is
    stopped early compares fairly too; designs of the sampler's that are reference graphs count for it.

    Args:
        study: The study; its sampler proposes.
        space: The search space.
        share: Share of the evaluations that goes to the reference designs.
        seed: Seed of the drawn recipes and fresh draws.
    """

    #: Draws for a recipe, or a design, that the study does not hold yet, before the source counts as exhausted.
    RECIPE_DRAWS, DESIGN_DRAWS = 20, 1000

    def __init__(self, study: optuna.Study, space: SearchSpace, *, share: float, seed: int) -> None:
        self._study, self._space, self._share, self._seed = study, space, share, seed
        self._references = _in_turn(space.references())
        self._roles = {graph.digest: role for role, graph in reversed(self._references)}
        self._tries: Counter[str] = Counter()
        self._known: set[str] = set()
        self._num_proposed = 0
        for trial in study.get_trials(deepcopy=False):
            held = read_trial(trial)
            if held.reason != STOPPED and trial.state != TrialState.WAITING:
                self._count(held)
                if trial.state == TrialState.PRUNED or held.repeat_of is not None:
                    self.uncount()

    @property
    def num_references(self) -> int:
        """Number of reference graphs."""
        return len(self._references)

    @property
    def is_done(self) -> bool:
        """Whether nothing will be proposed any more."""
        return False

    def settle(self) -> None:
        """Take note of what has finished; a proposer that decides by results does it here."""

    def propose(self) -> Proposal | None:
        """Return the next candidate as a running trial, described in the study; None where none is due now."""
        if not self._is_queued():
            self._queue_reference()
        trial = self._study.ask()
        given = read_trial(trial).rebuilt_from
        candidate = Candidate.from_dict(given) if given is not None else self._space.suggest(trial)
        described = describe(candidate, self._roles.get(candidate.graph.digest))
        write_trial(trial, described)
        self._count(described)
        return Proposal(trial, candidate)

    def queue_fresh(self, is_wanted: Callable[[Candidate], bool]) -> bool:
        """Queue a design, drawn at random, that the study does not hold; False where a thousand draws find none."""
        rng = self._rng()
        for _ in range(self.DESIGN_DRAWS):
            candidate = self._space.sample(rng)
            if candidate.digest not in self._known and is_wanted(candidate):
                enqueue(self._study, self._space, candidate, self._roles.get(candidate.graph.digest))
                return True
        return False

    def queue_designs(self, designs: Sequence[FusionGraph | Candidate]) -> None:
        """Queue designs of the user's, before anything else."""
        for design in designs:
            candidate = design if isinstance(design, Candidate) else Candidate(design, Recipe())
            enqueue(self._study, self._space, candidate, self._roles.get(candidate.graph.digest))

    def uncount(self) -> None:
        """Take back the last proposal from the number that the share is measured by: it was answered without an evaluation."""
        self._num_proposed -= 1

    def _queue_reference(self) -> None:
        """Queue a reference design where one is due."""
        if not self._references:
            return
        role, graph = min(self._references, key=lambda entry: self._tries[entry[1].digest])
        tries = self._tries[graph.digest]
        if tries and tries * len(self._references) >= self._share * (self._num_proposed + 1):
            return
        rng = self._rng()
        recipes = [Recipe()] if not tries else (self._space.sample_recipe(rng) for _ in range(self.RECIPE_DRAWS))
        for recipe in recipes:
            candidate = Candidate(graph, recipe)
            if candidate.digest not in self._known or not tries:
                enqueue(self._study, self._space, candidate, role)
                return
        self._tries[graph.digest] += 1  # its recipes are exhausted: let the others have the share

    def _is_queued(self) -> bool:
        return bool(self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))

    def _rng(self) -> np.random.Generator:
        """Return a generator that depends on the seed and the size of the study alone, so that a resumed run draws anew."""
        return np.random.default_rng([self._seed, len(self._study.get_trials(deepcopy=False)), 1])

    def _count(self, described: TrialFacts) -> None:
        if not described.candidate:
            return
        self._known.add(described.candidate)
        self._num_proposed += 1
        if described.reference is not None:
            self._tries[described.digest] += 1


def _in_turn(references: Mapping[str, Sequence[FusionGraph]]) -> list[tuple[str, FusionGraph]]:
    """Return a graph of each role, then the second of those that have more, ...: few trials with many modalities meet every role."""
    longest = max(map(len, references.values()), default=0)
    return [(role, graphs[turn]) for turn in range(longest) for role, graphs in references.items() if turn < len(graphs)]
