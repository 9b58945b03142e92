"""Which subsets of the candidates are allowed, and all of them. Axis letters: S subsets, A candidates."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from fusearch.errors import SpaceError, suggestion

__all__ = ["SubsetRules", "count_subsets", "enumerate_subsets"]

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SubsetRules:
    """Which subsets of the candidates may vote.

    Attributes:
        required: Modalities of which at least one candidate must be in; None for all of them.
        max_per_modality: Most candidates of one modality.
        sizes: `any` number of candidates, or only `odd` ones, so that a vote of two classes never ties.
    """

    required: tuple[str, ...] | None = None
    max_per_modality: int = 3
    sizes: Literal["any", "odd"] = "any"

    def __post_init__(self) -> None:
        if self.max_per_modality < 1:
            raise SpaceError(f"at most {self.max_per_modality} candidates of a modality, expected at least 1")
        if self.sizes not in ("any", "odd"):
            raise SpaceError(f"subset sizes {self.sizes!r}, expected 'any' or 'odd'")

    def limits(self, modalities: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Return the fewest and the most candidates of each modality, in the order in which the modalities first stand.

        Args:
            modalities: Modality of each candidate, (A,).

        Raises:
            SpaceError: A required modality has no candidate.
        """
        counts = {name: list(modalities).count(name) for name in dict.fromkeys(modalities)}
        required = set(counts) if self.required is None else set(self.required)
        for name in sorted(required - set(counts)):
            raise SpaceError(f"no candidate reads the required modality {name!r}: {suggestion(name, counts)}")
        return {name: (int(name in required), min(count, self.max_per_modality)) for name, count in counts.items()}

    def violations(self, subsets_SA: BoolArray, modalities: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return by how many candidates each subset (S,) breaks the rules; 0 where it keeps them."""
        total = np.zeros(len(subsets_SA), dtype=np.int64)
        for name, (fewest, most) in self.limits(modalities).items():
            taken = subsets_SA[:, np.array(modalities) == name].sum(axis=1)
            total += np.maximum(fewest - taken, 0) + np.maximum(taken - most, 0)
        sizes = subsets_SA.sum(axis=1)
        total += sizes == 0
        if self.sizes == "odd":
            total += sizes % 2 == 0
        return total


def count_subsets(modalities: Sequence[str], rules: SubsetRules) -> int:
    """Return how many subsets keep the rules, without listing them.

    Example:
        >>> count_subsets(["image"] * 30 + ["table"] * 4, SubsetRules())
        63350
    """
    even, odd = 1, 0
    for name, (fewest, most) in rules.limits(modalities).items():
        available = list(modalities).count(name)
        ways = [math.comb(available, size) for size in range(most + 1)]
        evens = sum(ways[size] for size in range(fewest, most + 1) if size % 2 == 0)
        odds = sum(ways[size] for size in range(fewest, most + 1) if size % 2 == 1)
        even, odd = even * evens + odd * odds, even * odds + odd * evens
    nothing = int(all(fewest == 0 for fewest, _ in rules.limits(modalities).values()))
    return odd if rules.sizes == "odd" else even + odd - nothing


def enumerate_subsets(modalities: Sequence[str], rules: SubsetRules) -> BoolArray:
    """List every subset that keeps the rules, small ones first.

    Args:
        modalities: Modality of each candidate, (A,).
        rules: What is allowed.

    Returns:
        (S, A) indicators; of equal size, those with earlier candidates first.
    """
    subsets = np.zeros((1, 0), dtype=np.bool_)
    columns: list[int] = []
    for name, (fewest, most) in rules.limits(modalities).items():
        own = [index for index, modality in enumerate(modalities) if modality == name]
        choices = _choices(len(own), fewest, most)
        subsets = np.hstack([np.repeat(subsets, len(choices), axis=0), np.tile(choices, (len(subsets), 1))])
        columns.extend(own)
    ordered = np.empty_like(subsets)
    ordered[:, columns] = subsets
    sizes = ordered.sum(axis=1)
    kept = ordered[(sizes % 2 == 1) if rules.sizes == "odd" else sizes > 0]
    packed = np.packbits(kept, axis=1)
    listed: BoolArray = kept[np.lexsort((*(255 - packed.T[::-1]), kept.sum(axis=1)))]
    return listed


def _choices(available: int, fewest: int, most: int) -> BoolArray:
    """List the ways to take `fewest` to `most` of the candidates of one modality."""
    taken = [combination for size in range(fewest, most + 1) for combination in itertools.combinations(range(available), size)]
    choices = np.zeros((len(taken), available), dtype=np.bool_)
    rows = np.repeat(np.arange(len(taken)), [len(combination) for combination in taken])
    choices[rows, list(itertools.chain.from_iterable(taken))] = True
    return choices
