"""Encoders without stages."""

from __future__ import annotations

import torch

from fusearch.data.modality import Modality
from fusearch.evaluators.encoders.raw import Flatten, Identity


def test_identity_keeps_positions_and_flatten_makes_one_token() -> None:
    modality = Modality("m", "timeseries", (4, 3))
    raw = torch.randn(2, 4, 3)
    torch.testing.assert_close(Identity(modality, 8, 0.0).tokens(raw), raw)
    flat = Flatten(modality, 8, 0.0)
    torch.testing.assert_close(flat.tokens(raw), raw.reshape(2, 1, 12))
    assert (flat.shapes[0].tokens, flat.shapes[0].width) == (1, 12)
