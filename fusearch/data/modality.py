"""A modality: one kind of measurement of every sample. Light, so that designs can be written without loading data."""

from __future__ import annotations

from dataclasses import dataclass, field

from fusearch.data.kinds import KINDS, Kind, Layout, loadable_kinds
from fusearch.errors import DataError, suggestion

__all__ = ["Modality"]


@dataclass(frozen=True)
class Modality:
    """One modality of a data set.

    Attributes:
        name: Name in the manifest; the streams of a design refer to it.
        kind: What it is; decides which encoders fit.
        shape: One sample as a network sees it, after preprocessing, with the axes of its kind: tabular (D,), timeseries (T, C),
            image2d (C, H, W), codes of a text or a sequence (T,).
        encoders: The encoders that a search space offers for it where it is told none, as the manifest names them; of none, that of its
            kind. They are no part of what the modality is.

    Raises:
        DataError: The name is no identifier, the kind is not known, or the shape does not fit it.

    Example:
        >>> Modality("ecg", "timeseries", (1000, 12)).shape
        (1000, 12)
    """

    name: str
    kind: str
    shape: tuple[int, ...] = ()
    encoders: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise DataError(f"modality {self.name!r}: expected letters, digits and '_', not starting with a digit")
        if self.kind not in KINDS:
            raise DataError(f"modality {self.name!r}: unknown kind {self.kind!r}, {suggestion(self.kind, loadable_kinds())}")
        if self.shape and not self.entry.fits(self.shape):
            raise DataError(f"modality {self.name!r}: shape {self.shape} does not fit kind {self.kind!r}")

    @property
    def entry(self) -> Kind:
        """The facts of its kind."""
        return KINDS[self.kind]

    @property
    def layout(self) -> Layout:
        """The axes of its shape."""
        return self.entry.layout(self.shape)

    @property
    def positions(self) -> tuple[int, ...]:
        """Sizes of the axes of its positions; empty for a vector, and where the shape is not known."""
        return tuple(self.shape[axis] for axis in self.layout.positions) if self.shape else ()

    @property
    def has_grid(self) -> bool:
        """Whether its positions form a grid: neither a vector nor positions without an order."""
        return self.entry.ordered and bool(self.layout.positions)
