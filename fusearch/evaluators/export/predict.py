"""Predict new samples with the model of this folder.

One option a modality, and the file to write: `python predict.py --rna rna.csv --clinical clinical.csv --out predictions.csv`. Needs
onnxruntime, numpy and pandas alone; pyarrow for Parquet, openpyxl for Excel, pillow for PNG or JPEG, nibabel for NIfTI and masks of DICOM
volumes, pydicom for DICOM, scipy for WAV, soundfile for FLAC, pyedflib and scipy for EDF, tokenizers for texts through a language model.
Files are read as those that the model was trained on: tables; NPY and NPZ arrays; tables that name an image, a volume, a film, a sound or
a recording a row, or hold a text or a step of a series; FASTA. Rows are matched by their id over the files; a file that is left out, an id
that a file lacks, and a row of empty cells are a missing modality. `inputs.json` says which columns are read. A prediction never hangs on
other rows. Masks are files like their images, in a folder beside the table. A changed file is refused by SHA256SUMS.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pandas as pd

from fusearch.data.files.checksums import verify_checksums
from fusearch.data.files.far_values import amounts, far_off
from fusearch.data.files.films import read_films
from fusearch.data.files.frames import TABLES, TextFormat, codes_of, drop_missing, numbers_of, read_table
from fusearch.data.files.ids import columns_of_names, ids_of, in_other_order, near_miss
from fusearch.data.files.linked_nodes import link_nodes, read_graphs
from fusearch.data.files.long_graphs import long_graphs, read_node_tables
from fusearch.data.files.npz import ARRAYS, read_array
from fusearch.data.files.pictures import read_images
from fusearch.data.files.series import long_series, read_recordings
from fusearch.data.files.sounds import read_sounds
from fusearch.data.files.stacking import named_file
from fusearch.data.files.symbols import FASTA, code_rows, read_fasta, read_text_files, split_letters, split_words
from fusearch.data.files.text import as_text, where
from fusearch.data.files.texts import read_tokenizer, text_states
from fusearch.data.files.volumes import read_volumes
from fusearch.data.files.written_masks import write_mask
from fusearch.errors import DataError, nearest

FOLDER = Path(__file__).parent
#: Rows that the model runs on at once: at most so many, and at most so many values of them.
ROWS_AT_ONCE, VALUES_AT_ONCE = 1024, 2**19

#: Reader of files that a table names -> what reads them, given where each is named, and what they are brought to.
NAMED_FILES: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "images": (read_images, ("size", "channels", "window", "axes")),
    "volumes": (read_volumes, ("size", "spacing", "window", "channels", "axes")),
    "films": (read_films, ("frames", "size", "channels", "window", "axes")),
    "graphs": (read_graphs, ("nodes", "edges", "directed", "axes")),
    "sounds": (read_sounds, ("rate", "seconds", "mels")),
    "series": (read_recordings, ("channels", "rate", "seconds")),
    "texts": (read_text_files, ()),
}

FloatArray = npt.NDArray[np.float32]
#: Ids of the rows of a file, None where it has none; and their values, (n, *shape).
FileRows = tuple[list[str] | None, FloatArray]


def main() -> None:
    """Read the files, run the model, write one row an id."""
    spec = json.loads((FOLDER / "inputs.json").read_text(encoding="utf-8"))
    files, out = parse_options(spec["modalities"], spec.get("unused", {}))
    try:
        verify_checksums(FOLDER)
        tables = {name: read(path, spec["modalities"][name], spec) for name, path in files.items()}
        refuse_shuffled_array(files, tables, spec)
        ids, inputs = align(tables, spec["modalities"])
        for name, (_, values) in tables.items():
            tell_far_values(values, spec["modalities"][name])
    except DataError as error:
        sys.exit("\n".join(error.faults))
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror or error}")
    session = onnxruntime.InferenceSession(FOLDER / "model.onnx", providers=["CPUExecutionProvider"])
    if "masks" in spec:
        write_masks(session, ids, inputs, spec, files, out)
        return
    predictions = predict_rows(session, ids, inputs, spec)
    try:
        predictions.to_csv(out, index=False)
    except OSError as error:
        sys.exit(f"{out}: cannot be written ({error.strerror or error})")


def predict_rows(
    session: onnxruntime.InferenceSession, ids: list[str], inputs: dict[str, FloatArray], spec: dict[str, Any]
) -> pd.DataFrame:
    """Return a row an id: the id, the model's numbers, and where there are classes the one that is taken."""
    step = max(1, min(ROWS_AT_ONCE, VALUES_AT_ONCE // sum(values[:1].size for values in inputs.values())))
    parts = [slice(start, start + step) for start in range(0, len(ids), step)]
    outputs = [session.run(None, {f"raw.{name}": values[part] for name, values in inputs.items()})[0] for part in parts]
    numbers = np.concatenate(outputs)
    predictions = pd.DataFrame(numbers, columns=spec["outputs"])
    if spec.get("decision"):
        taken = (numbers * np.array(spec["decision"]["weights"])).argmax(axis=1)
        predictions.insert(len(predictions.columns), "predicted", [spec["outputs"][code] for code in taken], allow_duplicates=True)
    for task in spec.get("tasks", ()):
        said = numbers[:, task["start"] : task["start"] + len(task["classes"])]
        taken = (said * np.array(task["weights"])).argmax(axis=1)
        predictions[f"{task['name']}.predicted"] = [task["classes"][code] for code in taken]
    predictions.insert(0, spec["id"] or "id", ids, allow_duplicates=True)
    return predictions


def write_masks(
    session: onnxruntime.InferenceSession,
    ids: list[str],
    inputs: dict[str, FloatArray],
    spec: dict[str, Any],
    files: dict[str, Path],
    out: Path,
) -> None:
    """Write the mask of each sample, as its image is, and a table that names them: how many positions of it each class has."""
    masks, values = spec["masks"], np.array(spec["masks"]["values"], np.uint8)
    name = masks["like"]
    modality = spec["modalities"].get(name, {})
    images = files_of(files[name], modality, spec) if name in files else {}
    folder = out.with_name(f"{out.stem}_masks")
    taken: Counter[str] = Counter()
    rows = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for row, sample in enumerate(ids):
            said = session.run(None, {f"raw.{each}": inputs[each][row : row + 1] for each in inputs})[0][0]
            plain = re.sub(r"[^\w.-]+", "_", sample)
            taken[plain] += 1
            target = folder / (plain if taken[plain] == 1 else f"{plain}_{taken[plain]}")
            brought = {key: modality.get(key) for key in ("size", "spacing", "axes")}
            path, mask = write_mask(values[said.argmax(axis=0)], target, like=images.get(sample), **brought)
            counts = {label: int((mask == value).sum()) for label, value in zip(masks["classes"], values, strict=True)}
            rows.append({spec["id"] or "id": sample, "mask": path.relative_to(out.parent).as_posix(), **counts})
        pd.DataFrame(rows).to_csv(out, index=False)
    except DataError as error:
        sys.exit("\n".join(error.faults))
    except OSError as error:
        sys.exit(f"{error.filename or out}: cannot be written ({error.strerror or error})")


def files_of(path: Path, modality: dict[str, Any], spec: dict[str, Any]) -> dict[str, Path]:
    """Return the file of each sample that a table names, by its id; nothing where samples have no files."""
    if not path.name.lower().endswith(TABLES) or "root" not in modality:
        return {}
    form = TextFormat.of_bundle(spec, modality)
    frame = read_table(path, lambda names: {spec["id"] or "id", modality["column"]} & set(names), form)
    known = frame.columns.intersection([spec["id"] or "id"])
    ids = ids_of(frame[known[0]], "id", path.name, frame.index) if len(known) else [str(row) for row in range(len(frame))]
    named = (named_file(path.parent / modality["root"], cell) for cell in as_text(frame[modality["column"]], form.missing))
    return {sample: file for sample, file in zip(ids, named, strict=True) if file is not None}


def parse_options(modalities: dict[str, Any], unused: dict[str, str]) -> tuple[dict[str, Path], Path]:
    """Return the file of each modality that was given, and the file to write."""
    parser = argparse.ArgumentParser(description="Predict new samples with the model of this folder.", allow_abbrev=False)
    for name, modality in modalities.items():
        parser.add_argument(modality["option"], dest=f"file_of_{name}", metavar="FILE", help=f"{modality['kind']} {modality['shape']}")
    for name, option in unused.items():
        parser.add_argument(option, dest=f"unused_{name}", metavar="FILE", help="not read: the design does not use it")
    parser.add_argument("--out", required=True, metavar="FILE", help="CSV file to write")
    options = vars(parser.parse_args())
    for name, option in unused.items():
        if options[f"unused_{name}"] is not None:
            note(f"{option}: the design does not use {name!r}; its file is not read")
    files = {name: Path(options[f"file_of_{name}"]) for name in modalities if options[f"file_of_{name}"] is not None}
    if not files:
        parser.error(f"expected a file for at least one of: {', '.join(modality['option'] for modality in modalities.values())}")
    return files, Path(options["out"])


def note(text: str) -> None:
    """Tell something that is no error, on standard error."""
    print(text, file=sys.stderr)  # noqa: T201  # this is a program


def tell_far_values(values: FloatArray, modality: dict[str, Any]) -> None:
    """Tell columns, or samples, whose values lie far off those of the training."""
    if not modality.get("range", {}).get("low"):
        return
    names = modality.get("numeric", ["mean of a sample"])
    low, high = (np.array(modality["range"][end], float) for end in ("low", "high"))
    far = far_off(amounts(values, len(names) if "numeric" in modality else None), low, high)
    for column, middle in far[:1]:
        shown = f"{names[column]}: median {middle:g}, and {low[column]:g} to {high[column]:g} there"
        shown += f"; {len(far) - 1} more columns" * (len(far) > 1)
        note(f"{modality['option']}: values lie far off those of the training ({shown}); the same unit?")


def read(path: Path, modality: dict[str, Any], spec: dict[str, Any]) -> FileRows:
    """Read the file of one modality: an array, a table, or a table that names a file a row.

    Raises:
        DataError: It is not of a kind that the modality can be read from, or does not hold what the model reads.
    """
    name, id_name = path.name.lower(), spec["id"]
    legal = suffixes(modality)
    if not name.endswith(legal):
        raise DataError(f"{path.name}: expected a file of {modality['option']} that ends in one of: {', '.join(legal)}")
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    if name.endswith(ARRAYS):
        return read_values(path, modality, id_name, spec.get("missing", ()))
    if name.endswith(FASTA):
        records, strings = read_fasta(path)
        codes = read_symbols(strings, modality, [f"{path.name}, record {record!r}" for record in records])
        return None if id_name is None else ids_of(records, "record", path.name, records.index), codes
    form = TextFormat.of_bundle(spec, modality)
    texts = {id_name or "id", modality.get("column"), *modality.get("categorical", ())}
    frame = read_table(path, lambda names: texts & set(names), form)
    if "time" in modality:
        steps, time = modality["shape"][0], modality["time"]
        return long_series(frame, path.name, sample=id_name or "id", time=time, channels=modality["channels"], length=steps)
    if "node" in modality:
        return read_long_graphs(path, modality, id_name or "id", form)
    known = frame.columns.intersection([id_name or "id"])
    if id_name is not None and not len(known):
        match = nearest(id_name, list(map(str, frame.columns)))
        raise DataError(f"{path.name}: no column {id_name!r}, the id" + (f"; did you mean {match!r}?" if match else ""))
    ids = ids_of(frame[known[0]], "id", path.name, frame.index) if len(known) else None
    return ids, (read_column if "column" in modality else read_columns)(path, frame, modality, form)


def read_long_graphs(path: Path, modality: dict[str, Any], id_name: str, form: TextFormat) -> FileRows:
    """Read graphs from a table of nodes and the table of edges that lies beside it, as it did where the model was trained."""
    edge_file, node = path.parent / (modality["edges"] or path.name), modality["node"]
    nodes, edges = read_node_tables(path, edge_file, sample=id_name, node=node, form=form, edges_sheet=modality.get("edges_sheet"))
    how = {"room": modality["shape"][0], "directed": modality["directed"], "features": modality["features"]}
    ids, graphs = long_graphs(nodes, edges, places=(path.name, edge_file.name), sample=id_name, node=node, **how)
    return ids, graphs.values


def suffixes(modality: dict[str, Any]) -> tuple[str, ...]:
    """Return how the files of a modality may end."""
    tables = TABLES if {"numeric", "column", "time", "node"} & set(modality) else ()
    if "symbols" in modality:
        return (*tables, *(FASTA if modality.get("alphabet") else ()))
    return tables if {"rate", "time", "node"} & set(modality) else (*tables, *ARRAYS)


def read_symbols(texts: list[str | None], modality: dict[str, Any], places: list[str]) -> FloatArray:
    """Return the position of each word, or letter, among those that the model knows."""
    alphabet = modality.get("alphabet")
    found = split_letters(texts, alphabet, places) if alphabet else split_words(texts)
    codes = code_rows(found, modality["symbols"], modality["shape"][0])
    if strange := int(((codes < 0).any(axis=1) & ~(codes >= 0).any(axis=1)).sum()):
        note(f"{modality['option']}: {strange} of {len(codes)} hold no {'letter' if alphabet else 'word'} that the model knows")
    return codes


def read_texts(texts: list[str | None], modality: dict[str, Any]) -> FloatArray:
    """Return what the language model of the folder has for each text."""
    network = FOLDER / "texts" / f"{modality['model']}.onnx"
    tokenizer = read_tokenizer(network.with_suffix(".json").read_text(encoding="utf-8"), network.name)
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    values, _ = text_states(
        texts,
        tokenizer,
        lambda tokens: session.run(None, {"tokens": tokens})[0],
        pooling=modality["pooling"],
        make=lambda size: np.empty(size, np.float32),
        shape=(modality["shape"][0], modality["shape"][1]),
    )
    return values


def read_column(path: Path, frame: pd.DataFrame, modality: dict[str, Any], form: TextFormat) -> FloatArray:
    """Read the text or the sequence of each row, or the file that it names; paths start where they did, from the table's folder."""
    column, root = modality["column"], modality.get("root")
    if column not in frame:
        what = "the text or the sequence of each row" if root is None else "the path of each row's file"
        raise DataError(f"{path.name}: no column {column!r}, {what}")
    cells = as_text(frame[column], form.missing)
    places = [f"{path.name}, {where(frame.index, row)}" for row in range(len(frame))]
    if root is None:
        return read_texts(cells, modality) if "model" in modality else read_symbols(cells, modality, places)
    files = [named_file(path.parent / root, cell) for cell in cells]
    read_files, brought_to = NAMED_FILES[modality["reader"]]
    samples, *others = modality.get("axes") or (0,)
    given = {**modality, "axes": [axis - (axis > samples) for axis in others] or None}  # those of one sample's file
    held = read_files(files, places=places, **{key: given.get(key) for key in brought_to})
    for odd in getattr(held, "notes", ()):
        note(f"{modality['option']}: {odd}")
    found = getattr(held, "values", held)
    if "model" in modality:
        return read_texts(found, modality)
    if "symbols" in modality:
        return read_symbols(found, modality, places)
    if list(found.shape[1:]) != modality["shape"]:
        raise DataError(f"{path.name}: {modality['reader']} of shape {found.shape[1:]}, expected {tuple(modality['shape'])}")
    return np.asarray(found, np.float32)


def read_values(path: Path, modality: dict[str, Any], id_name: str | None, missing: list[str]) -> FileRows:
    """Read an array of samples."""
    found = read_keyed(path, modality["key"], id_name or "id")
    values, shape = found.values, modality["shape"]
    if "axes" in modality and values.ndim == len(modality["axes"]):
        values = values.transpose(modality["axes"])
    if "edges" in modality and values.ndim == 3 and values.dtype.kind in "fiub":
        values = link_nodes(values.astype(np.float64), modality["edges"], directed=modality["directed"])
    if [size for size in values.shape[1:] if size > 1] != [size for size in shape if size > 1]:
        raise DataError(f"{path.name}: an array of shape {found.values.shape}, expected (rows, {', '.join(map(str, shape))})")
    if values.dtype.kind not in "fiub" or np.isinf(values).any():
        raise DataError(f"{path.name}: an array of {values.dtype} with more than finite numbers, expected them, or NaN for a missing one")
    values = values.astype(np.float32).reshape(len(values), *shape)
    if "numeric" in modality:
        values = drop_missing(pd.DataFrame(values), missing).to_numpy(np.float32)
    return None if found.ids is None else ids_of(found.ids, "id", path.name), values


def read_keyed(path: Path, key: str, id_name: str) -> Any:
    """Read the array of a name, or the only one, from an NPZ file; that of an NPY file has no name."""
    try:
        return read_array(path, key if path.suffix.lower() == ".npz" else None, id_name)
    except DataError as error:
        if "no array" not in str(error):
            raise
        return read_array(path, None, id_name)


def read_columns(path: Path, frame: pd.DataFrame, modality: dict[str, Any], form: TextFormat) -> FloatArray:
    """Take the columns that the model reads: numbers as they are, then the code of each level (-1: unknown; NaN: missing)."""
    numeric, categorical = modality["numeric"], modality["categorical"]
    missing = pd.Index([*numeric, *categorical]).difference(frame.columns, sort=False)
    if len(missing):
        raise DataError(f"{path.name}: no column {missing[0]!r} ({len(missing)} of {len(numeric) + len(categorical)} columns are missing)")
    blocks = [numbers_of(frame[numeric], path.name, origin="samples")]
    for name, levels in categorical.items():
        texts = as_text(frame[name], form.missing)
        blocks.append(codes_of(texts, levels)[:, None])
        unknown = Counter(text for text in texts if text is not None and text not in set(levels))
        if unknown:
            told = ", ".join(f"{level!r} in {count} rows" for level, count in unknown.most_common(3)) + ", ..." * (len(unknown) > 3)
            note(f"{path.name}: column {name!r} holds levels that the model was not trained on, taken for unknown: {told}")
    return np.concatenate(blocks, axis=1)


def refuse_shuffled_array(files: dict[str, Path], tables: dict[str, FileRows], spec: dict[str, Any]) -> None:
    """Refuse an NPZ file without ids whose rows would be joined by position, and that names them in another order.

    Raises:
        DataError: It does.
    """
    known = next((ids for ids, _ in tables.values() if ids is not None), None)
    for name, path in files.items():
        if known is None or tables[name][0] is not None or path.suffix.lower() != ".npz":
            continue
        others = read_keyed(path, spec["modalities"][name]["key"], spec["id"] or "id").others
        for other, texts in columns_of_names(others.items()).items():
            if in_other_order(known, texts, same_name=False):
                told = f"its array {other!r} holds ids in another order than the first file"
                raise DataError(f"{path.name}: {told}, so rows would be joined wrongly by position; name it {spec['id'] or 'id'!r}")


def align(tables: dict[str, FileRows], modalities: dict[str, Any]) -> tuple[list[str], dict[str, FloatArray]]:
    """Return all ids in the order in which they first appear, and each modality's values for them; NaN where it has no such row.

    A file without ids has its rows in the order of the first file that has some.

    Raises:
        DataError: Two files have no id in common, or a file without ids has another number of rows.
    """
    known = {name: ids for name, (ids, _) in tables.items() if ids is not None}
    first = next(iter(known.values())) if known else [str(row) for row in range(len(next(iter(tables.values()))[1]))]
    ids = list(dict.fromkeys(row for rows in (first, *known.values()) for row in rows))
    if not ids:
        raise DataError("the files hold no row, expected at least one")
    for name, own in known.items():
        shared, option = len(set(own) & set(first)), modalities[name]["option"]
        hint = near_miss(first, own)
        if not shared:
            told = f"none of its {len(own)} ids is in the first file (such as {own[0]!r} and {first[0]!r})"
            raise DataError(f"{option}: {told}; expected the same samples" + (f"; {hint}" if hint else ""))
        if shared < max(len(own), len(first)):
            told = f"{shared} ids in common, of {len(own)} here and {len(first)} in the first file; the others lack a modality"
            note(f"{option}: {told}" + (f"; {hint}" if hint else ""))
    position = {row: index for index, row in enumerate(ids)}
    inputs = {name: np.full((len(ids), *modality["shape"]), np.nan, np.float32) for name, modality in modalities.items()}
    for name, (given, values) in tables.items():
        rows = first if given is None else given
        if len(rows) != len(values):
            raise DataError(f"{modalities[name]['option']}: {len(values)} rows without ids, expected {len(rows)} as in the file with ids")
        inputs[name][[position[row] for row in rows]] = values
    return ids, inputs


if __name__ == "__main__":
    main()
