"""Graphs: one file a sample, named in the column of a table, or the features of all nodes in one array, with edges that all share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from fusearch.data.assembly.decoded import DecodedFiles
from fusearch.data.files.frames import TABLES, TextFormat
from fusearch.data.files.ids import ids_of
from fusearch.data.files.linked_nodes import (
    GRAPHS,
    MOST_NODES,
    Graphs,
    count_nodes,
    is_graph,
    link_nodes,
    read_edges,
    read_graphs,
    refuse_large,
)
from fusearch.data.files.long_graphs import long_graphs, read_node_tables
from fusearch.data.files.npz import ARRAYS, names_in, read_array
from fusearch.data.files.text import as_text
from fusearch.data.files.workbooks import WORKBOOKS
from fusearch.data.readers.array_file import ArrayKeys, in_order
from fusearch.data.readers.named_files import NamedFileKeys, read_named_files, spread
from fusearch.data.readers.reader import READERS, FileKeys, Reader, Rows, Source, Taken
from fusearch.data.readers.table_file import need_column
from fusearch.errors import DataError, ManifestError

__all__ = ["EdgeKeys", "shared_edges"]

#: Files that tell whether a folder holds graphs.
_LOOKED_AT = 100


class EdgeKeys(FileKeys):
    """What connects the nodes."""

    no_columns = FileKeys.no_columns | {"edges", "edges_sheet"}

    edges: str | None = Field(
        default=None,
        description="Table of the edges that all samples share (a skeleton), relative to the manifest: columns `source`, `target` (nodes, "
        "counted from 0), and `weight` where edges have some. Left out: the file of each sample holds its own. With `node`: a row for each "
        "edge of a sample, with the id beside these columns, and nodes by their names.",
    )
    edges_sheet: str | None = Field(
        default=None,
        description="Sheet of the edges, where they stand in an Excel workbook (it may be the one of the nodes); left out, the only one "
        "that holds something.",
    )
    directed: bool = Field(default=False, description="Whether an edge leads from source to target alone; else both ways.")
    nodes: int | None = Field(
        default=None,
        description="Nodes that a sample has room for: fewer end before, and what is behind moves nothing; more are an error. Left out: as "
        "many as the largest graph has, at most 500.",
        ge=1,
    )

    @model_validator(mode="after")
    def _edges_of_a_workbook(self) -> EdgeKeys:
        if self.edges_sheet is not None and not (self.edges or "").lower().endswith(WORKBOOKS):
            told = "no `edges`" if self.edges is None else repr(self.edges)
            raise ValueError(f"'edges_sheet' goes with `edges` in an Excel workbook ({', '.join(WORKBOOKS)}) alone, not with {told}")
        return self


class _NodeArrayKeys(EdgeKeys, ArrayKeys):
    """The features of all nodes of all samples in one array."""

    @model_validator(mode="after")
    def _has_edges(self) -> _NodeArrayKeys:
        if self.file.lower().endswith(ARRAYS) and self.edges is None:
            raise ValueError(f"the array {self.file!r} needs the key 'edges', the table of the edges that all samples share")
        return self


class _GraphFileKeys(EdgeKeys, NamedFileKeys):
    """Where the graphs stand."""

    what = "graph"
    brought_to = ("nodes", "directed")

    column: str | None = Field(
        default=None,
        description=f"Column of the table with the path of each sample's graph ({', '.join(GRAPHS)}): arrays `features` (nodes, features), "
        "`edges` (E, 2) or (2, E) (of two edges named `edge_list` or `edge_index`), nodes counted from 0, and `weights` (E,) where edges "
        "have some.",
    )
    node: str | None = Field(
        default=None, description="Column of the name of a node, of a table with a row for each node of a sample (long form)."
    )
    features: list[str] | None = Field(default=None, description="Columns of what is measured of a node, in long form.", min_length=1)

    @model_validator(mode="after")
    def _array_or_column(self) -> _GraphFileKeys:
        if not self.file.lower().endswith(TABLES):
            return self
        if (self.node is None) == (self.column is None):
            raise ValueError(
                f"the table {self.file!r} needs one of the keys 'node' (a row a node) and 'column' (the file of a graph a row)"
            )
        for key in ("edges", "features") if self.node is not None else ():
            if getattr(self, key) is None:
                raise ValueError(f"the table {self.file!r} with a row a node needs the key {key!r}")
        for key in ("features",) if self.node is None else ("root", "axes"):
            if key in self.model_fields_set:
                raise ValueError(f"{key!r} does not go with {'column' if self.node is None else 'node'!r}")
        if self.features is not None and len(set(self.features)) < len(self.features):
            raise ValueError(f"features is {self.features}, expected each column once")
        return self


def shared_edges(keys: FileKeys, folder: Path, form: TextFormat, place: str) -> tuple[list[list[float]], list[str]] | None:
    """Return source, target and weight of the edges that all samples share, and where each stands; None where each has its own.

    Args:
        keys: What the manifest says of the modality.
        folder: Where the manifest lies.
        form: How tables are written.
        place: Where the manifest names the edges, for messages.

    Raises:
        ManifestError: There is no such file.
        DataError: It is no table of edges.
    """
    if not isinstance(keys, EdgeKeys) or keys.edges is None or getattr(keys, "node", None) is not None:
        return None
    path, form = _edge_file(keys.edges, folder, place), replace(form, sheet=keys.edges_sheet, sheet_key="edges_sheet")
    edges, rows = read_edges(path, form)
    return edges, [f"{form.name_of(path)}, {row}" for row in rows]


def _edge_file(name: str, folder: Path, place: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise ManifestError(f"{place}: no file {name!r} beside the manifest")
    if not path.name.lower().endswith(TABLES):
        raise ManifestError(f"{place}: {name!r}, expected a table that ends in one of: {', '.join(TABLES)}")
    return path


def _read_files(source: Source) -> Rows:
    if isinstance(source.keys, _GraphFileKeys) and source.keys.node is not None:
        return _read_long(source, source.keys, source.keys.node)
    edges, places = _edges(source) or (None, [])

    def read(files: Sequence[Path | None], arguments: Mapping[str, Any]) -> DecodedFiles:
        graphs = read_graphs(files, **arguments)
        return DecodedFiles(graphs.values, _notes(graphs))

    return read_named_files(source, read, edges=edges, edge_places=places)


def _read_long(source: Source, keys: _GraphFileKeys, node: str) -> Rows:
    if source.id is None:
        raise ManifestError(f"{source.place('node')}: a row for each node needs the key `id` of the manifest, which tells samples apart")
    sample, features = source.id, keys.features or []
    path = _edge_file(keys.edges or "", source.manifest.parent, source.place("edges"))
    nodes, edges = read_node_tables(source.path, path, sample=sample, node=node, form=source.form, edges_sheet=keys.edges_sheet)
    need_column(nodes, sample, source.path, source.place("file"))
    need_column(edges, sample, path, source.place("edges"))
    for key, columns in (("node", [node]), ("features", features)):
        for column in columns:
            need_column(nodes, column, source.path, source.place(key))
    ids = list(dict.fromkeys(name for name in as_text(nodes[sample]) if name is not None))

    def take(rows: npt.NDArray[np.int64]) -> Taken:
        wanted, places = {ids[row] for row in rows}, (source.called, replace(source.form, sheet=keys.edges_sheet).name_of(path))
        try:
            found, graphs = long_graphs(
                nodes,
                edges,
                places=places,
                sample=sample,
                node=node,
                features=features,
                wanted=wanted,
                room=keys.nodes,
                directed=keys.directed,
            )
        except DataError as error:
            raise DataError(*(f"modality {source.name!r}: {fault}" for fault in error.faults)) from None
        row_of = {name: row for row, name in enumerate(found)}
        return Taken(graphs.values[[row_of[ids[row]] for row in rows]], notes=_notes(graphs))

    return Rows(ids, len(ids), take)


def _read_array(source: Source) -> Rows:
    keys, place = source.keys, source.path.name
    shared = _edges(source)
    if not isinstance(keys, _NodeArrayKeys) or shared is None:  # the validator above refuses it; stated for the type checker
        raise ManifestError(f"{source.place('edges')}: missing key, expected the table of the edges that all samples share")
    found = read_array(source.path, keys.key, source.id)
    values = found.values if keys.axes is None else in_order(source, found.values, keys.axes)
    if values.dtype.kind not in "fiub" or values.ndim != 3 or 0 in values.shape:
        raise DataError(f"{place}: an array of {values.dtype} and shape {values.shape}, expected numbers (samples, nodes, features)")
    refuse_large(values.shape[1], keys.nodes, place)
    edges, places = shared
    ids = None if found.ids is None else ids_of(found.ids, "id", place)

    def take(rows: npt.NDArray[np.int64]) -> Taken:
        with np.errstate(over="ignore"):
            numbers = values[rows].astype(np.float32)
        if np.isinf(numbers).any():
            row = int(rows[np.argwhere(np.isinf(numbers))[0][0]])
            raise DataError(f"{place}: an infinite value in row {row + 1}, expected finite numbers or NaN")
        return Taken(link_nodes(numbers, edges, directed=keys.directed, places=places))

    return Rows(ids, len(values), take, found.others)


def _edges(source: Source) -> tuple[list[list[float]], list[str]] | None:
    return shared_edges(source.keys, source.manifest.parent, source.form, source.place("edges"))


def _notes(graphs: Graphs) -> tuple[str, ...]:
    """Say so where most of what is held are nodes that graphs do not have."""
    room, middle = graphs.values.shape[1], int(np.median(graphs.sizes))
    if room <= 2 * middle:
        return ()
    return (f"there is room for {room} nodes, and half of the graphs have {middle} or fewer: every pair of nodes takes a number",)


def _needed(files: Sequence[Path]) -> dict[str, Any] | None:
    """Return the number of nodes of large graphs, which must be stated; None of files that hold no graphs of their own."""
    try:
        if not all(is_graph(names_in(file)) for file in spread(files, _LOOKED_AT)):
            return None
        if (most := max(count_nodes(file) for file in spread(files, _LOOKED_AT))) <= MOST_NODES:
            return {}
        return {"nodes": max(most, *map(count_nodes, files))}
    except DataError:
        return None


_CARRIED = ("edges", "edges_sheet", "directed", "nodes")
READERS.add(
    "graphs",
    Reader(
        "graphs",
        TABLES,
        "a table that names a file a sample, or that has a row for each node",
        _read_files,
        _GraphFileKeys,
        ("column", "root", "node", "features", *_CARRIED),
        (".npz",),
        _needed,
    ),
)
READERS.add(
    "nodes",
    Reader(
        "nodes",
        ARRAYS,
        "an array (N, V, F) of the features of all nodes, with edges that all samples share",
        _read_array,
        _NodeArrayKeys,
        _CARRIED,
    ),
)
