"""The queue of a study: candidates go in, running trials come out, and what came out is counted."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import optuna
from optuna.samplers import BaseSampler, PartialFixedSampler
from optuna.trial import FrozenTrial, TrialState

from fusearch.search.evolution import EvolutionSampler
from fusearch.search_space import Candidate, FusionGraph, Recipe
from fusearch.study import TrialFacts, enqueue_facts, read_trial, was_given_back, write_trial

if TYPE_CHECKING:
    from fusearch.search_space import SearchSpace

__all__ = ["CandidateQueue", "Proposal", "enqueue", "facts_of"]

#: What the names of parameters begin with that are of the recipe.
_RECIPE = "recipe."


@dataclass(frozen=True)
class Proposal:
    """A running trial of the study with the candidate that it stands for."""

    trial: optuna.Trial
    candidate: Candidate

    @property
    def is_drawn(self) -> bool:
        """Whether the sampler drew it; else it was queued: a reference, a design of the user's, one that a stopped driver left."""
        return "fixed_params" not in self.trial.storage.get_trial_system_attrs(self.trial._trial_id)


def facts_of(candidate: Candidate, role: str | None = None, *, pack: int | None = None, whole: bool = False) -> TrialFacts:
    """Return the facts that describe a candidate in the study; `whole`, where the space cannot rebuild it from a trial's parameters."""
    return TrialFacts(
        formula=str(candidate.graph),
        digest=candidate.graph.digest,
        candidate=candidate.digest,
        recipe=candidate.recipe.to_dict(),
        rebuilt_from=candidate.to_dict() if whole else None,
        reference=role,
        pack=pack,
    )


def enqueue(study: optuna.Study, space: SearchSpace, candidate: Candidate, role: str | None = None, *, pack: int | None = None) -> None:
    """Put a candidate at the end of the study's queue.

    A candidate of the space is queued by its parameters, so that samplers learn from it; one outside the space (a linear
    model where the space has no raw taps, or a candidate that starts from kept weights) is kept as a dict, and its trial has
    no parameters.
    """
    inside = not candidate.start and space.contains(candidate)
    enqueue_facts(study, dict(space.encode(candidate)) if inside else {}, facts_of(candidate, role, pack=pack, whole=not inside))


class CandidateQueue:
    """Candidates on their way into trials: whatever is queued in the study comes first, else what the study's sampler draws.

    Args:
        study: The study; its sampler proposes where nothing is queued.
        space: The search space.

    Attributes:
        references: The reference graphs with their roles, one of each role before the second of any.
        num_proposed: Candidates that came out, those that were answered without an evaluation not counted.
        tries: Digest of a reference graph -> how often it came out.
        size: Number of trials in the study, whatever their state.
    """

    def __init__(self, study: optuna.Study, space: SearchSpace) -> None:
        self._study, self._space = study, space
        self.references = _in_turn(space.references())
        self._roles = {graph.digest: role for role, graph in reversed(self.references)}
        self.tries: Counter[str] = Counter()
        self.num_proposed = 0
        self._known: set[str] = set()
        trials = study.get_trials(deepcopy=False)
        self.size = len(trials)
        for trial in trials:
            held = read_trial(trial)
            if not was_given_back(held.reason) and trial.state != TrialState.WAITING and held.more_seeds_of is None:
                self._count(held)
                if (trial.state == TrialState.PRUNED and not held.raced) or held.repeat_of is not None:
                    self.uncount()

    @property
    def is_empty(self) -> bool:
        """Whether the next candidate comes from the sampler."""
        return not self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,))

    def holds(self, candidate: Candidate) -> bool:
        """Whether a candidate came out before."""
        return candidate.digest in self._known

    def role(self, graph: FusionGraph) -> str | None:
        """Return the role of a reference graph, None for any other."""
        return self._roles.get(graph.digest)

    def put(self, candidate: Candidate) -> None:
        """Put a candidate at the end."""
        enqueue(self._study, self._space, candidate, self.role(candidate.graph))
        self.size += 1

    def put_designs(self, designs: Sequence[FusionGraph | Candidate]) -> None:
        """Put designs of the user's at the end; graphs have the default recipe."""
        for design in designs:
            self.put(design if isinstance(design, Candidate) else Candidate(design, Recipe()))

    def take(self, *, pack: int | None = None) -> Proposal:
        """Return the next candidate as a running trial, described in the study, as one of a pack where it is."""
        trial = self._study.ask()
        self.size = max(self.size, trial.number + 1)
        given = read_trial(trial).rebuilt_from
        candidate = Candidate.from_dict(given) if given is not None else self._space.suggest(trial)
        described = facts_of(candidate, self.role(candidate.graph), pack=pack)
        write_trial(trial, described)
        self._count(described)
        return Proposal(trial, candidate)

    def take_recipe(self, leader: Proposal) -> Proposal | None:
        """Return graph and width of a drawn candidate with a recipe that the study's sampler draws for them, as a running trial.

        None where something else is queued, or the recipe has nothing to draw.
        """
        params = leader.trial.params
        fixed = {name: value for name, value in params.items() if not name.startswith(_RECIPE) or name == f"{_RECIPE}width"}
        if len(fixed) == len(params) or not self.is_empty:
            return None
        sampler = self._study.sampler
        self._study.sampler = _recipe_sampler(fixed, sampler)
        try:
            return self.take(pack=leader.trial.number)
        finally:
            self._study.sampler = sampler

    def take_rest(self, pack: int) -> Proposal | None:
        """Return the next candidate of a pack that a stopped driver left, as a running trial; None where the next one is none of it."""
        waiting = self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        return self.take() if waiting and read_trial(waiting[0]).pack == pack else None

    def uncount(self) -> None:
        """Take back the last candidate from the number that shares are measured by: it was answered without an evaluation."""
        self.num_proposed -= 1

    def _count(self, described: TrialFacts) -> None:
        if not described.candidate:
            return
        self._known.add(described.candidate)
        self.num_proposed += 1
        if described.reference is not None:
            self.tries[described.digest] += 1


class _RecipeSampler(PartialFixedSampler):
    """Draws a recipe for a graph and a width that are given. Our own evolution proposes whole candidates, so here it draws at random."""

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Prepare a trial; the signature is Optuna's."""
        if not isinstance(self._base_sampler, EvolutionSampler):
            super().before_trial(study, trial)


def _recipe_sampler(fixed: dict[str, Any], sampler: BaseSampler) -> BaseSampler:
    with warnings.catch_warnings():
        # Optuna calls it experimental; its version is pinned (decision 0068).
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return _RecipeSampler(fixed, sampler)


def _in_turn(references: Mapping[str, Sequence[FusionGraph]]) -> list[tuple[str, FusionGraph]]:
    """Return a graph of each role, then the second of those that have more, ...: few trials with many modalities meet every role."""
    longest = max(map(len, references.values()), default=0)
    return [(role, graphs[turn]) for turn in range(longest) for role, graphs in references.items() if turn < len(graphs)]
