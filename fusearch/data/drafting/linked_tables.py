"""Tables with a row for each node of a sample and a row for each edge: graphs in long form."""

from __future__ import annotations

from collections.abc import Sequence

from fusearch.data.drafting.found import FoundTable

__all__ = ["edges_of", "is_of_edges", "node_column"]

#: Columns of a table of edges beside the id.
_ENDS = ("source", "target")

#: Share of the ends of edges that are nodes: which one is none, `check` says.
_KNOWN = 0.9


def is_of_edges(table: FoundTable) -> bool:
    """Whether a table has the columns of one with a row an edge."""
    return set(_ENDS) <= set(table.columns)


def node_column(nodes: FoundTable, edges: FoundTable, id_name: str) -> str | None:
    """Return the column of the names of nodes that edges lead between, each of which stands once in its sample; None: there is none."""
    samples, ends = nodes.texts(id_name), [pair for end in _ENDS for pair in zip(edges.texts(id_name), edges.texts(end), strict=True)]
    for column in nodes.columns:
        named = set(zip(samples, nodes.texts(column), strict=True))
        known = sum(pair in named for pair in ends)
        if column != id_name and len(named) == len(samples) and known >= _KNOWN * max(len(ends), 1):
            return column
    return None


def edges_of(nodes: FoundTable, tables: Sequence[FoundTable], id_name: str) -> tuple[FoundTable, str] | None:
    """Return the table of the edges between the rows of one, and its column of their names; None where there is none."""
    for table in tables:
        if table is not nodes and is_of_edges(table) and (column := node_column(nodes, table, id_name)) is not None:
            return table, column
    return None
