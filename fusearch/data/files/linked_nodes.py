"""Graphs: nodes with features, and the edges between them, one array a sample. Axes: nodes V, features F (decision 0094).

A sample is (V, F + V): behind the features of a node stands its row of the adjacency matrix, the weights of the edges that lead to it, and
a 1 for itself. A node that is not there is a row of NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.files.frames import TextFormat, numbers_of, read_table
from fusearch.data.files.npz import ARRAYS, named_arrays
from fusearch.data.files.stacking import few, stack_files
from fusearch.data.files.text import where
from fusearch.errors import DataError, suggestion

__all__ = [
    "GRAPHS",
    "MOST_NODES",
    "Graphs",
    "count_nodes",
    "is_graph",
    "link_nodes",
    "place_nodes",
    "read_edges",
    "read_graphs",
    "refuse_large",
]

FloatArray = npt.NDArray[np.float32]
Array = npt.NDArray[Any]

#: Suffixes of the file of one graph.
GRAPHS = ARRAYS

#: Names of the array of edges -> its axis of the two ends; None: the one of size 2.
_EDGES: Mapping[str, int | None] = {"edges": None, "edge_list": 1, "edge_index": 0}

#: A graph with more nodes is read where the manifest says so: every pair of nodes takes a number.
MOST_NODES = 500


@dataclass(frozen=True)
class Graphs:
    """The graphs of a modality.

    Attributes:
        values: (N, V, F + V) float32; NaN where a node is not there, and where a sample has no graph.
        sizes: Nodes of each graph that was read.
    """

    values: FloatArray
    sizes: tuple[int, ...]


def link_nodes(
    features: Array,
    edges: Sequence[Sequence[float]] | Array,
    *,
    directed: bool = False,
    places: Sequence[str] = (),
    names: Sequence[str] = (),
) -> FloatArray:
    """Put the edges behind the features of the nodes.

    Args:
        features: (V, F), or (N, V, F) of samples that share their edges. A node whose values are all NaN is not there: its edges go.
        edges: (E, 2) pairs of source and target, or (E, 3) with a weight, 1 where it is left out. Nodes are counted from 0. An edge may
            lead to its own node; it takes the place of the 1 that every node has there.
        directed: Whether an edge leads from source to target alone; else both ways.
        places: Where each edge stands, for messages; left out, they are counted from 1.
        names: What each node is called there; left out, its number.

    Returns:
        (V, F + V) or (N, V, F + V) float32.

    Raises:
        DataError: An edge names a node that there is not, or two edges of the same nodes have different weights.

    Example:
        >>> link_nodes(np.array([[5.0], [7.0]]), [(0, 1)]).tolist()
        [[5.0, 1.0, 1.0], [7.0, 1.0, 1.0]]
    """
    matrix = _adjacency(np.asarray(edges, np.float64), features.shape[-2], directed, places, names)
    own = np.diagonal(matrix).copy()
    np.fill_diagonal(matrix, np.where(own == 0, 1, own))
    there: npt.NDArray[np.bool_] = ~np.asarray(np.isnan(features).all(axis=-1))
    linked = np.where(there[..., None] & there[..., None, :], matrix, 0)
    with np.errstate(over="ignore"):
        return np.where(there[..., None], np.concatenate([features, linked], axis=-1), np.nan).astype(np.float32)


def place_nodes(linked: FloatArray, width: int, room: int) -> FloatArray:
    """Return nodes with their links, (V, F + V), in a sample with room for more, (R, F + R): NaN where there is no node.

    Args:
        linked: Of `link_nodes`.
        width: Number of features.
        room: Nodes that a sample has room for.
    """
    values = np.full((room, width + room), np.nan, np.float32)
    values[: len(linked), : linked.shape[1]] = linked
    values[: len(linked), linked.shape[1] :] = np.where(np.isnan(linked[:, -1:]), np.nan, 0)
    return values


def _adjacency(edges: Array, count: int, directed: bool, places: Sequence[str], names: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return the weight of the edge from each node (column) to each (row), (V, V); 0 where there is none."""

    def told(row: int) -> str:
        return places[row] if len(places) else f"edge {row + 1}"

    edges = edges.reshape(len(edges), -1) if len(edges) else np.empty((0, 3))
    weights = edges[:, 2] if edges.shape[1] > 2 else np.ones(len(edges))
    wrong = np.flatnonzero(~np.isfinite(edges).all(axis=1) | (edges[:, :2] % 1 != 0).any(axis=1))
    if len(wrong):
        raise DataError(f"{told(wrong[0])}: {edges[wrong[0]].tolist()}, expected two nodes as whole numbers, and a finite weight if any")
    pairs = edges[:, :2].astype(np.int64)
    lost = np.argwhere((pairs < 0) | (pairs >= count))
    if len(lost):
        node = pairs[tuple(lost[0])]
        raise DataError(f"{told(lost[0][0])}: there is no node {node}, expected 0 to {count - 1}: nodes are counted from 0")
    matrix = np.zeros((count, count))
    sides = [(pairs[:, 1], pairs[:, 0])] if directed else [(pairs[:, 1], pairs[:, 0]), (pairs[:, 0], pairs[:, 1])]
    for rows, columns in sides:
        matrix[rows, columns] = weights
    for rows, columns in sides:
        differ = np.flatnonzero(matrix[rows, columns] != weights)
        if len(differ):
            one, other = (repr(names[node]) if len(names) else node for node in pairs[differ[0]])
            found = f"{weights[differ[0]]:g} and {matrix[rows[differ[0]], columns[differ[0]]]:g}"
            both = "" if directed else ", or `directed: true` where an edge leads one way"
            raise DataError(f"{told(differ[0])}: nodes {one} and {other} have the weights {found}, expected one{both}")
    return matrix


