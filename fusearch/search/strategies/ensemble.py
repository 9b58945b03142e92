"""Choose networks by the accuracy of their vote and their diversity, and join them: the strategies of two papers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fusearch.contracts import Evaluator
from fusearch.errors import SpaceError
from fusearch.search.ensembles import DIVERSITIES, SubsetChoice, SubsetRules, SubsetSearch, choose_subset, count_subsets
from fusearch.search.strategies.strategy import Decision, Result, Rounds, check_evaluator
from fusearch.search.strategies.unimodal import collect_predictions, unimodal_candidate, unimodal_streams
from fusearch.search_space import Candidate, Fusion, FusionGraph, Output, Recipe, Stream, Tap, Trunk

if TYPE_CHECKING:
    from fusearch.search_space import SearchSpace
    from fusearch.search_space.design.parts import Training

__all__ = ["LateEnsemble", "ParetoEnsemble"]


@dataclass(frozen=True)
class ParetoEnsemble:
    """Train every unimodal network, choose the subset nearest to the best accuracy and diversity, join it, train it end to end.

    The chosen networks become one `cat` of their class scores with a fully connected head, trained from the unimodal weights. Decisions
    see validation predictions only.

    Attributes:
        subsets: Which subsets are allowed, how they are scored and searched.
        encoders: Names of encoders by modality; None for the paper's four of a table, and every encoder of other kinds.
        recipe: Numbers of training, for the unimodal networks and the joined one.

    References:
        Guarrasi and Soda, "Multi-objective optimization determines when, which and how to fuse deep networks", Computers in Biology and
        Medicine 154 (2023), arXiv 2204.03772.
    """

    subsets: SubsetSearch = field(default_factory=SubsetSearch)
    encoders: Mapping[str, Sequence[str]] | None = None
    recipe: Recipe = field(default_factory=Recipe)

    name: ClassVar[str] = "pareto-ensemble"
    operator: ClassVar[str] = "cat"
    training: ClassVar[Training] = "staged"

    def describe(self) -> dict[str, Any]:
        """Return the settings."""
        encoders = None if self.encoders is None else {name: list(names) for name, names in self.encoders.items()}
        return {"subsets": asdict(self.subsets), "encoders": encoders, "recipe": self.recipe.to_dict()}

    def check(self, space: SearchSpace, evaluator: Evaluator) -> None:
        """Refuse what cannot end well, before anything is trained.

        Raises:
            RunError: The evaluator keeps no weights, or the task is no classification.
            SpaceError: No subset of the candidates keeps the rules.
            UnknownNameError: There is no such diversity or encoder.
        """
        check_evaluator(self.name, evaluator, metric="accuracy", metrics_of="a classification task")
        _ = DIVERSITIES[self.subsets.diversity]
        modalities = [stream.modality for stream in unimodal_streams(space, self.encoders)]
        if count_subsets(modalities, self.subsets.rules) == 0:
            raise SpaceError(f"no subset of the {len(modalities)} unimodal networks keeps the rules {self.subsets.rules}")

    def rounds(self, space: SearchSpace) -> Rounds:
        """Propose the unimodal networks, then the joined one."""
        streams = unimodal_streams(space, self.encoders)
        alone = yield [unimodal_candidate(space, stream, self.recipe) for stream in streams]
        trained = [(stream, result) for stream, result in zip(streams, alone, strict=True) if result.reason is None]
        if not trained:
            raise SpaceError(f"none of the {len(streams)} unimodal networks could be trained: {alone[0].reason}")
        choice = choose_subset(collect_predictions(*zip(*trained, strict=True)), self.subsets)
        chosen = [(stream, result) for stream, result in trained if stream.name in choice.chosen]
        joined = chosen[0][1].candidate
        values = chosen[0][1].values
        reason = None
        if len(chosen) > 1:
            graph = self._join(space, [stream for stream, _ in chosen])
            joined = Candidate(graph, self.recipe, tuple(result.candidate.digest for _, result in chosen))
            (end,) = yield [joined]
            values, reason = end.values, end.reason
        return Decision(joined.digest, self._record(choice, joined, values, reason, streams, alone), _cloud(choice))

    def _join(self, space: SearchSpace, streams: Sequence[Stream]) -> FusionGraph:
        fusion = Fusion("F1", self.operator, tuple(Tap(stream.name, "score") for stream in streams), {}, Trunk("fc", 0))
        return FusionGraph(space.modalities, tuple(streams), (fusion,), (Output(Tap("F1", "L")),), self.training)

    def _record(
        self,
        choice: SubsetChoice,
        joined: Candidate,
        values: Mapping[str, float],
        reason: str | None,
        streams: Sequence[Stream],
        alone: Sequence[Result],
    ) -> dict[str, Any]:
        told = choice.to_dict()
        accuracy = {entry["name"]: entry["accuracy"] for entry in told.pop("candidates")}
        return {
            "chosen": {"digest": joined.graph.digest, "candidate": joined.digest, "formula": str(joined.graph), "values": dict(values)},
            "reason": reason,
            "chosen_on_predictions": True,
            "diversity": self.subsets.diversity,
            "subsets": told,
            "networks": [
                {
                    "name": stream.name,
                    "modality": stream.modality,
                    "digest": result.candidate.graph.digest,
                    "candidate": result.candidate.digest,
                    "accuracy": accuracy.get(stream.name),
                    "taken": stream.name in choice.chosen,
                    "reason": result.reason,
                }
                for stream, result in zip(streams, alone, strict=True)
            ],
        }


@dataclass(frozen=True)
class LateEnsemble(ParetoEnsemble):
    """As `ParetoEnsemble`, with an untrained majority vote in place of the joint training, and odd numbers of networks.

    References:
        Guarrasi, D'Amico, Sicilia, Cordelli and Soda, "Pareto optimization of deep networks for COVID-19 diagnosis from chest X-rays",
        Pattern Recognition 121 (2022).
    """

    subsets: SubsetSearch = field(default_factory=lambda: SubsetSearch(SubsetRules(sizes="odd")))

    name: ClassVar[str] = "late-ensemble"
    operator: ClassVar[str] = "vote_majority"
    training: ClassVar[Training] = "independent"


def _cloud(choice: SubsetChoice) -> dict[str, np.ndarray[Any, Any]]:
    """Return all subsets in the two objectives, as the report draws them."""
    scores = choice.scores
    return {
        "subsets": np.packbits(scores.subsets, axis=1),
        "evaluation": scores.evaluation.astype(np.float32),
        "diversity": scores.diversity.astype(np.float32),
        "front": scores.front,
        "chosen": np.array(scores.chosen),
    }
