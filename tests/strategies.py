"""Hypothesis strategies for designs: graphs and candidates drawn from search spaces, and variants of a graph that mean the same.

Hypothesis itself answers the questions of the space's program, so a failing design shrinks to a small one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from fusearch.data.modality import Modality
from fusearch.search_space import OPERATORS, Candidate, Fusion, FusionGraph, Output, SearchSpace, Stream, Tap, Trunk
from fusearch.search_space.space.choosers import Chooser
from fusearch.search_space.space.program import build, draw_parts

#: Settings of every law: a shared machine has no deadline to keep. `make test-slow` asks for more examples.
law = settings(deadline=None, max_examples=int(os.environ.get("FUSEARCH_EXAMPLES", "30")), suppress_health_check=[HealthCheck.too_slow])

MODALITIES = (
    Modality("rna", "tabular", (12,)),
    Modality("scan", "image2d", (1, 8, 8)),
    Modality("ecg", "timeseries", (16, 2)),
)

#: Tables only, few operators: small designs, quick to compile.
SMALL = SearchSpace((Modality("a", "tabular", (5,)), Modality("b", "tabular", (4,))), max_fusions=2, max_trunk=1)

#: Everything switched on.
WIDE = SearchSpace(
    MODALITIES,
    encoders={"rna": ("mlp", "ft_transformer", "mlp1"), "scan": ("cnn",), "ecg": ("tcn", "gru")},
    operators=tuple(OPERATORS),
    max_fusions=4,
    max_trunk=2,
    max_streams=2,
    trunks=("fc", "conv", "rnn", "attention", "continue"),
    trainings=("joint", "staged", "frozen", "independent"),
    auxiliary=True,
    all_stages=True,
)

#: Designs that the space does not make: ports, continued trunks, ties, several outputs, mixed depths.
HAND_MADE = (
    """a:mlp(layers=3) | b:mlp(layers=3)
F1 = mmtm(a@1, b@1)
F2 = sum(a@1, F1@0; trunk=continue(a))
F3 = product(b@1, F1@0; trunk=continue(b))
F4 = cat(F2@2, F3@1) ->""",
    "a:mlp | b:mlp\nF1 = mmtm(a@1, b@1; trunk=continue(b))\nF2 = cat(F1.a@0, F1@1) ->",
    "before = a:mlp(layers=3) | after = b:mlp(tie=before)\nF1 = difference(after@3, before@3; absolute=true, trunk=fc:1) ->",
    """us:cnn | mfi:cnn
F1 = manifold(us@1, mfi@1; trunk=conv)
F2 = cat(F1@1, us@2) ->
F3 = cat(F1.2@1, mfi@2) -> grade
F4 = cat(F1.us@1, F1.mfi@1)
F5 = cat(F4@1, us@2, mfi@2) ->
us@score -> aux""",
    "a:mlp | b:mlp\ntrain = independent\nF1 = vote_mean(a@score, b@score) ->",
    "a:mlp | b:mlp\ntrain = staged\nF1 = cat(a@*, b@score, a@0; trunk=rnn:2) ->",
    "a:mlp\na@L ->",
    "a:identity\na@L ->",
    "x = a:mlp | y = a:mlp | z = a:mlp(layers=1)\nF1 = cat(x@1, y@1)\nF2 = cat(F1@0, z@1)\nF3 = sum(F2@1, F1@1, x@2) ->",
    "a:mlp | b:mlp\nF1 = co_attention(a@1, b@1)\nF2 = co_attention(F1.a@0, F1.b@0)\nF3 = cat(F2.1@0, F2.2@0) ->",
)


class _DrawChooser(Chooser):
    def __init__(self, draw: st.DrawFn) -> None:
        super().__init__()
        self._draw = draw

    def _pick(self, _key: str, _name: str, choices: Sequence[Any], _weights: Sequence[float] | None = None) -> Any:
        return self._draw(st.sampled_from(list(choices)))

    def _real(self, _key: str, low: float, high: float) -> float:
        return self._draw(st.floats(low, high))


@st.composite
def candidates(draw: st.DrawFn, space: SearchSpace = WIDE) -> Candidate:
    """Candidates of a space."""
    chooser = _DrawChooser(draw)
    parts = draw_parts(space.settings, chooser)
    graph = build(space.settings, parts)
    losses = any(OPERATORS[fusion.operator].adds_loss for fusion in graph.fusions) or any(output.task for output in graph.outputs)
    return Candidate(graph, space.settings.recipe.suggest(chooser, fused=bool(graph.fusions), adds_loss=losses))


def drawn_graphs(space: SearchSpace = WIDE) -> st.SearchStrategy[FusionGraph]:
    """Graphs of a space."""
    return candidates(space).map(lambda candidate: candidate.graph)


def hand_made_graphs() -> st.SearchStrategy[FusionGraph]:
    """Graphs written by hand, with what the space does not make."""
    return st.sampled_from(HAND_MADE).map(FusionGraph.parse)


def graphs() -> st.SearchStrategy[FusionGraph]:
    """Graphs of either kind."""
    return st.one_of(drawn_graphs(), hand_made_graphs())


@st.composite
def same_designs(draw: st.DrawFn, graph: FusionGraph) -> FusionGraph:
    """Variants of a graph that are the same design: other names, another order of streams, fusions and symmetric arguments."""
    names = [stream.name for stream in graph.streams] + [fusion.name for fusion in graph.fusions]
    fresh = draw(st.permutations([f"n{number}" for number in range(len(names))]))
    new = dict(zip(names, fresh, strict=True))
    streams = [
        Stream(new[item.name], item.modality, item.encoder, item.params, new[item.tie] if item.tie is not None else None)
        for item in draw(st.permutations(graph.streams))
    ]
    orders = {fusion.name: _order_of_args(draw, graph, fusion) for fusion in graph.fusions}

    def rename(tap: Tap, ports: tuple[int, ...]) -> Tap:
        if tap.port is None:
            return Tap(new[tap.source], tap.depth)
        return Tap(new[tap.source], tap.depth, str(1 + orders[tap.source].index(ports[0])))

    fusions = []
    for fusion in draw(st.permutations(graph.fusions)):
        args = tuple(rename(fusion.args[index], graph.ports_read(fusion.name, index)) for index in orders[fusion.name])
        trunk = Trunk(fusion.trunk.family, fusion.trunk.num_stages, new[fusion.trunk.stream] if fusion.trunk.stream else None)
        fusions.append(Fusion(new[fusion.name], fusion.operator, args, fusion.params, trunk))
    outputs = [Output(rename(output.source, graph.ports_of_output(index)), output.task) for index, output in enumerate(graph.outputs)]
    return FusionGraph(graph.modalities, tuple(streams), tuple(fusions), tuple(outputs), graph.training)


def _order_of_args(draw: st.DrawFn, graph: FusionGraph, fusion: Fusion) -> list[int]:
    places = list(range(len(fusion.args)))
    if not OPERATORS[fusion.operator].symmetric:
        ordered = OPERATORS[fusion.operator].num_ordered(fusion.params, len(places))
        return [*places[:ordered], *draw(st.permutations(places[ordered:]))]
    if fusion.trunk.stream is not None and OPERATORS[fusion.operator].keeps == "first":
        return [0, *draw(st.permutations(places[1:]))]
    return draw(st.permutations(places))
