"""Parts of designs that fail whatever stands around them: an operator, or an encoder of a modality."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from fusearch.search_space import Candidate
from fusearch.study import kind_of_reason

__all__ = ["Culprits"]


@dataclass
class _Failures:
    """What is kept of the failures of a part: their number, their kinds, the last reason."""

    number: int = 0
    kinds: set[str] = field(default_factory=set)
    last: str = ""

    def add(self, reason: str) -> None:
        self.number += 1
        self.kinds.add(kind_of_reason(reason))
        self.last = reason


class Culprits:
    """Counts what became of the designs that have each part, and says which part fails in all of them.

    A part is to blame once `LIMIT` designs with it failed for one reason, none with it succeeded, and another design did.
    """

    LIMIT = 4

    def __init__(self) -> None:
        self._failures: dict[str, _Failures] = defaultdict(_Failures)
        self._innocent: set[str] = set()

    def count(self, candidate: Candidate, reason: str | None) -> None:
        """Note that a candidate failed for a reason, or (None) succeeded."""
        for part in _parts(candidate):
            if reason is None:
                self._innocent.add(part)
            else:
                self._failures[part].add(reason)

    def blamed(self) -> dict[str, str]:
        """Return part -> what is said of it."""
        return {part: told for part in self._failures if (told := self._say(part)) is not None}

    def blame(self, candidate: Candidate) -> str | None:
        """Say which part of a candidate is to blame before it is evaluated; None where none is."""
        return next((told for part in _parts(candidate) if (told := self._say(part)) is not None), None)

    def _say(self, part: str) -> str | None:
        failures = self._failures.get(part)
        if failures is None or part in self._innocent or not self._innocent or failures.number < self.LIMIT or len(failures.kinds) > 1:
            return None
        return f"{part} failed in all {failures.number} designs that have it: {failures.last.strip().splitlines()[0]}"


def _parts(candidate: Candidate) -> list[str]:
    streams = [f"encoder {stream.encoder!r} of {stream.modality!r}" for stream in candidate.graph.streams]
    return list(dict.fromkeys([*(f"operator {fusion.operator!r}" for fusion in candidate.graph.fusions), *streams]))
