"""The suite passes an encoder that keeps the contract, and finds each way to break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fusearch.data.modality import Modality
from fusearch.evaluators import StageEncoder, TokenShape, encoder_network
from fusearch.evaluators.network.encoder_network import NETWORKS
from fusearch.search_space import ENCODERS, Encoder
from fusearch.search_space.entries.parameter import Param
from fusearch.testing import EncoderSuite

ENTRY = Encoder("dense", ("tabular",), lambda params: int(params["layers"]), {"layers": Param(2, (1, 2))}, stages="each a linear layer")


class Dense(StageEncoder):
    def __init__(self, modality: Modality, width: int, dropout: float, layers: int = 2) -> None:
        super().__init__(modality, width, dropout)
        for _ in range(layers):
            last = self.shapes[-1].width
            self.add(nn.Sequential(nn.Linear(last, width), nn.Tanh(), nn.Dropout(dropout)), TokenShape(1, width))


class DenseSuite(EncoderSuite):
    name = "dense"


LAWS = [name for name in dir(EncoderSuite) if name.startswith("test_")]


@pytest.fixture
def register() -> Iterator[Callable[..., None]]:
    yield lambda entry, network: encoder_network(entry)(network)
    ENCODERS.remove("dense")
    NETWORKS.remove("dense")


@pytest.mark.parametrize("law", LAWS)
def test_an_encoder_that_keeps_the_contract_passes(register: Callable[..., None], law: str) -> None:
    register(ENTRY, Dense)
    getattr(DenseSuite(), law)()


class LooksAcross(Dense):
    def stage(self, index: int, x_BTD: Tensor, raw: Tensor | None = None) -> Tensor:
        return super().stage(index, x_BTD, raw) - x_BTD.mean()


class Normalizes(Dense):
    """As a BatchNorm does: across the batch in training alone."""

    def stage(self, index: int, x_BTD: Tensor, raw: Tensor | None = None) -> Tensor:
        result = super().stage(index, x_BTD, raw)
        return result - result.mean(dim=0) if self.training else result


class HasADeadParameter(Dense):
    def __init__(self, modality: Modality, width: int, dropout: float, layers: int = 2) -> None:
        super().__init__(modality, width, dropout, layers)
        self.unused = nn.Parameter(torch.ones(3))


class IgnoresItsInput(Dense):
    def stage(self, index: int, x_BTD: Tensor, raw: Tensor | None = None) -> Tensor:
        return super().stage(index, x_BTD.detach(), raw)


class PromisesAnotherWidth(Dense):
    def __init__(self, modality: Modality, width: int, dropout: float, layers: int = 2) -> None:
        super().__init__(modality, width, dropout, layers)
        self.shapes = (*self.shapes[:-1], TokenShape(1, width + 1))


class HasOneStageMore(Dense):
    def __init__(self, modality: Modality, width: int, dropout: float, layers: int = 2) -> None:
        super().__init__(modality, width, dropout, layers + 1)


class ForgetsItsParameter(Dense):
    def __init__(self, modality: Modality, width: int, dropout: float, layers: int = 2) -> None:
        super().__init__(modality, width, dropout)


class AnotherDefault(Dense):
    def __init__(self, modality: Modality, width: int, dropout: float, layers: int = 1) -> None:
        super().__init__(modality, width, dropout, layers)


class IsRandom(Dense):
    def stage(self, index: int, x_BTD: Tensor, raw: Tensor | None = None) -> Tensor:
        return super().stage(index, x_BTD, raw) + torch.randn(1)


class DependsOnTheData(Dense):
    def stage(self, index: int, x_BTD: Tensor, raw: Tensor | None = None) -> Tensor:
        return super().stage(index, x_BTD, raw) * (1 if x_BTD.sum().item() > 0 else 2)


class KeepsWeightsOutsideItsStages(Dense):
    def __init__(self, modality: Modality, width: int, dropout: float, layers: int = 2) -> None:
        super().__init__(modality, width, dropout, layers)
        self.scale = nn.Parameter(torch.ones(1))

    def stage(self, index: int, x_BTD: Tensor, raw: Tensor | None = None) -> Tensor:
        return super().stage(index, x_BTD, raw) * self.scale


@pytest.mark.parametrize(
    ("network", "law"),
    [
        (LooksAcross, "test_samples_do_not_mix"),
        (Normalizes, "test_samples_do_not_mix"),
        (HasADeadParameter, "test_gradients_reach_everything"),
        (IgnoresItsInput, "test_gradients_reach_everything"),
        (PromisesAnotherWidth, "test_any_legal_shape"),
        (HasOneStageMore, "test_any_legal_shape"),
        (ForgetsItsParameter, "test_parameters_are_honoured"),
        (AnotherDefault, "test_entry_and_network_agree"),
        (IsRandom, "test_it_is_reproducible"),
        (DependsOnTheData, "test_torch_export"),
        (KeepsWeightsOutsideItsStages, "test_stages_stand_alone"),
    ],
)
def test_each_breach_is_found(register: Callable[..., None], network: type[StageEncoder], law: str) -> None:
    register(ENTRY, network)
    with pytest.raises(Exception, match=r".") as found:
        getattr(DenseSuite(), law)()
    assert not isinstance(found.value, AttributeError | NameError | TypeError)


@pytest.mark.parametrize("change", [{"stages": ""}, {"kinds": ()}, {"params": {"layers": Param(1)}}])
def test_an_entry_that_says_too_little_is_found(register: Callable[..., None], change: dict[str, Any]) -> None:
    register(replace(ENTRY, **change), Dense)
    with pytest.raises(AssertionError):
        DenseSuite().test_entry_and_network_agree()
