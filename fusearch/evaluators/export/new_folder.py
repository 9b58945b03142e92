"""A folder that appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from fusearch.errors import ExportError
from fusearch.layout import whole_folder

__all__ = ["new_folder"]


@contextlib.contextmanager
def new_folder(out: str | Path) -> Iterator[Path]:
    """Make a folder beside `out` to write into; it becomes `out` at the end of the block, and is removed where the block fails.

    Missing parents are made.

    Yields:
        The folder to write into, on the same file system as `out`.

    Raises:
        ExportError: `out` exists, its parent cannot be written to, or a write inside the block failed (a full disk).
    """
    out = Path(out)
    if os.path.lexists(out):
        raise ExportError(f"{str(out)!r} exists; expected the name of a folder to make")
    try:
        with whole_folder(out) as draft:
            yield draft
    except OSError as error:
        raise ExportError(f"cannot write {str(out)!r}: {error.strerror or error}; nothing was kept") from error
