"""Graphs in two tables in long form: a row for each node of a sample, and a row for each edge."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from fusearch.data.files.frames import TextFormat, numbers_of, read_table
from fusearch.data.files.linked_nodes import Graphs, link_nodes, place_nodes, refuse_large
from fusearch.data.files.text import as_text, where
from fusearch.errors import DataError, nearest, suggestion

__all__ = ["long_graphs", "read_node_tables"]

#: Columns of the table of edges.
_ENDS, _WEIGHT = ("source", "target"), "weight"


def read_node_tables(
    nodes: Path, edges: Path, *, sample: str, node: str, form: TextFormat, edges_sheet: str | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the two tables; names of samples and nodes are text as it stands. The table of edges may have no rows.

    Args:
        nodes: The table of nodes.
        edges: The table of edges; it may be another sheet of the same workbook.
        sample: Column of both that names the sample of a row.
        node: Column that names a node within its sample.
        form: How they are written; its sheet is that of the nodes.
        edges_sheet: That of the edges.

    Raises:
        DataError: One is missing, or cannot be read.
    """
    for path in (nodes, edges):
        if not path.is_file():
            raise DataError(f"{path.name}: there is no such file in {str(path.parent)!r}")
    found = read_table(nodes, lambda names: {sample, node} & set(names), form)
    form = replace(form, sheet=edges_sheet, sheet_key="edges_sheet" if form.sheet_key else None, may_be_empty=True)
    return found, read_table(edges, lambda names: {sample, *_ENDS} & set(names), form)


def long_graphs(
    nodes: pd.DataFrame,
    edges: pd.DataFrame,
    *,
    places: tuple[str, str],
    sample: str,
    node: str,
    features: Sequence[str],
    wanted: Collection[str] | None = None,
    room: int | None = None,
    directed: bool = False,
) -> tuple[list[str], Graphs]:
    """Return the samples of the table of nodes, in the order in which they first appear, and the graph of each.

    Args:
        nodes: The table of nodes, with `sample` and `node` as text.
        edges: The table of edges: `sample`, `source` and `target` as text, the names of nodes; `weight` where edges have some.
        places: What the two are called in messages.
        sample: Column of both that names the sample of each row.
        node: Column of the name of a node, which stands once in its sample.
        features: Columns of what is measured of a node; NaN where a value is missing.
        wanted: The samples to return; rows of others decide nothing. None: all.
        room: Nodes that there is room for. Left out: as many as the largest graph has.
        directed: Whether an edge leads from source to target alone.

    Raises:
        DataError: A column or a name is missing, a node stands twice, an edge leads to a node or a sample that there is not, or a graph
            has too many nodes.
    """
    of_nodes = _names(nodes, (sample, node, *features), (sample, node), places[0])
    of_edges = _names(edges, (sample, *_ENDS), (sample, *_ENDS), places[1])
    samples = list(dict.fromkeys(of_nodes[sample]))
    known = set(samples)
    lost = next((row for row, name in enumerate(of_edges[sample]) if name not in known), None)
    if samples and lost is not None:
        name = of_edges[sample][lost]
        near = nearest(name, samples)
        hint = f"; did you mean {near!r}?" if near else f", expected one of its samples (such as {samples[0]!r})"
        raise DataError(f"{places[1]}, {where(edges.index, lost)}: no node of {name!r} stands in {places[0]}{hint}")
    kept = [name for name in samples if wanted is None or name in wanted]
    rows_of, edges_of = _rows_of(of_nodes[sample], kept), _rows_of(of_edges[sample], kept)
    values = numbers_of(nodes[list(features)], places[0], listed="features")
    weights = np.ones((len(edges), 1), np.float32)
    if _WEIGHT in edges:
        weights = numbers_of(edges[[_WEIGHT]], places[1], listed=None)
        gaps = np.flatnonzero(np.isnan(weights))
        if len(gaps):
            raise DataError(f"{places[1]}, {where(edges.index, int(gaps[0]))}: no {_WEIGHT}, expected one in every row")
    linked = []
    for name in kept:
        rows, own = rows_of[name], edges_of[name]
        refuse_large(len(rows), room, f"{places[0]}, sample {name!r}")
        position: dict[str, int] = {}
        for row in rows:
            if position.setdefault(of_nodes[node][row], row) != row:
                first, again = (where(nodes.index, each) for each in (position[of_nodes[node][row]], row))
                raise DataError(f"{places[0]}: node {of_nodes[node][row]!r} of {name!r} stands in {first} and in {again}, expected it once")
        number = {each: index for index, each in enumerate(position)}
        gone = {each for each, row in position.items() if np.isnan(values[row]).all()}
        for row, end in ((row, end) for row in own for end in _ENDS):
            told = f"{places[1]}, {where(edges.index, row)}: {end} {of_edges[end][row]!r}"
            if of_edges[end][row] not in number:
                raise DataError(f"{told} is no node of {name!r}, {suggestion(of_edges[end][row], list(number))}")
            if of_edges[end][row] in gone:
                raise DataError(f"{told} has no value in {places[0]}, expected a node that is there")
        pairs = [[number[of_edges[end][row]] for end in _ENDS] for row in own]
        triples = np.column_stack([np.array(pairs, np.float64).reshape(-1, 2), weights[own]])
        told_at = [f"{places[1]}, {where(edges.index, row)}" for row in own]
        linked.append(link_nodes(values[rows], triples, directed=directed, places=told_at, names=list(number)))
    width = len(features)
    size = room or max([1, *map(len, linked)])
    stacked = np.stack([place_nodes(each, width, size) for each in linked]) if linked else np.empty((0, size, width + size), np.float32)
    return kept, Graphs(stacked, tuple(map(len, linked)))


def _names(frame: pd.DataFrame, columns: Sequence[str], texts: Sequence[str], place: str) -> dict[str, list[str]]:
    """Return columns of names as text.

    Raises:
        DataError: A column is missing, or a cell is empty.
    """
    for column in columns:
        if column not in frame:
            raise DataError(f"{place}: no column {column!r}, {suggestion(column, list(map(str, frame.columns)))}")
    found: dict[str, list[str]] = {}
    for column in texts:
        cells = as_text(frame[column])
        if None in cells:
            raise DataError(f"{place}: no {column!r} in {where(frame.index, cells.index(None))}, expected one in every row")
        found[column] = [cell for cell in cells if cell is not None]
    return found


def _rows_of(names: Sequence[str], kept: Sequence[str]) -> dict[str, npt.NDArray[np.int64]]:
    """Return which rows each sample has."""
    codes, found = pd.factorize(np.array(names, object))
    parts = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes, minlength=1))[:-1])
    rows = dict(zip(map(str, found), parts, strict=False))
    return {name: rows.get(name, np.empty(0, np.int64)) for name in kept}
