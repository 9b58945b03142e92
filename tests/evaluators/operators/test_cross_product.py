"""Encoders and operators compile together: every operator with every encoder on both sides, every two encoders in some operator."""

from __future__ import annotations

import pytest
import torch

from fusearch.data.modality import Modality
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.search_space import ENCODERS, FusionGraph, Recipe
from fusearch.search_space.operators import OPERATORS

#: Sample shape of each kind of modality, small.
SHAPES = {
    "tabular": (5,),
    "timeseries": (12, 3),
    "image2d": (1, 8, 8),
    "volume3d": (1, 8, 8, 8),
    "text": (12,),
    "sequence": (12,),
    "audio": (12, 3),
    "video": (1, 8, 8, 8),
    "graph": (6, 3 + 6),
}


def check(operator: str, left: str, right: str) -> None:
    """Compile, run and differentiate one design; the taps are the embeddings, one of them a stage before where there is one."""
    modalities = [
        Modality(name, ENCODERS[encoder].kinds[0], SHAPES[ENCODERS[encoder].kinds[0]]) for name, encoder in (("a", left), ("b", right))
    ]
    entry = OPERATORS[operator]
    args = ["a@score", "b@score"] if entry.scores_only else ["a@L", "b@L", "a@0", "b@0"][: entry.min_args]
    design = FusionGraph.parse(f"a = a:{left} | b = b:{right}\nF1 = {operator}({', '.join(args)}) ->", modalities)
    network = FusionNetwork(design, 2, Recipe(width=8))
    inputs = {modality.name: torch.rand(3, *modality.shape) for modality in modalities}
    present = {"a": torch.tensor([True, True, False]), "b": torch.tensor([True, False, True])}
    result = network(inputs, present)
    assert result.shape == (3, 2)
    assert result.isfinite().all()
    if entry.trained:
        result.sum().backward()


def pairs(operator: str) -> list[tuple[str, str]]:
    """Return each encoder beside another one, so many places further on as the operator stands in its list."""
    names, shift = list(ENCODERS), list(OPERATORS).index(operator)
    return [(left, names[(place + shift) % len(names)]) for place, left in enumerate(names)]


def installed(*names: str) -> bool:
    return all(ENCODERS[name].lacks is None for name in names)


def test_every_two_encoders_meet() -> None:
    assert {pair for operator in OPERATORS for pair in pairs(operator)} == {(left, right) for left in ENCODERS for right in ENCODERS}


@pytest.mark.slow
@pytest.mark.parametrize("operator", list(OPERATORS))
def test_an_operator_compiles_with_every_encoder_on_both_sides(operator: str) -> None:
    for left, right in filter(lambda pair: installed(*pair), pairs(operator)):
        check(operator, left, right)


@pytest.mark.parametrize("operator", list(OPERATORS))
def test_a_table_and_an_image_compile_with_any_operator(operator: str) -> None:
    check(operator, "mlp", "cnn")