def read_edges(path: Path, form: TextFormat) -> tuple[list[list[float]], list[str]]:
    """Read a table of edges that all samples share: columns `source`, `target`, and `weight` where there is one.

    Returns:
        Source, target and weight of each edge; and where it stands in the file.

    Raises:
        DataError: It is no table, lacks a column, or a cell is no number.
    """
    frame = read_table(path, lambda _: (), form)
    for name in ("source", "target"):
        if name not in frame:
            raise DataError(f"{path.name}: no column {name!r}, {suggestion(name, map(str, frame.columns))}; edges have `source`, `target`")
    columns = [name for name in ("source", "target", "weight") if name in frame]
    values = numbers_of(frame[columns], path.name, listed=None)
    rows = [where(frame.index, row) for row in range(len(frame))]
    gaps = np.argwhere(np.isnan(values))
    if len(gaps):
        raise DataError(f"{path.name}, {rows[gaps[0][0]]}: no {columns[gaps[0][1]]}, expected one in every row")
    return [[*map(float, row), *[1.0] * (3 - len(columns))] for row in values], rows


def read_graphs(
    files: Sequence[Path | None],
    *,
    nodes: int | None = None,
    edges: Sequence[Sequence[float]] | None = None,
    directed: bool = False,
    axes: Sequence[int] | None = None,
    edge_places: Sequence[str] = (),
    places: Sequence[str] = (),
    make: Callable[[tuple[int, ...]], FloatArray] | None = None,
) -> Graphs:
    """Read graphs with the same features. What a graph has no node for is NaN.

    A file is NPZ with arrays `features` (V, F), `edges` (E, 2) or (2, E) (`edge_list`: the first, `edge_index`: the second), and `weights`
    (E,) where edges have some. Where all samples share their edges it holds `features` alone, or is NPY.

    Args:
        files: The file of each sample; None where it has no graph.
        nodes: Nodes that there is room for. Left out: as many as the largest graph has.
        edges: Source, target and weight of the edges that all share; None: each file has its own.
        directed: Whether an edge leads from source to target alone.
        axes: Which axes of `features` are those of nodes and features.
        edge_places: Where each shared edge stands, for messages.
        places: Where each sample's file is named, for messages.
        make: Makes the array of a shape; left out, in memory.

    Raises:
        DataError: A file is missing or cannot be read, an edge or the number of features does not fit, or a graph has too many nodes.
    """
    opened = {file: _opened(file, axes) for file in dict.fromkeys(files) if file is not None and file.is_file()}
    sizes = [1 if isinstance(found, Exception) else len(found[1]) for found in opened.values()]
    room = nodes or max([1, *(size for size in sizes if size <= MOST_NODES)])  # a larger one is refused when its turn comes
    named = edge_places or [f"edge {row + 1} of those that all samples share" for row in range(len(edges or ()))]

    def read(file: Path) -> FloatArray:
        found = opened.pop(file)
        if isinstance(found, Exception):
            raise found
        arrays, features = found
        refuse_large(len(features), nodes, file.name)
        if edges is not None and (own := [name for name in _EDGES if name in arrays]):
            raise DataError(
                f"{file.name}: it has `{own[0]}` of its own, and there are edges that all samples share; expected one of the two"
            )
        pairs = _own_edges(arrays, file, features) if edges is None else edges
        places = [f"{file.name}, edge {row + 1}" for row in range(len(pairs))] if edges is None else named
        return place_nodes(link_nodes(features, pairs, directed=directed, places=places), features.shape[1], room)

    def differ(shapes: Mapping[tuple[int, ...], list[str]]) -> str:
        most = sorted(shapes.items(), key=lambda item: -len(item[1]))
        told = [f"{shape[1] - room} ({len(names)}, such as {names[0]!r})" for shape, names in most]
        return f"graphs have different numbers of features: {few(told)}; expected the same for every node of every sample"

    values = stack_files(files, read, what="graphs", differ=differ, places=places, make=make)
    return Graphs(values, tuple(sizes))


