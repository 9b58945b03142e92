"""Excel workbooks for tests."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

openpyxl = pytest.importorskip("openpyxl", reason="needs fusearch[excel]")


def write_book(path: Path, **sheets: pd.DataFrame) -> Path:
    """Write a sheet for each data frame."""
    with pd.ExcelWriter(path) as writer:
        for name, frame in sheets.items():
            frame.to_excel(writer, sheet_name=name, index=False)
    return path
