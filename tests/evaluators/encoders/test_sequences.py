"""Encoders of series and texts."""

from __future__ import annotations

import pytest
import torch

from fusearch.data.kinds import KINDS
from fusearch.data.modality import Modality
from fusearch.evaluators.encoders.sequences import GRU, TCN, CodeEmbedding, OneHot, ResNet1D, SequenceTransformer, TextCNN, sinusoids
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.search_space import FusionGraph, Recipe


def test_codes_beyond_those_of_the_kind_share_the_last_entry() -> None:
    network = TextCNN(Modality("s", "sequence", (3,)), 8, 0.0).eval()
    inside, outside = (network.stage(1, network.tokens(torch.tensor([codes]))) for codes in ([2.0, 31.0, 31.0], [2.0, 31.0, 99.0]))
    torch.testing.assert_close(inside, outside)


def test_an_embedding_gives_zeros_behind_the_end_and_has_a_row_for_each_other_code() -> None:
    embedding = CodeEmbedding(KINDS["sequence"].codes, 4)
    assert embedding.table.weight.shape == (31, 4)
    vectors = embedding(torch.tensor([[[0.0], [1.0], [31.0]]]))
    torch.testing.assert_close(vectors[0], torch.stack([torch.zeros(4), embedding.table.weight[0], embedding.table.weight[30]]))


def test_a_one_hot_code_is_a_column_and_the_end_is_zeros() -> None:
    columns = OneHot(KINDS["sequence"].codes)(torch.tensor([[[0.0], [1.0], [31.0], [40.0]]]))
    assert columns.shape == (1, 4, 31)
    assert columns.nonzero().tolist() == [[0, 1, 0], [0, 2, 30], [0, 3, 30]]
    network = GRU(Modality("s", "sequence", (6,)), 8, 0.0, embedding="one_hot")
    assert not [module for module in network.modules() if isinstance(module, torch.nn.Embedding)]
    assert network.stages[0].block.gru.input_size == 31


def test_a_residual_network_of_series_keeps_every_step_and_has_the_widths_of_the_paper() -> None:
    network = ResNet1D(Modality("ecg", "timeseries", (41, 2)), 64, 0.0)
    assert [(shape.tokens, shape.width) for shape in network.shapes] == [(41, 2), (41, 64), (41, 128), (41, 128)]
    kernels = [layer.kernel_size for layer in network.stages[0].layers if isinstance(layer, torch.nn.Conv1d)]
    assert kernels == [(7,), (5,), (3,)]


@pytest.mark.parametrize("name", ["text_cnn", "tcn", "gru", "transformer", "lstm", "resnet1d", "lstm(embedding=one_hot)"])
@pytest.mark.parametrize("pool", ["mean", "attention"])
def test_a_stream_is_moved_by_no_padding(name: str, pool: str) -> None:
    encoder = f"{name[:-1]}, pool={pool})" if name.endswith(")") else f"{name}(pool={pool})"
    raw = torch.tensor([[2.0, 5.0, 3.0, 0.0], [4.0, 1.0, 6.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
    longer, present = torch.nn.functional.pad(raw, (0, 5)), torch.tensor([True, True, False])
    networks = []
    for values in (raw, longer):
        graph = FusionGraph.parse(f"t = note:{encoder}\nt@L ->", modalities=[Modality("note", "text", values.shape[1:])])
        networks.append(FusionNetwork(graph, 3, Recipe(width=8)).eval())
    for parameter in networks[0].parameters():
        torch.nn.init.normal_(parameter)
    networks[1].load_state_dict(networks[0].state_dict())
    short, long = (network({"note": values}, {"note": present}) for network, values in zip(networks, (raw, longer), strict=True))
    torch.testing.assert_close(long, short)
    assert not torch.allclose(short[0], short[1])


def test_a_transformer_tells_the_order_of_steps() -> None:
    network = SequenceTransformer(Modality("s", "sequence", (3,)), 8, 0.0).eval()
    one, other = (network.stage(1, network.tokens(torch.tensor([codes]))).mean(dim=1) for codes in ([2.0, 3.0, 4.0], [4.0, 3.0, 2.0]))
    assert not torch.allclose(one, other)
    assert sinusoids(7, 5).shape == (7, 5)


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
