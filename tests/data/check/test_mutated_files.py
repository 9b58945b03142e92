"""Files that are broken, by chance and on purpose: `check` says so in one line, or accepts them. No traceback, no pickle, no hang.

Each format has a small data set; one of its files is then cut, overwritten, swapped or made to promise too much.
"""

from __future__ import annotations

import io
import pickle
import resource
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from edf import write_edf
from PIL import Image
from scipy.io import wavfile
from volume_files import nibabel, write_series
from workbook_files import write_book

from fusearch.data import check_data
from fusearch.errors import FusearchError

ROWS = 12
IDS = [f"p{row}" for row in range(ROWS)]
RNG = np.random.default_rng(0)

#: Mutations by chance of each format; with those on purpose below they are more than 200.
_CHANCES = 11

#: Memory, in KiB, that the files of one format may take beyond what the process had.
_MOST_MEMORY = 2**20


def _table(folder: Path) -> pd.DataFrame:
    return pd.DataFrame({"id": IDS, "x": RNG.normal(size=ROWS), "z": np.arange(ROWS) % 5, "sex": ["f", "m"] * (ROWS // 2)})


def _named(folder: Path, suffix: str, write: Callable[[Path, int], Any]) -> str:
    for row in range(ROWS):
        write(folder / f"{row}.{suffix}", row)
    pd.DataFrame({"id": IDS, "file": [f"{row}.{suffix}" for row in range(ROWS)]}).to_csv(folder / "files.csv", index=False)
    return f"3.{suffix}"


def _sound(path: Path, row: int) -> None:
    wavfile.write(path, 8000, (1000 * np.sin(np.arange(900) * (row + 1))).astype(np.int16))


def _flac(path: Path, row: int) -> None:
    import soundfile

    soundfile.write(path, np.sin(np.arange(900) * (row + 1)) / 2, 8000)


def _graph(path: Path, row: int) -> None:
    np.savez(path, features=RNG.normal(size=(3 + row % 2, 2)), edges=np.array([(0, 1), (1, 2)]), weights=np.ones(2))


def _graph_of(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **{"features": np.ones((3, 2)), "edges": np.array([(0, 1)]), **arrays})
    return file.getvalue()


def _image(path: Path, row: int) -> None:
    Image.fromarray(RNG.integers(0, 255, (6, 5, 3), dtype=np.uint8)).save(path)


def _volume(path: Path, row: int) -> None:
    nibabel.save(nibabel.Nifti1Image(RNG.normal(size=(4, 5, 3)).astype(np.float32), np.diag([1, 1, 2, 1])), path)


def _dicom(folder: Path) -> str:
    for row in range(ROWS):
        write_series(folder / str(row), RNG.integers(0, 99, (2, 4, 5)))
    pd.DataFrame({"id": IDS, "file": [str(row) for row in range(ROWS)]}).to_csv(folder / "files.csv", index=False)
    return str(next((folder / "3").iterdir()).relative_to(folder))


def _book(folder: Path) -> None:
    write_book(folder / "x.xlsx", s=_table(folder))


def _recording(path: Path, row: int) -> None:
    write_edf(path, {"ECG": (np.sin(np.arange(20) * (row + 1)), 10)})


def _fasta(folder: Path) -> None:
    rows = [f">{name}\n{''.join(RNG.choice(list('ACGT'), 9))}\n" for name in IDS]
    (folder / "x.fasta").write_text("".join(rows))


_FILES: dict[str, Any] = {"file": "files.csv", "column": "file"}
_NUMBERS = {"kind": "tabular", "columns": ["x", "z"]}
_SOUND = {"kind": "audio", **_FILES, "rate": 8000, "seconds": 0.1}
_EDF = {"kind": "timeseries", **_FILES, "channels": ["ECG"], "rate": 10, "seconds": 1}

#: Format -> what writes its files and says which one is broken (None: `x` and the format), and the modality.
FORMATS: dict[str, tuple[Callable[[Path], str | None], dict[str, Any]]] = {
    "csv": (
        lambda folder: _table(folder).to_csv(folder / "x.csv", index=False),
        {"kind": "tabular", "file": "x.csv", "categorical": ["sex"]},
    ),
    "csv.gz": (
        lambda folder: _table(folder).to_csv(folder / "x.csv.gz", index=False),
        {**_NUMBERS, "file": "x.csv.gz"},
    ),
    "parquet": (
        lambda folder: _table(folder).to_parquet(folder / "x.parquet"),
        {**_NUMBERS, "file": "x.parquet"},
    ),
    "xlsx": (_book, {**_NUMBERS, "file": "x.xlsx"}),
    "npy": (lambda folder: np.save(folder / "x.npy", RNG.normal(size=(ROWS, 6, 2))), {"kind": "timeseries", "file": "x.npy"}),
    "npz": (
        lambda folder: np.savez(folder / "x.npz", x=RNG.normal(size=(ROWS, 4)), id=np.array(IDS)),
        {"kind": "tabular", "file": "x.npz"},
    ),
    "png": (lambda folder: _named(folder, "png", _image), {"kind": "image2d", **_FILES}),
    "jpg": (lambda folder: _named(folder, "jpg", _image), {"kind": "image2d", **_FILES}),
    "tif": (lambda folder: _named(folder, "tif", _image), {"kind": "image2d", **_FILES}),
    "nii": (lambda folder: _named(folder, "nii", _volume), {"kind": "volume3d", **_FILES}),
    "nii.gz": (lambda folder: _named(folder, "nii.gz", _volume), {"kind": "volume3d", **_FILES}),
    "dcm": (_dicom, {"kind": "volume3d", **_FILES}),
    "wav": (lambda folder: _named(folder, "wav", _sound), _SOUND),
    "flac": (lambda folder: _named(folder, "flac", _flac), _SOUND),
    "edf": (
        lambda folder: _named(folder, "edf", _recording),
        {"kind": "timeseries", **_FILES, "channels": ["ECG"], "rate": 10, "seconds": 1},
    ),
    "fasta": (_fasta, {"kind": "sequence", "file": "x.fasta", "alphabet": "dna"}),
    "txt": (
        lambda folder: _named(folder, "txt", lambda path, row: path.write_text(f"word{row % 3} of a text")),
        {"kind": "text", **_FILES, "root": "."},
    ),
    "graph": (lambda folder: _named(folder, "npz", _graph), {"kind": "graph", **_FILES}),
    "yaml": (lambda folder: FORMATS["csv"][0](folder) or "study.yaml", {"kind": "tabular", "file": "x.csv", "categorical": ["sex"]}),
}


def _by_chance(content: bytes, rng: np.random.Generator) -> Iterator[bytes]:
    """Give the content cut, with bits flipped, with a stretch overwritten, repeated, and with numbers that promise too much."""
    size = len(content)
    for share in (0.0, 0.02, 0.5, 0.97):
        yield content[: int(share * size)]
    for count in (1, 8):
        broken = bytearray(content)
        for place in rng.integers(0, min(size, 400), count):
            broken[place] ^= int(rng.integers(1, 256))
        yield bytes(broken)
    start = int(rng.integers(0, max(1, size - 16)))
    yield content[:start] + rng.bytes(16) + content[start + 16 :]
    for _ in range(2):
        start = int(rng.integers(0, min(size, 128)))
        yield content[:start] + b"\xff\xff\xff\x7f" + content[start + 4 :]
    yield content + content
    yield rng.bytes(size)


class _Trap:
    """Leaves a trace where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def _npy(shape: str, dtype: str = "<f8") -> bytes:
    head = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    head += " " * (63 - (len(head) + 10) % 64 + 1 - 1) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + bytes(64)


def _nifti(shape: tuple[int, ...]) -> bytes:
    header = nibabel.Nifti1Image(np.zeros((1, 1, 1), np.float32), np.eye(4)).header.copy()
    header["dim"][: 1 + len(shape)] = [len(shape), *shape]
    header["vox_offset"] = 352
    return bytes(header.binaryblock) + bytes(4) + bytes(64)


_BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 10)}]\n" for before, after in zip("abcdefghi", "bcdefghij", strict=True)
)

#: What is broken on purpose: format and name -> what its file holds then.
ON_PURPOSE: dict[tuple[str, str], Callable[[Path, bytes], bytes]] = {
    ("csv", "mixed types"): lambda folder, content: content.replace(b",1,", b",one,").replace(b",2,", b",2024-01-01,"),
    ("csv", "a quote that stays open"): lambda folder, content: content.replace(b"p3,", b'"p3,'),
    ("csv", "one line of a million fields"): lambda folder, content: b"id" + b",x" * 1_000_000 + b"\n",
    ("csv", "NUL"): lambda folder, content: content.replace(b"p3", b"p\x003"),
    ("csv", "infinite"): lambda folder, content: content.replace(b"p3,", b"p3,1e999,").replace(b"id,x", b"id,y,x"),
    ("npy", "objects"): lambda folder, content: _npy("(1,)", "|O") + pickle.dumps(_Trap(folder / "unpickled")),
    ("npy", "a shape of a terabyte"): lambda folder, content: _npy("(12, 100000, 100000)"),
    ("npy", "a negative shape"): lambda folder, content: _npy("(12, -3, 2)"),
    ("npy", "a header that is code"): lambda folder, content: _npy("(__import__('os').getpid(),)"),
    ("npy", "a deep header"): lambda folder, content: _npy("(" * 20_000 + ")" * 20_000),
    ("png", "60,000 x 60,000"): lambda folder, content: _png(60_000, 60_000),
    ("png", "12,000 x 12,000"): lambda folder, content: _png(12_000, 12_000),
    ("nii", "a shape of a terabyte"): lambda folder, content: _nifti((30_000, 30_000, 300)),
    ("nii", "two axes"): lambda folder, content: _nifti((3, 4)),
    ("nii", "no axis"): lambda folder, content: _nifti(()),
    ("dcm", "without pixels"): lambda folder, content: content[: content.index(b"\xe0\x7f\x10\x00")],
    ("wav", "zero length"): lambda folder, content: content[:40] + bytes(4),
    ("wav", "rate 0"): lambda folder, content: content[:24] + bytes(4) + content[28:],
    ("wav", "a channel count of 65,535"): lambda folder, content: content[:22] + b"\xff\xff" + content[24:],
    ("fasta", "names alone"): lambda folder, content: b">" * 5000,
    ("graph", "20,000 nodes"): lambda folder, content: _graph_of(features=np.ones((20_000, 2))),
    ("graph", "a far node"): lambda folder, content: _graph_of(edges=np.array([(0, 2**62)])),
    ("graph", "edges of no number"): lambda folder, content: _graph_of(edges=np.array([("a", "b")])),
    ("graph", "three axes"): lambda folder, content: _graph_of(features=np.ones((3, 2, 2)), edges=np.ones((2, 2, 2))),
    ("graph", "objects"): lambda folder, content: _graph_of(features=np.array([_Trap(folder / "unpickled")], dtype=object)),
    ("yaml", "aliases"): lambda folder, content: _BOMB.encode() + content,
    ("yaml", "an alias of itself"): lambda folder, content: b"x: &x [*x]\n" + content,
    ("yaml", "levels"): lambda folder, content: content + b"x: " + b"[" * 20_000,
    ("yaml", "an object"): lambda folder, content: content + b"x: !!python/object/apply:os.getpid []\n",
    ("yaml", "a key twice"): lambda folder, content: content + content,
    ("yaml", "numbers for words"): lambda folder, content: content.replace(b"tabular", b"1").replace(b"x.csv", b"[1, 2]"),
}


def _study(folder: Path, name: str) -> tuple[Path, Path]:
    """Write the data set of a format; return its manifest and the file that is broken."""
    RNG.bit_generator.state = np.random.default_rng(0).bit_generator.state  # whichever test came before
    write, modality = FORMATS[name]
    broken = write(folder) or f"x.{name}"
    pd.DataFrame({"id": IDS, "y": ["a", "b"] * (ROWS // 2)}).to_csv(folder / "labels.csv", index=False)
    document = {"id": "id", "task": {"kind": "classification", "file": "labels.csv", "column": "y"}, "modalities": {"x": modality}}
    (folder / "study.yaml").write_text(yaml.safe_dump({**document, "splits": {"fractions": [0.5, 0.25, 0.25]}}))
    return folder / "study.yaml", folder / broken


def _faults(manifest: Path, what: str) -> list[str]:
    """Return what is wrong with how `check` tells of a data set."""
    try:
        told = [problem.what for problem in check_data(manifest).problems]
    except FusearchError as error:
        told = [str(error)]
    except Exception as error:
        return [f"{what}: {type(error).__name__}: {error}"]
    return [f"{what}: {line}" for line in told if not line.strip() or "\n" in line or "Traceback" in line or len(line) > 1000]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", FORMATS)
def test_a_broken_file_is_told_in_one_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pickle.Unpickler", None)
    manifest, path = _study(tmp_path, name)
    assert check_data(manifest).ok, "whole, it is accepted"
    content = path.read_bytes()
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    mutated = {f"{name}, mutation {number}": broken for number, broken in enumerate(_by_chance(content, np.random.default_rng(1)))}
    assert len(mutated) == _CHANCES
    mutated |= {f"{name}, {what}": broken(tmp_path, content) for (of, what), broken in ON_PURPOSE.items() if of == name}
    faults = []
    for what, broken in mutated.items():
        path.write_bytes(broken)
        faults += _faults(manifest, what)
    assert faults == []
    assert not (tmp_path / "unpickled").exists()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held < _MOST_MEMORY


def test_there_are_two_hundred() -> None:
    assert _CHANCES * len(FORMATS) + len(ON_PURPOSE) >= 200
