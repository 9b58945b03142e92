from __future__ import annotations

from dataclasses import replace

from fusearch.data.modality import Modality
from fusearch.search_space import SearchSpace, Stream
from fusearch.search_space.design.parts import Tap
from fusearch.search_space.space.join_sources import Argument, able_operators, argument_of, source_of, with_first

SPACE = SearchSpace([Modality("rna", "tabular", (8,)), Modality("scan", "image2d", (1, 8, 8))], all_stages=True, operators="all")


def argument(name: str, *, many: bool, operator: str = "", grid: bool = False) -> Argument:
    return Argument(Tap(name, 0 if operator else 1), many, grid, None, operator)


def test_a_stream_is_taken_at_each_stage_and_pooled() -> None:
    table = source_of(SPACE.settings, Stream("rna", "rna", "mlp", {"layers": 2}))
    image = source_of(SPACE.settings, Stream("scan", "scan", "cnn", {"stages": 3, "pool": "mean"}))
    assert (table.depths, table.many, table.has_grid) == ((0, 1, 2, "*"), (False, False, False), False)
    assert (image.depths, image.has_grid) == ((0, 1, 2, 3, "L", "*"), True)
    assert image.many == (True, True, True, False)  # three stages leave one position of eight by eight
    assert not argument_of(image, Tap("scan", "L"), {"scan"}).many
    assert argument_of(image, Tap("scan", 2), {"scan"}).has_grid


def test_an_operator_is_offered_where_all_of_it_is_trained() -> None:
    one, many = argument("rna", many=False), argument("scan", many=True, grid=True)
    _, of_vectors = able_operators(SPACE.settings, [one, replace(one, tap=Tap("cnv", 1))])
    assert not {"cross_attention", "co_attention", "bilinear_attention", "spatial_gate"} & set(of_vectors)
    _, mixed = able_operators(SPACE.settings, [one, many])
    assert mixed["cross_attention"] == (0,)  # the vector asks, the tokens answer
    assert mixed["spatial_gate"] == (1,)
    idle = SearchSpace(SPACE.modalities, operators="all", extras="idle_parts").settings
    assert "cross_attention" in able_operators(idle, [one, one])[1]


def test_what_is_taken_twice_is_offered_where_it_makes_a_join_of_its_own() -> None:
    """A difference of one thing is zero, its mean or maximum is that thing, and a key twice is one key."""
    one, other = argument("scan", many=True, grid=True), argument("rna", many=False)
    operators = {"difference", "mean", "max", "cat", "sum", "cross_attention"}
    assert operators & set(able_operators(SPACE.settings, [one, one])[1]) == {"cat", "sum", "cross_attention"}
    assert operators & set(able_operators(SPACE.settings, [one, one, other])[1]) == {"mean", "cat", "sum", "cross_attention"}
    assert able_operators(SPACE.settings, [other, one, one])[1]["cross_attention"] == (1, 2)  # not of the other one, to one key


def test_a_join_of_joins_gets_a_stage_between() -> None:
    settings = SearchSpace(SPACE.modalities, operators=["cat"]).settings
    args, able = able_operators(settings, [argument("rna", many=False), argument("F1", many=False, operator="cat")])
    assert able == {"cat": (0,)}
    assert args[1].tap.depth == 1
    short = SearchSpace(SPACE.modalities, operators=["cat"], max_trunk=0).settings
    assert able_operators(short, [argument("rna", many=False), argument("F1", many=False, operator="cat")])[1] == {"cat": (0,)}


def test_first_goes_first() -> None:
    a, b, c = (argument(name, many=False) for name in "abc")
    assert with_first([a, b, c], 2) == [c, a, b]
