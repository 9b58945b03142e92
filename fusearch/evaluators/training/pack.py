"""Members of candidates of one graph and one width, trained together (decision 0047)."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Protocol, Unpack

import torch

from fusearch.errors import EvaluationError
from fusearch.evaluators.training.member import Member
from fusearch.evaluators.training.members import FoldSamples, MemberSetup, TrainedMember, member_training
from fusearch.evaluators.training.optimization import Fit, reproducible
from fusearch.evaluators.training.phase import Phase
from fusearch.evaluators.training.stack import CannotStackError, Stack, stackable
from fusearch.search_space import Candidate

__all__ = ["OnPackEpoch", "PackedMember", "together", "train_pack"]

#: Of fewer members a pack gains nothing on a CPU, nor where one sample takes more multiply-accumulates: arithmetic then is all there is.
_FEWEST, _MOST_MACS = 5, 500_000

#: Bytes that the rows of a step may keep in a pack, and parameters of all its members: more than these do not stay in a cache.
_MEMORY, _MOST_PARAMETERS = 2**30, 8_000_000


class OnPackEpoch(Protocol):
    """Called after each epoch of each member of each candidate; the epochs of all members are interleaved."""

    def __call__(self, candidate: Candidate, member: Member, phase: str, epoch: int, values: Mapping[str, float], /) -> None: ...


@dataclass(frozen=True)
class PackedMember:
    """What a pack made of one member of one candidate.

    Attributes:
        candidate: The design and its recipe.
        member: Which of its members.
        trained: What its training gave, or why it failed.
    """

    candidate: Candidate
    member: Member
    trained: TrainedMember | EvaluationError


def train_pack(
    candidates: Sequence[Candidate],
    members: Sequence[Member],
    *,
    folds: Callable[[int], FoldSamples],
    on_epoch: OnPackEpoch | None = None,
    **setup: Unpack[MemberSetup],
) -> Iterator[PackedMember]:
    """Train these members of these candidates together, and give them in order: all of the first candidate, then of the second, ...

    Every member is trained as `train_members` does it, from the same weights on the same rows in the same order; only the noise of dropout
    is drawn for all at once. Whatever the members ask for at the same time and can be stacked is one optimization; what cannot is run
    member by member. A member that fails takes no other with it.

    Args:
        candidates: Designs of one graph and one width; recipes may differ in all else.
        members: Which members of each.
        folds: Gives the prepared rows of a fold.
        on_epoch: Called after each epoch of each member; it may raise to stop all.
        setup: How they are trained and scored.

    Raises:
        EvaluationError: The candidates differ in graph or width.
    """
    if len({(candidate.graph, candidate.recipe.width) for candidate in candidates}) > 1:
        raise EvaluationError("a pack has candidates of several graphs or widths, expected one of each")
    start = time.perf_counter()
    whole = [(candidate, member) for candidate in candidates for member in members]
    device = folds(members[0].fold).train.targets.device
    with reproducible(members[0].stream, threads=setup.get("threads"), device=device), ExitStack() as ending:
        lanes = []
        for candidate, member in whole:
            phases = member_training(candidate, member, folds(member.fold), on_epoch=_bind(on_epoch, candidate), **setup)
            ending.callback(phases.close)
            lanes.append(_Lane(phases, device))
        while alike := _alike(lanes):
            for group in alike:
                _run(group)
    seconds = (time.perf_counter() - start) / len(whole)
    for (candidate, member), lane in zip(whole, lanes, strict=True):
        trained = lane.trained
        if isinstance(trained, TrainedMember):
            trained = replace(trained, seconds=seconds, together=len(whole), loop=lane.loop)
        yield PackedMember(candidate, member, trained)


class _Lane:
    """The training of one member, under way: what it asks for now, or what it gave. It has its own state of random numbers."""

    def __init__(self, phases: Generator[Phase, Fit, TrainedMember], device: torch.device) -> None:
        self.phases, self.device = phases, device
        self.random = self._random()
        self.phase: Phase | None = None
        self.trained: TrainedMember | EvaluationError = EvaluationError("the training has not ended")
        self.loop: dict[str, str] = {}
        self._resume(lambda: next(phases))

    def alone(self, phase: Phase, reason: str) -> None:
        """Run what it asks for in the plain loop."""
        self.loop.setdefault(phase.name, reason)

        def run() -> Phase:
            try:
                fit = phase.run()
            except EvaluationError as error:
                return self.phases.throw(error)
            return self.phases.send(fit)

        self._resume(run)

    def go_on(self, fit: Fit | EvaluationError) -> None:
        """Tell it what the optimization did, or why it failed."""
        self._resume(lambda: self.phases.throw(fit) if isinstance(fit, EvaluationError) else self.phases.send(fit))

    def _resume(self, step: Callable[[], Phase]) -> None:
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.set_rng_state(self.random[0])
            if len(self.random) > 1:
                torch.cuda.set_rng_state(self.random[1], self.device)
            try:
                self.phase = step()
            except StopIteration as end:
                self.phase, self.trained = None, end.value
            except EvaluationError as error:
                self.phase, self.trained = None, error
            self.random = self._random()

    def _random(self) -> tuple[torch.Tensor, ...]:
        on_device = (torch.cuda.get_rng_state(self.device),) if self.device.type == "cuda" else ()
        return torch.get_rng_state(), *on_device


def _alike(lanes: Sequence[_Lane]) -> list[list[tuple[_Lane, Phase]]]:
    """Return the members that ask for something, those that ask for the same together."""
    found: dict[Hashable, list[tuple[_Lane, Phase]]] = defaultdict(list)
    for lane in lanes:
        if lane.phase is not None:
            found[stackable(lane.phase)].append((lane, lane.phase))
    return list(found.values())


def _run(group: Sequence[tuple[_Lane, Phase]]) -> None:
    """Run what some members ask for, together where that is possible."""
    reason = "no other member asks for the same"
    if len(group) > 1:
        try:
            fits = Stack([phase for _, phase in group]).run()
        except CannotStackError as error:
            reason = str(error)
        else:
            for (lane, _), fit in zip(group, fits, strict=True):
                lane.go_on(fit)
            return
    for lane, phase in group:
        lane.alone(phase, reason)


def _bind(on_epoch: OnPackEpoch | None, candidate: Candidate) -> Callable[[Member, str, int, Mapping[str, float]], None] | None:
    return None if on_epoch is None else lambda member, phase, epoch, values: on_epoch(candidate, member, phase, epoch, values)


def together(costs: Mapping[str, float], count: int, device: torch.device) -> int:
    """Return how many of `count` members of a design are trained together where nobody says: as many as are never slower (decision 0047).

    Args:
        costs: `parameters`, `macs` and `memory` of the design.
        count: Members that there are.
        device: Where they are trained.
    """
    fit = int(min(_MEMORY // max(costs["memory"], 1), _MOST_PARAMETERS // max(costs["parameters"], 1)))
    if device.type != "cpu" or costs["macs"] > _MOST_MACS or min(fit, count) < _FEWEST:
        return 1
    return math.ceil(count / math.ceil(count / fit))
