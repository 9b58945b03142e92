"""Parts of designs that fail whatever stands around them: an operator, or an encoder of a modality."""

from __future__ import annotations

from collections import defaultdict

from fusearch.search_space import Candidate
from fusearch.study import kind_of_reason

__all__ = ["Culprits"]


class Culprits:
    """Counts what became of the designs that have each part, and says which part fails in all of them.

    A part is to blame once `LIMIT` designs with it failed for one reason, none with it succeeded, and another design did.
    """

    LIMIT = 4

    def __init__(self) -> None:
        self._reasons: dict[str, list[str]] = defaultdict(list)
        self._innocent: set[str] = set()

    def count(self, candidate: Candidate, reason: str | None) -> None:
        """Note that a candidate failed for a reason, or (None) succeeded."""
        for part in _parts(candidate):
            if reason is None:
                self._innocent.add(part)
            else:
                self._reasons[part].append(reason)

    def blamed(self) -> dict[str, str]:
        """Return part -> what is said of it."""
        return {part: told for part in self._reasons if (told := self._say(part)) is not None}

    def blame(self, candidate: Candidate) -> str | None:
        """Say which part of a candidate is to blame before it is evaluated; None where none is."""
        return next((told for part in _parts(candidate) if (told := self._say(part)) is not None), None)

    def _say(self, part: str) -> str | None:
        reasons = self._reasons.get(part, [])
        if part in self._innocent or not self._innocent or len(reasons) < self.LIMIT or len({*map(kind_of_reason, reasons)}) > 1:
            return None
        return f"{part} failed in all {len(reasons)} designs that have it: {reasons[-1].strip().splitlines()[0]}"


def _parts(candidate: Candidate) -> list[str]:
    streams = [f"encoder {stream.encoder!r} of {stream.modality!r}" for stream in candidate.graph.streams]
    return list(dict.fromkeys([*(f"operator {fusion.operator!r}" for fusion in candidate.graph.fusions), *streams]))
