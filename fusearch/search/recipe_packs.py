"""Which recipes of a design are evaluated in one job."""

from __future__ import annotations

from collections.abc import Iterator

from fusearch.contracts import Evaluator, PackEvaluator
from fusearch.search.candidate_queue import CandidateQueue, Proposal
from fusearch.search_space import Candidate
from fusearch.settings import Settings
from fusearch.study import TrialFacts, read_trial, write_trial

__all__ = ["RecipePacks"]


class RecipePacks:
    """Finds the proposals that go with one: more recipes of a design that the sampler drew, or the rest of a pack that was given back.

    A reference has one recipe at a time, so that the references' share stays theirs at every moment (decision 0053); so has a design that
    was asked for by name, and one that is solved: its recipe changes next to nothing.

    Args:
        queue: The queue of the study.
        evaluator: Asked for the usual number of recipes.
        settings: Its number of recipes counts, where there is one.
    """

    def __init__(self, queue: CandidateQueue, evaluator: Evaluator, settings: Settings) -> None:
        self._queue, self._evaluator, self._settings = queue, evaluator, settings

    def beside(self, proposal: Proposal) -> Iterator[Proposal]:
        """Give the proposals that are evaluated with one, each as a running trial; whoever has enough stops asking."""
        pack = read_trial(proposal.trial).pack
        if pack is not None:
            while (rest := self._queue.take_rest(pack)) is not None:
                yield rest
            return
        candidate = proposal.candidate
        if not proposal.is_drawn or candidate.graph.training == "convex" or self._queue.role(candidate.graph) is not None:
            return
        for _ in range(self.usual(candidate) - 1):
            write_trial(proposal.trial, TrialFacts(pack=proposal.trial.number))
            recipe = self._queue.take_recipe(proposal)
            if recipe is None:
                return
            yield recipe

    def usual(self, candidate: Candidate) -> int:
        """Return how many recipes a design has."""
        if self._settings.recipes is not None:
            return self._settings.recipes
        return self._evaluator.usual_recipes(candidate) if isinstance(self._evaluator, PackEvaluator) else 1
