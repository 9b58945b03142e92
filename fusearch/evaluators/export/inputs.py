"""What the model of a bundle reads: `inputs.json`, the one file that `predict.py` needs beside the model."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data import Dataset, load_manifest
from fusearch.data.assembly.mask_targets import grid_modality
from fusearch.data.files.far_values import amounts, range_of
from fusearch.data.files.frames import TABLES, TextFormat, decimal_of, package_of_table, read_table
from fusearch.data.files.stacking import named_file
from fusearch.data.files.text import as_text
from fusearch.data.files.written_masks import packages_that_write
from fusearch.data.manifest.manifest import Manifest
from fusearch.data.modality import Modality
from fusearch.data.readers import FileKeys, find_reader
from fusearch.data.readers.array_file import ArrayKeys, axes_order
from fusearch.data.readers.graph_files import shared_edges
from fusearch.evaluators.tasks import bind_task
from fusearch.inference import Correction
from fusearch.tasks import SeveralTasks
from fusearch.tasks.segmentation import Segmentation

__all__ = ["describe_inputs", "manifest_of", "raw_shapes", "raw_values"]

#: Rows whose values are held at once.
_CHUNK = 1024

#: Options of `predict.py` of its own; a modality of such a name takes another option.
_TAKEN = frozenset({"out", "help"})


def describe_inputs(
    data: Dataset,
    modalities: Sequence[Modality],
    correction: Correction | None = None,
    of_tasks: Mapping[str, Correction] | None = None,
) -> dict[str, Any]:
    """Return the content of `inputs.json`.

    Args:
        data: The data set that the model was fitted on.
        modalities: What the design reads.
        correction: How probabilities become a class; None: the most probable one is taken.
        of_tasks: The same of some of several tasks, by their names.

    Returns:
        `id`, the column that joins the files (None: a column `id` where there is one, else the order of the rows); `missing` and
        `decimal` of text files, as the manifest gives them, or as the training files have it; `outputs`, the names of the model's
        numbers; `decision`, the `weights` that class probabilities are multiplied by before the largest one is taken, the `threshold`
        of the second of two classes, and the metric that they were `fitted_for` (None where there are no classes), and the same of each of
        several `tasks` that has classes; `unused`, the
        options of modalities that the design does not read; and for each modality its command-line `option`, `kind`, `shape` of one
        sample's raw values, `key` in an NPZ file that holds several arrays, and `axes`, the order that brings those of a file into
        ours. Of a table also the `numeric` columns and the `categorical` ones with their levels in the order of their codes, and the
        `sheet` of a workbook. Where values are amounts the `range` of the training: `low` and `high` of each numeric column, or of the mean
        of a sample. Of other files their `reader` in `predict.py` and what it needs (`Reader.carried`): the `column` of texts,
        or of paths and their `root`, what files are brought to (`size`, `channels`, `rate`, ...), the column of `time` of a table with a
        row for each step, the `alphabet` of sequences, the `edges` that all graphs share (or, of a table with a row for each `node`, the
        file of all edges, from the folder of that table, and the `features`), the name of a language `model` in the folder
        `texts` and its `pooling`; and the `packages` that read those of the training. Of texts and sequences the `symbols` in the order
        of their positions. Of a dense task `masks`: its `classes`, the `values` that stand for them in files, the `grid`, and the
        modality whose files masks are `like`.
    """
    manifest = manifest_of(data)
    shapes = raw_shapes(data, modalities)
    entries: dict[str, Any] = {}
    for modality in modalities:
        keys = manifest.modalities[modality.name] if manifest is not None else None
        entry: dict[str, Any] = {"option": _option(modality.name), "kind": modality.kind, "shape": list(shapes[modality.name])}
        entry["key"] = (keys.key if isinstance(keys, ArrayKeys) else None) or modality.name
        if isinstance(keys, ArrayKeys) and keys.axes is not None:
            entry["axes"] = axes_order(modality.entry, keys.axes)
        if manifest is not None and keys is not None:
            entry |= _reading(modality, keys, manifest)
        symbols = data.symbols.get(modality.name)
        if symbols is not None:
            entry["symbols"] = list(symbols.names)
        schema = data.columns.get(modality.name)
        if schema is not None:
            entry["numeric"] = list(schema.numeric)
            entry["categorical"] = {name: list(levels) for name, levels in schema.categorical.items()}
        if modality.layout.channel is not None:
            entry["range"] = _range(data, modality.name)
        entries[modality.name] = entry
    form = manifest.text_format if manifest is not None else TextFormat()
    masks = _masks(data, modalities, manifest)
    if masks is not None and masks["like"] is not None:
        read_by = entries[masks["like"]].get("packages", [])
        if written_by := packages_that_write(read_by, len(masks["grid"])):
            entries[masks["like"]]["packages"] = sorted({*read_by, *written_by})
    return {
        "id": manifest.id if manifest is not None else None,
        "missing": sorted(form.missing),
        "decimal": form.decimal or _decimal(manifest),
        "unused": {other.name: _option(other.name) for other in data.modalities if other.name not in entries},
        "outputs": list(data.task.outputs if masks is None else masks["classes"]),
        "decision": _decision(data, correction),
        "tasks": _classes_of_tasks(data, of_tasks or {}),
        "modalities": entries,
        **({} if masks is None else {"masks": masks}),
    }


def _range(data: Dataset, name: str) -> dict[str, list[float | None]]:
    """Return the least and the greatest value of each numeric column, or mean of a sample, in the rows that the model was fitted on."""
    rows, schema = data.rows("search"), data.columns.get(name)
    rows = rows[data.present[name][rows]]
    if not len(rows):
        return {"low": [], "high": []}
    num_columns = None if schema is None else len(schema.numeric)
    seen = [amounts(np.asarray(data.raw[name][chunk]), num_columns) for chunk in np.split(rows, range(_CHUNK, len(rows), _CHUNK))]
    low, high = range_of(np.concatenate(seen))
    return {"low": _plain(low), "high": _plain(high)}


def _plain(ends: npt.NDArray[Any]) -> list[float | None]:
    return [float(f"{end:.6g}") if np.isfinite(end) else None for end in ends]


def manifest_of(data: Dataset) -> Manifest | None:
    """Return the manifest that a data set was read from; None of one that was made in memory."""
    source = Path(data.source) if data.source else None
    return load_manifest(source) if source is not None and source.is_file() else None


def _masks(data: Dataset, modalities: Sequence[Modality], manifest: Manifest | None) -> dict[str, Any] | None:
    """Return what masks are made of and whose files they are like, those of the training first; None for a task of samples."""
    if not isinstance(data.task, Segmentation):
        return None
    alike = [modality.name for modality in modalities if modality.entry.has_masks and modality.positions == data.task.grid]
    own = None
    if manifest is not None and manifest.task is not None:
        own = grid_modality(manifest, manifest.task)
        spacing = {name: getattr(keys, "spacing", None) for name, keys in manifest.modalities.items()}
        alike = [name for name in alike if spacing[name] == spacing[own]]
    classes = {"classes": list(data.task.labels), "values": list(data.task.values), "grid": list(data.task.grid)}
    return {**classes, "like": own if own in alike else next(iter(alike), None)}


def _decision(data: Dataset, correction: Correction | None) -> dict[str, Any] | None:
    return _taken(len(data.task.outputs), correction) if bind_task(data.task).classes else None


def _taken(num_classes: int, correction: Correction | None) -> dict[str, Any]:
    """Return how probabilities become a class."""
    if correction is None:
        return {"weights": [1.0] * num_classes, "threshold": 0.5 if num_classes == 2 else None, "fitted_for": None}
    return {"weights": list(correction.weights), "threshold": correction.threshold, "fitted_for": correction.metric}


def _reading(modality: Modality, keys: FileKeys, manifest: Manifest) -> dict[str, Any]:
    """Return how the files of a modality are read: by what, from which column, brought to what, and with which packages."""
    reader = find_reader(modality.entry, keys.file)
    found = {name: getattr(keys, name) for name in reader.carried if getattr(keys, name) is not None}
    if "column" not in found:
        found.pop("root", None)
    if "frames" in reader.carried:  # where the manifest leaves it open: as many as the longest film of the training
        found["frames"] = modality.positions[0]
    if "nodes" in reader.carried:
        found["nodes"] = modality.positions[0]
    shared = shared_edges(keys, manifest.path.parent, manifest.text_format, f"modalities.{modality.name}.edges")
    if shared is not None:
        found["edges"] = shared[0]
        found.pop("edges_sheet", None)
    form, folder = manifest.form_of(keys), manifest.path.parent
    tables = [keys.file, *([found["edges"]] if "node" in found else [])]
    packages = {package for table in tables if (package := package_of_table(table)) is not None}
    if "model" in found:
        found["model"] = modality.name
        packages.add("tokenizers")
    elif "pooling" in found:
        del found["pooling"]
    if "column" in found:
        frame = read_table(folder / keys.file, lambda names: set(names), form)
        named = [named_file(folder / found.get("root", "."), name) for name in as_text(frame[found["column"]], form.missing)]
        packages.update(package for file in named if file is not None for package in keys.packages_of(file))
    for key in {"root"} & found.keys() | ({"edges"} if "node" in found else set()):  # they lie where they did, from the table
        found[key] = Path(os.path.relpath(folder / found[key], (folder / keys.file).parent)).as_posix()
    if "node" in found and found["edges"] == Path(keys.file).name:
        found["edges"] = None  # another sheet of the same workbook, whatever that is called
    if form.sheet is not None:
        found["sheet"] = form.sheet
    if packages:
        found["packages"] = sorted(packages)
    return {**found, "reader": reader.name} if reader.carried else found


def _classes_of_tasks(data: Dataset, of_tasks: Mapping[str, Correction]) -> list[dict[str, Any]]:
    """Return, of several tasks, those that predict one of several classes: name, where their outputs stand, classes, how one is taken."""
    if not isinstance(data.task, SeveralTasks):
        return []
    columns = data.task.output_columns
    return [
        {
            "name": part.name,
            "start": columns[part.name].start,
            "classes": list(part.task.labels),
            **_taken(len(part.task.labels), of_tasks.get(part.name)),
        }
        for part in data.task.parts
        if bind_task(part.task).classes
    ]


def _decimal(manifest: Manifest | None) -> str | None:
    """Return the decimal comma of the training files: a new file of few rows may leave it open."""
    for keys in manifest.modalities.values() if manifest is not None else ():
        path = manifest.path.parent / keys.file if manifest is not None else Path()
        if keys.file.lower().endswith(TABLES) and path.is_file() and decimal_of(path) == ",":
            return ","
    return None


def _option(name: str) -> str:
    return f"--{name}" if name not in _TAKEN else f"--{name}_file"


def raw_shapes(data: Dataset, modalities: Sequence[Modality]) -> dict[str, tuple[int, ...]]:
    """Return modality -> shape of one sample's raw values."""
    return {modality.name: data.raw[modality.name].shape[1:] for modality in modalities}


def raw_values(data: Dataset, modalities: Sequence[Modality], rows: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.float32]]:
    """Return what a deployed model reads for some rows: modality -> (n, *raw shape), all NaN where a sample lacks the modality."""
    values = {modality.name: np.array(data.raw[modality.name][rows]) for modality in modalities}
    for name, array in values.items():
        array[~data.present[name][rows]] = np.nan
    return values
