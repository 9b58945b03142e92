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

__all__ = ["Packs", "Wanted", "first_and_rest", "price_of_look", "split", "together", "train_packs"]

#: Of fewer members a pack gains nothing on a CPU, nor where one sample takes more multiply-accumulates: arithmetic then is all there is.
_FEWEST, _MOST_MACS = 4, 500_000

#: Bytes that the rows of a step may keep in a pack, and parameters of all its members: more than these do not stay in a cache.
_MEMORY, _MOST_PARAMETERS = 2**30, 8_000_000

#: Time of a pack, in trainings of a member alone: this much for all, and this much for each of its members (`benchmarks/pack.py`).
_PACK_TIME, _MEMBER_TIME = 2.0, 0.25

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


def price_of_look(first: Packs, rest: Packs, whole: Packs) -> float:
    """Return how likely it must be that a look after the first fold stops a design, for it to spare as much time as it takes.

    It takes time where fewer members are trained together than without it.

    Args:
        first: Packs of the first fold.
        rest: Packs of the other folds.
        whole: Packs of all folds, where nobody looks.
    """
    spared = _time(rest)
    return max(0.0, _time(first) + spared - _time(whole)) / spared if spared else 1.0


def _time(packs: Packs) -> float:
    sizes = [len(candidates) * len(members) for candidates, members in packs]
    return math.fsum(1.0 if size == 1 else _PACK_TIME + _MEMBER_TIME * size for size in sizes)
