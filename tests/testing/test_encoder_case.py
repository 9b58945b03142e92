"""What the suite of encoders works with."""

from __future__ import annotations

import random

import pytest
import torch

from fusearch.data.kinds import KINDS
from fusearch.data.modality import Modality
from fusearch.evaluators.network.encoder_network import raw_shape
from fusearch.search_space.entries.parameter import Param
from fusearch.testing.encoder_case import EncoderCase, choices, draw_shape, kind_shapes


class Case(EncoderCase):
    name = "mlp"


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_has_shapes_and_each_is_legal(kind: str) -> None:
    rng = random.Random(0)
    for shape in [*kind_shapes(kind), *(draw_shape(kind, rng) for _ in range(20))]:
        tokens = raw_shape(Modality("m", kind, shape))
        assert tokens.tokens * tokens.width == torch.Size(shape).numel()


def test_choices_hold_the_default() -> None:
    assert choices(Param(3, choices=(2, 3))) == (3, 2)
    assert choices(Param(False)) == (False, True)
    assert choices(Param(1000, minimum=2)) == (1000,)


def test_all_parameters_are_combined() -> None:
    sets = list(Case().param_sets())
    assert len({tuple(params.items()) for params in sets}) == len(sets) > 1
    assert all(set(params) == set(Case().encoder.params) for params in sets)


def test_networks_and_inputs_are_reproducible() -> None:
    case = Case()
    one, two = case.build(case.modality()), case.build(case.modality())
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert torch.equal(case.inputs(case.modality()), case.inputs(case.modality()))


def test_the_whole_is_the_last_state() -> None:
    case = Case()
    network, raw = case.build(case.modality()), case.inputs(case.modality())
    assert torch.equal(case.whole(network)([raw], []), case.states(network, raw)[-1])


def test_codes_are_whole_numbers() -> None:
    raw = Case().inputs(Modality("m", "text", (5,)))
    assert torch.equal(raw, raw.round())
    assert raw.min() >= 0
