"""A plug-in file of one kind, as a user would write it: mass spectra, read from a format of their own, by encoders that are there."""

import numpy as np

from fusearch.data.kinds import KINDS, Kind, Layout
from fusearch.data.readers import READERS, Reader, Rows, Source
from fusearch.errors import DataError


def read_spectra(source: Source) -> Rows:
    """Read lines of `ID value value ...`."""
    rows = [line.split() for line in source.path.read_text(encoding="utf-8").splitlines()]
    lengths = sorted({len(row) for row in rows})
    if len(lengths) != 1:
        raise DataError(f"{source.path.name}: spectra of {lengths[0] - 1} and of {lengths[-1] - 1} values, expected one length")
    return Rows.of(source, np.array([row[1:] for row in rows], dtype=np.float32)[:, :, None], [row[0] for row in rows])


READERS.add("peaks", Reader("peaks", (".peaks",), "lines of an id and the heights, {axes}", read_spectra))
KINDS.add(
    "spectrum",
    Kind(
        "spectrum",
        "Heights at rising masses.",
        (Layout("FC", "C", "tcn"),),
        formats=("peaks", "array"),
        encoders=("tcn", "flatten"),
        windows=6,
        channels_apart=True,
    ),
)
