"""Decoded files, kept as one array on disk and mapped into memory: what is too large to be decoded at every load (decision 0074)."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data import files as reading

__all__ = ["FOLDER", "DecodedFiles", "decode_once", "mapped_file"]

FloatArray = npt.NDArray[np.float32]

#: Environment variable that names the folder; left out, `fusearch` in the user's cache.
FOLDER = "FUSEARCH_CACHE"

#: Decoded values of so many bytes are kept on disk; fewer stay in memory and are decoded at every load.
KEPT_FROM = 2**30


@dataclass(frozen=True)
class DecodedFiles:
    """Values of files, (N, ...) float32, and what is odd about the files, in one line each."""

    values: FloatArray
    notes: tuple[str, ...] = ()


def decode_once(
    files: Sequence[Path | None],
    arguments: Mapping[str, Any],
    decode: Callable[[Callable[..., FloatArray]], DecodedFiles],
    kept_from: int | None = None,
) -> DecodedFiles:
    """Decode files, or map what was decoded of them before: the same files (by path, size and time), arguments and code.

    Args:
        files: The file, or folder, of each sample.
        arguments: What they are brought to.
        decode: Decodes them into the array that the function it is given makes for a shape: in memory, or on disk where it is large.
        kept_from: Bytes from which it is large; None: `KEPT_FROM`.
    """
    folder = _folder()
    target = folder / f"{_key(files, arguments)}.npy"
    notes = target.with_suffix(".json")
    if target.is_file() and notes.is_file():
        return DecodedFiles(np.load(target, mmap_mode="r"), tuple(json.loads(notes.read_text(encoding="utf-8"))))
    draft = target.with_suffix(f".{os.getpid()}.part")

    def make(shape: tuple[int, ...]) -> FloatArray:
        num_bytes = 4 * int(np.prod(shape))
        if num_bytes < (KEPT_FROM if kept_from is None else kept_from) or not _has_room(folder, num_bytes):
            return np.empty(shape, np.float32)
        return np.lib.format.open_memmap(draft, mode="w+", dtype=np.float32, shape=shape)

    try:
        found = decode(make)
        if not draft.is_file():
            return found
        notes.write_text(json.dumps(found.notes), encoding="utf-8")
        os.replace(draft, target)
    finally:
        if draft.is_file():
            draft.unlink()
    return DecodedFiles(np.load(target, mmap_mode="r"), found.notes)


def _folder() -> Path:
    named = os.environ.get(FOLDER)
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fusearch"


def _has_room(folder: Path, num_bytes: int) -> bool:
    """Whether the folder can be written and has room: a map of a file that cannot grow ends the process."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > 1.1 * num_bytes
    except OSError:
        return False


def _key(files: Sequence[Path | None], arguments: Mapping[str, Any]) -> str:
    def facts(file: Path | None) -> Any:
        if file is None or not file.exists():
            return str(file)
        parts = sorted(file.iterdir()) if file.is_dir() else [file]
        return [(str(part.resolve()), part.stat().st_size, part.stat().st_mtime_ns) for part in parts]

    code = [part.read_text(encoding="utf-8") for part in sorted(Path(str(reading.__file__)).parent.glob("*.py"))]
    document = [code, dict(arguments), [facts(file) for file in files]]
    return hashlib.sha256(json.dumps(document, default=str).encode()).hexdigest()[:32]


def mapped_file(values: npt.NDArray[Any]) -> Path | None:
    """Return the file that an array, or what it is a view of, is mapped from; None: it is held in memory."""
    part: Any = values
    while part is not None:
        if isinstance(part, np.memmap):
            return None if part.filename is None else Path(part.filename)
        part = getattr(part, "base", None)
    return None
