"""A modality: one kind of measurement of every sample. Light, so that designs can be written without loading data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from fusearch.errors import DataError, suggestion

__all__ = ["KINDS", "Kind", "Modality"]

Kind = Literal["image2d", "volume3d", "tabular", "timeseries", "text", "sequence", "audio", "video", "graph"]
KINDS: tuple[Kind, ...] = get_args(Kind)

#: Number of axes of one sample. Text and sequence are (tokens,) of integer codes or (tokens, width) of embeddings.
_AXES = {
    "tabular": {1},
    "timeseries": {2},
    "image2d": {3},
    "volume3d": {4},
    "text": {1, 2},
    "sequence": {1, 2},
    "audio": {2},
    "video": {4},
    "graph": {2},
}


@dataclass(frozen=True)
class Modality:
    """One modality of a data set.

    Attributes:
        name: Name in the manifest; the streams of a design refer to it.
        kind: What it is; decides which encoders fit.
        shape: One sample as a network sees it, after preprocessing: tabular (D,), timeseries (T, C), image2d (C, H, W),
            volume3d (C, D, H, W), video (C, T, H, W), audio (T, C), text and sequence (T,) or (T, D), graph (N, D).

    Example:
        >>> Modality("ecg", "timeseries", (1000, 12)).shape
        (1000, 12)
    """

    name: str
    kind: Kind
    shape: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise DataError(f"modality {self.name!r}: expected letters, digits and '_', not starting with a digit")
        if self.kind not in KINDS:
            raise DataError(f"modality {self.name!r}: unknown kind {self.kind!r}, {suggestion(self.kind, KINDS)}")
        if self.shape and (len(self.shape) not in _AXES[self.kind] or min(self.shape) < 1):
            raise DataError(f"modality {self.name!r}: shape {self.shape} does not fit kind {self.kind!r}")
