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

from fusearch.contracts import Outrun
from fusearch.errors import EvaluationError, failure_text
from fusearch.evaluators.network.copies import Copies
from fusearch.evaluators.training.halving import OutrunError, is_rung, worse_half
from fusearch.evaluators.training.member import Member
from fusearch.evaluators.training.members import FoldSamples, MemberSetup, TrainedMember, member_training
from fusearch.evaluators.training.modes import FUSION
from fusearch.evaluators.training.optimization import Fit, reproducible
from fusearch.evaluators.training.phase import Phase, in_turn
from fusearch.evaluators.training.stack import CannotStackError, Stack
from fusearch.evaluators.training.stacked_losses import stackable
from fusearch.search_space import Candidate

__all__ = ["OnPackEpoch", "PackedMember", "train_pack"]

#: Why a member is alone that was in a pack for which there was no memory.
_MEMORY_RAN_OUT = "there is no memory for two members at once"


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
    halving: bool = False,
    **setup: Unpack[MemberSetup],
) -> Iterator[PackedMember]:
    """Train these members of these candidates together, and give them in order: all of the first candidate, then of the second, ...

    With `halving` the members of candidates that leave come first, each candidate's as soon as it leaves, with an `OutrunError`.

    Every member is trained as `train_members` does it, from the same weights on the same rows in the same order; only the noise of dropout
    is drawn for all at once. Whatever the members ask for at the same time and can be stacked is one optimization; what cannot is run
    member by member. A member that fails takes no other with it.

    Args:
        candidates: Designs of one graph and one width; recipes may differ in all else.
        members: Which members of each.
        folds: Gives the prepared rows of a fold.
        on_epoch: Called after each epoch of each member; it may raise to stop all.
        halving: Whether the worse half of the candidates leaves at some epochs of the phase that trains the design as a whole.
        setup: How they are trained and scored.

    Raises:
        EvaluationError: The candidates differ in graph or width.
    """
    if len({(candidate.graph, candidate.recipe.width) for candidate in candidates}) > 1:
        raise EvaluationError("a pack has candidates of several graphs or widths, expected one of each")
    if len(candidates) * len(members) == 1:
        yield _alone(candidates[0], members[0], folds(members[0].fold), on_epoch=on_epoch, **setup)
        return
    device = folds(members[0].fold).train.targets.device
    with reproducible(members[0].stream, threads=setup.get("threads"), device=device), ExitStack() as ending:
        lanes = []
        copies = Copies.worth_it(candidates[0], folds(members[0].fold).task, len(candidates) * len(members))
        for candidate in candidates:
            for member in members:
                listener = _Listener(on_epoch, candidate)
                phases = member_training(candidate, member, folds(member.fold), on_epoch=listener, copies=copies, **setup)
                ending.callback(phases.close)
                lanes.append(_Lane(candidate, member, phases, listener, device))
        shares = _Shares(lanes)
        while alike := _alike(lanes):
            for group in alike:
                still = [(lane, phase) for lane, phase in group if lane.phase is phase]  # others of a candidate may have left since
                for left in _run(still, lanes if halving else ()):
                    yield from shares.settle(left)
    yield from shares.settle([lane for lane in lanes if lane in shares.open])


def _alone(
    candidate: Candidate, member: Member, rows: FoldSamples, *, on_epoch: OnPackEpoch | None, **setup: Unpack[MemberSetup]
) -> PackedMember:
    """Train a member in the plain loop."""
    listener = _Listener(on_epoch, candidate)
    try:
        trained = in_turn(member_training(candidate, member, rows, on_epoch=listener, **setup))
    except Exception as error:
        return PackedMember(candidate, member, listener.failure(error))
    return PackedMember(candidate, member, trained)


class _Listener:
    """Passes the epochs of a member on.

    Args:
        on_epoch: Who listens; it may raise to stop all.
        candidate: Whose member it is.
    """

    def __init__(self, on_epoch: OnPackEpoch | None, candidate: Candidate) -> None:
        self._on_epoch, self._candidate = on_epoch, candidate
        self._raised: Exception | None = None

    def __call__(self, member: Member, phase: str, epoch: int, values: Mapping[str, float], /) -> None:
        try:
            if self._on_epoch is not None:
                self._on_epoch(self._candidate, member, phase, epoch, values)
        except Exception as error:
            self._raised = error
            raise

    def failure(self, error: Exception) -> EvaluationError:
        """Return why a member failed, whatever a layer raised: it takes no other with it.

        Raises:
            Exception: It is what the listener raised to stop all.
        """
        if error is self._raised:
            raise error
        return error if isinstance(error, EvaluationError) else EvaluationError(failure_text(error))


