"""Which members of a design are trained together, and what that takes (decisions 0047 and 0059)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypedDict, Unpack

import torch

from fusearch.errors import EvaluationError
from fusearch.evaluators.training.member import Member
from fusearch.evaluators.training.members import FoldSamples, MemberSetup
from fusearch.evaluators.training.pack import OnPackEpoch, PackedMember, train_pack
from fusearch.search_space import Candidate

__all__ = ["Packs", "Wanted", "estimate_memory", "first_and_rest", "price_of_look", "split", "together", "train_packs"]

#: Of fewer members a pack gains nothing on a CPU, nor where one sample takes more multiply-accumulates: arithmetic then is all there is.
_FEWEST, _MOST_MACS = 4, 400_000

#: Of four members a pack took 0.86 to 1.01 of the loop's speed with 260,000 multiply-accumulates and more, 1.09 to 1.34 below 62,000
#: (`benchmarks/pack.py`).
_FEW, _MOST_MACS_OF_FEW = 5, 125_000

#: Bytes that the rows of a step may keep in a pack, and parameters of all its members: more than these do not stay in a cache.
_MEMORY, _MOST_PARAMETERS = 2**30, 8_000_000

#: Bytes of a parameter of a member on CUDA: in the pack weights, gradient, two moments and the best, and the member's own network. Half of
#: what is free is left to the rows, to temporaries of the backward pass and to what graphs hold apart; it was not measured.
_COPIES, _SHARE = 4 * 6, 0.5

#: Time of a pack, in trainings of a member alone: this much for all, and this much for each of its members (`benchmarks/pack.py`; on CUDA
#: what a prototype took on an H100).
_TIMES = {"cpu": (3.0, 0.22), "cuda": (0.15, 0.001)}

#: Candidates and members of each pack, in order: every one of these members of every one of these candidates.
Packs = list[tuple[tuple[Candidate, ...], tuple[Member, ...]]]


class Wanted(TypedDict):
    """Which designs are trained to the end.

    Attributes:
        halving: Whether the worse half leaves after some epochs of the first pack.
        goes_on: Asked before each pack which designs are still wanted.
    """

    halving: bool
    goes_on: Callable[[Candidate], bool]


def first_and_rest(members: Sequence[Member]) -> tuple[tuple[Member, ...], tuple[Member, ...]]:
    """Return the members of the first fold, and those of the others."""
    first = tuple(member for member in members if member.fold == members[0].fold)
    return first, tuple(member for member in members if member not in first)


def train_packs(
    candidates: Sequence[Candidate],
    groups: Sequence[Sequence[Member]],
    *,
    packs: Callable[[Sequence[Candidate], Sequence[Member]], Packs],
    folds: Callable[[int], FoldSamples],
    on_epoch: OnPackEpoch | None,
    wanted: Wanted,
    **setup: Unpack[MemberSetup],
) -> Iterator[tuple[PackedMember, bool]]:
    """Train the members of designs that differ in their recipes alone, and give each as it is done; of one that ends early, that once.

    With each comes whether it is the last of its candidate in its pack.

    Args:
        candidates: The designs.
        groups: The members of each; no pack holds members of two groups.
        packs: Says which members of a group are trained together.
        folds: Gives the prepared rows of a fold.
        on_epoch: Called after each epoch of each member.
        wanted: Which designs are trained to the end.
        setup: How they are trained and scored.
    """
    ended: set[str] = set()
    halving = wanted["halving"]

    def open_ones(among: Sequence[Candidate]) -> list[Candidate]:
        return [candidate for candidate in among if candidate.digest not in ended and wanted["goes_on"](candidate)]

    for group in groups:
        for designs, members in packs(open_ones(candidates), group):
            left = open_ones(designs)
            for packed in train_pack(left, members, folds=folds, on_epoch=on_epoch, halving=halving, **setup) if left else ():
                if packed.candidate.digest not in ended:
                    ended |= {packed.candidate.digest} if isinstance(packed.trained, EvaluationError) else set()
                    yield packed, packed.member == members[-1]
            halving = halving and len(designs) < 2
        halving = False  # what was not compared in the first fold is not compared later, when races have stopped others


def together(costs: Mapping[str, float], count: int, device: torch.device, *, free: float | None = None) -> int:
    """Return how many of `count` members of a design are trained together where nobody says.

    On a CPU as many as are never slower (decision 0047), on CUDA as many as fit into memory (decision 0066).

    Args:
        costs: `parameters`, `macs` and `memory` of the design.
        count: Members that there are.
        device: Where they are trained.
        free: Bytes that are free there; None: it is asked, where that matters.
    """
    if device.type == "cuda":
        fit = int(_SHARE * (_free_memory(device) if free is None else free) // estimate_memory(costs))
        return math.ceil(count / math.ceil(count / max(fit, 1)))
    fit = int(min(_MEMORY // max(costs["memory"], 1), _MOST_PARAMETERS // max(costs["parameters"], 1)))
    most_macs = _MOST_MACS if min(fit, count) >= _FEW else _MOST_MACS_OF_FEW
    if device.type != "cpu" or costs["macs"] > most_macs or min(fit, count) < _FEWEST:
        return 1
    return math.ceil(count / math.ceil(count / fit))


def estimate_memory(costs: Mapping[str, float]) -> float:
    """Return the bytes that a member takes in a pack on CUDA, from its shapes: what a step keeps, and the copies of its parameters."""
    return max(1.0, costs["memory"] + _COPIES * costs["parameters"])


def _free_memory(device: torch.device) -> float:
    """Return the bytes that are free on a GPU, those included that torch keeps for itself."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def split(candidates: Sequence[Candidate], members: Sequence[Member], most: int) -> Packs:
    """Return which members of which candidates are trained together, in order, so many at most.

    A pack has each of its members for all candidates; where not even one member of each fits, the candidates come one after the other.

    Example:
        >>> [len(candidates) * len(members) for candidates, members in split(["fast", "slow"], range(5), 4)]
        [4, 4, 2]
    """
    if most < len(candidates):
        return [pack for candidate in candidates for pack in split([candidate], members, most)]
    at_once = most // max(1, len(candidates))
    return [(tuple(candidates), tuple(members[start : start + at_once])) for start in range(0, len(members), at_once)]


def price_of_look(first: Packs, rest: Packs, whole: Packs, device: torch.device) -> float:
    """Return how likely it must be that a look after the first fold stops a design, for it to spare as much time as it takes.

    It takes time where fewer members are trained together than without it.

    Args:
        first: Packs of the first fold.
        rest: Packs of the other folds.
        whole: Packs of all folds, where nobody looks.
        device: Where they are trained.
    """
    spared = _time(rest, device)
    return max(0.0, _time(first, device) + spared - _time(whole, device)) / spared if spared else 1.0


def _time(packs: Packs, device: torch.device) -> float:
    sizes = [len(candidates) * len(members) for candidates, members in packs]
    for_all, for_each = _TIMES["cuda" if device.type == "cuda" else "cpu"]
    return math.fsum(1.0 if size == 1 else for_all + for_each * size for size in sizes)
