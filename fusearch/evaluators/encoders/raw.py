"""Encoders without stages."""

from __future__ import annotations

import math

from torch import Tensor

from fusearch.data.modality import Modality
from fusearch.evaluators.network.encoder_network import StageEncoder, encoder
from fusearch.evaluators.network.operator_layer import TokenShape

__all__ = ["Flatten", "Identity"]


@encoder("identity")
class Identity(StageEncoder):
    """No stage: the raw input is the embedding."""

    def __init__(self, modality: Modality, width: int, dropout: float) -> None:
        super().__init__(modality, width, dropout)


@encoder("flatten")
class Flatten(StageEncoder):
    """No stage: the whole raw sample is one token."""

    def __init__(self, modality: Modality, width: int, dropout: float) -> None:
        super().__init__(modality, width, dropout)
        self.shapes = (TokenShape(1, math.prod(modality.shape)),)

    def tokens(self, raw: Tensor) -> Tensor:
        """Return (B, 1, size of a sample)."""
        return raw.flatten(1).unsqueeze(1)