class _Shares:
    """The wall time of members that are trained together: each has its part of the time in which it was among them."""

    def __init__(self, lanes: Sequence[_Lane]) -> None:
        self.open = list(lanes)
        self._count, self._seconds, self._since = len(lanes), 0.0, time.perf_counter()

    def settle(self, lanes: Sequence[_Lane]) -> Iterator[PackedMember]:
        """Give what became of some members, which are then no longer among them."""
        now = time.perf_counter()
        self._seconds, self._since = self._seconds + (now - self._since) / max(1, len(self.open)), now
        self.open = [lane for lane in self.open if lane not in lanes]
        for lane in lanes:
            trained = lane.trained
            if isinstance(trained, TrainedMember):
                trained = replace(trained, seconds=self._seconds, together=self._count, loop=lane.loop, eager=lane.eager)
            yield PackedMember(lane.candidate, lane.member, trained)


class _Lane:
    """The training of one member, under way: what it asks for now, or what it gave. It has its own state of random numbers."""

    def __init__(
        self,
        candidate: Candidate,
        member: Member,
        phases: Generator[Phase, Fit, TrainedMember],
        listener: _Listener,
        device: torch.device,
    ) -> None:
        self.candidate, self.member, self.phases, self.listener, self.device = candidate, member, phases, listener, device
        self.random = self._random()
        self.phase: Phase | None = None
        self.trained: TrainedMember | EvaluationError = EvaluationError("the training has not ended")
        self.loop, self.eager = dict[str, str](), dict[str, str]()
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
            except Exception as error:
                self.phase, self.trained = None, self.listener.failure(error)
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


def _run(
    group: Sequence[tuple[_Lane, Phase]], racing: Sequence[_Lane], reason: str = "no other member asks for the same"
) -> Iterator[Sequence[_Lane]]:
    """Run what some members ask for, together where that is possible, and give the members of each candidate that leaves.

    Where there is no memory for all of them they are run in two halves, and these in halves again.

    Args:
        group: Members, and what they ask for.
        racing: All members, where candidates leave.
        reason: Why a member that is left alone here is run in the loop.
    """
    stack = None
    if len(group) > 1:
        stack, reason = _stack(group)
    if stack is None and reason == _MEMORY_RAN_OUT and len(group) > 1:
        for half in (group[: len(group) // 2], group[len(group) // 2 :]):
            yield from _run([(lane, phase) for lane, phase in half if lane.phase is phase], racing, reason)
        return
    if stack is None:
        for lane, phase in group:
            lane.alone(phase, reason)
        return
    for epoch in stack.epochs():
        for candidate, outrun in _outrun(stack, group, epoch).items() if racing else ():
            error = OutrunError(outrun)
            for at, (lane, _) in enumerate(group):
                if lane.candidate == candidate:
                    stack.leave(at, error)
            gone = [lane for lane in racing if lane.candidate == candidate]
            for lane in gone:
                lane.go_on(error)
            yield gone
    for (lane, phase), fit in zip(group, stack.results(), strict=True):
        if stack.captures.reason is not None:
            lane.eager[phase.name] = stack.captures.reason
        if not isinstance(fit, OutrunError):
            lane.go_on(fit)


def _stack(group: Sequence[tuple[_Lane, Phase]]) -> tuple[Stack | None, str]:
    """Return what some members ask for as one, nothing done yet; or None and why that cannot be."""
    try:
        stack = Stack([phase for _, phase in group])
        stack.probe()
    except CannotStackError as error:
        return None, str(error)
    except torch.OutOfMemoryError:
        return None, _MEMORY_RAN_OUT
    return stack, ""


def _outrun(stack: Stack, group: Sequence[tuple[_Lane, Phase]], epoch: int) -> Mapping[Candidate, Outrun]:
    """Return the candidates that leave after an epoch; none where members are not those of whole designs, or not the same of each."""
    (_, first), *_ = group
    if first.name != FUSION or first.held is None or not is_rung(epoch, first.settings):
        return {}
    members, losses = defaultdict[Candidate, list[Member]](list), defaultdict[Candidate, list[float]](list)
    under_way = set[Candidate]()
    for (lane, _), state, loss in zip(group, stack.states, stack.standing(), strict=True):
        if not isinstance(state.error, OutrunError):
            members[lane.candidate].append(lane.member)
            losses[lane.candidate].append(math.inf if state.error else loss)
            under_way |= {lane.candidate} if state.goes_on else set()
    if len({tuple(each) for each in members.values()}) > 1:
        return {}
    means = {candidate: math.fsum(each) / len(each) for candidate, each in losses.items()}
    worse = worse_half({candidate: mean for candidate, mean in means.items() if math.isfinite(mean)}, epoch)
    return {candidate: outrun for candidate, outrun in worse.items() if candidate in under_way}  # of the others nothing can be saved
