"""Half precision of matrix products: for CUDA alone, in a pack for the same layers as in the loop; here the CPU's stands for it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from device_of_tests import DEVICE
from few import few
from installed import need_encoders
from pack_folds import CAT, graph_of_encoder, graph_of_operator, make_folds, trained_together
from toy_data import TABLES

from fusearch.evaluators.training.half_precision import half_precision, mixed_precision
from fusearch.evaluators.training.member import make_members
from fusearch.evaluators.training.members import TrainedMember, train_members
from fusearch.evaluators.training.pack import train_pack
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.search_space import ENCODERS, OPERATORS, Candidate, FusionGraph, Recipe

SETTINGS = TrainingSettings(epochs=2, batch_size=8)
HALF = torch.bfloat16


@pytest.fixture
def halved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusearch.evaluators.training.modes.mixed_precision", lambda device, wanted: HALF)


def check_pack(graph: FusionGraph) -> None:
    """Train in the loop and in a pack: all is packed and captured, and losses are those of the loop but for rounding."""
    folds = make_folds(graph.modalities)
    candidate, members = Candidate(graph, Recipe(width=8, dropout=0.0, learning_rate=1e-3)), make_members(2, 1)
    alone = list(train_members(candidate, members, folds=lambda at: folds[at], settings=SETTINGS, threads=1))
    packed = [each.trained for each in train_pack([candidate], members, folds=lambda at: folds[at], settings=SETTINGS, threads=1)]
    for ours, theirs in zip(packed, alone, strict=True):
        assert isinstance(ours, TrainedMember), ours
        assert not [*ours.loop.values(), *ours.eager.values()]
        np.testing.assert_allclose([fit.loss for fit in ours.fits.values()], [fit.loss for fit in theirs.fits.values()], rtol=0.02)


@pytest.mark.usefixtures("taped", "halved")
@pytest.mark.parametrize("operator", few(OPERATORS))
def test_every_operator(operator: str) -> None:
    check_pack(graph_of_operator(operator))


@pytest.mark.usefixtures("taped", "halved")
@pytest.mark.parametrize("name", few(ENCODERS))
def test_every_encoder(name: str) -> None:
    need_encoders(name)
    check_pack(graph_of_encoder(name))


@pytest.mark.usefixtures("taped")
def test_a_pack_in_half_precision_is_near_one_in_full_precision_and_another(monkeypatch: pytest.MonkeyPatch) -> None:
    folds, losses = make_folds(TABLES), []
    for half in (None, HALF):
        monkeypatch.setattr("fusearch.evaluators.training.modes.mixed_precision", lambda device, wanted, half=half: half)
        packed = trained_together(CAT, [Recipe(width=8, dropout=0.0)], folds)
        losses.append([fit.loss for each in packed if isinstance(each, TrainedMember) for fit in each.fits.values()])
    assert len(losses[0]) == len(folds)
    assert all(full != half for full, half in zip(*losses, strict=True))
    np.testing.assert_allclose(*losses, rtol=0.02)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (torch.nn.Linear(3, 4), (5, 3)),
        (torch.nn.Conv1d(3, 4, 3), (5, 3, 8)),
        (torch.nn.Conv2d(3, 4, 3), (5, 3, 8, 8)),
        (torch.nn.Conv3d(3, 4, 3), (5, 3, 4, 4, 4)),
        (torch.nn.ConvTranspose2d(3, 4, 2), (5, 3, 8, 8)),
        (torch.nn.PReLU(3), (5, 3, 8)),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, torch.nn.Module) else "",
)
@pytest.mark.parametrize("dtype", [torch.float32, HALF])
def test_a_layer_is_in_half_precision_alone_and_under_vmap(layer: torch.nn.Module, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    """Whatever comes before it: without `half_precision` autocast misses it under `vmap`, or refuses what was halved already."""
    layer = layer.to(DEVICE)
    x = torch.randn(2, *shape, device=DEVICE).to(dtype)
    weights = {name: values.expand(2, *values.shape) for name, values in layer.named_parameters()}
    with half_precision(x.device, HALF):
        together = torch.func.vmap(lambda own, rows: torch.func.functional_call(layer, own, (rows,)))(weights, x)
        alone = layer(x[0])
    assert together.dtype == alone.dtype == HALF
    torch.testing.assert_close(together[0], alone, rtol=2e-2, atol=2e-2)


def test_without_a_type_nothing_is_halved() -> None:
    with half_precision(torch.device(DEVICE), None):
        assert torch.nn.Conv1d(3, 4, 3)(torch.randn(5, 3, 8)).dtype == torch.float32


def test_half_precision_is_for_cuda_alone() -> None:
    assert mixed_precision(torch.device("cpu"), True) is None
    assert mixed_precision(torch.device("cuda"), False) is None
