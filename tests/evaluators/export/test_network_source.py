"""The source of a design names its streams, operators and states as the design does."""

from __future__ import annotations

from fusearch.data.modality import Modality
from fusearch.evaluators.export.network_source import NetworkSource, call, names_in_source
from fusearch.evaluators.export.taken_source import TakenSource
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.search_space import Candidate, FusionGraph, Recipe

TABLES = (Modality("t", "tabular", (4,)), Modality("u", "tabular", (3,)))


def source_of(formula: str) -> tuple[str, FusionNetwork]:
    graph = FusionGraph.parse(formula, TABLES)
    network = FusionNetwork(graph, 3, Recipe(width=8))
    return NetworkSource(network, Candidate(graph, Recipe(width=8)), TakenSource({}, {}, ())).text(), network


def test_a_line_a_stream_and_a_line_a_fusion() -> None:
    source, network = source_of("t:mlp | u:mlp\nF1 = cat(t@1, u@L)\nF2 = film(F1@1, u@1) ->")
    made, run = source.split("def forward")
    assert "self.fusion_F1 = Cat([TokenShape(1, 8), TokenShape(1, 8)], 8, align=False)" in made
    assert "self.trunk_F1 = nn.ModuleList([DenseBlock(16, 8, 0.1)])" in made
    assert "self.stream_t = MLP(Modality('t', (4,), Layout('D', 'D', 'mlp'), False), 8, 0.1, layers=1)" in made
    assert [line.strip() for line in run.splitlines()[2:]] == [
        't_states = self.stream_t.states(inputs["t"], 1)',
        'u_states = self.stream_u.states(inputs["u"], 2)',
        'F1 = self.fusion_F1([t_states[1], u_states[2]], [present["t"], present["u"]])',
        "F1_1 = self.trunk_F1[0](F1)",
        'F2 = self.fusion_F2([F1_1, u_states[1]], [present["t"] | present["u"], present["u"]])',
        "return self.head_0(F2)",
    ]
    names = names_in_source(network)
    assert set(names) == set(network.state_dict())
    assert names["heads.0.linear.weight"] == "head_0.linear.weight"


def test_auxiliary_heads_are_left_out() -> None:
    source, network = source_of("t:mlp | u:mlp\nF1 = cat(t@L, u@L) ->\nF2 = sum(t@1, u@1) -> aux")
    assert "self.head_1" not in source
    assert not [name for name in names_in_source(network).values() if name.startswith("head_1")]


def test_calls_are_short() -> None:
    assert call("f", TokenShape(4, 8, (2, 2)), [TokenShape(1, 3, classes=True)], "made()", heads=2) == (
        "f(TokenShape(4, 8, (2, 2)), [TokenShape(1, 3, classes=True)], made(), heads=2)"
    )
