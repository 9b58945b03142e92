"""Every format of every kind: files of its real writer go through check, search, report and export to `predict.py` on the same files.

Which formats there are is asked of the readers, so that one that nothing here writes fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from bundles import bundle_of_all, predictions_of_files
from edf import write_edf
from PIL import Image
from volume_files import write_dicom, write_nifti, write_series
from workbook_files import write_book

from fusearch.data import check_data, load_data
from fusearch.data.files.dicom import DICOM
from fusearch.data.files.films import FILMS
from fusearch.data.files.linked_nodes import GRAPHS
from fusearch.data.kinds import KINDS, loadable_kinds
from fusearch.data.readers import READERS
from fusearch.data.readers.reader import readers_of
from fusearch.evaluators import TrainingEvaluator
from fusearch.reports import write_report
from fusearch.search import run_search
from fusearch.search_space import FusionGraph, SearchSpace

soundfile = pytest.importorskip("soundfile", reason="needs the reader of fusearch[audio]")

pytestmark = pytest.mark.slow

ROWS, RATE = 24, 8000
IDS = [f"p{row:02d}" for row in range(ROWS)]
SICK = np.arange(ROWS) % 3 == 0
EDGES = pd.DataFrame({"source": [0, 1], "target": [1, 2]})
GROUPS = [(kind, reader.name) for kind in loadable_kinds() for reader in readers_of(KINDS[kind])]

#: What stands in a table itself, and no name of a file; a folder of files is written with a star before how they end.
IN_PLACE = "in place"


def sample(shape: tuple[int, ...], row: int) -> np.ndarray:
    """Return even whole numbers from 0 to 254 that change slowly along the axes and rise with the label."""
    slopes = np.random.default_rng(row).integers(2, 8, len(shape))
    return 2.0 * (np.tensordot(slopes, np.indices(shape), 1) + row % 5 + 30 * SICK[row])


def picture(row: int) -> np.ndarray:
    return sample((8, 6), row).astype(np.uint8)


def film(row: int) -> np.ndarray:
    return sample((3, 8, 6), row).astype(np.uint8)


def volume(row: int) -> np.ndarray:
    return sample((4, 6, 5), row)


def tone(row: int) -> np.ndarray:
    time = np.arange(800) / RATE
    return np.round(8000 * np.sin(2 * np.pi * (500 + 10 * row + 1000 * SICK[row]) * time)).astype(np.int16)


def steps(row: int) -> np.ndarray:
    return sample((10, 2), row) / 256


def words(row: int) -> str:
    return f"a {'bad' if SICK[row] else 'good'} word and {('one', 'two')[row % 2]} more"


def letters(row: int) -> str:
    return "".join(np.random.default_rng(row).choice(list("ACGT"), 7)) + ("G" if SICK[row] else "C")


def write_frames(folder: Path, row: int, suffix: str) -> None:
    folder.mkdir()
    for number, frame in enumerate(film(row)):
        Image.fromarray(frame).save(folder / f"{number}{suffix}")


def save_picture(path: Path, row: int) -> None:
    Image.fromarray(picture(row)).save(path)


def save_slices(path: Path, row: int) -> None:
    write_dicom(path, (volume(row) / 2 + 1000).astype(np.uint16), RescaleSlope=2, RescaleIntercept=-2000)


def save_recording(path: Path, row: int) -> None:
    write_edf(path, {name: (values, 10) for name, values in zip("ab", steps(row).T.copy(), strict=True)})


#: Reader -> how the files end that a table names, one a sample -> what writes that of a row.
FILES: Mapping[str, Mapping[str, Callable[[Path, int], Any]]] = {
    "images": {
        **dict.fromkeys((".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"), save_picture),
        **dict.fromkeys((".dcm", ".dicom", ".ima", ""), lambda path, row: write_dicom(path, picture(row).astype(np.uint16))),
        ".npy": lambda path, row: np.save(path, picture(row)),
    },
    "films": {
        **{f"*{end}": partial(write_frames, suffix=end) for end in (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")},
        ".npy": lambda path, row: np.save(path, film(row)[..., None]),
    },
    "volumes": {
        **dict.fromkeys((".nii", ".nii.gz"), lambda path, row: write_nifti(path, volume(row).astype(np.float32))),
        **dict.fromkeys((".dcm", ".dicom", ".ima", ""), save_slices),
        "*.dcm": lambda path, row: write_series(path, volume(row)),
        ".npy": lambda path, row: np.save(path, volume(row)),
    },
    "sounds": dict.fromkeys((".wav", ".flac"), lambda path, row: soundfile.write(path, tone(row), RATE)),
    "series": dict.fromkeys((".edf", ".bdf"), save_recording),
    "texts": {".txt": lambda path, row: path.write_text(words(row), encoding="utf-8")},
    "graphs": {
        ".npz": lambda path, row: np.savez(path, features=sample((3, 2), row), edges=EDGES.to_numpy()),
        ".npy": lambda path, row: np.save(path, sample((3, 2), row)),
    },
}
#: Reader -> further files of it that the code names, beside `Reader.names`; a file of DICOM may end in nothing.
ALSO_NAMED = {"images": (*DICOM, ""), "volumes": (*DICOM, ""), "films": FILMS[:1], "graphs": GRAPHS}

#: Reader -> what a table of values holds, of all rows.
TABLES_OF_VALUES: Mapping[str, Callable[[], pd.DataFrame]] = {
    "table": lambda: pd.DataFrame({"id": IDS, "x": [row % 7 + 5 * SICK[row] for row in range(ROWS)], "y": np.arange(ROWS) * 0.5}),
    "series": lambda: pd.DataFrame(
        [{"id": IDS[row], "t": step, "a": a, "b": b} for row in range(ROWS) for step, (a, b) in enumerate(steps(row))]
    ),
    "texts": lambda: pd.DataFrame({"id": IDS, "value": [words(row) for row in range(ROWS)]}),
    "strings": lambda: pd.DataFrame({"id": IDS, "value": [letters(row) for row in range(ROWS)]}),
    "graphs": lambda: pd.DataFrame(
        [{"id": IDS[row], "atom": f"n{node}", "q": q, "r": r} for row in range(ROWS) for node, (q, r) in enumerate(sample((3, 2), row))]
    ),
}

#: How a table ends -> what writes it.
TABLES: Mapping[str, Callable[[Path, pd.DataFrame], Any]] = {
    **dict.fromkeys((".csv", ".csv.gz"), lambda path, frame: frame.to_csv(path, index=False)),
    **dict.fromkeys((".tsv", ".tsv.gz"), lambda path, frame: frame.to_csv(path, index=False, sep="\t")),
    ".parquet": lambda path, frame: frame.to_parquet(path, index=False),
    ".xlsx": lambda path, frame: write_book(path, one=frame),
}

#: Kind -> the shape of a sample in an array; of kinds with codes of symbols, how many.
SHAPES = {"tabular": (3,), "timeseries": (10, 2), "image2d": (1, 8, 6), "volume3d": (1, 4, 6, 5), "video": (1, 3, 8, 6), "graph": (3, 2)}
CODES = {"text": 9, "sequence": 5}

#: Keys that a manifest needs of a kind, whatever the format.
KEYS: Mapping[str, Mapping[str, Any]] = {"audio": {"rate": RATE, "seconds": 0.1, "mels": 8}}


def array_of(kind: str) -> np.ndarray:
    """Return the samples of a kind in one array."""
    if kind in CODES:
        codes = [np.random.default_rng(row).integers(2, CODES[kind], 6) for row in range(ROWS)]
        return np.stack(codes)
    return np.stack([sample(SHAPES[kind], row) for row in range(ROWS)])


def ways_of(reader: str) -> list[str]:
    """Return the forms in which a table of a reader has its samples."""
    entry = READERS[reader]
    ends = [end for end in (*entry.names, *ALSO_NAMED.get(reader, ())) if " " not in end]  # one is "a folder of ..." in words
    in_place = [IN_PLACE] * len(entry.suffixes) if reader in TABLES_OF_VALUES else []
    return [*in_place, *dict.fromkeys([*ends, *(f"*{end}" for end in entry.inside)])]


def formats_of(reader: str) -> list[tuple[str, str]]:
    """Return how a file of a reader ends, with how a table has its samples: each of both, once or more."""
    ends, ways = READERS[reader].suffixes, ways_of(reader) or [IN_PLACE]
    return [(ends[turn % len(ends)], ways[turn % len(ways)]) for turn in range(max(len(ends), len(ways)))]


def write_format(folder: Path, kind: str, reader: str, end: str, way: str) -> dict[str, Any]:
    """Write the samples of a kind in one format, and return what the manifest says of it."""
    name = f"{reader}{len(list(folder.iterdir()))}"
    path, keys = folder / f"{name}{end}", {"kind": kind, "file": f"{name}{end}", **KEYS.get(kind, {})}
    if end in (".npy", ".npz"):
        values = array_of(kind)
        np.save(path, values) if end == ".npy" else np.savez(path, x=values, id=np.array(IDS))
        return keys | ({"edges": "edges.csv"} if kind == "graph" else {})
    if reader == "fasta":
        path.write_text("".join(f">{IDS[row]}\n{letters(row)}\n" for row in range(ROWS)), encoding="utf-8")
        return keys | {"alphabet": "dna"}
    if way == IN_PLACE:
        TABLES[end](path, TABLES_OF_VALUES[reader]())
        if reader == "graphs":
            edges = pd.DataFrame([{"id": name, "source": f"n{a}", "target": f"n{b}"} for name in IDS for a, b in EDGES.to_numpy()])
            TABLES[end](folder / f"edges_{name}{end}", edges)
            return keys | {"node": "atom", "features": ["q", "r"], "edges": f"edges_{name}{end}"}
        column = {"series": {"time": "t", "channels": ["a", "b"]}, "table": {}}.get(reader, {"column": "value"})
        return keys | column | ({"alphabet": "dna"} if reader == "strings" else {})
    files = folder / f"files_{name}"
    files.mkdir()
    named = [f"{IDS[row]}{'' if way.startswith('*') else way}" for row in range(ROWS)]
    for row, each in enumerate(named):
        FILES[reader][way](files / each, row)
    TABLES[end](path, pd.DataFrame({"id": IDS, "file": named}))
    signals = {"channels": ["a", "b"], "rate": 10, "seconds": 1} if reader == "series" else {}
    shared = {"edges": "edges.csv"} if (reader, way) == ("graphs", ".npy") else {}
    return keys | {"column": "file", "root": files.name} | signals | shared


@pytest.mark.parametrize(("kind", "reader"), [pytest.param(*group, id=" ".join(group)) for group in GROUPS])
def test_from_files_of_each_format_to_predictions(kind: str, reader: str, tmp_path: Path) -> None:
    formats = formats_of(reader)
    folder = tmp_path / "study"
    folder.mkdir()
    EDGES.to_csv(folder / "edges.csv", index=False)
    pd.DataFrame({"id": IDS, "sick": np.where(SICK, "yes", "no")}).to_csv(folder / "labels.csv", index=False)
    modalities = {
        re.sub(r"\W+", "_", f"m{number} {way} {end}"): write_format(folder, kind, reader, end, way)
        for number, (end, way) in enumerate(formats)
    }
    task = {"kind": "classification", "file": "labels.csv", "column": "sick"}
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump({"id": "id", "task": task, "modalities": modalities, "splits": {"folds": 2}}), encoding="utf-8")

    found = check_data(path)
    assert found.ok, found.problems
    data = load_data(path)
    first = data.raw[next(iter(modalities))]
    for (_, way), name in zip(formats, modalities, strict=True):
        np.testing.assert_allclose(data.raw[name], first, atol=12 if way.endswith((".jpg", ".jpeg")) else 1e-3, err_msg=name)

    streams = " | ".join(f"{name}:flatten" for name in modalities)  # formats are asked of here, and not encoders: the least to export
    joined = f"F1 = cat({', '.join(f'{name}@L' for name in modalities)}; trunk=fc:0) ->"
    graph = FusionGraph.parse(f"{streams}\n{joined}", modalities=data.modalities)
    how: dict[str, Any] = {"out": tmp_path / "run", "trials": 1, "first": [graph], "executor": "inline"}
    run = run_search(SearchSpace(data.modalities), TrainingEvaluator(data, epochs=1, folds=2), ("auroc", "macs"), **how)
    assert [record.reason for record in run.records() if record.state == "failed"] == []
    report = write_report(run).read_text(encoding="utf-8")
    assert all(name in report for name in modalities)

    bundle, inputs = bundle_of_all(run, modalities, tmp_path)
    assert set(inputs) == set(modalities)
    work = tmp_path / "work"
    work.mkdir()
    predictions, expected = predictions_of_files(bundle, data, lambda name: folder / modalities[name]["file"], ["no", "yes"], work)
    np.testing.assert_allclose(predictions.to_numpy(), expected, atol=1e-5)
    assert_each_is_read(bundle, {name: data.raw[name] for name in modalities}, expected)


def assert_each_is_read(bundle: Path, raw: Mapping[str, np.ndarray], expected: np.ndarray) -> None:
    """Other values of any modality give other predictions, so that one that is read wrongly is seen."""
    import onnxruntime

    session = onnxruntime.InferenceSession(bundle / "model.onnx")
    for name, values in raw.items():
        (other,) = session.run(None, {f"raw.{each}": values[::-1] if each == name else raw[each] for each in raw})
        assert np.abs(other - expected).max() > 1e-4, name
