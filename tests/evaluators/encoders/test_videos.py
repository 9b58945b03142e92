"""Encoders of films; that what is behind the last frame moves nothing is a law of every encoder that masks."""

from __future__ import annotations

import torch

from fusearch.data.modality import Modality
from fusearch.evaluators.encoders.videos import FrameGRU, R2Plus1D, SplitConvBlock
from fusearch.evaluators.network.operator_layer import TokenShape

FILM = Modality("gait", "video", (2, 5, 6, 4))


def test_grids() -> None:
    assert [shape.grid for shape in FrameGRU(FILM, 4, 0.0, stages=2).shapes] == [(5, 6, 4), (5, 3, 2), (5, 2, 1), (5,)]
    assert [shape.grid for shape in R2Plus1D(FILM, 4, 0.0, stages=2).shapes] == [(5, 6, 4), (3, 3, 2), (2, 2, 1)]


def test_a_frame_is_seen_by_itself_until_the_gru_which_reads_forwards() -> None:
    network = FrameGRU(FILM, 8, 0.0, stages=1).eval()
    raw = torch.randn(1, *FILM.shape)
    changed = raw.clone()
    changed[:, :, 3] += torch.randn(1, 2, 6, 4)
    (_, conv, gru), (_, other_conv, other_gru) = network.states(raw, 2), network.states(changed, 2)
    moved = (conv != other_conv).any(dim=2).reshape(5, -1).any(dim=1)
    assert moved.tolist() == [False, False, False, True, False]
    assert (gru != other_gru).any(dim=2)[0].tolist() == [False, False, False, True, True]


def test_a_split_convolution_has_about_the_parameters_of_a_whole_one() -> None:
    block = SplitConvBlock(TokenShape(4 * 6 * 6, 64, (4, 6, 6)), 64, 0.0)
    weights = sum(parameter.numel() for parameter in block.parameters() if parameter.ndim == 5)
    assert abs(weights - 27 * 64 * 64) < 27 * 64 * 64 / 100


def test_a_film_without_frames_gives_zeros() -> None:
    for network in (FrameGRU(FILM, 8, 0.0).eval(), R2Plus1D(FILM, 8, 0.0).eval()):
        raw = torch.zeros(2, *FILM.shape)
        raw[1, :, :2] = torch.randn(2, 2, 6, 4)
        last = len(network.shapes) - 1
        vectors = network.pool(network.states(raw, last)[-1], network.mask(raw, last))
        assert not vectors[0].any()
        assert vectors[1].any()
