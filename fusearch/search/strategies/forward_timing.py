"""When to fuse: switch on one fusion after the other, and go on from the weights learned so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from fusearch.contracts import Evaluator, Objective
from fusearch.errors import RunError, SpaceError
from fusearch.inference.kept import NotEstimableError, stack_kept
from fusearch.inference.paired import PairedDifference, holm, paired_difference
from fusearch.search.strategies.strategy import Decision, Result, Rounds, check_evaluator
from fusearch.search.strategies.unimodal import unimodal_candidate
from fusearch.search_space import ENCODERS, OPERATORS, Candidate, Fusion, FusionGraph, Output, Recipe, Stream, Tap, Trunk
from fusearch.search_space.encoders import POOL, default_encoder

if TYPE_CHECKING:
    from fusearch.search_space import SearchSpace

__all__ = ["ForwardTiming"]


@dataclass(frozen=True)
class ForwardTiming:
    """Fixed encoders and a fixed operator; at each stage of the encoders a fusion may be on or off.

    A fusion that is on recalibrates every stream by all the others, and the streams go on through their own encoders; the embeddings are
    joined at the end. Starting with none on, each step tries every fusion that is off, from the weights of the best design so far, and
    beside them a control: the best design itself, trained on for as long. Of the fusions whose validation loss is below that of the better
    of these two by more than chance, it keeps the one of least loss, and it stops where there is none. More than chance: a paired bootstrap
    over the held-out rows, corrected for the number of fusions tried (decision 0085). Compared, in the same run, with each modality alone,
    a late mean, and all fusions on.

    Attributes:
        operator: How streams are recalibrated: an operator that keeps the shape of its first argument.
        encoders: Encoder by modality; None for the default of each kind, in its largest size.
        recipe: Numbers of training.
        max_stages: Most stages at which a fusion may stand; None for as many as the shortest encoder has.

    References:
        Guarrasi, Mogensen, Tassinari, Qvarlander and Soda, "Timing is everything: finding the optimal fusion points in multimodal medical
        imaging" (2025), arXiv 2505.02467.
    """

    operator: str = "film"
    encoders: Mapping[str, str] | None = None
    recipe: Recipe = field(default_factory=Recipe)
    max_stages: int | None = None

    name: ClassVar[str] = "forward-timing"

    def describe(self) -> dict[str, Any]:
        """Return the settings."""
        encoders = None if self.encoders is None else dict(self.encoders)
        return {"operator": self.operator, "encoders": encoders, "recipe": self.recipe.to_dict(), "max_stages": self.max_stages}

    def check(self, space: SearchSpace, evaluator: Evaluator) -> None:
        """Refuse what cannot end well, before anything is trained.

        Raises:
            RunError: The evaluator keeps no weights.
            SpaceError: There is one modality only, or the operator does not keep the shape of a stream.
            UnknownNameError: There is no such operator or encoder.
        """
        check_evaluator(self.name, evaluator, metric="parameters", metrics_of="fusearch's own evaluator")
        operator = OPERATORS[self.operator]
        num_modalities = len(space.modalities)
        if num_modalities < 2:
            raise SpaceError(f"strategy {self.name!r} joins modalities, but the data have {num_modalities}")
        if operator.keeps != "first" or not operator.takes(num_modalities):
            raise SpaceError(
                f"operator {self.operator!r} does not recalibrate one of {num_modalities} streams by the others: expected one that keeps "
                f"the shape of its first argument, such as 'film'"
            )
        self.design(space, tuple(range(1, self._num_stages(space) + 1)))

    def rounds(self, space: SearchSpace) -> Rounds:
        """Propose the comparisons, then step after step."""
        streams = self._streams(space)
        stages = tuple(range(1, self._num_stages(space) + 1))
        late = _join(space, streams, [Tap(stream.name, "score") for stream in streams], operator="vote_mean", training="independent")
        comparisons = {
            "none": Candidate(self.design(space, ()), self.recipe),
            "all": Candidate(self.design(space, stages), self.recipe),
            "late": Candidate(late, self.recipe),
            **{stream.modality: unimodal_candidate(space, stream, self.recipe) for stream in streams},
        }
        found = dict(zip(comparisons, (yield list(comparisons.values())), strict=True))
        best, active = found["none"], tuple[int, ...]()
        if best.reason is not None:
            raise RunError(f"strategy {self.name!r}: the design without a fusion could not be trained: {best.reason}")
        path: list[dict[str, Any]] = []
        while len(active) < len(stages):
            tried = [tuple(sorted((*active, stage))) for stage in stages if stage not in active]
            *results, control = yield [Candidate(self.design(space, on), self.recipe, (best.candidate.digest,)) for on in (*tried, active)]
            without = min(best, control, key=_loss)
            gains = _gains(without, results)
            kept = [index for index, gain in enumerate(gains) if gain is not None and gain["outcome"] == "gain"]
            winner = min(kept, key=lambda index: _loss(results[index]), default=None)
            path.append(
                {
                    "from": list(active),
                    "tried": [
                        {"on": list(on), **_tell(result), "gain": gain} for on, result, gain in zip(tried, results, gains, strict=True)
                    ],
                    "control": {"on": list(active), **_tell(control)},
                    "kept": None if winner is None else list(tried[winner]),
                }
            )
            if winner is None:
                best = without
                break
            best, active = results[winner], tried[winner]
        record = {
            "chosen": {**_tell(best), "formula": str(best.candidate.graph), "values": dict(best.values), "on": list(active)},
            "stages": list(stages),
            "operator": self.operator,
            "path": path,
            "comparisons": {role: _tell(result) for role, result in found.items()},
        }
        return Decision(best.candidate.digest, record)

    def design(self, space: SearchSpace, on: Sequence[int]) -> FusionGraph:
        """Return the design whose fusions at those stages are on.

        Args:
            space: The modalities.
            on: Stages, rising.
        """
        streams = self._streams(space)
        # All tokens of the last stage, not `L`, as the ends of the fusions are not pooled either: one head fits all designs.
        taps = {stream.name: Tap(stream.name, on[0] if on else _length(stream)) for stream in streams}
        fusions = []
        for index, stage in enumerate(on):
            here = dict(taps)
            for stream in streams:
                length = _length(stream)
                ahead = (on[index + 1] if index + 1 < len(on) else length) - stage
                others = [here[other.name] for other in streams if other is not stream]
                trunk = Trunk("continue", stream=stream.name) if ahead else Trunk("fc", 0)
                fusions.append(Fusion(f"{stream.name}_{stage}", self.operator, (here[stream.name], *others), {}, trunk))
                taps[stream.name] = Tap(f"{stream.name}_{stage}", ahead)
        return _join(space, streams, list(taps.values()), fusions=fusions)

    def _streams(self, space: SearchSpace) -> list[Stream]:
        streams = []
        for modality in space.modalities:
            encoder = ENCODERS[(self.encoders or {}).get(modality.name) or default_encoder(modality)]
            sizes = {name: param.choices[-1] for name, param in encoder.params.items() if param.choices and name != POOL}
            streams.append(Stream(modality.name, modality.name, encoder.name, sizes))
        return streams

    def _num_stages(self, space: SearchSpace) -> int:
        shortest = min(_length(stream) for stream in self._streams(space))
        if shortest == 0:
            raise SpaceError(f"strategy {self.name!r}: an encoder has no stage at which a fusion could stand")
        return shortest if self.max_stages is None else min(shortest, self.max_stages)


def _join(
    space: SearchSpace,
    streams: Sequence[Stream],
    taps: Sequence[Tap],
    *,
    fusions: Sequence[Fusion] = (),
    operator: str = "cat",
    training: Any = "joint",
) -> FusionGraph:
    last = Fusion("joined", operator, tuple(taps), {}, Trunk("fc", 0))
    return FusionGraph(space.modalities, tuple(streams), (*fusions, last), (Output(Tap("joined", "L")),), training)


def _length(stream: Stream) -> int:
    return ENCODERS[stream.encoder].num_stages(stream.params)


def _loss_name(result: Result) -> str | None:
    """Return the validation loss by which fusions are kept: log loss, or the root of the mean squared error; None for a failure."""
    return next((name for name in ("log_loss", "rmse") if name in result.values), None)


def _loss(result: Result) -> float:
    name = _loss_name(result)
    return float("inf") if name is None else result.values[name]


def _gains(without: Result, results: Sequence[Result]) -> list[dict[str, Any] | None]:
    """Compare designs with the one without their fusion, row by row; None for one that failed, or that kept no predictions."""
    name = _loss_name(without)
    found = [None if name is None or result.reason is not None else _compared(name, without, result) for result in results]
    corrected = iter(holm([gain.p for gain in found if gain is not None]))
    return [None if gain is None else _told(gain, next(corrected)) for gain in found]


def _compared(name: str, without: Result, result: Result) -> PairedDifference | None:
    try:
        kept = stack_kept([("the design without the fusion", without.arrays), ("the design with it", result.arrays)])
    except NotEstimableError:
        return None
    return paired_difference(Objective.parse(name), kept.targets, *kept.outputs, strata=kept.strata, groups=kept.groups, task=kept.task)


def _told(gain: PairedDifference, p: float) -> dict[str, Any]:
    return {"difference": gain.difference, "interval": list(gain.interval), "p_corrected": p, "outcome": gain.claim(p)}


def _tell(result: Result) -> dict[str, Any]:
    loss = _loss(result)
    return {
        "digest": result.candidate.graph.digest,
        "candidate": result.candidate.digest,
        "loss": loss if loss < float("inf") else None,
        "reason": result.reason,
    }
