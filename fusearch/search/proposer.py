"""Which candidate next: references first and in their share, then the sampler; fresh draws where it repeats itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, final

import numpy as np

from fusearch.search.candidate_queue import CandidateQueue, Proposal
from fusearch.search_space import PUBLISHED, Candidate, FusionGraph, Recipe, fitting_designs

if TYPE_CHECKING:
    from fusearch.search_space import SearchSpace

__all__ = ["Proposer", "SamplerProposer", "published_first"]


def published_first(space: SearchSpace) -> tuple[Candidate, ...]:
    """Return the published designs that fit the modalities of a space, each once: two studies may have one network for them.

    Where the paper's numbers belong to its fusion, such as the weight of its losses, the recipe has them.
    """
    fitting = {graph.digest: Candidate(graph, PUBLISHED[key].recipe()) for key, graph in fitting_designs(space.modalities)[0].items()}
    return tuple(fitting.values())


class Proposer(Protocol):
    """Where the candidates of a search come from, one at a time."""

    @property
    def is_done(self) -> bool:
        """Whether nothing will be proposed any more."""
        ...

    def propose(self) -> Proposal | None:
        """Return the next candidate as a running trial; None where none is due before a result, or ever."""
        ...

    def settle(self) -> None:
        """Take note of what has finished; a proposer that decides by results does it here."""
        ...

    def queue_fresh(self, is_wanted: Callable[[Candidate], bool]) -> bool:
        """Queue a design that the study does not hold, where proposals only repeat themselves; False where there is none."""
        ...


@final
class SamplerProposer:
    """Propose what the study's sampler says, and the reference designs in their share.

    The order: whatever is queued in the study (designs of the user's, candidates of a driver that stopped); each reference
    graph once with the default recipe; then a reference graph with a drawn recipe whenever one of them has had less than its
    part of the references' share, else the next of the candidates that come first, each once, else what
    the sampler says. The share is kept at every moment, so that a search that is stopped early compares fairly too; designs of
    the sampler's that are reference graphs count for it.

    Args:
        queue: The queue of the study; the study's sampler proposes.
        space: The search space.
        share: Share of the evaluations that goes to the reference designs.
        seed: Seed of the drawn recipes and fresh draws.
        before: Candidates that come before what the sampler says, such as the published ones.
    """

    #: Draws for a recipe, or a design, that the study does not hold yet, before the source counts as exhausted.
    RECIPE_DRAWS, DESIGN_DRAWS = 20, 1000

    is_done = False

    def __init__(self, queue: CandidateQueue, space: SearchSpace, *, share: float, seed: int, before: Sequence[Candidate] = ()) -> None:
        self._queue, self._space, self._share, self._seed = queue, space, share, seed
        self._before = before

    def propose(self) -> Proposal:
        """Return the next candidate as a running trial, described in the study."""
        if self._queue.is_empty and not self._queue_reference():
            self._queue_before()
        return self._queue.take()

    def settle(self) -> None:
        """Do nothing: the sampler reads the study when it is asked."""

    def queue_fresh(self, is_wanted: Callable[[Candidate], bool]) -> bool:
        """Queue a design, drawn at random, that the study does not hold; False where a thousand draws find none."""
        rng = self._rng()
        for _ in range(self.DESIGN_DRAWS):
            candidate = self._space.sample(rng)
            if not self._queue.holds(candidate) and is_wanted(candidate):
                self._queue.put(candidate)
                return True
        return False

    def _queue_before(self) -> None:
        """Queue the next design that comes before the sampler's."""
        candidate = next((candidate for candidate in self._before if not self._queue.holds(candidate)), None)
        if candidate is not None:
            self._queue.put(candidate)

    def _queue_reference(self) -> bool:
        """Queue a reference design where one is due; whether one was queued."""
        references, tried = self._queue.references, self._queue.tries
        if not references:
            return False
        _role, graph = min(references, key=lambda entry: tried[entry[1].digest])
        tries = tried[graph.digest]
        if tries and tries * len(references) >= self._share * (self._queue.num_proposed + 1):
            return False
        rng = self._rng()
        recipes = [Recipe()] if not tries else (self._draw_recipe(graph, rng) for _ in range(self.RECIPE_DRAWS))
        for recipe in recipes:
            candidate = Candidate(graph, recipe)
            if not self._queue.holds(candidate) or not tries:
                self._queue.put(candidate)
                return True
        tried[graph.digest] += 1  # its recipes are exhausted: let the others have the share
        return False

    def _draw_recipe(self, graph: FusionGraph, rng: np.random.Generator) -> Recipe:
        """Draw a recipe for a reference; of one that a solved model reads, its class weights alone differ from the default."""
        drawn = self._space.sample_recipe(rng)
        return drawn if graph.training != "convex" else replace(Recipe(), class_weights=drawn.class_weights)

    def _rng(self) -> np.random.Generator:
        """Return a generator that depends on the seed and the size of the study alone, so that a resumed run draws anew."""
        return np.random.default_rng([self._seed, self._queue.size, 1])
