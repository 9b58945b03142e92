"""Laws of every encoder: one network for each, its keyword arguments, its number of stages, its shapes; no look across the batch."""

from __future__ import annotations

import inspect

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import fusearch.evaluators.encoders  # noqa: F401  # registers the networks
from fusearch.data.modality import Modality
from fusearch.evaluators.encoder import NETWORKS, StageEncoder
from fusearch.search_space.encoder import ENCODERS

SIZES = {"tabular": (1, 7), "timeseries": (1, 9), "image2d": (1, 9), "volume3d": (1, 5), "video": (1, 5), "audio": (1, 9), "graph": (1, 6)}
AXES = {"tabular": 1, "timeseries": 2, "image2d": 3, "volume3d": 4, "video": 4, "audio": 2, "graph": 2}


@st.composite
def modalities(draw: st.DrawFn, kinds: tuple[str, ...]) -> Modality:
    kind = draw(st.sampled_from(kinds))
    axes = AXES[kind] if kind in AXES else draw(st.sampled_from([1, 2]))
    low, high = SIZES.get(kind, (1, 9))
    return Modality("m", kind, tuple(draw(st.integers(low, high)) for _ in range(axes)))


def build(name: str, modality: Modality, width: int = 8, **params: object) -> StageEncoder:
    torch.manual_seed(0)
    return NETWORKS[name](modality, width, 0.0, **params).eval()


def states(network: StageEncoder, raw: torch.Tensor) -> list[torch.Tensor]:
    found = [network.tokens(raw)]
    for index in range(1, len(network.shapes)):
        found.append(network.stage(index, found[-1]))
    return found


def test_every_encoder_has_one_network_and_no_network_is_without_an_encoder() -> None:
    assert list(NETWORKS) == list(ENCODERS)


@pytest.mark.parametrize("name", list(ENCODERS))
class TestEveryEncoder:
    def test_keyword_arguments_are_the_parameters_with_their_defaults(self, name: str) -> None:
        given_ = list(inspect.signature(NETWORKS[name]).parameters.values())
        assert [parameter.name for parameter in given_[:3]] == ["modality", "width", "dropout"]
        assert {parameter.name: parameter.default for parameter in given_[3:]} == {
            key: param.default for key, param in ENCODERS[name].params.items()
        }

    @settings(max_examples=12, deadline=None)
    @given(data=st.data())
    def test_stages_have_the_promised_number_and_shapes_for_any_modality(self, name: str, data: st.DataObject) -> None:
        entry = ENCODERS[name]
        modality = data.draw(modalities(entry.kinds))
        params = {key: data.draw(st.sampled_from([param.default, *param.choices])) for key, param in entry.params.items()}
        network = build(name, modality, data.draw(st.sampled_from([1, 6, 16])), **params)
        found = states(network, torch.randn(2, *modality.shape))
        assert len(network.shapes) == entry.num_stages(params) + 1
        assert [(state.shape[1], state.shape[2]) for state in found] == [(shape.tokens, shape.width) for shape in network.shapes]
        assert all(state.isfinite().all() for state in found)

    def test_no_sample_sees_another_one(self, name: str) -> None:
        modality = small(name)
        network = build(name, modality)
        raw = torch.randn(5, *modality.shape)
        order = torch.tensor([3, 1, 4, 0, 2])
        together = states(network, raw)[-1]
        torch.testing.assert_close(states(network, raw[order])[-1], together[order])
        torch.testing.assert_close(states(network.train(), raw[:1])[-1], together[:1])  # also in training, also alone

    def test_every_parameter_gets_a_gradient(self, name: str) -> None:
        network = build(name, small(name))
        loss = states(network, torch.randn(4, *small(name).shape))[-1].pow(2).sum()
        if list(network.parameters()):
            loss.backward()
        dead = [key for key, parameter in network.named_parameters() if parameter.grad is None or not parameter.grad.abs().sum() > 0]
        assert dead == []

    def test_truncation_drops_the_parameters_of_later_stages_alone(self, name: str) -> None:
        network, whole = build(name, small(name)), build(name, small(name))
        depth = len(network.shapes) // 2
        network.truncate(depth)
        raw = torch.randn(2, *small(name).shape)
        x = network.tokens(raw)
        for index in range(1, depth + 1):
            x = network.stage(index, x)
        torch.testing.assert_close(x, states(whole, raw)[depth])
        assert sum(p.numel() for p in network.parameters()) == sum(p.numel() for p in whole.stages[:depth].parameters())


def small(name: str) -> Modality:
    shapes = {"tabular": (5,), "timeseries": (6, 2), "image2d": (2, 6, 6), "volume3d": (1, 4, 4, 4), "text": (5,), "graph": (4, 3)}
    kind = ENCODERS[name].kinds[0]
    return Modality("m", kind, shapes[kind])
