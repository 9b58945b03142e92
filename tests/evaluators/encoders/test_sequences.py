"""Encoders of series and texts."""

from __future__ import annotations

import torch

from fusearch.data.modality import Modality
from fusearch.evaluators.encoders.sequences import GRU, TCN, TextCNN


def test_codes_outside_the_vocabulary_share_the_nearest_entry() -> None:
    network = TextCNN(Modality("note", "text", (3,)), 8, 0.0, vocabulary=4).eval()
    inside, outside = (network.stage(1, network.tokens(torch.tensor([codes]))) for codes in ([0.0, 3.0, 3.0], [-2.0, 3.0, 99.0]))
    torch.testing.assert_close(inside, outside)


def test_a_text_of_embeddings_needs_no_vocabulary() -> None:
    network = TextCNN(Modality("note", "text", (3, 5)), 8, 0.0, stages=1)
    assert not [module for module in network.modules() if isinstance(module, torch.nn.Embedding)]
    assert network.stage(1, network.tokens(torch.randn(2, 3, 5))).shape == (2, 3, 8)


def test_the_dilation_of_a_tcn_doubles_with_each_stage() -> None:
    network = TCN(Modality("ecg", "timeseries", (41, 1)), 8, 0.0, stages=3)
    dilations = [[layer.dilation for layer in stage.layers if isinstance(layer, torch.nn.Conv1d)] for stage in network.stages]
    assert dilations == [[(1,), (1,)], [(2,), (2,)], [(4,), (4,)]]


def test_a_gru_reads_forwards_only() -> None:
    network = GRU(Modality("ehr", "timeseries", (6, 2)), 8, 0.0, layers=1).eval()
    raw = torch.randn(1, 6, 2)
    changed = raw.clone()
    changed[:, 4] += 1
    before, after = (network.stage(1, network.tokens(x)) for x in (raw, changed))
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])
