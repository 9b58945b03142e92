"""From predictions to the chosen subset: list the subsets or, above a limit, evolve them; score; choose."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from fusearch.search.ensembles.nsga2 import evolve_subsets
from fusearch.search.ensembles.predictions import Predictions
from fusearch.search.ensembles.scores import OnScored, SubsetScores, score_subsets
from fusearch.search.ensembles.subsets import SubsetRules, count_subsets, enumerate_subsets
from fusearch.search.ensembles.voting import Ties

__all__ = ["MAX_EXHAUSTIVE", "SubsetChoice", "SubsetSearch", "choose_subset"]

#: More subsets than this are evolved; so many are scored in a few seconds.
MAX_EXHAUSTIVE = 1_000_000


@dataclass(frozen=True)
class SubsetSearch:
    """How subsets are searched.

    Attributes:
        rules: Which subsets are allowed.
        diversity: Name of the measure in `DIVERSITIES`.
        ties: How the tie of a vote is broken.
        max_exhaustive: Most subsets to list; above it NSGA-II searches them.
        evaluations: Subsets that NSGA-II tries.
        seed: Seed of NSGA-II.
    """

    rules: SubsetRules = field(default_factory=SubsetRules)
    diversity: str = "correlation"
    ties: Ties = "probability"
    max_exhaustive: int = MAX_EXHAUSTIVE
    evaluations: int = 40_000
    seed: int = 0


@dataclass(frozen=True, eq=False)
class SubsetChoice:
    """What was decided, and from what.

    Attributes:
        predictions: The candidates and what they predicted.
        scores: The subsets with their objectives.
        method: Whether the subsets were listed or evolved.
        total: How many subsets the rules allow.
    """

    predictions: Predictions
    scores: SubsetScores
    method: Literal["exhaustive", "nsga2"]
    total: int

    def names(self, subset: int) -> tuple[str, ...]:
        """Return the names of the candidates of a subset, in the candidates' order."""
        return tuple(name for name, taken in zip(self.predictions.names, self.scores.subsets[subset], strict=True) if taken)

    @property
    def chosen(self) -> tuple[str, ...]:
        """Names of the candidates of the chosen subset."""
        return self.names(self.scores.chosen)

    def to_dict(self) -> dict[str, Any]:
        """Return the decision as JSON: the chosen subset, the front, and each candidate's accuracy."""
        scores = self.scores

        def entry(subset: int) -> dict[str, Any]:
            return {
                "members": list(self.names(subset)),
                "evaluation": float(scores.evaluation[subset]),
                "diversity": float(scores.diversity[subset]),
                "distance": float(scores.distances[subset]),
            }

        return {
            "method": self.method,
            "subsets": len(scores),
            "allowed": self.total,
            "chosen": entry(scores.chosen),
            "front": [entry(int(index)) for index in scores.front],
            "candidates": [
                {"name": name, "modality": modality, "accuracy": float(accuracy)}
                for name, modality, accuracy in zip(
                    self.predictions.names, self.predictions.modalities, self.predictions.accuracies, strict=True
                )
            ],
        }


def choose_subset(predictions: Predictions, search: SubsetSearch | None = None, *, progress: OnScored | None = None) -> SubsetChoice:
    """Choose the subset of candidates to join: nearest to the best accuracy and the best diversity (Guarrasi and Soda 2023).

    Args:
        predictions: Validation predictions of every candidate.
        search: How the subsets are searched; by default as in the paper.
        progress: `progress(done, total)`; it may raise to stop.

    Raises:
        SpaceError: No subset of the candidates keeps the rules.
    """
    search = search or SubsetSearch()
    total = count_subsets(predictions.modalities, search.rules)
    if total <= search.max_exhaustive:
        subsets_SA = enumerate_subsets(predictions.modalities, search.rules)
        scores = score_subsets(predictions, subsets_SA, diversity=search.diversity, ties=search.ties, progress=progress)
        return SubsetChoice(predictions, scores, "exhaustive", total)
    scores = evolve_subsets(
        predictions,
        search.rules,
        diversity=search.diversity,
        ties=search.ties,
        evaluations=search.evaluations,
        seed=search.seed,
        progress=progress,
    )
    return SubsetChoice(predictions, scores, "nsga2", total)
