"""One training of a design, named: its fold and its seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Member", "make_members"]


@dataclass(frozen=True)
class Member:
    """One training of a design: which fold is held out, and the seed of weights, noise and the order of rows."""

    fold: int
    seed: int

    @property
    def stream(self) -> int:
        """Seed of this member's random numbers, the same for every design, so that comparisons are paired."""
        return int(np.random.SeedSequence([self.seed, self.fold]).generate_state(1)[0])


def make_members(num_folds: int, num_seeds: int, count: int | None = None, *, seed: int | None = None) -> tuple[Member, ...]:
    """Return `count` members (None: all), fold by fold: a fold is done, with all its seeds, before the next one.

    Fewer than all are every fold with the first seed, then with the second, and so on. With a `seed` it is the only one.
    """
    members = [Member(fold, each) for each in (range(num_seeds) if seed is None else (seed,)) for fold in range(num_folds)]
    chosen = members if count is None else members[: max(count, 1)]
    return tuple(sorted(chosen, key=lambda member: (member.fold, member.seed)))
