"""The formats of files, one module each: which suffixes, which keys of the manifest, and how the file is read.

Every module in this folder is imported, so that a new format is a new file.
"""

from __future__ import annotations

import importlib
import pkgutil

from fusearch.data.readers.reader import READERS, FileKeys, Reader, Rows, SheetKeys, Source, Taken, find_reader, readers_of

__all__ = ["READERS", "FileKeys", "Reader", "Rows", "SheetKeys", "Source", "Taken", "find_reader", "readers_of"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
