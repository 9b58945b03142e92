"""Tasks of published networks that are not predicted here, and why."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["REFUSED"]

#: Name of a task -> why it is refused, as the end of a sentence (decision 0078).
REFUSED: Mapping[str, str] = {
    "detection": (
        "boxes are not predicted: a sample has any number of them, where a target here has as many numbers in every sample, and head and "
        "box loss of the published detector (study 23) are not in what was read of its paper; whether and what is there is `multilabel`"
    ),
}
