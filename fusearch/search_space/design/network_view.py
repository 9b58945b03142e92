"""A design as a networkx graph: a view, never what a design is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusearch.search_space.design.ports import port_name
from fusearch.search_space.design.resolution import Resolution
from fusearch.search_space.entries.operator import OPERATORS

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["to_networkx"]


def to_networkx(design: Resolution) -> nx.DiGraph[str]:
    """Return a directed graph with a node for each stream, fusion and output, ready to draw.

    Nodes carry `kind` (`stream`, `fusion`, `output`), `label` and `depth`: the layer to draw them in, 0 for streams. Edges carry the
    tap's `depth` and `port` as text, and `kind`: `tap`, `tie` (shared weights) or `continue` (the encoder that a trunk goes on with).
    Where a fusion takes a source at several depths the edge lists them all.
    """
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph(training=design.training)
    for name, stream in design.streams.items():
        graph.add_node(name, kind="stream", label=f"{name}\n{stream.encoder}", depth=0, modality=stream.modality, encoder=stream.encoder)
    layers = dict.fromkeys(design.streams, 0)
    for name in design.order:
        fusion = design.fusions[name]
        layers[name] = 1 + max(layers[arg.source] for arg in fusion.args)
        symbol = OPERATORS[fusion.operator].symbol
        graph.add_node(name, kind="fusion", label=f"{name}\n{symbol} {fusion.operator}", depth=layers[name], operator=fusion.operator)
        for index, arg in enumerate(fusion.args):
            ports = ",".join(port_name(design.fusions[arg.source].args, port) for port in design.ports[name, index])
            _add_tap(graph, arg.source, name, str(arg.depth), ports)
    for index, output in enumerate(design.outputs):
        name = f"->{output.task or ''}" + (f"#{index}" if index else "")
        graph.add_node(name, kind="output", label=output.task or "output", depth=max(layers.values()) + 1)
        _add_tap(graph, output.source.source, name, str(output.source.depth), output.source.port or "")
    for name, stream in design.streams.items():
        if stream.tie is not None:
            graph.add_edge(stream.tie, name, kind="tie", depth="", port="")
    for name, fusion in design.fusions.items():
        if fusion.trunk.stream is not None and not graph.has_edge(fusion.trunk.stream, name):
            graph.add_edge(fusion.trunk.stream, name, kind="continue", depth="", port="")
    return graph


def _add_tap(graph: nx.DiGraph[str], source: str, target: str, depth: str, port: str) -> None:
    if graph.has_edge(source, target):
        edge = graph.edges[source, target]
        edge["depth"] += f", {depth}"
    else:
        graph.add_edge(source, target, kind="tap", depth=depth, port=port)
