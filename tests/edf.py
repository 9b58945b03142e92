"""Writes EDF and BDF as recorders do, by pyedflib."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

pyedflib = pytest.importorskip("pyedflib", reason="needs fusearch[signals]")


def write_edf(path: Path, signals: Mapping[str, tuple[np.ndarray, int]]) -> None:
    """Write label -> samples between -2 and 2, and how many there are a second; whole seconds. Spaces behind a label are not kept."""
    file_type = pyedflib.FILETYPE_BDF if path.suffix == ".bdf" else pyedflib.FILETYPE_EDF
    with pyedflib.EdfWriter(str(path), len(signals), file_type=file_type) as writer:
        for index, (label, (_, rate)) in enumerate(signals.items()):
            header = {"label": label, "dimension": "mV", "sample_frequency": rate, "transducer": "", "prefilter": ""}
            limits = {"physical_max": 2.0, "physical_min": -2.0, "digital_max": 32767, "digital_min": -32768}
            writer.setSignalHeader(index, header | limits)
        writer.writeSamples([np.asarray(values, np.float64) for values, _ in signals.values()])