def count_nodes(path: Path) -> int:
    """Return how many nodes the graph of a file has.

    Raises:
        DataError: It cannot be read.
    """
    return len(_features(_arrays(path), path, None))


def is_graph(names: Collection[str]) -> bool:
    """Say whether a file with arrays of these names is a graph with edges of its own."""
    return "features" in names and not _EDGES.keys().isdisjoint(names)


def refuse_large(count: int, nodes: int | None, place: str) -> None:
    """Refuse more nodes than there is room for.

    Raises:
        DataError: There are more than `nodes`, or than `MOST_NODES` where that is None.
    """
    if nodes is not None and count > nodes:
        raise DataError(f"{place}: {count} nodes, and `nodes` is {nodes}; expected at most so many")
    if nodes is None and count > MOST_NODES:
        pairs = f"every pair of nodes takes a number, {count * count} of them a sample"
        raise DataError(f"{place}: {count} nodes, and {pairs}; `nodes: {count}` says that this is meant")


def _opened(path: Path, axes: Sequence[int] | None) -> tuple[dict[str, Array], FloatArray] | DataError | OSError:
    """Return the arrays of a graph and its features; of one that cannot be read why, which is told when its turn comes.

    All are opened before any is made a sample, which has room for the largest; as they are stored they take little.
    """
    try:
        arrays = _arrays(path)
        return arrays, _features(arrays, path, axes)
    except (DataError, OSError) as error:
        return error


def _arrays(path: Path) -> dict[str, Array]:
    """Return the arrays of a graph; that of an NPY file are its features."""
    if not path.name.lower().endswith(GRAPHS):
        raise DataError(f"{path.name}: expected a file that ends in one of: {', '.join(GRAPHS)}")
    return {name or "features": values for name, values in named_arrays(path).items()}


def _features(arrays: Mapping[str, Array], path: Path, axes: Sequence[int] | None) -> FloatArray:
    """Return the features of a graph, (V, F)."""
    if "features" not in arrays:
        raise DataError(f"{path.name}: no array 'features', {suggestion('features', arrays)}")
    values = arrays["features"]
    values = values[:, None] if values.ndim == 1 else values
    if values.dtype.kind not in "fiub" or values.ndim != 2:
        raise DataError(f"{path.name}: features of {values.dtype} and shape {values.shape}, expected numbers (nodes, features)")
    values = values if axes is None else values.transpose(axes)
    if 0 in values.shape:
        raise DataError(f"{path.name}: features of shape {values.shape}, expected at least one node and one feature")
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if np.isnan(values).all():
        raise DataError(f"{path.name}: every feature of every node is missing, expected a value; an empty cell says that there is no graph")
    return values


def _own_edges(arrays: Mapping[str, Array], path: Path, features: FloatArray) -> Array:
    """Return source, target and weight of the edges of a graph, (E, 3)."""
    given = [name for name in _EDGES if name in arrays]
    if len(given) > 1:
        raise DataError(f"{path.name}: arrays {' and '.join(map(repr, given))}, expected one of them")
    if not given:
        hint = "expected `edges` in it, or `edges: FILE` in the manifest for those that all samples share"
        raise DataError(f"{path.name}: no array 'edges'; {hint}")
    pairs, axis = arrays[given[0]], _EDGES[given[0]]
    if pairs.dtype.kind not in "fiu" or pairs.ndim != 2 or (2 not in pairs.shape and pairs.size):
        raise DataError(f"{path.name}: edges of {pairs.dtype} and shape {pairs.shape}, expected pairs of nodes, (E, 2) or (2, E)")
    if pairs.size and axis is not None and pairs.shape[axis] != 2:
        raise DataError(f"{path.name}: {given[0]} of shape {pairs.shape}, expected {('(2, E)', '(E, 2)')[axis]}")
    if axis is None and pairs.shape == (2, 2) and pairs[0, 1] != pairs[1, 0]:
        told = "edges of shape (2, 2), which can be read as (E, 2) and as (2, E)"
        raise DataError(f"{path.name}: {told}; expected the name `edge_list` of the first, `edge_index` of the second")
    axis = axis if axis is not None else int(pairs.shape[1] == 2)
    pairs = (pairs if axis == 1 else pairs.T).astype(np.float64) if pairs.size else np.empty((0, 2))
    weights = arrays.get("weights", np.ones(len(pairs)))
    if weights.dtype.kind not in "fiub" or weights.shape != (len(pairs),):
        what = f"weights of {weights.dtype} and shape {weights.shape}"
        raise DataError(f"{path.name}: {what}, expected a number for each of {len(pairs)} edges")
    gone = np.argwhere(np.isin(pairs, np.flatnonzero(np.isnan(features).all(axis=1))))
    if len(gone):
        node = int(pairs[tuple(gone[0])])
        raise DataError(f"{path.name}, edge {gone[0][0] + 1}: node {node} has no value, expected a node that is there")
    return np.column_stack([pairs, weights])
